namespace RewardModel.Adapters;

/// <summary>Which biases of the model are trained beside adapters, as PEFT's <c>bias</c> says.</summary>
public enum LoraBias
{
    /// <summary>None.</summary>
    None,

    /// <summary>All of the transformer, of norms too.</summary>
    All,

    /// <summary>Those of the layers that have an adapter.</summary>
    LoraOnly,
}

/// <summary>
/// Low-rank adapters (LoRA, Hu et al., arXiv 2106.09685): a linear layer x W^T + b becomes x W^T + b + s (x A^T) B^T with A [R, inputs] and
/// B [outputs, R], and W stays as it is. A starts uniform within 1 / sqrt(inputs), B at 0, so that the model begins as it was. The head is
/// always trained in full.
/// </summary>
/// <param name="Rank">R, from 1 to 65,536.</param>
public sealed record LoraOptions(int Rank)
{
    /// <summary>Value of <see cref="Targets"/>: the linear layers of attention.</summary>
    public const string AttentionTargets = "attention";

    /// <summary>Value of <see cref="Targets"/>: all linear layers of the transformer.</summary>
    public const string AllLinearTargets = "all-linear";

    /// <summary>Far beyond the width of any layer that is adapted.</summary>
    internal const int MostRank = 1 << 16;

    private const double mostAlpha = 1e6;

    /// <summary>Numerator of the scale s, above 0 and up to 1,000,000; null: twice the rank, so that s is 2.</summary>
    public double? Alpha { get; init; }

    /// <summary>Rate of the dropout on what A takes, in training. Default 0.</summary>
    public double Dropout { get; init; }

    /// <summary>
    /// The layers that get an adapter: <see cref="AttentionTargets"/> (default), <see cref="AllLinearTargets"/>, or names of layers with
    /// commas between them, such as <c>q_proj,v_proj</c>: a name stands for all layers whose name in the checkpoint ends with it.
    /// </summary>
    public string Targets { get; init; } = AttentionTargets;

    /// <summary>
    /// Whether the scale s is alpha / sqrt(R) (rsLoRA, Kalajdzievski, arXiv 2312.03732) instead of alpha / R. Default false.
    /// </summary>
    public bool IsRankStabilized { get; init; }

    /// <summary>Which biases are trained as well. Default none.</summary>
    public LoraBias Bias { get; init; }

    /// <summary>
    /// Modules that are trained in full beside the head, such as <c>embed_tokens</c>, with commas between them; by the ends of their names
    /// in the checkpoint. Empty (default): none.
    /// </summary>
    public string ModulesToSave { get; init; } = "";

    /// <summary>Alpha, or its default.</summary>
    internal double AlphaOrDefault => Alpha ?? 2.0 * Rank;

    /// <summary>s of a layer whose rank and alpha may be its own.</summary>
    internal double ScaleOf(int rank, double alpha) => alpha / (IsRankStabilized ? Math.Sqrt(rank) : rank);

    /// <summary>Names with commas between them.</summary>
    internal static string[] NamesOf(string names) =>
        names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Whether a numerator can be computed with.</summary>
    internal static bool IsAlpha(double alpha) => alpha is >= 1e-6 and <= mostAlpha;

    /// <summary>What is wrong with the values, one sentence each without a full stop.</summary>
    internal IEnumerable<string> Problems()
    {
        if (Rank < 1)
            yield return $"the rank is {Rank}; expected at least 1";
        if (Rank > MostRank)
            yield return $"the rank is {Rank}; expected at most {MostRank}";
        if (Alpha is { } alpha && !IsAlpha(alpha))
            yield return FormattableString.Invariant($"alpha is {alpha}; expected a positive number, at most {mostAlpha}");
        if (!(Dropout is >= 0 and < 1))
            yield return FormattableString.Invariant($"the dropout rate is {Dropout}; expected a number from 0 to below 1");
        if (NamesOf(Targets).Length == 0)
            yield return $"the targets are '{Targets}'; expected {AttentionTargets}, {AllLinearTargets} or names of layers";
    }
}
