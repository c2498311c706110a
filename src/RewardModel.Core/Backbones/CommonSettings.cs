using RewardModel.Checkpoints;
using RewardModel.Files;
using RewardModel.Layers;
using RewardModel.Packing;

namespace RewardModel.Backbones;

/// <summary>Settings that several architectures read and check alike.</summary>
internal static class CommonSettings
{
    /// <summary>Names of the kinds of layers, by the keys that they see.</summary>
    public const string FullAttention = "full_attention", SlidingAttention = "sliding_attention";

    /// <summary>Count of layers.</summary>
    public static int LayerCount(ConfigReader reader, string key = "num_hidden_layers") => reader.Size(key, most: ConfigLimits.Layers);

    /// <summary>A size under either of two keys: where a file has both, they have to agree.</summary>
    public static int Either(ConfigReader reader, string key, string otherKey, int most)
    {
        if (!reader.Has(otherKey))
            return reader.Size(key, most: most);
        var other = reader.Size(otherKey, most: most);
        var value = reader.Has(key) ? reader.Size(key, most: most) : other;
        if (value != other)
            reader.Problem($"{key} is {value} and {otherKey} {other}; expected the same number");
        return value;
    }

    /// <summary>Rows of the token embedding.</summary>
    public static int VocabularySize(ConfigReader reader) => reader.Size("vocab_size", most: ConfigLimits.Vocabulary);

    /// <summary>Positions of a sequence.</summary>
    public static int Positions(ConfigReader reader, int absent) =>
        reader.Size("max_position_embeddings", absent, ConfigLimits.Positions);

    /// <summary>Numbers of a token within the MLP.</summary>
    public static int InnerWidth(ConfigReader reader, string key = "intermediate_size") => reader.Size(key, most: ConfigLimits.InnerWidth);

    /// <summary>Count of experts, and of those that a token goes through.</summary>
    /// <param name="reader">The whole configuration.</param>
    /// <param name="keys">The settings of which one, or several that agree, are the count.</param>
    /// <param name="absent">Both counts where the file does not give them.</param>
    public static ExpertShape Experts(ConfigReader reader, string[] keys, (int Count, int Chosen) absent)
    {
        var given = keys.Where(reader.Has).Select(key => reader.Size(key, most: ConfigLimits.Experts)).ToArray();
        if (given.Distinct().Count() > 1)
            reader.Problem($"{string.Join(" and ", keys.Zip(given, (key, count) => $"{key} is {count}"))}; expected the same number");
        var count = given.Append(absent.Count).First();
        var chosen = reader.Size("num_experts_per_tok", absent.Chosen, ConfigLimits.Experts);
        if (chosen > count)
            reader.Problem($"num_experts_per_tok is {chosen} and there are {count} experts; expected at most as many");
        return new ExpertShape(count, Math.Min(chosen, count));
    }

    /// <summary>
    /// Whether each layer has experts in the place of an MLP, as Qwen gives it: every <c>decoder_sparse_step</c>-th but those that
    /// <c>mlp_only_layers</c> names.
    /// </summary>
    public static bool[] HasExperts(ConfigReader reader, int layerCount)
    {
        var step = reader.Size("decoder_sparse_step", 1, ConfigLimits.Layers);
        var dense = reader.OptionalInts("mlp_only_layers") ?? [];
        return [.. Enumerable.Range(0, layerCount).Select(layer => (layer + 1) % step == 0 && !dense.Contains(layer))];
    }

    /// <summary>What norms add to a variance.</summary>
    public static double NormEpsilon(ConfigReader reader, string key, double absent) => reader.Double(key, ConfigLimits.NormEpsilon, absent);

    /// <summary>The deviation that weights are drawn with.</summary>
    public static double InitializerRange(ConfigReader reader, string key = "initializer_range", double absent = 0.02) =>
        reader.Double(key, ConfigLimits.InitializerRange, absent);

    /// <summary>Heads of keys and values must go evenly into heads of queries, and all heads have a size that can be computed with.</summary>
    public static void CheckHeads(ConfigReader reader, int headCount, int keyHeadCount, int headSize)
    {
        if ((long)headCount * headSize > ConfigLimits.Width)
            reader.Problem(
                $"num_attention_heads is {headCount} and each has {headSize} numbers; expected at most {ConfigLimits.Width} together");
        if (keyHeadCount < 1 || headCount % keyHeadCount != 0)
            reader.Problem(
                $"num_attention_heads is {headCount} and num_key_value_heads {keyHeadCount}; "
                + "expected the first to be a multiple of the second");
    }

    /// <summary>The width must go evenly into heads.</summary>
    public static void CheckWidth(ConfigReader reader, int width, int headCount)
    {
        if (headCount < 1 || width % headCount != 0)
            reader.Problem(
                $"hidden_size is {width} and num_attention_heads {headCount}; expected the first to be a multiple of the second");
    }

    /// <summary>The reach of a <c>sliding_window</c>, all keys for null.</summary>
    public static AttentionReach Reach(ConfigReader reader, int? window)
    {
        if (window < 1)
            reader.Problem($"sliding_window is {window}; expected at least 1, or null for no window");
        return window is { } size ? AttentionReach.Window(size) : AttentionReach.Causal;
    }

    /// <summary>Where all layers see the same, a <c>layer_types</c> must say what <c>sliding_window</c> does.</summary>
    public static void CheckLayerTypes(ConfigReader reader, int layerCount, AttentionReach reach)
    {
        var hasWindow = reach != AttentionReach.Causal;
        if (HasWindow(reader, layerCount, _ => hasWindow).Contains(!hasWindow))
            reader.Problem(
                $"layer_types has \"{(hasWindow ? FullAttention : SlidingAttention)}\" and sliding_window is "
                + $"{(hasWindow ? "a number" : "null")}; expected \"{(hasWindow ? SlidingAttention : FullAttention)}\" for every layer");
    }

    /// <summary>Whether each layer sees a window only: as <c>layer_types</c> has it.</summary>
    /// <param name="reader">The whole configuration.</param>
    /// <param name="layerCount">Count of layers.</param>
    /// <param name="rule">The same by a layer's number, from 0, where the file does not say it.</param>
    public static bool[] HasWindow(ConfigReader reader, int layerCount, Func<int, bool> rule)
    {
        if (reader.OptionalStrings("layer_types") is not { } types)
            return [.. Enumerable.Range(0, layerCount).Select(rule)];
        if (types.Count != layerCount)
            reader.Problem($"layer_types has {types.Count} entries and num_hidden_layers is {layerCount}; expected as many");
        foreach (var type in types.Distinct().Where(type => type is not (FullAttention or SlidingAttention)))
            reader.Problem($"layer_types has {Quoted.Json(type)}; expected \"{FullAttention}\" and \"{SlidingAttention}\" only");
        return [.. types.Select(type => type == SlidingAttention)];
    }

    /// <summary>
    /// The reach of each layer, as Qwen gives it: windows only with <c>use_sliding_window</c>; then in the layers that
    /// <c>layer_types</c> names, else by a rule.
    /// </summary>
    /// <param name="reader">The whole configuration.</param>
    /// <param name="layerCount">Count of layers.</param>
    /// <param name="rule">
    /// Whether a layer, by its number, has a window, by <c>max_window_layers</c>; null: the layers from that number on.
    /// </param>
    public static AttentionReach[] ReachByLayer(ConfigReader reader, int layerCount, Func<int, int, bool>? rule = null)
    {
        var bound = reader.Int("max_window_layers", 28);
        rule ??= (layer, bound) => layer >= bound;
        return ReachByLayer(reader, layerCount, reader.IntOrNull("sliding_window", 4096), layer => rule(layer, bound));
    }

    /// <summary>The same for architectures without <c>max_window_layers</c>.</summary>
    public static AttentionReach[] ReachByLayer(ConfigReader reader, int layerCount, int? window, Func<int, bool> rule)
    {
        if (!reader.Bool("use_sliding_window", false))
            window = null;
        var hasWindow = HasWindow(reader, layerCount, layer => window is not null && rule(layer));
        if (window is null && hasWindow.Contains(true))
            reader.Problem(
                $"layer_types has \"{SlidingAttention}\"; expected use_sliding_window to be true, and sliding_window a number");
        var reach = Reach(reader, window);
        return [.. hasWindow.Select(has => has ? reach : AttentionReach.Causal)];
    }
}
