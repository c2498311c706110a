namespace RewardModel.Training.Metrics;

/// <summary>How near an output of a head comes to the attribute of the same name.</summary>
/// <param name="Name">Of both.</param>
/// <param name="Count">Answers that were rated by it.</param>
/// <param name="MeanSquaredError">The mean of (output - rating)^2.</param>
/// <param name="Correlation">Pearson's between output and rating; NaN where one of them is the same for all answers.</param>
public sealed record AttributeMetrics(string Name, long Count, double MeanSquaredError, double Correlation);
