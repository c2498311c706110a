namespace RewardModel.Training.Checks;

/// <summary>How bad a finding is.</summary>
public enum FindingSeverity
{
    /// <summary>Good to know.</summary>
    Note,

    /// <summary>Probably a mistake, or it costs accuracy.</summary>
    Warning,

    /// <summary>Results of a training run would mean nothing.</summary>
    Error,
}
