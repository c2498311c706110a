using System.Diagnostics;
using RewardModel.Fuzz.Mutation;
using RewardModel.Fuzz.Targets;

namespace RewardModel.Fuzz.Running;

/// <summary>What a child process does: reads inputs, one after the other, and keeps those that take new branches.</summary>
/// <param name="target">The target.</param>
/// <param name="folders">Where things are kept.</param>
/// <param name="status">Tells the parent.</param>
internal sealed class TargetLoop(FuzzTarget target, FuzzFolders folders, StatusFile status)
{
    private static readonly TimeSpan minimizingTime = TimeSpan.FromSeconds(2);

    private readonly Coverage coverage = new();
    private readonly Corpus corpus = new(folders.CorpusOf(target.Name));
    private readonly string scratch = FuzzFolders.ScratchOf(target.Name);
    private readonly HashSet<string> kinds = [];

    /// <summary>Runs for a time.</summary>
    /// <param name="seed">Decides all that is drawn.</param>
    /// <param name="time">How long.</param>
    public void Run(ulong seed, TimeSpan time)
    {
        var watch = Stopwatch.StartNew();
        var random = new FuzzRandom(seed);
        foreach (var input in target.Seeds.Concat(corpus.Saved()))
            if (watch.Elapsed < time)
                Read(input, isSeed: true);
        while (watch.Elapsed < time)
            Read(target.Next(corpus.Draw(random), corpus.Draw(random), random), isSeed: false);
    }

    private void Read(byte[] input, bool isSeed)
    {
        status.Input = input;
        status.CaseStart = Environment.TickCount64;
        Coverage.Clear();
        var exception = target.FindingOf(input, scratch);
        var isNew = coverage.AddIsNew();
        status.CaseStart = 0;
        status.CaseCount++;
        status.EdgeCount = coverage.EdgeCount;
        if (exception is not null)
            Report(input, exception);
        // Without any branches counted, and where all seeds are findings, seeds are what there is to change.
        if (isSeed || (isNew && exception is null))
            corpus.Add(input);
        status.CorpusCount = corpus.Count;
    }

    private void Report(byte[] input, Exception exception)
    {
        var kind = Finding.KindOf(exception);
        if (!kinds.Add(kind))
            return;
        var least = Minimizer.Minimized(
            input,
            smaller =>
            {
                status.Input = smaller;
                status.CaseStart = Environment.TickCount64;
                return target.FindingOf(smaller, scratch) is { } other && Finding.KindOf(other) == kind;
            },
            minimizingTime);
        var shown = target.FindingOf(least, scratch) ?? exception;
        status.CaseStart = 0;
        new Finding(target.Name, kind, least, $"{shown}").Write(folders.Findings);
    }
}
