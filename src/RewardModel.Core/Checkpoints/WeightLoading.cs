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
    public static bool Load(string directory, RewardTransformer model)
    {
        using var reader = CheckpointReader.Open(directory);
        var unused = reader.Names.ToHashSet();
        var prefix = model.Backbone.BaseModelPrefix + ".";
        // A checkpoint of the backbone alone, as save_pretrained of a base model writes it, has no prefix.
        var isBare = !unused.Any(name => name.StartsWith(prefix, StringComparison.Ordinal));
        var hasHead = unused.Contains(headWeight);
        var problems = new ProblemList();
        var sources = new List<(Tensor Parameter, string Source)>();

        foreach (var (name, parameter) in model.CheckpointParameters)
        {
            var source = isBare && name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
            if (unused.Remove(source))
            {
                var shape = reader.Entry(source).Shape;
                if (!shape.SequenceEqual(parameter.shape))
                    problems.Add($"tensor {Quoted.Text(source)} has shape {Text(shape)}; expected {Text(parameter.shape)}");
                sources.Add((parameter, source));
            }
            else if (name != headWeight)
                problems.Add($"tensor {Quoted.Text(source)} is missing; expected it with shape {Text(parameter.shape)}");
        }

        unused.ExceptWith(vocabularyHeads);
        foreach (var name in unused.Order(StringComparer.Ordinal))
            if (!model.Backbone.Ignores(name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name))
                problems.Add($"tensor {Quoted.Text(name)} is there; expected no such tensor");
        problems.ThrowIfAny(
            directory, $"Expected the tensors of {model.Backbone.SequenceClassificationClass}, as its config.json describes it.");

        using var _ = no_grad();
        foreach (var (parameter, source) in sources)
        {
            using var tensor = reader.Read(source);
            parameter.copy_(tensor);
        }
        return hasHead;
    }

    private static string Text(long[] shape) => $"[{string.Join(", ", shape)}]";
}
