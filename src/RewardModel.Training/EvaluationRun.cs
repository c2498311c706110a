using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Training.Checks;
using RewardModel.Training.Data;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Reporting;

namespace RewardModel.Training;

/// <summary>
/// Evaluation as one call: a model and ranked lists go in, figures come out that say whether the model is a good one, and where it is not.
/// </summary>
/// <example>
/// <code>
/// using var model = RewardEnsemble.Load(["my-reward-model"]);
/// var evaluation = new EvaluationRun(model).Run(new RankedListFiles("test.jsonl"));
/// Console.WriteLine($"accuracy {evaluation.Metrics.Accuracy:P1}, {evaluation.Metrics.AccuracyLow:P1} to {evaluation.Metrics.AccuracyHigh:P1}");
/// </code>
/// </example>
public sealed class EvaluationRun
{
    private readonly RewardEnsemble model;
    private readonly ILogger logger;
    private readonly RankingLoss loss = RankingLoss.ByName(new RankingLossOptions().Loss);

    /// <summary>Prepares an evaluation; nothing is read yet.</summary>
    /// <param name="model">One model or several that score together; they stay the caller's.</param>
    /// <param name="logger">Receives what is left out of the data, ignored, replaced or cut.</param>
    /// <exception cref="ArgumentNullException">The model is null.</exception>
    public EvaluationRun(RewardEnsemble model, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        (this.model, this.logger) = (model, logger ?? NullLogger.Instance);
    }

    /// <summary>The ranking loss that is told, one of <see cref="RankingLoss.Names"/>. Default log-sigmoid.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public string Loss
    {
        get;
        init => (field, loss) = (value, RankingLoss.ByName(value));
    } = new RankingLossOptions().Loss;

    /// <summary>Most tokens that are computed at once. Default 8192.</summary>
    public int MaxTokensPerBatch { get; init; } = RewardScorer.DefaultMaxTokensPerBatch;

    /// <summary>
    /// Reference answers, whose rewards should be about 0 if the model was normalised by them; of a list the best one is the reference. Null
    /// (default): none.
    /// </summary>
    public IRankedListSource? Reference { get; init; }

    /// <summary>What to do with lists that the tokenizer or its chat template rejects; files say it themselves. Default: an error.</summary>
    public BadData OnBadData { get; init; }

    /// <summary>Evaluates the model.</summary>
    /// <param name="data">Ranked lists, which the model was not trained on.</param>
    /// <param name="progress">Told how many lists are scored.</param>
    /// <param name="cancellation">Ends it before the next lists.</param>
    /// <exception cref="RankedDataException">
    /// Data can't be read, have invalid rows, or have neither a pair of answers to compare nor a rating by what one of several outputs is called.
    /// </exception>
    /// <exception cref="ArgumentException">A reward is not finite, or a list has ids that are not in the vocabulary.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public RewardEvaluation Run(
        IRankedListSource data, IProgress<TrainingReport>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        var reader = model.Members[0];
        var texts = new SampledLists(ModelEvaluation.MaxEditedLists);
        var seenCount = 0;
        using var lists = Reading(ListPurpose.Evaluation, (list, _, _) =>
        {
            if (list is not null)
                texts.Add(seenCount, list);
            seenCount++;
        }).Read(data, OnBadData);
        if (EqualAnswers.Describe(lists) is { } description)
            logger.LogWarning("{EqualAnswers}", description);
        var outputs = model.OutputNames;
        if (!ModelEvaluation.HasFigures(lists, outputs, loss))
            throw new RankedDataException(
                $"The data ({Counted.Of(lists.Count, "list")}) have no ordered pair{Or("and no attribute that an output is called by")}, so there is nothing to measure; "
                + $"expected lists of two or more answers that are not all tied or equal{Or($"or answers rated by {string.Join(", ", outputs ?? [])}")}.");
        using var references = Reference is null ? null : Reading(ListPurpose.Scoring, null).Read(Reference, OnBadData);
        return new ModelEvaluation(
            reader, (some, scoring) => model.ScoreMeans(some, MaxTokensPerBatch, scoring, cancellation), loss)
        {
            Texts = texts.InOrder(),
            Reference = references is null ? null : (Reference!.Name, RewardNormalization.BestOf(references)),
        }.Of(lists, PhaseProgress<ListProgress>.Of(progress, TrainingPhase.Evaluating, 0, done => (done.DoneCount, done.TotalCount)));

        string Or(string ofAttributes) => outputs is null ? "" : $", {ofAttributes}";

        ListReading Reading(ListPurpose purpose, Action<RankedList?, TokenizedList, TruncationCount>? seen) => new(reader, logger)
        {
            Purpose = purpose,
            Seen = seen,
            Progress = PhaseProgress<ListProgress>.Of(progress, TrainingPhase.Tokenizing, 0, done => (done.DoneCount, done.TotalCount)),
            Cancellation = cancellation,
        };
    }
}
