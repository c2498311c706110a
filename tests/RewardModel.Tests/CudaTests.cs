using RewardModel.Tests.Parity;

namespace RewardModel.Tests;

/// <summary>What a GPU computes is what the CPU computes.</summary>
[Collection(nameof(RunsAlone))]
public class CudaTests
{
    public static TheoryData<string> Architectures => [.. ParityModel.NamesOfRepository];

    [CudaTheory, MemberData(nameof(Architectures))]
    public void Models_compute_on_a_GPU_as_on_the_CPU(string architecture) => CudaChecks.Model(architecture);

    [CudaFact]
    public void Training_on_a_GPU_ends_as_on_the_CPU() => CudaChecks.Training();

    [CudaFact]
    public void A_run_on_a_GPU_is_resumed_as_it_was() => CudaChecks.Resuming();
}
