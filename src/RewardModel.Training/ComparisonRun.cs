using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Training.Data;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Reporting;

namespace RewardModel.Training;

/// <summary>
/// Compares two or more models on the same lists. One model is in memory at a time, and the lists are read once for each, by its own tokenizer.
/// </summary>
/// <example>
/// <code>
/// var comparison = new ComparisonRun(["old-model", "new-model"]).Run(new RankedListFiles("test.jsonl"));
/// var difference = comparison.Differences[0];
/// Console.WriteLine($"{difference.Difference:F3}, 95 % interval {difference.Low:F3} to {difference.High:F3}");
/// </code>
/// </example>
public sealed class ComparisonRun
{
    private readonly IReadOnlyList<string> models;
    private readonly ILogger logger;

    /// <summary>Prepares a comparison; nothing is read yet.</summary>
    /// <param name="models">Directories of models or of ensembles, two or more.</param>
    /// <param name="logger">Receives what is left out of the data, ignored, replaced or cut.</param>
    /// <exception cref="ArgumentNullException">The models or one of them is null.</exception>
    /// <exception cref="ArgumentException">There are fewer than two, or two are the same.</exception>
    public ComparisonRun(IReadOnlyList<string> models, ILogger? logger = null)
    {
        ScoringModel.CheckNoneIsNull(models, nameof(models), "directory");
        if (models.Count < 2 || models.DistinctBy(model => Path.TrimEndingDirectorySeparator(Path.GetFullPath(model))).Count() < models.Count)
            throw new ArgumentException(
                $"The models to compare are {string.Join(", ", models.Select(model => $"'{model}'"))}; expected two or more different ones.",
                nameof(models));
        (this.models, this.logger) = ([.. models], logger ?? NullLogger.Instance);
    }

    /// <summary>The device that models are computed on, as for <see cref="ScoringModel.Load"/>. Default cpu.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Most tokens that are computed at once. Default 8192.</summary>
    public int MaxTokensPerBatch { get; init; } = RewardScorer.DefaultMaxTokensPerBatch;

    /// <summary>What to do with lists that a tokenizer or a chat template rejects; files say it themselves. Default: an error.</summary>
    public BadData OnBadData { get; init; }

    /// <summary>Compares the models.</summary>
    /// <param name="data">Ranked lists that none of the models was trained on; read once for each model.</param>
    /// <param name="progress">Told how many lists are read and scored, for one model after the other.</param>
    /// <param name="cancellation">Ends it before the next lists.</param>
    /// <exception cref="RankedDataException">
    /// Data can't be read, or read only once; have invalid rows; or have no pair of answers to compare.
    /// </exception>
    /// <exception cref="CheckpointException">A model can't be loaded.</exception>
    /// <exception cref="ArgumentException">A reward is not finite, or a list has ids that are not in the vocabulary.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public ModelComparison Run(
        IRankedListSource data, IProgress<TrainingReport>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (data is RankedListFiles files && files.Paths.Contains(DataPath.StandardInput))
            throw new RankedDataException("Standard input can be read only once, and each model reads the lists by itself; give a file.");
        var all = new List<ScoredData>();
        try
        {
            foreach (var model in models)
                all.Add(Score(model, data, progress, cancellation));
            return Compare(all);
        }
        finally
        {
            all.ForEach(scored => scored.Dispose());
        }
    }

    private ModelComparison Compare(IReadOnlyList<ScoredData> all)
    {
        // By what they are in the data: models may reject different ones.
        var common = all[0].Places.Keys.Where(key => all.All(scored => scored.Places.ContainsKey(key))).ToArray();
        var comparison = Comparisons.Of(
            models, [.. all.Select(scored => (IReadOnlyList<ScoredList>)[.. common.Select(key => scored.Scored[scored.Places[key]])])],
            pair => all[0].Show(all[0].Places[common[pair.List]], pair.Better, pair.Worse));
        return !double.IsNaN(comparison.Differences[0].Difference)
            ? comparison with { LeftOutListCount = all.SelectMany(scored => scored.Places.Keys).Distinct().Count() - common.Length }
            : throw new RankedDataException(
                $"The data ({Counted.Of(common.Length, "list")}) have no ordered pair that is one for every model, so "
                + "there is nothing to compare; expected lists of two or more answers that are not all tied or equal.");
    }

    private ScoredData Score(string directory, IRankedListSource data, IProgress<TrainingReport>? progress, CancellationToken cancellation)
    {
        using var model = RewardEnsemble.Load([directory], Device, cancellationToken: cancellation);
        var lists = new ListReading(model.Members[0], logger)
        {
            Purpose = ListPurpose.Evaluation,
            Progress = PhaseProgress<ListProgress>.Of(progress, TrainingPhase.Tokenizing, 0, done => (done.DoneCount, done.TotalCount)),
            Cancellation = cancellation,
        }.Read(data, OnBadData);
        try
        {
            logger.LogInformation("{Model}: scoring {Lists}", directory, Counted.Of(lists.Count, "list"));
            var scored = new ModelEvaluation(
                model.Members[0], (some, scoring) => model.ScoreMeans(some, MaxTokensPerBatch, scoring, cancellation),
                RankingLoss.ByName(new RankingLossOptions().Loss))
                .Scored(lists, PhaseProgress<ListProgress>.Of(progress, TrainingPhase.Evaluating, 0, done => (done.DoneCount, done.TotalCount)));
            return new ScoredData(lists, scored, new PairTexts(model.Members[0].Tokenizer));
        }
        catch
        {
            lists.Dispose();
            throw;
        }
    }

    /// <summary>What one model makes of the data.</summary>
    private sealed class ScoredData(CompactLists lists, ScoredList[] scored, PairTexts texts) : IDisposable
    {
        public ScoredList[] Scored => scored;

        /// <summary>Where each list of the data stands: lists are the same if their row, their texts and their number among such are.</summary>
        public Dictionary<(SourceLine Source, ListKeys Keys, int Number), int> Places { get; } = PlacesOf(lists);

        public ShownPair Show(int list, int better, int worse) => texts.Of(lists[list], scored[list].Rewards, better, worse);

        public void Dispose() => lists.Dispose();

        private static Dictionary<(SourceLine, ListKeys, int), int> PlacesOf(CompactLists lists)
        {
            var places = new Dictionary<(SourceLine, ListKeys, int), int>();
            for (var i = 0; i < lists.Count; i++)
            {
                var number = 0;
                while (!places.TryAdd((lists.SourceOf(i), lists.InfoOf(i).Keys, number), i))
                    number++;
            }
            return places;
        }
    }
}
