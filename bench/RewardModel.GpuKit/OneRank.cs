using RewardModel.Distributed;

namespace RewardModel.GpuKit;

/// <summary>A single rank, that does on a GPU what one of several does.</summary>
internal static class OneRank
{
    public static ICollective On(string device) => device == "cpu"
        ? SingleProcess.Instance
        : new NcclCollective(SingleProcess.Instance, 0, Collectives.DefaultLimit);
}
