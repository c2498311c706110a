using RewardModel.Training.Checks;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Metrics;
using RewardModel.Training.Reporting;

namespace RewardModel.Training.Diagnosis;

/// <summary>
/// What is known of a run, or of an evaluation without one, to say what is wrong with it. What is not known is null or empty.
/// </summary>
internal sealed record RunFacts
{
    /// <summary>The loss whose value at equal rewards is known, ln 2; it is what runs have by default.</summary>
    private const string knownLoss = "log-sigmoid";

    /// <summary>How the run began.</summary>
    public RunReport? Run { get; init; }

    /// <summary>How it ended.</summary>
    public EndReport? End { get; init; }

    /// <summary>Its steps, in their order.</summary>
    public IReadOnlyList<StepReport> Steps { get; init; } = [];

    /// <summary>Its evaluations, in their order.</summary>
    public IReadOnlyList<EvaluationReport> Evaluations { get; init; } = [];

    /// <summary>The check of its data.</summary>
    public DataReport? Data { get; init; }

    /// <summary>The evaluation of its model.</summary>
    public RewardEvaluation? Evaluation { get; init; }

    /// <summary>The evaluation whose weights are kept.</summary>
    public EvaluationReport? Kept => Evaluations.LastOrDefault(evaluation => evaluation.IsBest);

    /// <summary>The figures of the model.</summary>
    public RankingMetrics? Metrics => Evaluation?.Metrics ?? Kept?.Metrics;

    /// <summary>Evaluations of the run's own weights, not of an average at its end.</summary>
    public IReadOnlyList<EvaluationReport> OfSteps => [.. Evaluations.Where(evaluation => evaluation.AverageOf is null)];

    /// <summary>The training losses.</summary>
    public double[] Losses => [.. Steps.Select(step => step.Loss)];

    /// <summary>Of log-sigmoid without margins that term of the training losses, else null: it is ln 2 where rewards are equal.</summary>
    public double[]? LogSigmoidLosses =>
        Run?.Options is { } options && (options.ContainsKey("loss") || options.ContainsKey("margin"))
            ? null
            : [.. Steps.Select(step => step.LossTerms is { } terms ? terms.GetValueOrDefault(knownLoss, double.NaN) : step.Loss)];
}
