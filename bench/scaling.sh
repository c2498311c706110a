#!/usr/bin/env bash
# Measures training on ranks that a slow network connects: network namespaces of this machine with a bridge between them, each with a limited
# rate of its own (tc), in which mpirun starts ranks as on different hosts, over TCP alone. Needs root, Open MPI, ip, tc and two cores.
#   ./bench/scaling.sh DIRECTORY [--rounds N] [--steps N]
# DIRECTORY gets the runs, the predictions (prediction.md, written before anything is compared with them) and the results (results.md).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mkdir -p "$1" && cd "$1" && pwd)
shift
rounds=3
steps=6
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2 ;;
    --steps) steps=$2 ;;
    *) echo "scaling.sh: $1 is not known; expected --rounds N or --steps N" >&2; exit 2 ;;
  esac
  shift 2
done
# Open MPI gives ranks a terminal, which .NET would set up.
export TERM=dumb
most=4
network=10.77.0
bridge=ranks-bridge
dotnet build "$root/bench/RewardModel.Bench" --configuration Release --nologo --verbosity quiet
dotnet build "$root/src/RewardModel.Cli" --configuration Release --nologo --verbosity quiet
bench=$root/bench/RewardModel.Bench/bin/Release/net10.0/RewardModel.Bench
train="dotnet $root/src/RewardModel.Cli/bin/Release/net10.0/reward-model.dll train"

cleanup() {
  for i in $(seq "$most"); do ip netns delete "rank$i" 2>/dev/null || true; done
  ip link delete "$bridge" 2>/dev/null || true
}
trap cleanup EXIT
cleanup
ip link add "$bridge" type bridge
ip address add "$network.254/24" dev "$bridge"
ip link set "$bridge" up
for i in $(seq "$most"); do
  ip netns add "rank$i"
  ip link add "ranks-veth$i" type veth peer name eth0 netns "rank$i"
  ip link set "ranks-veth$i" master "$bridge" up
  ip -n "rank$i" address add "$network.$i/24" dev eth0
  ip -n "rank$i" link set eth0 up
  ip -n "rank$i" link set lo up
done

# In place of ssh: a namespace with a host name of its own is a host to Open MPI and to the ranks.
agent=$work/agent
cat > "$agent" <<'AGENT'
#!/usr/bin/env bash
name=rank${1##*.}
shift
exec ip netns exec "$name" unshare --uts bash -c "echo $name > /proc/sys/kernel/hostname; $*"
AGENT
chmod +x "$agent"

# Megabits a second and milliseconds; what a rank sends is limited. The delay is left to the system where the kernel has no netem.
limit() {
  for i in $(seq "$most"); do
    local burst=$(($1 * 1000000 / 8 / 200))
    [ "$burst" -ge 131072 ] || burst=131072
    tc -n "rank$i" qdisc replace dev eth0 root handle 1: tbf rate "$1mbit" burst "$burst" latency 50ms
    tc -n "rank$i" qdisc add dev eth0 parent 1:1 netem delay "$2ms" 2>/dev/null || no_delay=1
  done
}

# Ranks and a command.
across() {
  local count=$1 hosts
  shift
  hosts=$(seq --separator , --format "$network.%g:1" "$count")
  mpirun --allow-run-as-root -np "$count" --host "$hosts" --bind-to none --mca plm_rsh_agent "$agent" --mca plm_rsh_no_tree_spawn 1 \
    --mca pml ob1 --mca btl tcp,self --mca btl_tcp_if_include "$network.0/24" --mca oob_tcp_if_include "$network.0/24" \
    --mca mpi_yield_when_idle 1 "$@"
}

# What a rank's link has carried, in bytes; mostly of the first rank, as others send as much.
sent() { ip netns exec rank1 cat /sys/class/net/eth0/statistics/tx_bytes; }

# NAME RANKS SHARDING MORE...: a run in $work/NAME, with what the first rank has sent.
run() {
  local name=$1 count=$2 sharding=$3 before
  shift 3
  rm -rf "${work:?}/$name"
  before=$(sent)
  # Two lists a rank, each a micro-batch, as RankModel has it.
  local options=(--data "$work/model/lists.jsonl" --backbone "$work/model" --eval-fraction 0 --steps "$steps" --save-every "$steps"
    --lists-per-step $((2 * count)) --max-tokens-per-batch 192 --threads 1 --shard "$sharding" --output "$work/$name" --quiet "$@")
  if [ "$count" = 1 ]; then $train "${options[@]}"; else across "$count" $train "${options[@]}"; fi > /dev/null
  echo $(($(sent) - before)) > "$work/$name/sent"
}

"$bench" rank-model scaling "$work/model"
no_delay=
networks=("10000 0.05" "1000 0.2" "100 1")

# What predictions are made of: one rank's time for a token, without and with layers computed again, and what an all-reduce says of each network.
for round in 1 2 3; do
  run "before-none-$round" 1 none
  run "before-parameters-$round" 1 none --activation-checkpointing
done
for setting in "${networks[@]}"; do
  read -r rate delay <<< "$setting"
  limit "$rate" "$delay"
  across 2 "$bench" rank-messages 40 5 > "$work/messages-$rate.json"
done
[ -z "$no_delay" ] || echo "scaling.sh: this kernel has no netem: messages take as long as the system lets them, beside the rate"
mpirun --allow-run-as-root -np 2 --bind-to none "$bench" rank-messages 40 20 > "$work/messages-local.json"
"$bench" ranks-scaling "$work" before > "$work/prediction.md"

for round in $(seq "$rounds"); do
  run "one-none-$round" 1 none
  run "one-parameters-$round" 1 none --activation-checkpointing
  for setting in "${networks[@]}"; do
    read -r rate delay <<< "$setting"
    limit "$rate" "$delay"
    run "two-none-$rate-$round" 2 none
    run "two-parameters-$rate-$round" 2 parameters
  done
done
# Four ranks on two cores: no figures of time, but whether losses are the same, and what is sent.
limit 1000 0.2
for sharding in none optimizer gradients parameters; do
  run "four-$sharding" 4 "$sharding"
done
run four-one 1 none --lists-per-step 8
"$bench" ranks-scaling "$work" one > "$work/results.md"
cat "$work/prediction.md" "$work/results.md"
