using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>
/// Causal softmax attention over packed sequences: a token sees its own segment up to itself, and the whole of the segment's
/// parent. The one place that knows about segments.
/// </summary>
/// <remarks>
/// T tokens of the row; N query heads, M key and value heads, G = N / M queries per key head, H size of a head;
/// R, P, F, K, A, X as in <see cref="AttentionLayout"/>. Keys and values of a prompt are used in place by all its answers.
/// </remarks>
public static class Attention
{
    /// <summary>softmax(scale * q k^T) v for every head.</summary>
    /// <param name="q_TNH">Queries, rotated already where the model does so.</param>
    /// <param name="k_TMH">Keys; M divides N.</param>
    /// <param name="v_TMH">Values.</param>
    /// <param name="sequences">The packed row the tokens are of.</param>
    /// <param name="scale">Factor on the products of queries and keys, mostly 1 / sqrt(H).</param>
    /// <param name="dropout">Probability with which an attention weight is set to 0; 0 in evaluation.</param>
    /// <returns>[T, N * H].</returns>
    public static Tensor Apply(Tensor q_TNH, Tensor k_TMH, Tensor v_TMH, PackedSequences sequences, double scale, double dropout = 0)
    {
        var layout = sequences.Attention;
        var (heads, keyHeads, headSize) = (q_TNH.size(1), k_TMH.size(1), q_TNH.size(2));
        var groups = heads / keyHeads;
        var (roots, longestRoot) = (layout.RootCount, layout.LongestRoot);

        Tensor RootBlock(Tensor x_TNH, long groupCount) =>
            layout.Roots.Pad(x_TNH.narrow(0, 0, layout.RootTokenCount).reshape(layout.RootTokenCount, -1))
                .view(roots, longestRoot, keyHeads, groupCount, headSize).permute(0, 2, 3, 1, 4)
                .reshape(roots * keyHeads, groupCount * longestRoot, headSize);

        var q_RootBlock = RootBlock(q_TNH, groups).mul(scale);
        var k_RootBlock = RootBlock(k_TMH, 1);
        var v_RootBlock = RootBlock(v_TMH, 1);
        var weights = q_RootBlock.bmm(k_RootBlock.transpose(1, 2)).view(roots * keyHeads, groups, longestRoot, longestRoot)
            .add(layout.RootMask_PP).softmax(-1);
        weights = Dropout.Apply(weights, dropout, training: true);
        var rootOutput = layout.Roots.Unpad(weights.view(roots * keyHeads, groups * longestRoot, longestRoot).bmm(v_RootBlock)
            .view(roots, keyHeads, groups, longestRoot, headSize).permute(0, 3, 1, 2, 4).reshape(roots * longestRoot, heads * headSize));
        if (layout.Children is null)
            return rootOutput;

        var (families, largest, longest) = (layout.FamilyCount, layout.LargestFamily, layout.LongestChild);

        Tensor ChildBlock(Tensor x_TNH, long groupCount) =>
            layout.Children.Pad(x_TNH.narrow(0, layout.RootTokenCount, layout.ChildTokenCount).reshape(layout.ChildTokenCount, -1))
                .view(families, largest, longest, keyHeads, groupCount, headSize).permute(0, 3, 1, 4, 2, 5)
                .reshape(families * keyHeads * largest, groupCount * longest, headSize);

        Tensor ParentBlock(Tensor x_RootBlock) => layout.FamilyRoots_F is null
            ? x_RootBlock
            : x_RootBlock.view(roots, keyHeads * longestRoot * headSize).index_select(0, layout.FamilyRoots_F)
                .view(families * keyHeads, longestRoot, headSize);

        // One matrix product per key head scores all answers' queries against their prompt; one per answer, against itself.
        var q_ChildBlock = ChildBlock(q_TNH, groups).mul(scale);
        var queries = largest * groups * longest;
        var toParent = q_ChildBlock.view(families * keyHeads, queries, headSize).bmm(ParentBlock(k_RootBlock).transpose(1, 2));
        var toSelf = q_ChildBlock.bmm(ChildBlock(k_TMH, 1).transpose(1, 2));
        weights = cat([
                toParent.view(families, keyHeads, largest, groups, longest, longestRoot),
                toSelf.view(families, keyHeads, largest, groups, longest, longest)], -1)
            .add(layout.ChildMask_F111AX!).softmax(-1);
        weights = Dropout.Apply(weights, dropout, training: true);
        var fromParent = weights.narrow(-1, 0, longestRoot).reshape(families * keyHeads, queries, longestRoot)
            .bmm(ParentBlock(v_RootBlock));
        var fromSelf = weights.narrow(-1, longestRoot, longest).reshape(families * keyHeads * largest, groups * longest, longest)
            .bmm(ChildBlock(v_TMH, 1));
        var childOutput = layout.Children.Unpad(fromParent.view(families, keyHeads, largest, groups, longest, headSize)
            .add(fromSelf.view(families, keyHeads, largest, groups, longest, headSize))
            .permute(0, 2, 4, 1, 3, 5).reshape(families * largest * longest, heads * headSize));
        return cat([rootOutput, childOutput]);
    }
}
