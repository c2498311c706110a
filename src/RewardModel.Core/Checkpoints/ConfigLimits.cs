namespace RewardModel.Checkpoints;

/// <summary>
/// What the numbers of a config.json may be, checked before anything is made of them. The limits lie far beyond every published model, and
/// within what can be computed: sizes and products of two of them fit their types, and numbers stay finite in float32.
/// </summary>
internal static class ConfigLimits
{
    /// <summary>Most layers.</summary>
    public const int Layers = 10_000;

    /// <summary>Most numbers of a token between layers, and most heads, numbers of a head and numbers of all heads together.</summary>
    public const int Width = 1 << 20;

    /// <summary>Most numbers of a token within an MLP.</summary>
    public const int InnerWidth = 1 << 22;

    /// <summary>Most experts of a layer.</summary>
    public const int Experts = 1 << 12;

    /// <summary>Most rows of the token embedding.</summary>
    public const int Vocabulary = 1 << 26;

    /// <summary>Most positions of a sequence.</summary>
    public const int Positions = 1 << 27;

    /// <summary>Most positions, distances and buckets of DeBERTa, of which there are tables.</summary>
    public const int Distances = 1 << 20;

    /// <summary>Most types of tokens.</summary>
    public const int TokenTypes = 1 << 16;

    /// <summary>Most tokens that a convolution sees.</summary>
    public const int KernelSize = 1023;

    /// <summary>What norms add to a variance: a normal number of float32, or rows of zeros would have none.</summary>
    public static (double Least, double Most) NormEpsilon => (1e-30, 1);

    /// <summary>The deviation that weights are drawn with.</summary>
    public static (double Least, double Most) InitializerRange => (0, 10);

    /// <summary>Deviations beyond which a weight is drawn again: below half of one, nearly all would be, without end.</summary>
    public static (double Least, double Most) InitializerCutoff => (0.5, 1000);

    /// <summary>The base of rotary angles, whose logarithm is divided by.</summary>
    public static (double Least, double Most) RotaryBase => (1.5, 1e15);

    /// <summary>The share of a head's channels that is rotated.</summary>
    public static (double Least, double Most) RotaryShare => (0.001, 1);

    /// <summary>Factors and divisors of rotary angles, and what they are made of.</summary>
    public static (double Least, double Most) RotaryFactor => (1e-3, 1e6);

    /// <summary>Weights of YaRN's scaling, 0 for none.</summary>
    public static (double Least, double Most) RotaryWeight => (0, 100);

    /// <summary>What scores of attention are divided by the root of, or limited to.</summary>
    public static (double Least, double Most) ScoreScale => (1e-3, 1e6);
}
