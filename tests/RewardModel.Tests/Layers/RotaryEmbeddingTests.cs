using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Tests.Layers;

public class RotaryEmbeddingTests
{
    [Theory]
    [InlineData(RotaryPairs.Halves)]
    [InlineData(RotaryPairs.Neighbours)]
    internal void The_first_channels_are_turned_in_pairs_and_scaled_and_the_others_passed_on(RotaryPairs pairs)
    {
        using var scope = NewDisposeScope();
        using var sequences = PackedSequences.Pack([new TokenizedList([], [[5, 6, 7]], [0])]);
        var rotary = new RotaryEmbedding(new RotarySettings([0.5f, 0.1f], Scaling: 2, MaxPositions: 8));
        float[] head = [1, 2, 3, 4, 5, 6];
        var heads = tensor([.. head, .. head, .. head]).view(3, 1, 6);
        using var data = RotaryEmbedding.Rotate(heads, rotary.AnglesOf(sequences), pairs).data<float>();
        var rotated = data.ToArray();
        for (var position = 0; position < 3; position++)
        {
            var isHalves = pairs == RotaryPairs.Halves;
            var (first, second) = (Turned(1, isHalves ? 3 : 2, 0.5 * position), Turned(isHalves ? 2 : 3, 4, 0.1 * position));
            double[] expected = [first.X, isHalves ? second.X : first.Y, isHalves ? first.Y : second.X, second.Y, 5, 6];
            // The angle, its sine and cosine with the scaling, two products and their sum are about ten roundings.
            Numbers.AssertEqualButForRounding(
                [.. expected.Select(value => (float)value)], rotated[(position * 6)..(position * 6 + 6)], units: 3);
        }

        static (double X, double Y) Turned(double x, double y, double angle) =>
            (2 * (x * Math.Cos(angle) - y * Math.Sin(angle)), 2 * (x * Math.Sin(angle) + y * Math.Cos(angle)));
    }
}
