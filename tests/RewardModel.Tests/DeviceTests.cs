using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Tests.Parity;
using RewardModel.Training.Optimization;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Tests;

/// <summary>
/// A model on another device leaves nothing on the CPU and reads nothing back, but for the numbers of the experts that tokens go through. Shown
/// without a GPU: of what is computed there, only shapes are known.
/// </summary>
[Collection(nameof(RunsAlone))]
public class DeviceTests
{
    public static TheoryData<string> Architectures => [.. ParityModel.NamesOfRepository];

    [Theory, MemberData(nameof(Architectures))]
    public void A_training_step_takes_place_where_the_model_lies(string architecture)
    {
        Assert.Empty(MetaDevice.Run(() => TakeStep(architecture, Precision.Float32, dropout: 0, checkpointing: false)));
        Assert.Empty(MetaDevice.Run(() => TakeStep(architecture, Precision.Bfloat16, dropout: 0.1, checkpointing: true)));
    }

    [Fact]
    public void What_stays_on_the_CPU_is_noticed()
    {
        using var scope = NewDisposeScope();
        var x = ones(3, 2, device: MetaDevice.Device);
        Assert.Single(MetaDevice.Run(() => x.index_select(0, tensor(new[] { 1L }))));
        Assert.ThrowsAny<Exception>(() => x.add(ones(3, 2)));
        Assert.ThrowsAny<Exception>(() => x.index_copy_(0, tensor(new[] { 1L }), x.narrow(0, 0, 1)));
        Assert.ThrowsAny<Exception>(() => x.cpu());
    }

    private static void TakeStep(string architecture, Precision precision, double dropout, bool checkpointing)
    {
        TokenizedList[] lists = [TinyModel.List(1, 9, 5, 1, 12, 3), TinyModel.List(2, 0, 4, 2)];
        using var scope = NewDisposeScope();
        using var model = ParityModel.Random(architecture, dropout).to(MetaDevice.Device);
        model.Precision = precision;
        model.train();
        using var optimizer = new AdamW(model.CheckpointParameters.Select(WeightPart.Of), new AdamWOptions());
        using var sequences = model.Pack(lists);
        var loss = RankingLoss.ByName("log-sigmoid");
        using var targets = loss.TargetsOf([.. lists.Select(RankingList.Of)], model.Device);
        using var pass = new ForwardPass(sequences, dropoutSeed: 1, checkpointing);

        var rewards = model.forward(pass);
        Assert.Equal([6], rewards.shape);
        Assert.Equal(DeviceType.META, rewards.device_type);
        pass.Backward(loss.Sum(rewards, targets));
        optimizer.Step(1e-3, gradientScale: 0.5);
        foreach (var (_, parameter) in model.CheckpointParameters)
        {
            Assert.Equal(DeviceType.META, parameter.grad!.device_type);
            Assert.Equal(parameter.shape, parameter.grad!.shape);
        }
    }
}
