using RewardModel.Kernels;

namespace RewardModel.Layers;

/// <summary>
/// What a layer of an architecture is made of, as the configuration says: sizes, and what of each token's numbers its operators keep for
/// the backward pass on the CPU. Memory is estimated of it.
/// </summary>
/// <param name="Width">Numbers of a token between layers.</param>
/// <param name="Attention">Its attention.</param>
/// <param name="Mlp">Its MLP.</param>
internal sealed record LayerShape(long Width, AttentionShape Attention, MlpShape Mlp)
{
    /// <summary>Norms of the whole width.</summary>
    public int NormCount { get; init; } = 2;

    /// <summary>Whether attention and MLP read the same hidden state, so that nothing takes the sum between them.</summary>
    public bool IsParallel { get; init; }

    /// <summary>Its matrices.</summary>
    public IReadOnlyList<MatrixShape> Matrices => [.. Attention.Matrices(Width), .. Mlp.Matrices(Width)];

    /// <summary>Those that a token is multiplied with: of experts as many as it goes through.</summary>
    public IReadOnlyList<MatrixShape> MatricesOfToken => [.. Attention.Matrices(Width), .. Mlp.MatricesOfToken(Width)];

    /// <summary>
    /// Numbers that a token leaves: what norms take, what attention and MLP take, and what is in these. Sums of the residual stream are
    /// among what the next norm, or the next layer, takes.
    /// </summary>
    public long Kept => (NormCount + (IsParallel ? 1 : 2)) * Width + Attention.Kept + Mlp.Kept(Width);

    /// <summary>
    /// The same of a token that the last layer of a causal model is not asked for: the layer's input and its norm, keys and values.
    /// </summary>
    public long KeptOfOthers => 2 * Width + Attention.KeptOfOthers;

    /// <summary>
    /// Numbers of a token that are there when a layer has been computed, whether kept or not: besides, what the MLP's second product takes,
    /// the results of attention and MLP, the layer's own, those of norms behind them, and up to six of the embeddings, their sums and norm.
    /// </summary>
    public long Computed => Kept + (NormCount + 7) * Width + Mlp.Dropped(Width);

    /// <summary>
    /// Numbers of a token that come and go while the pass goes back through the layer: most where it is in the MLP, the gradient of the
    /// layer's result and those within the MLP.
    /// </summary>
    public long Passing => Width + Mlp.Passing(Width);
}

/// <summary>A linear layer's weight.</summary>
internal readonly record struct MatrixShape(long Inputs, long Outputs)
{
    /// <summary>Count of its numbers.</summary>
    public long Size => Inputs * Outputs;
}

/// <summary>The attention of a <see cref="LayerShape"/>.</summary>
/// <param name="Heads">Heads of queries.</param>
/// <param name="KeyHeads">Heads of keys, and of values.</param>
/// <param name="HeadSize">Numbers of a head.</param>
internal sealed record AttentionShape(long Heads, long KeyHeads, long HeadSize)
{
    /// <summary>Whether queries, keys and values come from one matrix.</summary>
    public bool IsFused { get; init; }

    /// <summary>Whether queries and keys are rotated by their positions.</summary>
    public bool IsRotated { get; init; }

    /// <summary>Whether queries and keys have norms of their own.</summary>
    public bool HasNorms { get; init; }

    /// <summary>Whether these norms have a weight for each head, so that what it multiplies is kept for its gradient.</summary>
    public bool HasNormsByHead { get; init; }

    /// <summary>
    /// Comparisons of contents with distances, whose results are added to the scores: then attention is composed of operators and keeps its
    /// weights.
    /// </summary>
    public int DistanceComparisons { get; init; }

    /// <summary>How many of the comparisons have a matrix of their own for distances.</summary>
    public int DistanceMatrices { get; init; }

    /// <summary>Numbers that a token leaves, its result included.</summary>
    public long Kept => Projected + (KeepsProjected ? Queries + Keys : 0) + (HasNormsByHead ? Queries + Keys : 0) + Queries
        + 2 * DistanceComparisons * Queries;

    /// <summary>The same of a token that has no query.</summary>
    public long KeptOfOthers => (IsFused ? Projected : 2 * Keys) + (KeepsProjected ? Keys : 0) + (HasNormsByHead ? Keys : 0);

    /// <summary>Whether a layer keeps its weights: queries x keys, for every head.</summary>
    public bool KeepsWeights => DistanceComparisons > 0;

    /// <summary>
    /// Matrices of the size of the weights that are there besides while attention is computed: products, their sum with what distances
    /// give, and that with the mask; two for each comparison, whose rows are twice as long; and the sum of both.
    /// </summary>
    public int PassingWeights => KeepsWeights ? 3 + 2 * DistanceComparisons + (DistanceComparisons - 1) : 0;

    /// <summary>Numbers of a token's queries.</summary>
    public long Queries => Heads * HeadSize;

    /// <summary>Numbers of a token's keys, and of its values.</summary>
    public long Keys => KeyHeads * HeadSize;

    /// <summary>Numbers of a token's queries, keys and values.</summary>
    public long Projected => Queries + 2 * Keys;

    // Attention keeps queries and keys as it takes them. What they are made of stays too: for the norms' gradients, or, as values are a
    // part of it, with these.
    private bool KeepsProjected => HasNorms || (IsFused && IsRotated);

    /// <summary>Its matrices.</summary>
    public IEnumerable<MatrixShape> Matrices(long width)
    {
        long[] outputs = IsFused ? [Projected] : [Queries, Keys, Keys];
        return outputs.Concat(Enumerable.Repeat(Queries, DistanceMatrices)).Select(count => new MatrixShape(width, count))
            .Append(new MatrixShape(Queries, width));
    }
}

/// <summary>The MLP of a <see cref="LayerShape"/>.</summary>
/// <param name="InnerWidth">Numbers that the activation function takes; of experts, those of one.</param>
/// <param name="Activation">The function, one of <see cref="ActivationFunction.Names"/>.</param>
internal sealed record MlpShape(long InnerWidth, string Activation)
{
    /// <summary>Whether the function's result is multiplied with a second product.</summary>
    public bool IsGated { get; init; }

    /// <summary>Whether both come from one matrix.</summary>
    public bool IsFused { get; init; }

    /// <summary>Whether what the last product takes is kept, whatever the function.</summary>
    public bool KeepsResult { get; init; }

    /// <summary>Where there are many of this shape, of which each token goes through some; null: there is one, for all tokens.</summary>
    public ExpertShape? Experts { get; init; }

    /// <summary>
    /// Numbers that a token leaves in it: what the function takes, or what it gives where that is enough; behind a gate what it is
    /// multiplied with, and where there is no kernel also the product. Of experts what each that it goes through takes and gives besides,
    /// and the shares of all; of one for all tokens what it gives.
    /// </summary>
    public long Kept(long width) => Experts is null
        ? InnerWidth * KeptInside
        : Experts.Chosen * (2 * width + InnerWidth * KeptInside) + Experts.Count
            + (Experts.SharedInnerWidth > 0 ? Experts.SharedInnerWidth * KeptInside + width : 0);

    /// <summary>Those of them that its products take, and are kept for the gradients of their matrices alone.</summary>
    public long Taken(long width) => width * (1 + (Experts?.Chosen ?? 0));

    /// <summary>
    /// Numbers of a token that are there as well when it has been computed: what the second product takes. Of experts, which most tokens may
    /// have in common, what they give, before and after it is weighed.
    /// </summary>
    public long Dropped(long width) => InnerWidth + (Experts is null ? 0 : 2 * Experts.Chosen * width);

    /// <summary>
    /// Gradients of the function's result and input, and of the gate; operators also make the result again, where a kernel writes it over
    /// its gradient. What comes from one matrix has its gradient put together of two that are as wide as both halves. Of experts those of
    /// what they give, of its weights and of what they take; and one after the other what is in them, of all tokens where all choose one.
    /// </summary>
    public long Passing(long width) => Experts is null
        ? InnerWidth * PassingInside
        : 3 * Experts.Chosen * width
            + Math.Max(Experts.SharedInnerWidth, InnerWidth) * PassingInside;

    private KernelActivation? Kernel => ActivationFunction.Named(Activation).Kernel;

    private int KeptInside => !IsGated ? 1 : Kernel is null || KeepsResult ? 3 : 2;

    private int PassingInside => IsFused ? 5 : (Kernel is KernelActivation.Gelu or KernelActivation.SquaredRelu ? 3 : 2) + (IsGated ? 1 : 0);

    /// <summary>Its matrices.</summary>
    public IEnumerable<MatrixShape> Matrices(long width) => Matrices(width, Experts?.Count ?? 1);

    /// <summary>Those that a token is multiplied with.</summary>
    public IEnumerable<MatrixShape> MatricesOfToken(long width) => Matrices(width, Experts?.Chosen ?? 1);

    /// <summary>Numbers of the matrices behind the function.</summary>
    public long LastSize(long width) => width * (InnerWidth * (Experts?.Count ?? 1) + (Experts?.SharedInnerWidth ?? 0));

    private IEnumerable<MatrixShape> Matrices(long width, long count)
    {
        var ofOne = MatricesOfOne(width, InnerWidth);
        IEnumerable<MatrixShape> all = count == 1 ? ofOne : Enumerable.Range(0, (int)count).SelectMany(_ => ofOne);
        if (Experts is null)
            return all;
        all = all.Prepend(new MatrixShape(width, Experts.Count));
        return Experts.SharedInnerWidth == 0
            ? all
            : all.Concat(MatricesOfOne(width, Experts.SharedInnerWidth)).Append(new MatrixShape(width, 1));
    }

    private MatrixShape[] MatricesOfOne(long width, long innerWidth)
    {
        var inner = new MatrixShape(width, innerWidth);
        MatrixShape[] first = !IsGated ? [inner] : IsFused ? [new MatrixShape(width, 2 * innerWidth)] : [inner, inner];
        return [.. first, new MatrixShape(innerWidth, width)];
    }
}

/// <summary>The experts of a <see cref="MlpShape"/>, which a matrix chooses from.</summary>
/// <param name="Count">All of them.</param>
/// <param name="Chosen">Those that a token goes through.</param>
internal sealed record ExpertShape(long Count, long Chosen)
{
    /// <summary>The inner width of one more, which all tokens go through and whose result has a gate of its own; 0: there is none.</summary>
    public long SharedInnerWidth { get; init; }
}
