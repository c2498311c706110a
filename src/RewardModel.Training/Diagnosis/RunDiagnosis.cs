namespace RewardModel.Training.Diagnosis;

/// <summary>Something that is wrong with a training or a model, or that there is no sign of.</summary>
/// <param name="Id">What it is, such as <c>overfitting</c>; docs/diagnosis.md describes every one.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Sentence">What was measured, with the number, and what to try.</param>
public sealed record RunDiagnosis(string Id, DiagnosisSeverity Severity, string Sentence);

/// <summary>How bad it is.</summary>
public enum DiagnosisSeverity
{
    /// <summary>Good to know.</summary>
    Note,

    /// <summary>The model is probably worse than it could be, or the figures less certain than they look.</summary>
    Warning,

    /// <summary>The model should not be used as it is.</summary>
    Error,
}
