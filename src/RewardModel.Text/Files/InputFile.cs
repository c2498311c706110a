using System.Text;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;

namespace RewardModel.Files;

/// <summary>
/// The one place where files are opened to be read. What is opened is a regular file of bounded size; a pipe, which might never end or never
/// begin, only where the kind allows it. Files of a directory that others may have filled are opened by <see cref="FolderFile"/>.
/// </summary>
internal static class InputFile
{
    /// <summary>What a file is that has no length.</summary>
    public const string IsEmpty = "the file is empty, or it is not a regular file";

    private const string Again = "Download or save the file again.";

    private const string IsAnother = "See whether it is the file that is meant.";

    private static readonly UTF8Encoding strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kind">What it is read as.</param>
    /// <returns>The file, which others may write to or delete meanwhile.</returns>
    /// <exception cref="FileRefusedException">It is no file of the kind.</exception>
    /// <exception cref="IOException">There is none, or the system refuses.</exception>
    public static Stream Open(string path, FileKind kind) => Check(path, kind) == 0 && !kind.MayBePipe
        ? Stream.Null
        : new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 4096, FileOptions.SequentialScan);

    /// <summary>Opens a file that the library has made, to be read at positions, and says what others may do to it meanwhile.</summary>
    public static FileStream OpenOwn(string path, FileKind kind, FileShare share, FileOptions options)
    {
        Check(path, kind);
        return new FileStream(path, FileMode.Open, FileAccess.Read, share, bufferSize: 0, options);
    }

    /// <summary>The same, to be read at positions.</summary>
    public static SafeFileHandle OpenHandle(string path, FileKind kind)
    {
        Check(path, kind);
        return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <summary>The bytes of a file.</summary>
    /// <inheritdoc cref="Open"/>
    public static byte[] ReadBytes(string path, FileKind kind)
    {
        using var file = Open(path, kind);
        if (!file.CanSeek || file.Length == 0)
            return ReadPipe(path, file, kind);
        var bytes = new byte[file.Length];
        var count = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return count == bytes.Length ? bytes : bytes[..count];
    }

    /// <summary>The bytes of a text in UTF-8, without a byte-order mark.</summary>
    /// <inheritdoc cref="Open"/>
    public static ReadOnlyMemory<byte> ReadUtf8(string path, FileKind kind) => Utf8Of(ReadBytes(path, kind), path);

    /// <summary>The bytes of a text in UTF-8, without a byte-order mark, of those that were read.</summary>
    /// <exception cref="FileRefusedException">They are none.</exception>
    public static ReadOnlyMemory<byte> Utf8Of(ReadOnlyMemory<byte> bytes, string path)
    {
        if (bytes.Span.StartsWith(Encoding.UTF8.Preamble))
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        if (Utf8.IsValid(bytes.Span))
            return bytes;
        try
        {
            strictUtf8.GetCharCount(bytes.Span);
            return bytes;
        }
        catch (DecoderFallbackException exception)
        {
            throw new FileRefusedException(
                path, $"byte {exception.Index} is no UTF-8 (0x{exception.BytesUnknown?.FirstOrDefault() ?? 0:x2}); expected text in UTF-8",
                "Save the file as UTF-8, or download it again.");
        }
    }

    /// <summary>The text of a file in UTF-8, without a byte-order mark.</summary>
    /// <inheritdoc cref="Open"/>
    public static string ReadText(string path, FileKind kind) => Encoding.UTF8.GetString(ReadUtf8(path, kind).Span);

    /// <summary>The lines of a file in UTF-8.</summary>
    /// <inheritdoc cref="Open"/>
    public static IEnumerable<string> ReadLines(string path, FileKind kind)
    {
        using var lines = new StringReader(ReadText(path, kind));
        while (lines.ReadLine() is { } line)
            yield return line;
    }

    /// <summary>The length of a file, or of that which a link leads to; 0 where there is none, of pipes and of devices.</summary>
    public static long LengthOf(string path) => new FileInfo(RealPath(Path.GetFullPath(path))) is { Exists: true } file ? file.Length : 0;

    /// <summary>A path without symbolic links: a link's own length is that of the path it holds, which is one from where the link lies.</summary>
    public static string RealPath(string path) => RealPath(path, 0);

    private static string RealPath(string path, int depth)
    {
        const int most = 40;
        if (depth > most)
            return "a circle of links";
        if (Path.GetDirectoryName(path) is not { } parent)
            return path;
        var plain = Path.Combine(RealPath(parent, depth), Path.GetFileName(path));
        return new FileInfo(plain).LinkTarget is { } target
            ? RealPath(Path.GetFullPath(target, Path.GetDirectoryName(plain)!), depth + 1) : plain;
    }

    private static byte[] ReadPipe(string path, Stream pipe, FileKind kind)
    {
        using var content = new MemoryStream();
        var buffer = new byte[1 << 12];
        while (pipe.Read(buffer) is > 0 and var count)
        {
            content.Write(buffer, 0, count);
            if (content.Length > kind.MaxBytes)
                throw new FileRefusedException(
                    path, $"the pipe gave more than {kind.MaxBytes} bytes, too many for {kind.Name}; expected at most these", IsAnother);
        }
        return content.ToArray();
    }

    /// <returns>The file's length.</returns>
    private static long Check(string path, FileKind kind)
    {
        if (Directory.Exists(path))
            throw new FileRefusedException(path, "this is a directory; expected a file", "Give one of the files in it.");
        var file = new FileInfo(RealPath(Path.GetFullPath(path)));
        if (!file.Exists)
            throw new FileNotFoundException($"There is no file '{path}'. Check the path.", path);
        // Pipes and devices have no length. They are not opened to find out more: opening a pipe waits for its other end.
        if (file.Length == 0 && !kind.MayBePipe && !kind.MayBeEmpty)
            throw new FileRefusedException(path, IsEmpty, Again);
        return file.Length <= kind.MaxBytes
            ? file.Length
            : throw new FileRefusedException(
                path, $"the file has {file.Length} bytes, too many for {kind.Name}; expected at most {kind.MaxBytes}", IsAnother);
    }
}
