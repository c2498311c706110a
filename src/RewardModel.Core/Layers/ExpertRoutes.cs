using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Layers;

// T tokens, E experts, K of them chosen by each token, A = T K, D width.

/// <summary>
/// Which experts the tokens of a packed row go through, and what the experts' results are multiplied with (Shazeer et al., arXiv 1701.06538).
/// The tokens of one expert are computed together; one that no token goes through is not computed.
/// </summary>
internal sealed class ExpertRoutes
{
    private readonly Tensor weights_TK;
    private readonly long[] tokens;
    private readonly long[] rows;
    private readonly long[] counts;

    private ExpertRoutes(Tensor weights_TK, Tensor experts_TK, long expertCount)
    {
        this.weights_TK = weights_TK;
        (tokens, rows, counts) = Sorted(Numbers(experts_TK, expertCount), expertCount, experts_TK.size(1));
    }

    /// <summary>The experts of the largest shares, where those of all are the softmax of logits.</summary>
    /// <param name="logits_TE">[T, E], float32.</param>
    /// <param name="chosenCount">K.</param>
    /// <param name="isNormalized">Whether the chosen shares are divided by their sum.</param>
    public static ExpertRoutes OfShares(Tensor logits_TE, long chosenCount, bool isNormalized)
    {
        var (shares_TK, experts_TK) = logits_TE.softmax(-1).topk((int)chosenCount, -1);
        return new ExpertRoutes(
            isNormalized ? shares_TK.div(shares_TK.sum(-1, keepdim: true)) : shares_TK, experts_TK, logits_TE.size(1));
    }

    /// <summary>The experts of the largest logits, and the softmax of these alone.</summary>
    /// <inheritdoc cref="OfShares"/>
    public static ExpertRoutes OfLogits(Tensor logits_TE, long chosenCount)
    {
        var (chosen_TK, experts_TK) = logits_TE.topk((int)chosenCount, -1);
        return new ExpertRoutes(chosen_TK.softmax(-1), experts_TK, logits_TE.size(1));
    }

    /// <summary>The weighted sum of what the experts make of each token.</summary>
    /// <param name="x_TD">[T, D].</param>
    /// <param name="forward">An expert by its number, and rows of tokens, to as many rows.</param>
    /// <returns>[T, D].</returns>
    public Tensor Through(Tensor x_TD, Func<int, Tensor, Tensor> forward)
    {
        using var scope = NewDisposeScope();
        var tokens_A = DeviceTensor.Of(tokens, x_TD.device);
        var x_AD = Rows(x_TD, tokens_A);
        int[] used = [.. Enumerable.Range(0, counts.Length).Where(expert => counts[expert] > 0)];
        // Of one split: apart, each part would have a gradient as long as all of them.
        var parts = x_AD.split([.. used.Select(expert => counts[expert])]);
        var first = 0L;
        Tensor[] results =
        [
            .. used.Zip(parts, (expert, part) =>
            {
                var ofExpert = tokens.AsSpan((int)first, (int)counts[expert]).ToArray();
                first += ofExpert.Length;
                return DropoutDraws.OfRows(ofExpert, x_TD.size(0), expert, () => forward(expert, part));
            }),
        ];
        // Gathered by tokens again, and not added to them, which libtorch does on one thread. What nobody needs any more goes at once.
        using var y_AD = cat(results);
        foreach (var result in results)
            result.Dispose();
        var y_TKD = Rows(y_AD, DeviceTensor.Of(rows, x_TD.device)).view(x_TD.size(0), -1, x_TD.size(1));
        return y_TKD.mul(weights_TK.unsqueeze(-1)).sum([1]).MoveToOuterDisposeScope();

        static Tensor Rows(Tensor x_ND, Tensor rows) =>
            EmbeddingKernel.CanTake(x_ND) ? EmbeddingKernel.Apply(default, x_ND, rows) : x_ND.index_select(0, rows);
    }

    /// <summary>
    /// What is read back in each layer of a pass: how many rows an expert has is the shape of what it computes. A tensor that has a shape and no
    /// numbers goes through all experts by turns.
    /// </summary>
    private static long[] Numbers(Tensor experts_TK, long expertCount)
    {
        if (experts_TK.device_type == TorchSharp.DeviceType.META)
            return [.. Enumerable.Range(0, (int)experts_TK.numel()).Select(place => place % expertCount)];
        using var onCpu = experts_TK.cpu();
        using var data = onCpu.data<long>();
        return data.ToArray();
    }

    /// <summary>
    /// By experts, and in the order of tokens: the token of each pair of both. For each place in [T, K] the row that its pair has among these; and
    /// the count of each expert.
    /// </summary>
    private static (long[] Tokens, long[] Rows, long[] Counts) Sorted(long[] experts, long expertCount, long chosenCount)
    {
        var counts = new long[expertCount];
        foreach (var expert in experts)
            counts[expert]++;
        var next = new long[expertCount];
        for (var expert = 1; expert < expertCount; expert++)
            next[expert] = next[expert - 1] + counts[expert - 1];
        var (tokens, rows) = (new long[experts.Length], new long[experts.Length]);
        for (var place = 0; place < experts.Length; place++)
        {
            rows[place] = next[experts[place]]++;
            tokens[rows[place]] = place / chosenCount;
        }
        return (tokens, rows, counts);
    }
}
