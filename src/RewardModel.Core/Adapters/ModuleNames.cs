using RewardModel.Files;

namespace RewardModel.Adapters;

/// <summary>Names of modules, as checkpoints have them, and the ends of names that stand for them.</summary>
internal static class ModuleNames
{
    // What architectures call the module that attention is in; with what is in it, its projections.
    private static readonly string[] attentionModules = ["attn", "self_attn", "attention", "self_attention"];

    /// <summary>Whether a name ends with another, in whole parts.</summary>
    public static bool EndsWith(string name, string end) =>
        name.EndsWith(end, StringComparison.Ordinal) && (name.Length == end.Length || name[^(end.Length + 1)] == '.');

    /// <summary>Whether a layer is one of attention.</summary>
    public static bool IsInAttention(string layer) => layer.Split('.')[..^1].Any(attentionModules.Contains);

    /// <summary>Whether a name is that of a module or of something in it.</summary>
    public static bool IsIn(string name, string module) =>
        name.StartsWith(module, StringComparison.Ordinal) && (name.Length == module.Length || name[module.Length] == '.');

    /// <summary>The layers that get an adapter.</summary>
    /// <param name="targets">As <see cref="LoraOptions.Targets"/>.</param>
    /// <param name="layers">Names of the transformer's linear layers.</param>
    /// <exception cref="ArgumentException">A name stands for none of them: those that exist are listed.</exception>
    public static IReadOnlyList<string> Targeted(string targets, IReadOnlyList<string> layers) => targets switch
    {
        LoraOptions.AllLinearTargets => layers,
        LoraOptions.AttentionTargets => [.. layers.Where(IsInAttention)],
        _ => EndingWith(
            LoraOptions.NamesOf(targets), layers, "linear layer", $"{LoraOptions.AttentionTargets}, {LoraOptions.AllLinearTargets}, "),
    };

    /// <summary>The names that end with one of those that are given.</summary>
    /// <exception cref="ArgumentException">One of those stands for none: those that exist are listed.</exception>
    public static IReadOnlyList<string> EndingWith(string[] ends, IReadOnlyList<string> names, string what, string others = "")
    {
        string[] unknown = [.. ends.Where(end => !names.Any(name => EndsWith(name, end))).Select(end => Quoted.Text(end))];
        return unknown.Length == 0
            ? [.. names.Where(name => ends.Any(end => EndsWith(name, end)))]
            : throw new ArgumentException(
                $"No {what} of the transformer has a name that ends with {string.Join(" or ", unknown)}; expected {others}"
                + $"{string.Join(", ", names.Select(name => name.Split('.')[^1]).Where(part => !char.IsAsciiDigit(part[0])).Distinct())}.");
    }

    /// <summary>
    /// Ends of names that stand for those that are chosen and for no other: as short as can be, so that they are the same for all layers.
    /// </summary>
    public static IReadOnlyList<string> ShortestEnds(IReadOnlyCollection<string> chosen, IReadOnlyCollection<string> all)
    {
        string[] others = [.. all.Except(chosen)];
        return [.. chosen.Select(ShortestEnd).Distinct().Order(StringComparer.Ordinal)];

        string ShortestEnd(string name)
        {
            var parts = name.Split('.');
            for (var count = 1; count < parts.Length; count++)
                if (string.Join('.', parts[^count..]) is var end && !others.Any(other => EndsWith(other, end)))
                    return end;
            return name;
        }
    }
}
