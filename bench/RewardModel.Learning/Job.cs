using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Checks;
using RewardModel.Training.Runs;

namespace RewardModel.Learning;

/// <summary>What one variant gave on the split of one seed.</summary>
/// <param name="Accuracy">Share of the test lists' pairs that are in the right order; equal rewards count one half.</param>
/// <param name="AnswersScored">Answers that went through the model in training.</param>
/// <param name="PairsSeen">Pairs that were trained on, again and again counted.</param>
internal sealed record Outcome(
    string Study, string Set, string Variant, int Seed, double Accuracy, int TrainLists, long AnswersScored, long PairsSeen, double Seconds);

/// <summary>Trains one variant on the split of one seed.</summary>
internal static class Job
{
    public static Outcome Run(Variant variant, int seed, string data)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var (all, test) = variant.Set.Split(data, seed);
        var train = variant.Change?.Invoke(all, new Random(seed)) ?? all;
        var folder = Directory.CreateTempSubdirectory("learning").FullName;
        try
        {
            var (rewards, steps, listsPerStep) = variant.IsNgram
                ? (NgramRewards(train, test, seed), 0, 0)
                : Rewards(variant, seed, data, folder, all, train, test);
            var listsSeen = (double)steps * listsPerStep;
            return new Outcome(
                variant.Study, variant.Set.Name, variant.Name, seed, Accuracy(test, rewards), train.Count,
                (long)(listsSeen * train.Average(list => list.Answers.Count)), (long)(listsSeen * train.Average(PairCount)),
                clock.Elapsed.TotalSeconds);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static float[][] NgramRewards(IReadOnlyList<RankedList> train, IReadOnlyList<RankedList> test, int seed)
    {
        var model = NgramModel.Train(NgramKind.WordPairs, train, (ulong)seed);
        return [.. test.Select(model.Score)];
    }

    private static (float[][] Rewards, int Steps, int ListsPerStep) Rewards(
        Variant variant, int seed, string data, string folder, IReadOnlyList<RankedList> all, IReadOnlyList<RankedList> train,
        IReadOnlyList<RankedList> test)
    {
        DataSet.Write(Path.Combine(folder, "train.jsonl"), train);
        File.WriteAllText(Path.Combine(folder, "config.json"), variant.Set.Config.ToJsonString());
        var options = Options(variant, data, folder);
        var listsPerStep = options.ListsPerStep!.Value;
        var steps = options.Steps ?? options.Epochs * ((all.Count + listsPerStep - 1) / listsPerStep);
        if (variant.SeesEquallyManyPairs)
        {
            listsPerStep = Math.Clamp((int)Math.Round(listsPerStep * all.Average(PairCount) / train.Average(PairCount)), 1, train.Count);
            options = options with { Steps = steps, ListsPerStep = listsPerStep };
        }
        float[][][] members =
        [
            .. Enumerable.Range(0, variant.Members).Select(member =>
            {
                var output = Path.Combine(folder, $"model-{member}");
                new TrainingRun(options with { Seed = 1000 * member + seed, Output = output }).Run();
                using var model = ScoringModel.Load(output);
                return model.Score(test);
            }),
        ];
        float[][] mean =
        [
            .. test.Select((list, l) => list.Answers.Select((_, k) => members.Average(rewards => rewards[l][k])).ToArray()),
        ];
        return (mean, steps, listsPerStep);
    }

    private static TrainingRunOptions Options(Variant variant, string data, string folder)
    {
        var file = Path.Combine(folder, "run.yaml");
        File.WriteAllText(file, $"""
            data: {folder}/train.jsonl
            config: {folder}/config.json
            tokenizer: {data}/{variant.Set.Tokenizer}
            output: {folder}/model
            eval-fraction: 0
            threads: 1
            save-every: 1000000
            {variant.Set.Options}
            """);
        var lines = RunFile<TrainingRunOptions>.Read(file);
        if (variant.Options != "")
        {
            File.WriteAllText(file, variant.Options);
            foreach (var (name, value) in RunFile<TrainingRunOptions>.Read(file).ToArray())
                lines[name] = value?.DeepClone();
        }
        return RunFile<TrainingRunOptions>.ToOptions(lines);
    }

    private static long PairCount(RankedList list) =>
        list.Scores.SelectMany(_ => list.Scores, (first, second) => first > second ? 1L : 0).Sum();

    private static double Accuracy(IReadOnlyList<RankedList> lists, float[][] rewards)
    {
        double right = 0;
        long pairs = 0;
        for (var l = 0; l < lists.Count; l++)
            for (var i = 0; i < lists[l].Answers.Count; i++)
                for (var j = 0; j < lists[l].Answers.Count; j++)
                    if (lists[l].Scores[i] > lists[l].Scores[j] && lists[l].Answers[i] != lists[l].Answers[j])
                    {
                        pairs++;
                        right += rewards[l][i] > rewards[l][j] ? 1 : rewards[l][i] == rewards[l][j] ? 0.5 : 0;
                    }
        return right / pairs;
    }
}
