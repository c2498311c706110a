using System.Diagnostics;
using System.Runtime.InteropServices;
using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.GpuKit;

/// <summary>Where the kit runs, and what it is measured by.</summary>
/// <param name="Name">The GPU's, or the count of threads.</param>
/// <param name="Libraries">Where libtorch comes from.</param>
/// <param name="ProductFlops">Of a large matrix product, per second: bfloat16 on a GPU, float32 on the CPU.</param>
/// <param name="NominalFlops">What the maker promises for bfloat16, without sparsity; 0 where that is not known here.</param>
/// <param name="Problem">Why nothing can be computed with this libtorch, if so.</param>
internal sealed record Machine(string Name, string Libraries, double ProductFlops, double NominalFlops, string? Problem = null)
{
    private static readonly (string Name, double Flops)[] known = [("H100", 989e12), ("H200", 989e12), ("A100", 312e12)];

    public static Machine Of(string device)
    {
        try
        {
            TorchLibraries.Require();
        }
        catch (TorchUnavailableException exception)
        {
            return new Machine("", TorchLibraries.Description, 0, 0, exception.Message);
        }
        if (device == "cpu")
            return new Machine($"the CPU, {get_num_threads()} threads", TorchLibraries.Description, Product(device, 1024, float32), 0);
        var name = NameOfGpu();
        return new Machine(
            name, TorchLibraries.Description, Product(device, 8192, bfloat16),
            known.FirstOrDefault(gpu => name.Contains(gpu.Name, StringComparison.Ordinal)).Flops);
    }

    public static void Synchronize(string device)
    {
        if (device != "cpu")
            cuda.synchronize();
    }

    private static double Product(string device, long size, ScalarType type)
    {
        const int count = 10;
        using var scope = NewDisposeScope();
        var x = rand(size, size, device: device).to(type);
        for (var i = 0; i < 3; i++)
            x.mm(x).Dispose();
        Synchronize(device);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < count; i++)
            x.mm(x).Dispose();
        Synchronize(device);
        return 2.0 * size * size * size * count / clock.Elapsed.TotalSeconds;
    }

    private static string NameOfGpu()
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo("nvidia-smi", ["--query-gpu=name", "--format=csv,noheader"]) { RedirectStandardOutput = true })!;
            return process.StandardOutput.ReadToEnd().Split('\n')[0].Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "a GPU that nvidia-smi does not name";
        }
    }
}

/// <summary>Memory that is in use: on a GPU all of it, other programs' and what libtorch keeps for later too.</summary>
internal static unsafe class Memory
{
    /// <summary>MiB; null where it is not known.</summary>
    public static double? InUse(string device)
    {
        if (device == "cpu")
            return double.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) / 1024;
        // libtorch's, found by its name as it is loaded already.
        foreach (var name in new[] { "libcudart.so.13", "libcudart.so.12" })
            if (NativeLibrary.TryLoad(name, out var runtime) && NativeLibrary.TryGetExport(runtime, "cudaMemGetInfo", out var function))
            {
                nuint free, total;
                return ((delegate* unmanaged<nuint*, nuint*, int>)function)(&free, &total) == 0
                    ? (total - free) / (double)(1 << 20)
                    : null;
            }
        return null;
    }
}
