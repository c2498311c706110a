#!/bin/sh
# Copies what a self-contained build of reward-model needs of Debian into a directory: C and C++ libraries, OpenSSL with its certificates, and
# a user. No shell, no package manager.
#   rootfs.sh DIRECTORY
set -eu
root=$1
libraries=$(ldconfig -p | awk '/x86-64/ && /^\t(ld-linux-x86-64\.so\.2|lib(c|m|dl|pthread|rt|gcc_s|stdc\+\+|ssl|crypto|z|zstd)\.so\.[0-9]+) / { print $NF }' | sort -u)
mkdir -p "$root/tmp" "$root/models" "$root/etc/ssl/certs" "$root/lib64"
for library in $libraries; do
  mkdir -p "$root$(dirname "$library")"
  cp --dereference "$library" "$root$library"
done
cp --dereference /lib64/ld-linux-x86-64.so.2 "$root/lib64/"
cp --dereference /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo 'reward-model:x:10001:10001::/tmp:/none' > "$root/etc/passwd"
echo 'reward-model:x:10001:' > "$root/etc/group"
chmod 1777 "$root/tmp"
