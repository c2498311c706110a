namespace RewardModel.Training.Planning;

/// <summary>Parameters that ranks gather and add up together: those of a layer, or all that are outside the layers.</summary>
/// <param name="Parameters">Count of all of them.</param>
/// <param name="WeightBytes">Bytes that they take as they are stored: 4 each, unless frozen in fewer bits.</param>
/// <param name="TrainedParameters">Count of those that are trained.</param>
/// <param name="MomentBytes">What the optimiser keeps of these.</param>
internal readonly record struct GroupShape(long Parameters, long WeightBytes, long TrainedParameters, long MomentBytes)
{
    /// <summary>Bytes of the gradients, in float32.</summary>
    public long GradientBytes => sizeof(float) * TrainedParameters;

    public static GroupShape operator +(GroupShape left, GroupShape right) => new(
        left.Parameters + right.Parameters, left.WeightBytes + right.WeightBytes, left.TrainedParameters + right.TrainedParameters,
        left.MomentBytes + right.MomentBytes);

    public static GroupShape operator -(GroupShape left, GroupShape right) => new(
        left.Parameters - right.Parameters, left.WeightBytes - right.WeightBytes, left.TrainedParameters - right.TrainedParameters,
        left.MomentBytes - right.MomentBytes);
}
