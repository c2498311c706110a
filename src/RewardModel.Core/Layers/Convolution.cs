using RewardModel.Packing;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Layers;

/// <summary>A convolution over the tokens of each sequence, which knows segments as attention does: none sees another's tokens.</summary>
internal sealed class Convolution : nn.Module
{
    public readonly Parameter weight;
    public readonly Parameter bias;

    /// <param name="width">D.</param>
    /// <param name="kernelSize">Tokens that each one sees, itself in the middle: an odd number.</param>
    public Convolution(long width, long kernelSize) : base(nameof(Convolution))
    {
        weight = new Parameter(empty(width, width, kernelSize));
        bias = new Parameter(empty(width));
        RegisterComponents();
    }

    /// <param name="x_TD">[T, D].</param>
    /// <param name="sequences">The packed row the tokens are of; its segments have no parents.</param>
    /// <returns>[T, D].</returns>
    public Tensor forward(Tensor x_TD, PackedSequences sequences)
    {
        // One row more, of zeros: what stands before the first and behind the last token of a sequence.
        var padded = cat([x_TD, zeros(1, x_TD.size(1), device: x_TD.device)]);
        var weights = weight.unbind(2);
        var middle = weights.Length / 2;
        var sum_TD = nn.functional.linear(x_TD, weights[middle], bias);
        for (var place = 0; place < weights.Length; place++)
            if (place != middle)
                sum_TD = sum_TD.add(
                    nn.functional.linear(padded.index_select(0, Neighbours_T(sequences, place - middle)), weights[place]));
        return sum_TD;
    }

    private static Tensor Neighbours_T(PackedSequences sequences, int offset)
    {
        var rows = new long[sequences.TokenCount];
        foreach (var segment in sequences.Segments)
            for (var i = 0; i < segment.Length; i++)
                rows[segment.Start + i] = i + offset >= 0 && i + offset < segment.Length ? segment.Start + i + offset : rows.Length;
        return tensor(rows, device: sequences.Device);
    }
}
