using System.Diagnostics;
using System.Globalization;
using System.Text;
using RewardModel.Files;

namespace RewardModel.Distributed;

/// <summary>
/// How far each rank is, in a file per rank (<c>rank-3</c>) of a folder that all of them see, so that one that waits for another can say
/// for which. A file is a line: the number of an operation, whether the rank is in it or past it, for how many seconds at the time of
/// writing, and what it is. It is written again and again, so that a rank that is not even able to do that is known, too.
/// </summary>
internal sealed class RankProgress : IDisposable
{
    private const int lineBytes = 256;

    private readonly string folder;
    private readonly int size;
    private readonly FileStream file;
    private readonly byte[] line = new byte[lineBytes];
    private readonly Stopwatch sinceThen = new();
    private (long Number, bool IsOver, string Purpose) place = (0, true, "start of all ranks");

    /// <summary>
    /// Makes the folder, if need be, and this rank's file. The first rank deletes what more ranks have left that were killed.
    /// </summary>
    public RankProgress(string folder, int rank, int size)
    {
        (this.folder, this.size, Rank) = (folder, size, rank);
        Disk.CreateDirectory(folder);
        for (var other = size; rank == 0 && File.Exists(PathOf(other)); other++)
            Disk.Delete(PathOf(other));
        file = Disk.Open(PathOf(rank), FileMode.Create, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <summary>This rank.</summary>
    public int Rank { get; }

    /// <summary>This rank has come to an operation, or has it behind it. Takes microseconds.</summary>
    public void Write(long number, bool isOver, string purpose)
    {
        place = (number, isOver, purpose.ReplaceLineEndings(" "));
        sinceThen.Restart();
        WriteAgain();
    }

    /// <summary>This rank is still where it was: a sign of life.</summary>
    public void WriteAgain()
    {
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{place.Number} {(place.IsOver ? "past" : "in")} {sinceThen.Elapsed.TotalSeconds:0.0} {place.Purpose}");
        line.AsSpan().Fill((byte)' ');
        Encoding.UTF8.GetEncoder().Convert(text, line.AsSpan(0, lineBytes - 1), flush: true, out _, out _, out _);
        line[^1] = (byte)'\n';
        try
        {
            RandomAccess.Write(file.SafeFileHandle, line, fileOffset: 0);
        }
        catch (IOException)
        {
            // A full disk is no reason to end a training for: only a message would be of less help.
        }
    }

    /// <summary>
    /// In words, which ranks have not come to an operation, and where they are, or have come to it and stopped working. This rank's file
    /// has just been written.
    /// </summary>
    /// <param name="number">The operation.</param>
    /// <param name="longestSilence">Ranks that work have written more often.</param>
    public string Missing(long number, TimeSpan longestSilence)
    {
        // Times of the files' own clock, which need not be this machine's.
        var now = File.GetLastWriteTimeUtc(PathOf(Rank));
        var missing = new List<string>();
        var unknown = new List<int>();
        foreach (var rank in Enumerable.Range(0, size).Where(rank => rank != Rank))
            if (Read(rank) is not { } other)
                unknown.Add(rank);
            else
            {
                var silence = Math.Max(0, (now - other.Time).TotalSeconds);
                var isSilent = silence > longestSilence.TotalSeconds;
                var seconds = string.Create(CultureInfo.InvariantCulture, $"{other.Seconds + silence:0} s");
                if (other.Number < number)
                    missing.Add(
                        (other.IsOver
                            ? $"rank {rank} has done operation {other.Number} ({other.Purpose}) {seconds} ago, and no other since"
                            : $"rank {rank} has been at operation {other.Number} ({other.Purpose}) for {seconds}")
                        + (isSilent ? " (its process or its machine stands still)" : ""));
                else if (isSilent)
                    missing.Add(string.Create(
                        CultureInfo.InvariantCulture,
                        $"rank {rank} has come to it, too, but its process or its machine has stood still for {silence:0} s"));
            }
        var rest = unknown.Count > 0 ? $"; of rank {string.Join(", ", unknown)} nothing is known" : "";
        return missing.Count > 0 ? $"{string.Join(", ", missing)}, all others have come to {number}{rest}"
            : unknown.Count > 0 ? rest[2..] : "all ranks have come to it, so MPI or the network hangs";
    }

    /// <summary>This rank ends as it should: nobody waits for it. The last one removes the folder.</summary>
    public void Dispose()
    {
        file.Dispose();
        Disk.Delete(PathOf(Rank));
        try
        {
            Disk.DeleteEmptyDirectory(folder);
        }
        catch (IOException)
        {
            // Other ranks' files are there, or another rank was faster.
        }
    }

    private string PathOf(int rank) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"rank-{rank}"));

    private (long Number, bool IsOver, double Seconds, string Purpose, DateTime Time)? Read(int rank)
    {
        try
        {
            var fields = FolderFile.ReadText(folder, Path.GetFileName(PathOf(rank)), FileKind.Record).Trim().Split(' ', 4);
            return fields.Length == 4 && long.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && double.TryParse(fields[2], NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
                ? (number, fields[1] == "past", seconds, fields[3], File.GetLastWriteTimeUtc(PathOf(rank)))
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
