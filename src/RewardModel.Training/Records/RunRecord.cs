using RewardModel.Training.Checks;
using RewardModel.Training.Diagnosis;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Reporting;

namespace RewardModel.Training.Records;

/// <summary>What is on record of a run, or of an evaluation without one: what a report is made of.</summary>
public sealed record RunRecord
{
    /// <summary>What it is called: the name of the output directory, or of the model and the data.</summary>
    public required string Name { get; init; }

    /// <summary>When it began; null where that is not known.</summary>
    public DateTimeOffset? StartTime { get; init; }

    /// <summary>The time of the newest line of its log.</summary>
    public DateTimeOffset? LastTime { get; init; }

    /// <summary>Whether it has ended.</summary>
    public bool IsFinished { get; init; }

    /// <summary>How it ended; null while it goes on, where it was killed, and for runs of versions that didn't write it.</summary>
    public EndReport? End { get; init; }

    /// <summary>How it began, or how it went on last; null for an evaluation, and for runs of versions that didn't write it.</summary>
    public RunReport? Run { get; init; }

    /// <summary>The steps that continuations started after.</summary>
    public IReadOnlyList<int> ResumedAfter { get; init; } = [];

    /// <summary>Its steps, in their order.</summary>
    public IReadOnlyList<StepReport> Steps { get; init; } = [];

    /// <summary>Its evaluations, in their order.</summary>
    public IReadOnlyList<EvaluationReport> Evaluations { get; init; } = [];

    /// <summary>The check of its data; null where there was none.</summary>
    public DataReport? Data { get; init; }

    /// <summary>The evaluation of the model that it ended with, or of the model that was evaluated; null where there is none yet.</summary>
    public RewardEvaluation? Evaluation { get; init; }

    /// <summary>What is wrong, the worst first.</summary>
    public IReadOnlyList<RunDiagnosis> Diagnoses { get; init; } = [];

    /// <summary>An evaluation without a run.</summary>
    internal static RunRecord OfEvaluation(string name, RewardEvaluation evaluation) => new()
    {
        Name = name,
        IsFinished = true,
        Evaluation = evaluation,
        Diagnoses = RunDiagnoses.Of(new RunFacts { Evaluation = evaluation }),
    };
}
