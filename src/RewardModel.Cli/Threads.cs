using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Cli;

/// <summary>The one option that sets all pools of threads: the computation's follow torch's count.</summary>
internal static class Threads
{
    public static void Set(int? count)
    {
        if (count < 1)
            throw new ArgumentException($"--threads is {count}; expected at least 1.");
        TorchLibraries.Require();
        set_num_threads(count ?? Environment.ProcessorCount);
    }
}
