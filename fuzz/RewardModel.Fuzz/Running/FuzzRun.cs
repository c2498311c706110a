using System.Globalization;
using RewardModel.Fuzz.Targets;

namespace RewardModel.Fuzz.Running;

/// <summary>Runs all targets, each in processes of its own, two at a time.</summary>
/// <param name="folders">Where things are kept.</param>
/// <param name="seed">Decides all that is drawn.</param>
internal sealed class FuzzRun(FuzzFolders folders, ulong seed)
{
    private const int ChildCount = 2;

    private readonly Lock writing = new();

    /// <summary>Runs targets, and prints a line for each.</summary>
    /// <param name="targets">The targets.</param>
    /// <param name="time">For all of them together.</param>
    /// <returns>How much was found.</returns>
    public int Run(IReadOnlyList<FuzzTarget> targets, TimeSpan time)
    {
        Console.WriteLine($"{"target",-20} {"cases",9} {"cases/s",8} {"edges",6} {"corpus",6} {"MB",5} {"findings",8}");
        var (cases, findings) = (0L, 0);
        var share = time * Math.Min(ChildCount, targets.Count) / targets.Count;
        Parallel.ForEach(targets, new ParallelOptions { MaxDegreeOfParallelism = ChildCount }, target =>
        {
            var result = new ChildWatch(target, folders, seed).Run(share);
            lock (writing)
            {
                cases += result.CaseCount;
                findings += result.FindingCount;
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{target.Name,-20} {result.CaseCount,9} {result.CaseCount / share.TotalSeconds,8:F0} {result.EdgeCount,6} {result.CorpusCount,6} {result.PeakMegabytes,5} {result.FindingCount,8}"));
            }
        });
        Console.WriteLine($"{cases} cases, {findings} findings");
        return findings;
    }
}
