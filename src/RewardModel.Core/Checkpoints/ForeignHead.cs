using System.Text.Json.Nodes;

namespace RewardModel.Checkpoints;

/// <summary>
/// How other trainers store a reward model's head: under names of their own, with a bias, and with a normaliser in config.json.
/// </summary>
internal sealed class ForeignHead
{
    /// <summary>OpenRLHF's settings. They describe the checkpoint's head; a model that is saved here has none of them.</summary>
    public static readonly string[] Settings = ["value_head_prefix", "normalize_reward", "mean", "std"];

    // DeepSpeed-Chat, trlx and Starling; TRL's value heads and LLaMA-Factory; OpenRLHF in its first versions.
    private static readonly string[] modules = ["v_head", "v_head.summary", "value_head"];

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

    /// <summary>
    /// What the head does to the product of its weight: OpenRLHF's (reward - mean) / std, the numbers of its last evaluation; and its
    /// bias, which moves all rewards.
    /// </summary>
    public (double Mean, double Std) Normalizer(double bias) => (mean - bias, std);
}
