using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Distributed;
using RewardModel.Files;
using RewardModel.Fuzz.Mutation;
using RewardModel.Fuzz.Seeds;
using RewardModel.Training;
using RewardModel.Training.Records;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;
using RewardModel.Training.Sweeps;

namespace RewardModel.Fuzz.Targets;

/// <summary>What runs are started with, and what they have written.</summary>
internal static class RunTargets
{
    // A sweep that has more is not what a plan of a few lines is tried for.
    private const int MaxTrials = 1000;

    private static readonly TokenMutation yaml = new(RunSeeds.Words);

    /// <summary>The targets.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("run-file", SeedText.Of(RunSeeds.RunFiles), new MixedMutation(yaml), ReadRunFile, typeof(RunFileException)),
        new("sweep-plan", SeedText.Of(RunSeeds.Sweeps), new MixedMutation(yaml), ReadSweep, typeof(RunFileException)),
        new("run-log", SeedText.Of(RunSeeds.Logs[0]),
            new MixedMutation(new JsonMutation(SeedText.WordsOf(RunSeeds.Logs[0].Split('\n', StringSplitOptions.RemoveEmptyEntries)))),
            ReadLog, typeof(RunDirectoryException), typeof(FileRefusedException)),
        new("manifest", [.. SeedText.Of(RunSeeds.Manifests).Select(manifest => InputParts.Join(manifest, "{}"u8.ToArray()))],
            new PartMutation(new MixedMutation(new JsonMutation([.. SeedText.WordsOf(RunSeeds.Manifests), "..", "manifest.json", "runs"])), new ByteMutation()),
            ReadManifest),
        new("state", SeedText.Of(RunSeeds.States), new MixedMutation(new JsonMutation(SeedText.WordsOf(RunSeeds.States))), ReadState,
            typeof(RunDirectoryException)),
    ];

    private static void ReadRunFile(byte[] input, string folder)
    {
        TargetFolder.Write(folder, ("run.yaml", input.Length > 0 ? input : [(byte)' ']));
        try
        {
            var given = RunFile<TrainingRunOptions>.Read(Path.Combine(folder, "run.yaml"));
            // The command asks for these.
            foreach (var required in new[] { "data", "output" })
                given.TryAdd(required, required);
            var options = RunFile<TrainingRunOptions>.ToOptions(given);
            RunFile<TrainingRunOptions>.DifferencesOf(options, new TrainingRunOptions { Data = "data", Output = "output" });
        }
        catch (FileRefusedException)
        {
            // It is no UTF-8.
        }
    }

    private static void ReadSweep(byte[] input, string folder)
    {
        using var text = new StringReader(Encoding.UTF8.GetString(input));
        var plan = SweepPlan.Parse(text, "sweep.yaml");
        if (plan.RandomTrialCount is null or < MaxTrials && plan.Varied.Aggregate(1.0, (count, option) => count * Math.Max(option.Values.Count, 1)) < MaxTrials)
            plan.Trials();
    }

    private static void ReadLog(byte[] input, string folder)
    {
        TargetFolder.Write(folder, (Path.GetRelativePath(folder, new RunDirectory(folder).LogFile), input));
        foreach (var line in Encoding.UTF8.GetString(input).Split('\n'))
            LogJson.StepOf(Encoding.UTF8.GetBytes(line));
        HtmlReport.Of(RunRecords.Read(folder));
    }

    private static void ReadManifest(byte[] input, string folder)
    {
        var parts = InputParts.Split(input, 2);
        TargetFolder.Write(folder, (SavedSteps.ManifestFile, parts[0]), ("state.json", parts[1]));
        foreach (var problem in SavedSteps.ProblemsOf(folder))
            _ = problem.Length;
    }

    private static void ReadState(byte[] input, string folder)
    {
        var run = new RunDirectory(folder);
        var step = Path.Combine(folder, RunDirectory.FolderName, "states", "step-00000001");
        Directory.CreateDirectory(step);
        TargetFolder.Write(step, ("state.json", input.Length > 0 ? input : [(byte)' ']));
        new FileManifest([FileManifest.Of(step, "state.json")]).Write(Path.Combine(step, SavedSteps.ManifestFile));
        run.FindState(SingleProcess.Instance, NullLogger.Instance);
    }
}
