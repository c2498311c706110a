using System.Reflection;
using RewardModel.Distributed;
using static TorchSharp.torch;

namespace RewardModel.Tests.Distributed;

/// <summary>What NCCL computes is checked by the kit for GPUs; here is what shows without one.</summary>
public class NcclTests
{
    [Theory]
    [InlineData(typeof(Nccl))]
    [InlineData(typeof(CudaRuntime))]
    public void Every_function_that_is_called_is_listed(Type type)
    {
        var pointers = type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Where(field => field.FieldType.IsFunctionPointer);
        var names = (string[])type.GetField("Functions", BindingFlags.Static | BindingFlags.NonPublic)!.GetValue(null)!;
        Assert.Equal(names.Length, pointers.Count());
        Assert.Equal(names.Order(StringComparer.Ordinal).Distinct(), names);
    }

    [Fact]
    public void Libraries_that_are_missing_are_told()
    {
        // A machine with a GPU has them.
        if (cuda_is_available())
        {
            Assert.True(NcclCollective.IsInstalled);
            return;
        }
        Assert.False(NcclCollective.IsInstalled);
        Assert.Equal(
            "NCCL (libnccl.so.2) is not in this process, not beside libtorch and not where the system looks for libraries. Expected NCCL "
            + "2: add the folder of the one that PyTorch brings (nvidia/nccl/lib of Python's packages) to LD_LIBRARY_PATH, or "
            + "install libnccl2.",
            Assert.Throws<DistributedException>(Nccl.Open).Message);
        Assert.Equal(
            "CUDA's runtime library (libcudart.so.12 or libcudart.so.13) is not in this process and not where the system looks for "
            + "libraries. Expected that of libtorch for CUDA: add its folder to LD_LIBRARY_PATH.",
            Assert.Throws<DistributedException>(CudaRuntime.Open).Message);
    }

    [Fact]
    public void Libraries_are_found_where_this_process_has_them_and_by_their_names()
    {
        Assert.NotEqual(0, MappedLibrary.Find("libtorch_c", [], "", "torch_get_num_threads", out var mapped));
        Assert.Equal("libtorch_cpu.so", mapped);
        Assert.NotEqual(0, MappedLibrary.Find("libnothing", ["libnothing.so.1", "libc.so.6"], "", "malloc", out var named));
        Assert.Equal("libc.so.6", named);
        Assert.Equal(0, MappedLibrary.Find("libnothing", ["libc.so.6"], "", "ncclAllReduce", out _));
    }

    [Theory]
    [InlineData(22703, "2.27.3")]
    [InlineData(20900, "2.9.0")]
    [InlineData(2803, "2.8.3")]
    public void Versions_are_read(int code, string expected) => Assert.Equal(expected, Nccl.VersionOf(code));

    [Fact]
    public void Ranks_of_which_one_has_no_NCCL_do_without()
    {
        if (!NcclCollective.IsInstalled)
            ThreadCollective.Run(2, ranks => Assert.Same(ranks, Collectives.OnGpus(ranks, Collectives.DefaultLimit)));
    }
}
