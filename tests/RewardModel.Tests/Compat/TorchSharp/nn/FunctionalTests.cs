using TorchSharp;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace RewardModel.Tests.Compat;

public sealed class FunctionalTests
{
    private readonly Tensor x = Vector(-1, 0, 2);

    [Fact]
    public void Linear_and_norm()
    {
        AreEqual([6, 15], F.linear(Matrix(), ones(1, 3)));
        AreEqual([7, 16], F.linear(Matrix(), ones(1, 3), ones(1)));
        AreClose([-1, 1, -1, 1], F.layer_norm(tensor(new float[,] { { 1, 3 }, { 5, 9 } }), [2], eps: 0));
        AreClose([-1, 3, -1, 3], F.layer_norm(tensor(new float[,] { { 1, 3 }, { 5, 9 } }), [2], Vector(2, 2), Vector(1, 1), 0));
    }

    [Fact]
    public void Activations_are_the_tensors_own()
    {
        AreEqual([0, 0, 2], F.relu(x));
        AreEqual(Of(x.silu()), F.silu(x));
        AreEqual(Of(x.gelu()), F.gelu(x));
        AreEqual(Of(x.log_sigmoid()), F.logsigmoid(x));
        AreEqual(Of(x.softmax(0)), F.softmax(x, 0));
        AreEqual(Of(x.log_softmax(0)), F.log_softmax(x, 0));
        AreClose([Math.Log(1 + Math.Exp(-1)), Math.Log(2), Math.Log(1 + Math.Exp(2))], F.softplus(x));
        AreClose([Math.Log(1 + Math.Exp(-2)) / 2, Math.Log(2) / 2, 2], F.softplus(x, beta: 2, threshold: 3));
    }

    [Fact]
    public void In_place_activations_change_their_input()
    {
        F.relu(x, inplace: true);
        AreEqual([0, 0, 2], x);
        var y = Vector(0, 1);
        F.silu(y, inplace: true);
        AreClose([0, 1 / (1 + Math.Exp(-1))], y);
    }

    [Fact]
    public void Dropout_keeps_the_expectation_and_rests_outside_of_training()
    {
        var dropped = F.dropout(ones(1000), 0.5);
        Assert.Equal([0.0, 2], Of(dropped).Distinct().Order());
        AreEqual([-1, 0, 2], F.dropout(x, 0.5, training: false));
        F.dropout(x, 1, inplace: true);
        AreEqual([0, 0, 0], x);
    }

    [Fact]
    public void Attention_without_a_mask()
    {
        var (query, key, value) = Attention();
        // Scores 1/sqrt(2) * [[2, 0], [0, 2]].
        var high = 1 / (1 + Math.Exp(-Math.Sqrt(2)));
        AreClose([high, 1 - high, 1 - high, high], F.scaled_dot_product_attention(query, key, value));
    }

    [Fact]
    public void Attention_with_masks()
    {
        var (query, key, value) = Attention();
        var high = 1 / (1 + Math.Exp(-Math.Sqrt(2)));
        double[] causal = [1, 0, 1 - high, high];
        AreClose(causal, F.scaled_dot_product_attention(query, key, value, is_casual: true));
        AreClose(causal, F.scaled_dot_product_attention(query, key, value, tensor(new[,] { { true, false }, { true, true } })));
        AreClose(causal, F.scaled_dot_product_attention(query, key, value, tensor(new[,] { { 0, float.NegativeInfinity }, { 0, 0 } })));
    }

    [Fact]
    public void Padding()
    {
        AreEqual([0, 0, -1, 0, 2, 0], F.pad(x, (2, 1)));
        AreEqual([9, -1, 0, 2, 9], F.pad(x, 1, value: 9));
        AreEqual([9, 9, 9, 9, 1, 2, 3, 9, 4, 5, 6, 9], [3, 4], F.pad(Matrix(), [0, 1, 1, 0], value: 9));
        AreEqual([2, 1, 2, 3, 2], F.pad(Vector(1, 2, 3).view(1, 1, 3), 1, PaddingModes.Reflect));
        AreEqual([1, 1, 2, 3, 3], F.pad(Vector(1, 2, 3).view(1, 1, 3), 1, PaddingModes.Replicate));
        AreEqual([3, 1, 2, 3, 1], F.pad(Vector(1, 2, 3).view(1, 1, 3), 1, PaddingModes.Circular));
        AreEqual([0, -1, 0, 2, 0], F.pad(x, 1, PaddingModes.Zeros));
    }

    [Fact]
    public void Squared_error()
    {
        AreClose([5.0 / 3], F.mse_loss(x, Vector(-1, 1, 0)));
        AreEqual([5], F.mse_loss(x, Vector(-1, 1, 0), nn.Reduction.Sum));
        AreEqual([0, 1, 4], F.mse_loss(x, Vector(-1, 1, 0), nn.Reduction.None));
    }

    [Fact]
    public void Binary_cross_entropy()
    {
        double[] losses = [Math.Log(1 + Math.Exp(-1)), Math.Log(2), Math.Log(1 + Math.Exp(-2))];
        var target = Vector(0, 1, 1);
        AreClose(losses, F.binary_cross_entropy_with_logits(x, target, reduction: nn.Reduction.None));
        AreClose([losses.Average()], F.binary_cross_entropy_with_logits(x, target));
        AreClose([losses[0] + 2 * losses[1]], F.binary_cross_entropy_with_logits(x, target, Vector(1, 2, 0), nn.Reduction.Sum));
        AreClose(
            [losses[0] + 3 * (losses[1] + losses[2])],
            F.binary_cross_entropy_with_logits(x, target, null, nn.Reduction.Sum, pos_weights: Vector(3, 3, 3)));
    }

    [Fact]
    public void Cross_entropy()
    {
        var logits = zeros(2, 4);
        var target = tensor(new long[] { 1, 3 });
        AreClose([Math.Log(4)], F.cross_entropy(logits, target));
        AreClose([2 * Math.Log(4)], F.cross_entropy(logits, target, reduction: nn.Reduction.Sum));
        AreClose([Math.Log(4), 0], F.cross_entropy(logits, target, ignore_index: 3, reduction: nn.Reduction.None));
        AreClose([Math.Log(4), 5 * Math.Log(4)], F.cross_entropy(logits, target, Vector(1, 1, 1, 5), reduction: nn.Reduction.None));
        var sure = tensor(new float[,] { { 100, 0 } });
        AreClose([0.25 * 100], F.cross_entropy(sure, tensor(new long[] { 0 }), label_smoothing: 0.5));
    }

    private static (Tensor Query, Tensor Key, Tensor Value) Attention() => (eye(2) * 2, eye(2), eye(2));
}
