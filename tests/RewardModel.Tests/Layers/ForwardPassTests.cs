using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Tests.Layers;

public class ForwardPassTests
{
    [Fact]
    public void Checkpointing_computes_every_layer_but_the_last_twice()
    {
        using var scope = NewDisposeScope();
        using var sequences = PackedSequences.Pack([TinyModel.List(1, 2, 3, 4)]);
        var x = ones(3).requires_grad_();
        var factor = full([3], 2f).requires_grad_();
        using var pass = new ForwardPass(sequences, checkpointing: true);
        var shared = pass.Shared(factor);
        var computed = new List<(int Layer, bool AreScored)>();
        var result = pass.Through([2, 3, 5], x, new QueryRows(sequences, AreScored: true), (layer, input, rows) =>
        {
            computed.Add((layer, rows.AreScored));
            return input.mul(shared).mul(layer);
        });
        pass.Backward(result.sum());
        Assert.Equal([(2, false), (3, false), (5, true), (3, false), (2, false)], computed);
        Assert.Equal([240f, 240, 240], Values(result));
        Assert.Equal([240f, 240, 240], Values(x.grad!));
        Assert.Equal([360f, 360, 360], Values(factor.grad!));
    }

    [Fact]
    public void Disposed_of_it_says_so()
    {
        using var model = TinyModel.Create();
        using var sequences = model.Pack([TinyModel.List(1, 2, 3)]);
        var pass = new ForwardPass(sequences);
        using var rewards = model.forward(pass);
        pass.Dispose();
        pass.Dispose();
        Assert.All(
            [() => pass.Backward(rewards.sum()), () => model.forward(pass), (Action)(() => _ = pass.Sequences)],
            use => Assert.Equal(typeof(ForwardPass).FullName, Assert.Throws<ObjectDisposedException>(use).ObjectName));
    }

    private static float[] Values(Tensor tensor)
    {
        using var data = tensor.detach().data<float>();
        return data.ToArray();
    }
}
