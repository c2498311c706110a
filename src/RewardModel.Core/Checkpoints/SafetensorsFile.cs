using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using RewardModel.Files;
using RewardModel.Reading;

namespace RewardModel.Checkpoints;

/// <summary>
/// A safetensors file, open for reading: 8 bytes with the length of the header (little endian), the header (JSON), the tensors'
/// values. The whole header is checked when the file is opened; the values are read on demand. Reading is thread-safe.
/// </summary>
// Read at positions instead of mapped into memory: the values go straight into a tensor's own memory either way, and a file that
// another process cuts short is then an exception instead of the end of the process.
internal sealed class SafetensorsFile : IDisposable
{
    private const int LengthFieldBytes = 8;

    // Sixty thousand tensors, more than any file has. The format's own limit is 100 MB, which takes seconds to read.
    private const int MaxHeaderBytes = 8_000_000;

    internal const string Advice = "Download or save the file again.";

    private readonly SafeFileHandle handle;
    private readonly Dictionary<string, SafetensorsEntry> entriesByName;

    private SafetensorsFile(
        string path, SafeFileHandle handle, IReadOnlyList<SafetensorsEntry> entries, IReadOnlyDictionary<string, string> metadata)
    {
        FilePath = path;
        this.handle = handle;
        Entries = entries;
        Metadata = metadata;
        entriesByName = entries.ToDictionary(entry => entry.Name);
    }

    /// <summary>The path as it was given to <see cref="Open"/>.</summary>
    public string FilePath { get; }

    /// <summary>The tensors, in the order of their values in the file.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>The header's <c>__metadata__</c>; empty where there is none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="CheckpointException">The file is no valid safetensors file, with all the reasons.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        SafeFileHandle handle;
        try
        {
            handle = InputFile.OpenHandle(path, FileKind.Weights);
        }
        catch (FileRefusedException refusal)
        {
            throw new CheckpointException(path, [refusal.Problem], Advice, refusal);
        }
        try
        {
            var problems = new ProblemList();
            var header = ReadHeader(handle, problems);
            problems.ThrowIfAny(path, Advice);

            var dataStart = LengthFieldBytes + header.Length;
            var (entries, metadata) = SafetensorsHeader.Parse(header, dataStart, RandomAccess.GetLength(handle) - dataStart, problems);
            problems.ThrowIfAny(path, Advice);
            return new SafetensorsFile(path, handle, entries, metadata);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>The description of a tensor, or null where the file has none of that name.</summary>
    public SafetensorsEntry? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return entriesByName.GetValueOrDefault(name);
    }

    /// <summary>Copies values of a tensor.</summary>
    /// <param name="entry">One of <see cref="Entries"/>.</param>
    /// <param name="start">The first byte to copy, counted from the tensor's first.</param>
    /// <param name="destination">Is filled with the bytes from there on; must not reach beyond the tensor's last.</param>
    /// <exception cref="CheckpointException">The file became shorter after it was opened.</exception>
    public void Read(SafetensorsEntry entry, long start, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, entry.Length - destination.Length);
        if (!Fill(handle, entry.Offset + start, destination))
            throw new CheckpointException(
                FilePath, [$"the file ends inside tensor {Quoted.Text(entry.Name)}: it became shorter after it was opened"], Advice);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => handle.Dispose();

    private static byte[] ReadHeader(SafeFileHandle handle, ProblemList problems)
    {
        var fileLength = RandomAccess.GetLength(handle);
        Span<byte> start = stackalloc byte[ForeignContent.StartBytes];
        if (ForeignContent.Of(start[..RandomAccess.Read(handle, start, 0)]) is { } foreign)
        {
            problems.Add($"the file is {foreign.What}", foreign.Advice);
            return [];
        }
        Span<byte> lengthField = stackalloc byte[LengthFieldBytes];
        if (!Fill(handle, 0, lengthField))
        {
            problems.Add($"the file has {fileLength} bytes; expected at least the {LengthFieldBytes} of the header's length");
            return [];
        }
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(lengthField);
        if (headerLength > MaxHeaderBytes)
        {
            problems.Add($"the header's length is {headerLength} bytes; expected at most {MaxHeaderBytes}: this is no safetensors file");
            return [];
        }
        if (headerLength > (ulong)(fileLength - LengthFieldBytes))
        {
            problems.Add($"the header's length is {headerLength} bytes, but {fileLength - LengthFieldBytes} follow: the file is cut short");
            return [];
        }
        var header = new byte[headerLength];
        if (!Fill(handle, LengthFieldBytes, header))
            problems.Add("the file became shorter while its header was read");
        return header;
    }

    private static bool Fill(SafeFileHandle handle, long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            var count = RandomAccess.Read(handle, destination, offset);
            if (count == 0)
                return false;
            destination = destination[count..];
            offset += count;
        }
        return true;
    }
}
