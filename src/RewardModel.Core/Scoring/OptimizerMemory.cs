using RewardModel.Kernels;

namespace RewardModel.Scoring;

/// <summary>What optimisers keep from step to step.</summary>
internal static class OptimizerMemory
{
    /// <summary>Bytes for a parameter of a shape.</summary>
    public static long BytesOf(OptimizerKind optimizer, IReadOnlyList<long> shape)
    {
        var count = shape.Aggregate(1L, (product, size) => product * size);
        return optimizer switch
        {
            OptimizerKind.AdamW8Bit when count >= DynamicMap.LeastCount =>
                2 * DynamicMap.BlockCountOf(count) * (DynamicMap.BlockLength + sizeof(float)),
            OptimizerKind.Adafactor when shape.Count >= 2 => sizeof(float) * (count / shape[^1] + count / shape[^2]),
            OptimizerKind.Adafactor => sizeof(float) * count,
            _ => 2 * sizeof(float) * count,
        };
    }
}
