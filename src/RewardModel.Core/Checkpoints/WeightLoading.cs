using static TorchSharp.torch;

namespace RewardModel.Checkpoints;

/// <summary>Matches a checkpoint's tensors with a model's parameters, and copies them over.</summary>
internal static class WeightLoading
{
    private const string headWeight = "score.weight";

    /// <summary>Heads of language models, which a reward model has no use for.</summary>
    private static readonly string[] vocabularyHeads = ["lm_head.weight", "lm_head.bias"];

    /// <summary>Sets every parameter from the checkpoint; only the reward head may be absent.</summary>
    /// <returns>True when the checkpoint has a reward head.</returns>
    /// <exception cref="CheckpointException">Tensors are missing, have another shape, or belong to nothing: all are listed.</exception>
    public static bool Load(CheckpointReader reader, RewardTransformer model)
    {
        var prefix = model.Backbone.BaseModelPrefix + ".";
        // A checkpoint of the backbone alone, as save_pretrained of a base model writes it, has no prefix.
        var isBare = !reader.Entries.Any(entry => entry.Name.StartsWith(prefix, StringComparison.Ordinal));
        var unused = reader.Entries.Select(entry => entry.Name).ToHashSet();
        var shapes = reader.Entries.ToDictionary(entry => entry.Name, entry => entry.Shape);
        var problems = new List<string>();
        var sources = new List<(Tensor Parameter, string Source)>();
        var hasHead = unused.Contains(headWeight);

        foreach (var (name, parameter) in model.CheckpointParameters)
        {
            var source = isBare && name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
            if (!unused.Remove(source))
            {
                if (name != headWeight)
                    problems.Add($"tensor '{source}' is missing; expected shape [{string.Join(", ", parameter.shape)}]");
                continue;
            }
            if (!shapes[source].SequenceEqual(parameter.shape))
                problems.Add($"tensor '{source}' has shape [{string.Join(", ", shapes[source])}]; expected [{string.Join(", ", parameter.shape)}]");
            sources.Add((parameter, source));
        }

        unused.ExceptWith(vocabularyHeads);
        unused.RemoveWhere(name => model.Backbone.Ignores(isBare ? name : name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name));
        problems.AddRange(unused.Order(StringComparer.Ordinal).Select(name => $"tensor '{name}' is there; expected no such tensor"));
        if (problems.Count > 0)
            throw new CheckpointException(reader.Directory, problems, $"Expected the tensors of {model.Backbone.SequenceClassificationClass}, as config.json describes it.");

        using var _ = no_grad();
        foreach (var (parameter, source) in sources)
        {
            using var tensor = reader.Read(source);
            parameter.copy_(tensor);
        }
        return hasHead;
    }
}
