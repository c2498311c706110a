using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace RewardModel.Distributed;

/// <summary>
/// How far each rank is, in a file per rank (<c>rank-3</c>) of a folder that all of them see, so that one that waits for another can say
/// for which. A file is a line: the number of an operation, whether the rank is in it or past it, and what it is. When it was written is
/// when the rank came there.
/// </summary>
internal sealed class RankProgress : IDisposable
{
    private const int lineBytes = 256;

    private readonly string folder;
    private readonly int size;
    private readonly SafeFileHandle file;
    private readonly byte[] line = new byte[lineBytes];

    /// <summary>Makes the folder, if need be, and this rank's file. The first rank deletes what more ranks have left that were killed.</summary>
    public RankProgress(string folder, int rank, int size)
    {
        (this.folder, this.size, Rank) = (folder, size, rank);
        Directory.CreateDirectory(folder);
        for (var other = size; rank == 0 && File.Exists(PathOf(other)); other++)
            File.Delete(PathOf(other));
        file = File.OpenHandle(PathOf(rank), FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <summary>This rank.</summary>
    public int Rank { get; }

    /// <summary>This rank has come to an operation, or has it behind it. Takes microseconds.</summary>
    public void Write(long number, bool isOver, string purpose)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{number} {(isOver ? "past" : "in")} {purpose.ReplaceLineEndings(" ")}");
        line.AsSpan().Fill((byte)' ');
        Encoding.UTF8.GetEncoder().Convert(text, line.AsSpan(0, lineBytes - 1), flush: true, out _, out _, out _);
        line[^1] = (byte)'\n';
        try
        {
            RandomAccess.Write(file, line, fileOffset: 0);
        }
        catch (IOException)
        {
            // A full disk is no reason to end a training for: only a message would be of less help.
        }
    }

    /// <summary>In words, which ranks have not come to an operation, and where they are. This rank's file has just been written.</summary>
    public string Missing(long number)
    {
        // Times of the files' own clock, which need not be this machine's.
        var now = File.GetLastWriteTimeUtc(PathOf(Rank));
        var missing = new List<string>();
        var unknown = new List<int>();
        foreach (var rank in Enumerable.Range(0, size).Where(rank => rank != Rank))
            if (Read(rank) is not { } other)
                unknown.Add(rank);
            else if (other.Number < number)
            {
                var seconds = string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (now - other.Time).TotalSeconds):0} s");
                missing.Add(other.IsOver
                    ? $"rank {rank} has done operation {other.Number} ({other.Purpose}) {seconds} ago, and no other since"
                    : $"rank {rank} has been at operation {other.Number} ({other.Purpose}) for {seconds}");
            }
        var rest = unknown.Count > 0 ? $"; of rank {string.Join(", ", unknown)} nothing is known" : "";
        return missing.Count > 0 ? $"{string.Join(", ", missing)}, all others have come to {number}{rest}"
            : unknown.Count > 0 ? rest[2..] : "all ranks have come to it, so MPI or the network hangs";
    }

    /// <summary>This rank ends as it should: nobody waits for it. The last one removes the folder.</summary>
    public void Dispose()
    {
        file.Dispose();
        File.Delete(PathOf(Rank));
        try
        {
            Directory.Delete(folder);
        }
        catch (IOException)
        {
            // Other ranks' files are there, or another rank was faster.
        }
    }

    private string PathOf(int rank) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"rank-{rank}"));

    private (long Number, bool IsOver, string Purpose, DateTime Time)? Read(int rank)
    {
        try
        {
            var fields = File.ReadAllText(PathOf(rank)).Trim().Split(' ', 3);
            return fields.Length == 3 && long.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? (number, fields[1] == "past", fields[2], File.GetLastWriteTimeUtc(PathOf(rank)))
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
