using System.Diagnostics;
using System.Text.Json.Nodes;
using RewardModel.Layers;
using TorchSharp;

namespace RewardModel.Tests.Compat;

/// <summary>
/// The paths of <c>--device cuda</c> on a machine without a GPU: in a process in which a stand-in for CUDA was loaded, see
/// <c>cuda_double.cpp</c>.
/// </summary>
[Collection(nameof(RunsAlone))]
public sealed class CudaDoubleTests
{
    [CudaDoubleFact]
    public void Models_training_and_resuming_use_the_device_and_nothing_else()
    {
        var (exitCode, output, error) = Run("checks");
        Assert.True(exitCode == 0, error);
        Assert.Equal($"{Parity.ParityModel.NamesOfRepository.Count} models, training, resuming\n", output);
    }

    [FlashOperatorFact]
    public void Flash_attention_goes_through_the_operators_of_libtorchs_that_have_them()
    {
        var (exitCode, output, error) = Run("flash");
        Assert.True(exitCode == 0, error);
        Assert.Equal("flash attention\n", output);
    }

    [CudaDoubleFact]
    public void A_tensor_that_is_left_on_the_CPU_is_found()
    {
        var (exitCode, _, error) = Run("mixed");
        Assert.NotEqual(0, exitCode);
        Assert.Contains(
            "aten::index_select: Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu", error);
    }

    [CudaDoubleFact]
    public void The_command_line_trains_evaluates_and_scores_on_the_device()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["config.json"], TinyModel.Config("llama").ToJsonString());
        File.WriteAllLines(
            directory["train.jsonl"],
            TinyModel.OrderTask(60, seed: 1).Select(list => new JsonObject
            {
                ["prompt_ids"] = new JsonArray([.. list.PromptIds.Select(id => JsonValue.Create(id))]),
                ["answer_ids"] = new JsonArray(
                    [.. list.AnswerIds.Select(ids => new JsonArray([.. ids.Select(id => JsonValue.Create(id))]))]),
            }.ToJsonString()));
        var (exitCode, output, error) = Run(
            "command", "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["model"],
            "--steps", "20", "--precision", "bfloat16", "--device", "cuda:0");
        Assert.True(exitCode == 0, error);
        Assert.Contains(" cuda:0, ", output);
        string Evaluate(string device)
        {
            var (exitCode, output, error) = Run(
                "command", "evaluate", "--model", directory["model"], "--data", directory["train.jsonl"], "--device", device);
            Assert.True(exitCode == 0, error);
            return output;
        }
        Assert.Equal(Evaluate("cpu"), Evaluate("cuda"));
        (exitCode, output, error) = Run(
            "command", "score", "--model", directory["model"], "--data", directory["train.jsonl"], "--device", "cuda:9");
        Assert.Equal((1, "error: --device is 'cuda:9'; expected cuda:0 to cuda:7, which this machine has.\n"), (exitCode, error));
    }

    private static (int ExitCode, string Output, string Error) Run(params IEnumerable<string> arguments) => ChildProcess.Run(
        new ProcessStartInfo("dotnet", [typeof(CudaDoubleTests).Assembly.Location, "cuda-double", LibraryPath, .. arguments]));

    private static string LibraryPath => Path.Combine(AppContext.BaseDirectory, "libcuda_double.so");

    private sealed class CudaDoubleFactAttribute : FactAttribute
    {
        public CudaDoubleFactAttribute() => Skip = HasCuda() ? "this libtorch has CUDA of its own" : null!;

        private static bool HasCuda()
        {
            torch.empty(0).Dispose();
            return File.ReadLines("/proc/self/maps").Any(line => line.Contains("/libtorch_cuda", StringComparison.Ordinal));
        }
    }

    private sealed class FlashOperatorFactAttribute : FactAttribute
    {
        // It came with 2.2, between which and the fused AdamW of 2.4 nothing here tells the versions apart.
        public FlashOperatorFactAttribute() => Skip = NativeKernels.HasFusedAdamW(DeviceType.CPU)
            ? new CudaDoubleFactAttribute().Skip
            : "this libtorch is older than 2.4; flash attention that takes groups of heads came with 2.2";
    }
}
