using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using RewardModel.Kernels;
using RewardModel.Lists;
using RewardModel.Packing;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>
/// Softmax attention over packed sequences: a token sees its own segment and the segment's parent, as far as the architecture's reach
/// goes. The one place that knows about segments.
/// </summary>
/// <remarks>
/// T tokens of the row, and of the prompts whose keys and values are known; N query heads, M key and value heads, G = N / M queries per key head, H size of a head; F, K, A, P and X as in
/// <see cref="AttentionBlock"/>. A prompt's keys and values are computed once and used by all its answers.
/// </remarks>
internal static class Attention
{
    private static readonly ConcurrentDictionary<(string Device, long HeadSize), Lazy<bool>> worksFlash = new();

    /// <summary>softmax(q k^T) v for every head, with the scale, reach and so on of the options.</summary>
    /// <param name="q_RNH">Queries of the rows that are computed, rotated already where the model does so.</param>
    /// <param name="k_TMH">Keys; M divides N.</param>
    /// <param name="v_TMH">Values.</param>
    /// <param name="rows">The packed row the tokens are of, and which of them are computed.</param>
    /// <param name="options">What the architecture does differently.</param>
    /// <returns>[R, N * H]; in bfloat16 where flash attention gives it, as the product takes it that comes next.</returns>
    public static Tensor Apply(Tensor q_RNH, Tensor k_TMH, Tensor v_TMH, QueryRows rows, AttentionOptions options)
    {
        if (rows.Sequences.Prompts is { } prompts)
            (k_TMH, v_TMH) = prompts.Join(rows.Layer, k_TMH, v_TMH);
        if (options.Bias is not null)
            return Compose(q_RNH, k_TMH, v_TMH, rows, options);
        if (KernelSupport.CanTake(q_RNH))
            return AttentionKernel.Apply(SettingsOf(q_RNH, rows, options), q_RNH, k_TMH, v_TMH, options.Sinks_N, options.KeyBias_NP)
                .view(q_RNH.size(0), q_RNH.size(1) * q_RNH.size(2));
        return CanFlash(q_RNH.size(2), rows.Sequences, options)
            ? Flash(q_RNH.to(bfloat16), k_TMH.to(bfloat16), v_TMH.to(bfloat16), rows, options)
            : Compose(q_RNH, k_TMH, v_TMH, rows, options);
    }

    /// <summary>The same for queries, keys and values side by side, in as many heads each.</summary>
    /// <param name="qkv_T3NH">Of all tokens, as a projection leaves them.</param>
    /// <param name="rows">As in <see cref="Apply(Tensor, Tensor, Tensor, QueryRows, AttentionOptions)"/>.</param>
    /// <param name="options">Likewise.</param>
    /// <returns>[R, N * H].</returns>
    public static Tensor Apply(Tensor qkv_T3NH, QueryRows rows, AttentionOptions options)
    {
        if (KernelSupport.CanTake(qkv_T3NH) && !rows.AreScored && rows.Sequences.Prompts is null
            && options is { Bias: null, Sinks_N: null, KeyBias_NP: null })
            return AttentionKernel.Apply(SettingsOf(qkv_T3NH, rows, options), qkv_T3NH.flatten(1, 2)).flatten(1, 2);
        // One conversion, and one of the gradient.
        var parts = (CanFlash(qkv_T3NH.size(3), rows.Sequences, options) ? qkv_T3NH.to(bfloat16) : qkv_T3NH).unbind(1);
        return Apply(rows.Of(parts[0]), parts[1], parts[2], rows, options);
    }

    private static AttentionSettings SettingsOf(Tensor q_RNH, QueryRows rows, AttentionOptions options) => new(
        rows.Sequences.Attention.Problem(rows.AreScored),
        new AttentionRule(
            (float)options.Scale, options.Reach.Before, options.Reach.After, (float)(options.SoftCap ?? 0),
            DropoutOf(q_RNH.size(0), options)));

    private static AttentionDropout? DropoutOf(long rowCount, AttentionOptions options) =>
        options.Dropout > 0 ? new AttentionDropout(options.Dropout, DropoutDraws.NextKeys(rowCount)) : null;

    /// <summary>
    /// Whether libtorch's flash attention can do it: windows only among a segment's own keys, as those of the parent are seen whole.
    /// </summary>
    private static bool CanFlash(long headSize, PackedSequences sequences, AttentionOptions options)
    {
        if (sequences.Device.type != DeviceType.CUDA || headSize % 8 != 0 || headSize > 256
            || options is not { Precision: Precision.Bfloat16, Dropout: 0, SoftCap: null, Bias: null, Sinks_N: null, KeyBias_NP: null })
            return false;
        var hasWindow = options.Reach.For(sequences.LongestSequence) is not { Before: int.MaxValue, After: 0 or int.MaxValue };
        var (device, isPossible) = (sequences.Device, !(hasWindow && sequences.SharesPrompts));
        return isPossible
            && worksFlash.GetOrAdd((device.ToString(), headSize), _ => new Lazy<bool>(() => TryFlash(device, headSize))).Value;
    }

    /// <summary>
    /// Whether this GPU and this build of libtorch have the kernels behind the operators, which are there in any case: they ask for
    /// Ampere, and some GPUs have no backward pass for wide heads. Where they fail, libtorch says so once on the error stream.
    /// </summary>
    private static bool TryFlash(Device device, long headSize)
    {
        using var scope = NewDisposeScope();
        using var _ = enable_grad();
        using var sequences = PackedSequences.Pack([new TokenizedList([0], [[0], [0]], [1, 0])], device: device);
        var x_TNH = zeros(sequences.TokenCount, 1, headSize, bfloat16, device).requires_grad_();
        try
        {
            Flash(x_TNH, x_TNH, x_TNH, sequences.AllRows, new AttentionOptions(1)).sum().backward();
            KernelErrors.Throw();
            return true;
        }
        catch (ExternalException)
        {
            return false;
        }
    }

    /// <summary>
    /// The same by libtorch's flash attention, which has no masks and reads keys and values of a prompt where they lie, for all its
    /// answers.
    /// </summary>
    /// <param name="q_RNH">Of a type that the operators take.</param>
    /// <param name="k_TMH">Likewise.</param>
    /// <param name="v_TMH">Likewise.</param>
    /// <param name="rows">As in <see cref="Apply(Tensor, Tensor, Tensor, QueryRows, AttentionOptions)"/>.</param>
    /// <param name="options">Likewise.</param>
    /// <param name="operators">Null: libtorch's, for a GPU.</param>
    internal static Tensor Flash(
        Tensor q_RNH, Tensor k_TMH, Tensor v_TMH, QueryRows rows, AttentionOptions options, IFlashOperators? operators = null)
    {
        var segments = rows.Sequences.Attention.FlashSegments(rows.AreScored);
        var reach = options.Reach.For(rows.Sequences.LongestSequence);
        var ordered_RNH = segments.Order is null ? q_RNH : q_RNH.index_select(0, segments.Order);
        // Behind a scored token, its segment's last, there is nothing to leave out.
        var isCausal = reach.After == 0 && !rows.AreScored;
        var settings = new FlashAttentionSettings(
            operators ?? FlashOperators.Instance, segments, options.Scale,
            new FlashReach(isCausal, Limit(reach.Before), reach.After == 0 ? null : Limit(reach.After)));
        var output_RNH = FlashAttentionKernel.Apply(settings, ordered_RNH, k_TMH, v_TMH);
        return (segments.Places is null ? output_RNH : output_RNH.index_select(0, segments.Places)).view(q_RNH.size(0), -1);

        static int? Limit(int distance) => distance == int.MaxValue ? null : distance;
    }

    /// <summary>The same of TorchSharp's operators, for biases and where there is no kernel.</summary>
    internal static Tensor Compose(Tensor q_RNH, Tensor k_TMH, Tensor v_TMH, QueryRows rows, AttentionOptions options)
    {
        var layout = rows.Sequences.Attention;
        // Rows that are not computed ask nothing in particular, and nothing reads their results.
        var queries = rows.Sequences.KeyRows(rows.AreScored);
        var q_TNH = OfAllKeys(q_RNH);
        var keys_TN = DropoutOf(q_RNH.size(0), options) is { } dropout
            ? OfAllKeys(KeysOfHeads(dropout, (int)q_RNH.size(1), q_RNH.device))
            : null;
        var outputs = layout.Blocks.Select(block => Apply(q_TNH, k_TMH, v_TMH, keys_TN, block, layout.RootTokenCount, options)).ToArray();
        var output = outputs.Length == 1 ? outputs[0] : cat(outputs);
        return queries is null ? output : output.index_select(0, queries);

        Tensor OfAllKeys(Tensor x_R) => queries is null
            ? x_R
            : zeros([k_TMH.size(0), .. x_R.shape[1..]], x_R.dtype, x_R.device).index_copy_(0, queries, x_R);
    }

    /// <summary>What the weights of each query and head are dropped by, [R, N], int64.</summary>
    private static Tensor KeysOfHeads(AttentionDropout dropout, int heads, Device device)
    {
        var keys = new ulong[dropout.Keys.Length * heads];
        for (var i = 0; i < keys.Length; i++)
            keys[i] = dropout.KeyOf(i / heads, i % heads);
        return DropoutKernel.Keys(keys, device).view(-1, heads);
    }

    /// <summary>What a block's keys add to the scores, [F or 1, M, 1, G, 1, X].</summary>
    private static Tensor BiasOf(AttentionBlock block, Tensor bias_NP, long keyHeads)
    {
        var keys = block.ParentLength + block.Length;
        if (block.KeyPositions_F1111X is not { } positions)
            return bias_NP.narrow(1, 0, keys).view(1, keyHeads, 1, -1, 1, keys);
        // Of padding there may be no position in the table, and the mask leaves it out.
        return bias_NP.index_select(1, positions.flatten().clamp_max(bias_NP.size(1) - 1))
            .view(keyHeads, -1, block.FamilyCount, 1, 1, keys).permute(2, 0, 3, 1, 4, 5);
    }

    private static Tensor Apply(
        Tensor q_TNH, Tensor k_TMH, Tensor v_TMH, Tensor? keys_TN, AttentionBlock block, int rootTokenCount, AttentionOptions options)
    {
        var (heads, keyHeads, headSize) = (q_TNH.size(1), k_TMH.size(1), q_TNH.size(2));
        var groups = heads / keyHeads;
        long families = block.FamilyCount, children = block.ChildCount, length = block.Length, parentLength = block.ParentLength;

        // [T, M * G, H] to [F * M * K, G * A, H]: one matrix per segment and key head.
        Tensor Own(Tensor x_TNH, long groupCount) =>
            block.Own.Pad(x_TNH.narrow(0, block.FirstRow, block.RowCount).reshape(block.RowCount, -1))
                .view(families, children, length, keyHeads, groupCount, headSize).permute(0, 3, 1, 4, 2, 5)
                .reshape(families * keyHeads * children, groupCount * length, headSize);

        // [T, M, H] to [F * M, P, H]: one matrix per parent and key head.
        Tensor OfParents(Tensor x_TMH) =>
            block.Parents!.Pad(x_TMH.narrow(0, 0, rootTokenCount).reshape(rootTokenCount, -1))
                .view(families, parentLength, keyHeads, headSize).permute(0, 2, 1, 3)
                .reshape(families * keyHeads, parentLength, headSize);

        var q_Own = Own(q_TNH, groups).mul(options.Scale);
        var k_Own = Own(k_TMH, 1);
        var products = q_Own.bmm(k_Own.transpose(1, 2));
        if (options.Bias is not null)
            products = products.add(options.Bias(q_Own, k_Own));
        var scores = products.view(families, keyHeads, children, groups, length, length);
        var parentQueries = children * groups * length;
        if (block.Parents is not null)
        {
            var toParents = q_Own.view(families * keyHeads, parentQueries, headSize).bmm(OfParents(k_TMH).transpose(1, 2));
            scores = cat([toParents.view(families, keyHeads, children, groups, length, parentLength), scores], -1);
        }

        if (options.SoftCap is { } cap)
            scores = scores.div(cap).tanh().mul(cap);
        if (options.KeyBias_NP is { } bias_NP)
            scores = scores.add(BiasOf(block, bias_NP, keyHeads));
        scores = scores.add(block.Mask_F111AX(options.Reach));
        if (options.Sinks_N is { } sinks_N)
            scores = cat([scores, sinks_N.view(1, keyHeads, 1, groups, 1, 1).expand([.. scores.shape[..^1], 1])], -1);
        var weights = scores.softmax(-1).narrow(-1, 0, scores.size(-1) - (options.Sinks_N is null ? 0 : 1));
        if (keys_TN is not null)
        {
            var keys_FMKGA = block.Own.Pad(keys_TN.narrow(0, block.FirstRow, block.RowCount))
                .view(families, children, length, keyHeads, groups).permute(0, 3, 1, 4, 2).contiguous();
            weights = DropoutKernel.Apply(options.Dropout, weights, keys_FMKGA, block.KeyPositions_F1111X);
        }

        var ownWeights = weights.narrow(-1, parentLength, length).reshape(families * keyHeads * children, groups * length, length);
        var output = ownWeights.bmm(Own(v_TMH, 1)).view(families * keyHeads, parentQueries, headSize);
        if (block.Parents is not null)
            output = output.add(
                weights.narrow(-1, 0, parentLength).reshape(families * keyHeads, parentQueries, parentLength).bmm(OfParents(v_TMH)));
        return block.Own.Unpad(
            output.view(families, keyHeads, children, groups, length, headSize).permute(0, 2, 4, 1, 3, 5)
                .reshape(families * children * length, heads * headSize));
    }
}
