using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RewardModel.Files;

namespace RewardModel.Checkpoints;

/// <summary>
/// How other trainers store a reward model's head: under names of their own, with a bias, and with a normaliser in config.json.
/// </summary>
internal sealed partial class ForeignHead
{
    /// <summary>OpenRLHF's settings. They describe the checkpoint's head; a model that is saved here has none of them.</summary>
    public static readonly string[] Settings = ["value_head_prefix", "normalize_reward", "mean", "std"];

    /// <summary>What Starling's code puts before the names of any base model, in the place of its own prefix.</summary>
    public const string BaseModelPrefix = "transformer.";

    // DeepSpeed-Chat, trlx and Starling; TRL's value heads and LLaMA-Factory; OpenRLHF in its first versions; UltraRM and Eurus;
    // OpenAssistant's GPT-NeoX.
    private static readonly string[] modules = ["v_head", "v_head.summary", "value_head", "regression_head", "out_proj"];

    // Heads of published reward models that no class of transformers has, so that what would be trained here could be saved for none.
    private static readonly (Func<Regex> Names, string Reason)[] refused =
    [
        (SeveralLayers,
            "a head of several layers with ReLU between them, as GRM, INF-ORM and Qwen2.5-Math-RM have it; expected one linear layer"),
        (Gate,
            "objectives that a gate weighs by what the prompt says, as ArmoRM and QRM have them; expected outputs of which a reward is one fixed "
            + "sum"),
        (PairHead, "a head that compares two answers to one prompt, as PairRM has it; expected one that gives an answer by itself a reward"),
        (ScoreHead,
            "a head of Safe RLHF, whose scores may be divided by running statistics; expected one linear layer under a name of another trainer"),
    ];

    private readonly string? prefix;
    private readonly double mean;
    private readonly double std;

    /// <exception cref="CheckpointException">The settings are wrong.</exception>
    public ForeignHead(HuggingFaceConfig config)
    {
        var settings = new JsonObject(Settings.Select(key => KeyValuePair.Create(key, config.Json[key]?.DeepClone())));
        var reader = new ConfigReader(settings, config.FilePath);
        // OpenRLHF writes here what its training was told, and leaves it to whoever loads the model whether to normalise.
        reader.Ignore("normalize_reward");
        prefix = reader.Has("value_head_prefix") ? reader.Text("value_head_prefix") : null;
        mean = reader.Double("mean", (-1e30, 1e30), 0);
        std = reader.Double("std", (1e-30, 1e30), 1);
        reader.Finish();
    }

    /// <summary>The names that a checkpoint can have for the weight of a head that is one linear layer.</summary>
    public IEnumerable<string> WeightNames => modules.Append(prefix).OfType<string>().Select(module => $"{module}.weight").Distinct();

    /// <summary>Takes tensors of heads that are not read out of a checkpoint's names; one problem for each kind says why.</summary>
    public static void TakeRefused(HashSet<string> names, ProblemList problems)
    {
        foreach (var (pattern, reason) in refused)
        {
            string[] found = [.. names.Where(name => pattern().IsMatch(name)).Order(StringComparer.Ordinal)];
            names.ExceptWith(found);
            if (found.Length > 0)
                problems.Add(
                    $"{(found.Length == 1 ? "tensor" : "tensors")} {string.Join(", ", found.Take(3).Select(Quoted.Text))}"
                    + $"{(found.Length > 3 ? $" and {found.Length - 3} more" : "")} {(found.Length == 1 ? "is" : "are")} of {reason}");
        }
    }

    /// <summary>
    /// What the head does to the product of its weight: OpenRLHF's (reward - mean) / std, the numbers of its last evaluation; and its
    /// bias, which moves all rewards.
    /// </summary>
    public (double Mean, double Std) Normalizer(double bias) => (mean - bias, std);

    [GeneratedRegex(@"^(score|v_head\.summary)\.\d+\.(weight|bias)$", RegexOptions.CultureInvariant)]
    private static partial Regex SeveralLayers();

    [GeneratedRegex(@"^(gating\.|regression_layer\.|reward_transform_matrix$)", RegexOptions.CultureInvariant)]
    private static partial Regex Gate();

    [GeneratedRegex(@"^head_layer\.", RegexOptions.CultureInvariant)]
    private static partial Regex PairHead();

    [GeneratedRegex(@"^(score_head|normalizer)\.", RegexOptions.CultureInvariant)]
    private static partial Regex ScoreHead();
}
