namespace RewardModel.Kernels;

/// <summary>
/// Attention over packed sequences, forward and backward, float32 in the CPU's memory. A few queries at a time, so that their scores stay
/// in a core's cache (Dao et al., arXiv 2205.14135, do it for GPUs). A prompt's keys and values are laid out once for all its answers:
/// <see cref="AttentionMemory{TLanes}"/>.
/// </summary>
/// <remarks>R rows of queries, T of keys and values; N heads of queries, M of keys and values, H their size.</remarks>
internal static unsafe class PackedAttention
{
    /// <summary>softmax(scale q k^T) v.</summary>
    /// <param name="problem">Where segments lie.</param>
    /// <param name="rule">What is computed.</param>
    /// <param name="terms">What is added to scores and their sum.</param>
    /// <param name="shape">N, M and H.</param>
    /// <param name="q">[R, N, H].</param>
    /// <param name="k">[T, M, H].</param>
    /// <param name="v">[T, M, H].</param>
    /// <param name="output">[R, N, H]: rows of no segment are not set.</param>
    /// <param name="logSums">[R, N]: the logarithm of each query's sum of exponentials, likewise.</param>
    public static void Forward(
        AttentionProblem problem, AttentionRule rule, ScoreTerms terms, AttentionShape shape, HeadRows q, HeadRows k, HeadRows v,
        HeadRows output, HeadRows logSums)
    {
        switch (WidthFor(shape))
        {
            case 512:
                Forward<Lanes512>(problem, rule, terms, shape, q, k, v, output, logSums);
                break;
            case 256:
                Forward<Lanes256>(problem, rule, terms, shape, q, k, v, output, logSums);
                break;
            default:
                Forward<Lanes128>(problem, rule, terms, shape, q, k, v, output, logSums);
                break;
        }
    }

    /// <summary>The gradients of q, k and v: those of rows of no segment are not set.</summary>
    /// <param name="problem">As for <see cref="Forward"/>.</param>
    /// <param name="rule">Likewise.</param>
    /// <param name="terms">Likewise.</param>
    /// <param name="shape">Likewise.</param>
    /// <param name="q">Likewise.</param>
    /// <param name="k">Likewise.</param>
    /// <param name="v">Likewise.</param>
    /// <param name="output">What it gave.</param>
    /// <param name="logSums">Likewise.</param>
    /// <param name="gradient">Of the output.</param>
    /// <param name="dq">[R, N, H].</param>
    /// <param name="dk">[T, M, H].</param>
    /// <param name="dv">[T, M, H].</param>
    /// <returns>The gradients of sinks by family of segments, [families, N]: 0 where there are none.</returns>
    public static double[,] Backward(
        AttentionProblem problem, AttentionRule rule, ScoreTerms terms, AttentionShape shape, HeadRows q, HeadRows k, HeadRows v,
        HeadRows output, HeadRows logSums, HeadRows gradient, HeadRows dq, HeadRows dk, HeadRows dv)
    {
        var sinkGradients = new double[problem.Families.Length, shape.Heads];
        switch (WidthFor(shape))
        {
            case 512:
                Backward<Lanes512>(problem, rule, terms, shape, q, k, v, output, logSums, gradient, dq, dk, dv, sinkGradients);
                break;
            case 256:
                Backward<Lanes256>(problem, rule, terms, shape, q, k, v, output, logSums, gradient, dq, dk, dv, sinkGradients);
                break;
            default:
                Backward<Lanes128>(problem, rule, terms, shape, q, k, v, output, logSums, gradient, dq, dk, dv, sinkGradients);
                break;
        }
        return sinkGradients;
    }

    /// <summary>Wide vectors would be half empty for small heads, whose channels are padded to two of them.</summary>
    private static int WidthFor(AttentionShape shape) => Math.Min(LaneWidth.Bits, shape.HeadSize > 16 ? 512 : shape.HeadSize > 8 ? 256 : 128);

    private static void Forward<TLanes>(
        AttentionProblem problem, AttentionRule rule, ScoreTerms terms, AttentionShape shape, HeadRows q, HeadRows k, HeadRows v,
        HeadRows output, HeadRows logSums)
        where TLanes : struct, ILanes<TLanes>
    {
        TorchThreads.Run(problem.Families.Length * shape.KeyHeads, task =>
        {
            var keyHead = task % shape.KeyHeads;
            var memory = new AttentionMemory<TLanes>(problem, shape, isBackward: false);
            foreach (var index in problem.Families[task / shape.KeyHeads])
            {
                var segment = problem.Segments[index];
                memory.Append(segment, k, v, keyHead);
                for (var head = keyHead * shape.Group; head < (keyHead + 1) * shape.Group; head++)
                    for (var first = 0; first < segment.QueryCount; first += memory.TileRows)
                    {
                        var tile = AttentionTile.Of(problem, segment, rule, first, memory.TileRows);
                        memory.LoadRows(tile, q, head, memory.Queries, rule.Scale);
                        memory.Scores(tile, memory.Queries, memory.KeyPanels, memory.Weights);
                        memory.Softmax(tile, rule, terms, head, logSums);
                        memory.SumOverKeys(tile, memory.Weights, memory.Values);
                        memory.StoreResults(tile, output, head);
                    }
            }
        });
    }

    private static void Backward<TLanes>(
        AttentionProblem problem, AttentionRule rule, ScoreTerms terms, AttentionShape shape, HeadRows q, HeadRows k, HeadRows v,
        HeadRows output, HeadRows logSums, HeadRows gradient, HeadRows dq, HeadRows dk, HeadRows dv, double[,] sinkGradients)
        where TLanes : struct, ILanes<TLanes>
    {
        TorchThreads.Run(problem.Families.Length * shape.KeyHeads, task =>
        {
            var keyHead = task % shape.KeyHeads;
            var family = problem.Families[task / shape.KeyHeads];
            var memory = new AttentionMemory<TLanes>(problem, shape, isBackward: true);
            foreach (var index in family)
            {
                var segment = problem.Segments[index];
                memory.Append(segment, k, v, keyHead);
                for (var head = keyHead * shape.Group; head < (keyHead + 1) * shape.Group; head++)
                    for (var first = 0; first < segment.QueryCount; first += memory.TileRows)
                    {
                        var tile = AttentionTile.Of(problem, segment, rule, first, memory.TileRows);
                        memory.LoadRows(tile, q, head, memory.Queries, rule.Scale);
                        memory.LoadRows(tile, gradient, head, memory.Gradients, 1);
                        memory.LoadRows(tile, output, head, memory.Results, 1);
                        memory.Scores(tile, memory.Queries, memory.KeyPanels, memory.Weights);
                        memory.Scores(tile, memory.Gradients, memory.ValuePanels, memory.WeightGradients);
                        sinkGradients[task / shape.KeyHeads, head] += memory.SoftmaxBackward(tile, rule, terms, head, logSums);
                        memory.AddOverQueries(tile, memory.Weights, memory.Gradients, memory.ValueGradients);
                        memory.AddOverQueries(tile, memory.WeightGradients, memory.Queries, memory.KeyGradients);
                        memory.SumOverKeys(tile, memory.WeightGradients, memory.Keys);
                        memory.StoreQueryGradients(tile, dq, head, rule.Scale);
                    }
                if (segment.Parent >= 0)
                    memory.StoreKeyGradients(segment, dk, dv, keyHead);
            }
            memory.StoreKeyGradients(problem.Segments[family[0]], dk, dv, keyHead);
        });
    }
}
