using static TorchSharp.torch;

namespace RewardModel.Checkpoints;

/// <summary>Matches a checkpoint's tensors with a model's parameters, and copies them over.</summary>
internal static class WeightLoading
{
    /// <summary>How the names of language models' heads begin, which a reward model has no use for.</summary>
    private static readonly string[] vocabularyHeads =
        ["lm_head.", "embed_out.", "cls.", "lm_predictions.", "mask_predictions.", "decoder.weight", "decoder.bias"];

    /// <summary>Sets every parameter from the checkpoint; only the reward head may be absent.</summary>
    /// <returns>Names of the head's parameters that are still to be drawn: none when the checkpoint has a reward head.</returns>
    /// <exception cref="CheckpointException">Tensors are missing, have another shape, or belong to nothing: all are listed.</exception>
    public static IReadOnlyList<string> Load(string directory, RewardTransformer model)
    {
        using var reader = CheckpointReader.Open(directory);
        var unused = reader.Names.ToHashSet();
        var prefix = model.Backbone.BaseModelPrefix + ".";
        // A checkpoint of the backbone alone, as save_pretrained of a base model writes it, has no prefix.
        var isBare = !unused.Any(name => name.StartsWith(prefix, StringComparison.Ordinal));
        var hasHead = unused.Contains(model.Head.OutputWeight);
        var headNames = model.Head.named_parameters().Select(pair => pair.Item1).ToHashSet();
        var absent = new List<string>();
        var problems = new ProblemList();
        var sources = new List<(Tensor Parameter, string Source)>();

        foreach (var (name, parameter) in model.CheckpointParameters)
        {
            var source = isBare && name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
            if (!unused.Contains(source) && unused.Contains(OlderName(source)))
                source = OlderName(source);
            if (unused.Remove(source))
            {
                var shape = reader.Entry(source).Shape;
                if (!shape.SequenceEqual(parameter.shape))
                    problems.Add($"tensor {Quoted.Text(source)} has shape {Text(shape)}; expected {Text(parameter.shape)}");
                sources.Add((parameter, source));
            }
            else if (!hasHead && headNames.Contains(name))
                absent.Add(name);
            else
                problems.Add($"tensor {Quoted.Text(source)} is missing; expected it with shape {Text(parameter.shape)}");
        }

        unused.RemoveWhere(name => vocabularyHeads.Any(head => name.StartsWith(head, StringComparison.Ordinal)));
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
        return absent;
    }

    /// <summary>The name in checkpoints that were converted from TensorFlow, whose layer norms have a gamma and a beta.</summary>
    private static string OlderName(string name) => name
        .Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal)
        .Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal);

    private static string Text(long[] shape) => $"[{string.Join(", ", shape)}]";
}
