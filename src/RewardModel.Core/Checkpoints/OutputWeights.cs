using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace RewardModel.Checkpoints;

/// <summary>
/// What each output of a reward head counts in a reward, as it is given in place of config.json: in the order of the outputs, or by their
/// names. An array of numbers will do: <c>ScoringModel.Load(directory, outputWeights: [0.7, 0.3])</c>.
/// </summary>
/// <remarks>
/// Names are those of <c>id2label</c> in config.json, of which outputs that are not named count 0. Where it has none but LABEL_0, LABEL_1 and
/// so on, they name the outputs in their order, and the outputs of a head that is newly initialised.
/// </remarks>
[CollectionBuilder(typeof(OutputWeights), nameof(Of))]
public sealed class OutputWeights : IReadOnlyList<double>
{
    /// <summary>What a text should have been, for messages.</summary>
    internal const string Forms = "numbers with commas between them, such as 0.7,0.3, or with names, such as helpfulness=0.7,verbosity=-0.3";

    private readonly double[] weights;

    private OutputWeights(double[] weights, string[]? names) => (this.weights, Names) = (weights, names);

    /// <summary>The names of the outputs, as many as there are weights; null where the weights are in the order of the outputs.</summary>
    public IReadOnlyList<string>? Names { get; }

    /// <inheritdoc/>
    public int Count => weights.Length;

    /// <inheritdoc/>
    public double this[int index] => weights[index];

    /// <summary>Weights in the order of the outputs.</summary>
    public static OutputWeights Of(params ReadOnlySpan<double> weights) => new(weights.ToArray(), names: null);

    /// <summary>Weights of outputs that are known by their names.</summary>
    /// <exception cref="ArgumentNullException">The weights are null.</exception>
    /// <exception cref="ArgumentException">A name is empty or is there twice, or a weight is not finite.</exception>
    public static OutputWeights Named(params IReadOnlyList<(string Name, double Weight)> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        string[] names = [.. weights.Select(weight => weight.Name)];
        foreach (var (name, weight) in weights)
            if (!double.IsFinite(weight))
                throw new ArgumentException($"The weight of the output '{name}' is {weight}; expected a finite number.", nameof(weights));
        return IsNaming(names)
            ? new OutputWeights([.. weights.Select(weight => weight.Weight)], names)
            : throw new ArgumentException(
                $"The names of outputs are {string.Join(", ", names.Select(name => $"'{name}'"))}; expected names that differ, none of them empty.",
                nameof(weights));
    }

    /// <summary>Reads what <c>--output-weights</c> takes: <c>0.7,0.3</c> or <c>helpfulness=0.7,verbosity=-0.3</c>.</summary>
    /// <exception cref="FormatException">The text is neither.</exception>
    /// <exception cref="ArgumentNullException">The text is null.</exception>
    public static OutputWeights Parse(string text) =>
        TryParse(text, out var weights) ? weights : throw new FormatException($"The weights of outputs are '{text}'; expected {Forms}.");

    /// <summary>The same, where the text may be neither.</summary>
    internal static bool TryParse(string text, [NotNullWhen(true)] out OutputWeights? weights)
    {
        ArgumentNullException.ThrowIfNull(text);
        weights = null;
        (string? Name, double? Weight)[] parts =
        [
            .. text.Split(',').Select(part => part.LastIndexOf('=') is >= 0 and var end
                ? (part[..end].Trim(), NumberOf(part[(end + 1)..])) : ((string?)null, NumberOf(part))),
        ];
        string[] names = [.. parts.Select(part => part.Name).OfType<string>()];
        if (!Array.TrueForAll(parts, part => part.Weight is not null) || (names.Length > 0 && (names.Length < parts.Length || !IsNaming(names))))
            return false;
        weights = new OutputWeights([.. parts.Select(part => part.Weight!.Value)], names.Length > 0 ? names : null);
        return true;
    }

    /// <inheritdoc/>
    public IEnumerator<double> GetEnumerator() => weights.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static bool IsNaming(string[] names) => names.All(name => !string.IsNullOrEmpty(name)) && names.Distinct().Count() == names.Length;

    private static double? NumberOf(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;
}
