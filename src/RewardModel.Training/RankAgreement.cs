using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Distributed;
using RewardModel.Kernels;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;

namespace RewardModel.Training;

/// <summary>Whether ranks train the same thing, which they compare before the first step.</summary>
internal static class RankAgreement
{
    private const int mostProblems = 20;

    private const string expected = "Start all ranks with the same command, files and version.";

    /// <summary>Refuses ranks that were given different options, which would do different things from the start.</summary>
    /// <exception cref="DistributedException">They were: all differences from the first rank are listed, on every rank.</exception>
    public static void CheckOptions(ICollective ranks, TrainingRunOptions options)
    {
        if (ranks.Size == 1)
            return;
        var own = RunFile<TrainingRunOptions>.Values(options);
        own["resume"] = options.Resume;
        var all = ranks.Gather(JsonSerializer.SerializeToUtf8Bytes(own), "options of each rank")
            .Select(bytes => JsonNode.Parse(bytes)!.AsObject()).ToArray();
        string[] problems =
        [
            .. all.Skip(1).SelectMany((other, i) => other.Where(option => !JsonNode.DeepEquals(option.Value, all[0][option.Key])).Select(
                option => $"--{option.Key} is {Text(option.Value)} on rank {i + 1} and {Text(all[0][option.Key])} on rank 0")),
        ];
        if (problems.Length > 0)
            throw new DistributedException(
                $"The ranks don't train the same thing: {string.Join("; ", problems.Take(mostProblems))}. {expected}");

        static string Text(JsonNode? value) => value?.ToJsonString() ?? "not set";
    }

    /// <summary>Refuses ranks that differ in data, options, model or libraries.</summary>
    /// <exception cref="DistributedException">They differ: all differences from the first rank are listed, on every rank.</exception>
    public static void Check(ICollective ranks, RunFingerprint fingerprint, TrainingOptions options)
    {
        if (ranks.Size == 1)
            return;
        var own = new RankIdentity(
            fingerprint, JsonSerializer.SerializeToElement(options, ReportJson.Options), TorchLibraries.Description,
            typeof(RankAgreement).Assembly.GetName().Version!.ToString(), Environment.Version.ToString());
        var all = ranks.Gather(JsonSerializer.SerializeToUtf8Bytes(own, ReportJson.Options), "what each rank trains")
            .Select(bytes => JsonSerializer.Deserialize<RankIdentity>(bytes, ReportJson.Options)!).ToArray();
        string[] problems =
        [
            .. all.Skip(1).SelectMany((other, i) => other.DifferencesOf(all[0]).Select(difference => $"rank {i + 1}: {difference}")),
        ];
        if (problems.Length > 0)
            throw new DistributedException(
                $"The ranks don't train the same thing. Compared with rank 0, {string.Join("; ", problems.Take(mostProblems))}. "
                + expected);
    }

    /// <param name="Fingerprint">What the run depends on.</param>
    /// <param name="Options">All options.</param>
    /// <param name="Libraries">The native libraries.</param>
    /// <param name="Version">Of this library.</param>
    /// <param name="Runtime">Of .NET.</param>
    private sealed record RankIdentity(
        RunFingerprint Fingerprint, JsonElement Options, string Libraries, string Version, string Runtime)
    {
        public IEnumerable<string> DifferencesOf(RankIdentity first)
        {
            // Machines may have more processors than others.
            var own = Fingerprint with { Threads = first.Fingerprint.Threads };
            foreach (var difference in own.DifferencesOf(first.Fingerprint).Concat(own.ChangesFrom(first.Fingerprint)))
                yield return difference;
            foreach (var name in Options.EnumerateObject().Concat(first.Options.EnumerateObject()).Select(option => option.Name).Distinct())
                if (!Fingerprint.Options.ContainsKey(name) && Text(Options, name) is var found && Text(first.Options, name) is var other && found != other)
                    yield return $"--{name} was {other} and is now {found}";
            if (Libraries != first.Libraries)
                yield return $"libraries were {first.Libraries} and are now {Libraries}";
            if (Version != first.Version)
                yield return $"the version was {first.Version} and is now {Version}";
            if (Runtime != first.Runtime)
                yield return $".NET was {first.Runtime} and is now {Runtime}";
        }

        private static string Text(JsonElement options, string name) =>
            options.TryGetProperty(name, out var value) ? value.GetRawText() : "not set";
    }
}
