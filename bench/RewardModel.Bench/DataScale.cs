using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Packing;
using RewardModel.Ranking;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Checks;
using RewardModel.Training.Data;
using RewardModel.Training.Runs;

namespace RewardModel.Bench;

/// <summary>
/// What training does with very many pairs, but for the model's computation, phase by phase: how long each takes and in how much memory.
/// </summary>
/// <param name="rowCount">How many pairs are made up.</param>
/// <param name="directory">Where their files lie, and the cache; files that are there already are used.</param>
/// <param name="tokenizerDirectory">Directory of a tokenizer.</param>
internal sealed class DataScale(int rowCount, string directory, string tokenizerDirectory)
{
    /// <summary>Steps from one whose batches are laid out, as those of all are when a model computes them, to the next.</summary>
    private const int stepsPerPacked = 1000;

    private const double evaluationFraction = 0.01;

    private static readonly TrainingOptions options = new() { ListsPerStep = 64, EvaluationInterval = int.MaxValue };

    /// <summary>Whether files are compressed by gzip.</summary>
    public bool IsCompressed { get; init; }

    /// <summary>Whether lists are kept in a cache, rather than for this run alone.</summary>
    public bool HasCache { get; init; } = true;

    /// <summary>Whether a step is so many tokens, rather than so many lists.</summary>
    public bool CountsTokens { get; init; }

    private string? keyOfLists;

    private TrainingOptions Options => (CountsTokens ? options with { ListsPerStep = null, TokensPerStep = 8192 } : options).WithDefaults();

    private string Cache => Path.Combine(directory, "cache");

    public void Run()
    {
        Console.WriteLine($"{Machine.Description}\n{rowCount:N0} pairs\n");
        Console.WriteLine("| phase | s | CPU s | rows/s | peak MB | of its own MB | of files MB | managed MB |\n|---|---|---|---|---|---|---|---|");
        var paths = Measure("write the files", () => PairFiles.Write(directory, rowCount, IsCompressed));
        using var model = DataMeasurement.Model(tokenizerDirectory);
        using var lists = Measure(Directory.Exists(Cache) ? "open the cache" : "read, tokenise, check", () => Read(model, paths));
        Train(model, lists);
        if (!HasCache)
            return;
        using var second = Process.Start(new ProcessStartInfo(Environment.ProcessPath!)
        {
            ArgumentList = { Environment.GetCommandLineArgs()[0], "data-scale-rank", Cache, tokenizerDirectory, keyOfLists! },
        })!;
        second.WaitForExit();
    }

    /// <summary>Does what a second rank does, beside a first one that has the lists of a cache open.</summary>
    public static void RunRank(string cache, string tokenizerDirectory, string key)
    {
        using var model = DataMeasurement.Model(tokenizerDirectory);
        var watch = Stopwatch.StartNew();
        if (!new ListCache(cache).TryOpen(key, out var lists, isChecked: true))
            throw new FileNotFoundException($"'{cache}' has no lists of that key.");
        var opened = watch.Elapsed.TotalSeconds;
        var ofRun = new TrainingLists(
            model.Transformer, options.WithDefaults(), RankingLoss.Of(options.LossOptions), lists, [], NullLogger.Instance);
        var batches = ofRun.OfStep(0).Length;
        var (anonymous, ofFiles) = ProcessMemory.Resident;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"\nA second process: opened in {opened:F2} s, first step of {batches} lists after {watch.Elapsed.TotalSeconds:F1} s; "
            + $"{anonymous / 1e6:F0} MB of its own, {ofFiles / 1e6:F0} MB of files, all of it by shares {ProcessMemory.ProportionalShare / 1e6:F0} MB"));
    }

    private void Train(ScoringModel model, CompactLists lists)
    {
        var sides = Measure("split", () => PromptSplit.Of(SplitBy.Prompt, lists.Count, lists.KeysOf, _ => 0, () => [], evaluationFraction, seed: 0))!.Value;
        var (train, heldOut) = (new ListSubset(lists, sides.Train), new ListSubset(lists, sides.Eval));
        var loss = RankingLoss.Of(Options.LossOptions);
        var ofRun = Measure("look at all lists", () => new TrainingLists(model.Transformer, Options, loss, train, heldOut, NullLogger.Instance));
        Measure("digest of the lists", () => RunFingerprint.Of(
            Options.OfEveryStep(), ofRun.StepsPerEpoch, ofRun.Train, ofRun.HeldOut, model.Transformer, model, ofRun.SourceWeights));
        var steps = ofRun.StepsPerEpoch;
        Measure("batches of an epoch", () => MakeBatches(ofRun, 0, steps));
        Measure("order of another", () => ofRun.OfStep(steps));
    }

    /// <summary>The batches of some steps, as they are when a model is to compute them.</summary>
    private long MakeBatches(TrainingLists lists, int first, int count)
    {
        var tokens = 0L;
        for (var step = first; step < first + count; step++)
        {
            var ofStep = lists.OfStep(step);
            foreach (var batch in TokenBudget.Batches(ofStep, Options.MaxTokensPerBatch))
            {
                tokens += batch.Sum(index => (long)lists.TokensOf(ofStep[index]));
                if (step % stepsPerPacked == 0)
                    PackedSequences.Pack([.. batch.Select(index => ofStep[index])]).Dispose();
            }
        }
        return tokens;
    }

    private CompactLists Read(ScoringModel model, string[] paths)
    {
        var check = new RunCheck(model, isInFull: false, needsClusters: false);
        var reading = new ListReading(model, NullLogger.Instance)
        {
            Cache = HasCache ? Cache : null,
            Overflow = directory,
            Seen = (list, ids, cut) => check.Add(list, ids, cut, isOfEvalData: false),
        };
        var lists = reading.Read(new RankedListFiles(new DataPaths([.. paths])));
        keyOfLists = reading.Key;
        check.Report(lists.Count, []);
        return lists;
    }

    /// <summary>Does something and prints how long it took, and its memory.</summary>
    private T Measure<T>(string name, Func<T> work)
    {
        GC.Collect();
        ProcessMemory.ResetPeak();
        var watch = Stopwatch.StartNew();
        var before = Environment.CpuUsage.TotalTime;
        var result = work();
        var seconds = watch.Elapsed.TotalSeconds;
        var processorSeconds = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
        var peak = ProcessMemory.Peak;
        var (anonymous, ofFiles) = ProcessMemory.Resident;
        var managed = GC.GetTotalMemory(forceFullCollection: true);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {seconds:F1} | {processorSeconds:F1} | {rowCount / seconds:N0} | {peak / 1e6:F0} | {anonymous / 1e6:F0} | {ofFiles / 1e6:F0} | {managed / 1e6:F0} |"));
        return result;
    }
}
