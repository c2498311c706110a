using System.Runtime.InteropServices;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using RewardModel.Training;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Tests;

/// <summary>
/// What has to hold on a GPU. <see cref="CudaTests"/> asks it of a real one; where there is none, <see cref="DeviceTests"/> show that nothing
/// is left on the CPU.
/// </summary>
internal static class CudaChecks
{
    private static readonly TokenizedList[] lists =
    [
        TinyModel.List(1, 9, 5, 1, 12, 3), TinyModel.List(2, 0, 4, 2), TinyModel.List(3, 30, 7, 20, 1), TinyModel.List(4, 1, 1, 16),
    ];

    private static readonly TrainingOptions options = new()
    {
        Steps = 6,
        LearningRate = 3e-3,
        ListsPerStep = 3,
        EvaluationInterval = 2,
        SaveInterval = 2,
        // Where a gradient is next to nothing, its sign is rounding's: with a small epsilon that would be a whole step.
        Epsilon = 1e-3,
    };

    /// <summary>Rewards and gradients of a model of <see cref="ParityModel.NamesOfRepository"/> are those of the CPU.</summary>
    public static void Model(string name)
    {
        using var onCpu = ParityModel.Random(name);
        using var onCuda = ParityModel.Random(name).to("cuda");
        Assert.Equal(DeviceType.CUDA, onCuda.Device.type);
        var (expectedRewards, expectedGradients) = RewardsAndGradients(onCpu);
        var (rewards, gradients) = RewardsAndGradients(onCuda);
        AssertClose(expectedRewards, rewards, 1e-4);
        var totalNorm = Math.Sqrt(expectedGradients.Sum(values => Norm(values) * Norm(values)));
        foreach (var ((expected, found), pair) in expectedGradients.Zip(gradients).Zip(onCuda.CheckpointParameters))
        {
            var difference = Norm([.. expected.Zip(found, (a, b) => a - b)]);
            Assert.True(difference <= 1e-4 * Norm(expected) + 1e-6 * totalNorm, $"{pair.Name}: the gradients differ by {difference}");
        }
        foreach (var (expected, found) in new RewardScorer(onCpu).Score(lists).Zip(new RewardScorer(onCuda, 40).Score(lists)))
            AssertClose(expected, found, 1e-4);
    }

    /// <summary>Training, with lists in one part and in several, ends with the weights that it ends with on the CPU.</summary>
    public static void Training()
    {
        var straight = Train("cpu", options, dropout: 0);
        AssertClose(straight, Train("cuda", options, dropout: 0), 1e-4);
        AssertClose(straight, Train("cuda", options with { MaxTokensPerBatch = 12 }, dropout: 0), 1e-4);
        // The same numbers are dropped on every device.
        var dropped = Train("cpu", options, dropout: 0.2);
        AssertClose(dropped, Train("cuda", options, dropout: 0.2), 1e-4);
        AssertClose(dropped, Train("cuda", options with { MaxTokensPerBatch = 12, ActivationCheckpointing = true }, dropout: 0.2), 1e-4);
        var inBfloat16 = options with { Precision = Precision.Bfloat16 };
        AssertClose(Train("cpu", inBfloat16, dropout: 0), Train("cuda", inBfloat16, dropout: 0), 2e-2);
    }

    /// <summary>A run with dropout is the same again, also when it is cut off and resumed.</summary>
    public static void Resuming()
    {
        var parts = options with { MaxTokensPerBatch = 12 };
        var straight = Train("cuda", parts, dropout: 0.2);
        AssertClose(straight, Train("cuda", parts, dropout: 0.2), 1e-5);
        using var directory = new TemporaryDirectory();
        using var stop = new CancellationTokenSource();
        var reports = new StopAfter(3, stop);
        Assert.Throws<OperationCanceledException>(() => Train("cuda", parts, dropout: 0.2, directory, reports, stop.Token));
        AssertClose(straight, Train("cuda", parts, dropout: 0.2, directory), 1e-5);
        var error = Assert.Throws<RunDirectoryException>(() => Train("cpu", parts, dropout: 0.2, directory));
        Assert.Contains("it was started differently: the device was CUDA and is now CPU. ", error.Message);
    }

    private static float[] Train(
        string device, TrainingOptions run, double dropout, TemporaryDirectory? directory = null,
        IProgress<TrainingReport>? progress = null, CancellationToken cancellation = default)
    {
        using var model = TinyModel.Create("llama", dropout).to(device);
        var runDirectory = directory is null ? null : new RunDirectory(directory.Path);
        new Trainer(model, run, lists, [TinyModel.List(7, 4, 3, 4)], runDirectory, progress).Train(resume: true, cancellation);
        return [.. model.CheckpointParameters.SelectMany(pair => Values(pair.Parameter))];
    }

    private static (float[] Rewards, float[][] Gradients) RewardsAndGradients(RewardTransformer model)
    {
        using var scope = NewDisposeScope();
        model.train();
        using var sequences = model.Pack(lists);
        var loss = RankingLoss.ByName("log-sigmoid");
        using var targets = loss.TargetsOf([.. lists.Select(RankingList.Of)], model.Device);
        var rewards = model.call(sequences);
        loss.Sum(rewards, targets).backward();
        return (Values(rewards), [.. model.CheckpointParameters.Select(pair => Values(pair.Parameter.grad!))]);
    }

    private static void AssertClose(float[] expected, float[] found, double tolerance)
    {
        Assert.InRange(Numbers.LargestDifference(expected, found), 0, tolerance);
    }

    private static double Norm(float[] values) => Math.Sqrt(values.Sum(value => (double)value * value));

    private static float[] Values(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return MemoryMarshal.Cast<byte, float>(tensor.detach().cpu().contiguous().bytes).ToArray();
    }

    private sealed class StopAfter(int step, CancellationTokenSource stop) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            if (value is StepReport report && report.Step == step)
                stop.Cancel();
        }
    }
}
