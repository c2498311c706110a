using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using System.Text.Json;

namespace RewardModel.Files;

/// <summary>
/// What files of a directory were when they were saved: their sizes and checksums, in a file that is written last. So a directory without one
/// was not saved to its end, and one whose files differ from it is damaged.
/// </summary>
/// <param name="Files">The files, by their paths below the directory, with <c>/</c> between names.</param>
internal sealed record FileManifest(IReadOnlyList<ManifestFile> Files)
{
    private const int bufferBytes = 1 << 20;

    private static readonly JsonSerializerOptions options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>Writes the manifest, down to the disk.</summary>
    /// <param name="path">Its file.</param>
    public void Write(string path) => PendingFile.WriteText(path, JsonSerializer.Serialize(this, options) + "\n");

    /// <summary>Reads a manifest.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="name">The manifest's name there.</param>
    /// <exception cref="FileRefusedException">It is none.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static FileManifest Read(string directory, string name)
    {
        var bytes = FolderFile.ReadBytes(directory, name, FileKind.Record);
        try
        {
            var manifest = JsonSerializer.Deserialize<FileManifest>(bytes, options) ?? throw new JsonException("it holds null");
            foreach (var file in manifest.Files)
                (file ?? throw new JsonException("a file is null")).Check();
            return manifest;
        }
        catch (Exception exception) when (exception is JsonException or FormatException or OverflowException)
        {
            throw new FileRefusedException(
                Path.Combine(directory, name), "the manifest is damaged; expected the sizes and checksums of the files beside it",
                "Restore it from a copy.");
        }
    }

    /// <summary>What a file is now.</summary>
    /// <exception cref="FileRefusedException">It is not read: see <see cref="FolderFile"/>.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static ManifestFile Of(string directory, string name)
    {
        using var file = InputFile.Open(FolderFile.Checked(directory, name), FileKind.Saved);
        var length = file.Length;
        return ManifestFile.Of(name, length, length == 0 ? [] : [new FileRun(0, length, ChecksumOf(file, 0, length)!.Value)]);
    }

    /// <summary>How files differ from the manifest, one sentence each without a full stop.</summary>
    /// <param name="directory">The files' directory.</param>
    /// <param name="share">Which of <paramref name="shareCount"/> shares of the bytes is read; sizes are looked at in each.</param>
    /// <param name="shareCount">Into how many shares they are divided, for several processes that look together.</param>
    /// <param name="cancellation">Stops it.</param>
    public IReadOnlyList<string> ProblemsOf(
        string directory, int share = 0, int shareCount = 1, CancellationToken cancellation = default)
    {
        var problems = new List<string>();
        var place = 0;
        foreach (var file in Files)
            try
            {
                using var content = InputFile.Open(FolderFile.Checked(directory, file.Name), FileKind.Saved);
                FileRun[] own = [.. file.Runs.Where(_ => place++ % shareCount == share)];
                if (content.Length != file.Bytes)
                    problems.Add($"{file.Name} has {content.Length} bytes; expected {file.Bytes}");
                else if (own.FirstOrDefault(run => ChecksumOf(content, run.Start, run.Length, cancellation) != run.Checksum) is { Length: > 0 } run)
                    problems.Add($"{file.Name} has other bytes than were saved, between {run.Start} and {run.Start + run.Length}");
            }
            catch (FileRefusedException exception)
            {
                problems.Add(exception.Problem);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                problems.Add($"{file.Name} can't be read: {exception.Message.TrimEnd('.')}");
            }
        return problems;
    }

    private static UInt128? ChecksumOf(Stream file, long start, long length, CancellationToken cancellation = default)
    {
        file.Position = start;
        var hash = new XxHash128();
        var buffer = ArrayPool<byte>.Shared.Rent(bufferBytes);
        try
        {
            while (length > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                var count = file.Read(buffer, 0, (int)Math.Min(buffer.Length, length));
                if (count == 0)
                    return null;
                hash.Append(buffer.AsSpan(0, count));
                length -= count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return hash.GetCurrentHashAsUInt128();
    }
}

/// <summary>What a file was when it was saved.</summary>
/// <param name="Name">Its path below the directory.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Checksums">Of runs of its bytes, one after the other: where each begins, its length, its XXH128.</param>
internal sealed record ManifestFile(string Name, long Bytes, IReadOnlyList<string> Checksums)
{
    /// <summary>A file of known runs, which others may have written.</summary>
    public static ManifestFile Of(string name, long bytes, IEnumerable<FileRun> runs) => new(
        name, bytes,
        [
            .. runs.OrderBy(run => run.Start).Select(run => string.Create(
                CultureInfo.InvariantCulture, $"{run.Start} {run.Length} {run.Checksum:x32}")),
        ]);

    /// <summary>The runs.</summary>
    internal IEnumerable<FileRun> Runs => Checksums.Select(text => text.Split(' ')).Select(fields => new FileRun(
        long.Parse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture),
        long.Parse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture),
        UInt128.Parse(fields[2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)));

    /// <exception cref="FormatException">The runs are not the whole file, once.</exception>
    internal void Check()
    {
        if (Checksums.Any(text => text?.Count(character => character == ' ') != 2))
            throw new FormatException($"{Name}: a checksum has not three fields");
        long end = 0;
        foreach (var run in Runs)
        {
            if (run.Start != end)
                throw new FormatException($"{Name}: the bytes from {end} have no checksum");
            end += run.Length;
        }
        if (end != Bytes)
            throw new FormatException($"{Name}: the bytes from {end} have no checksum");
    }
}
