using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using GenerateSortingTask;
using static TorchSharp.torch;

namespace RlhfLoop;

/// <summary>
/// Writes a policy as a Hugging Face directory, from which a reward model starts: the way from any TorchSharp model to this library, to
/// transformers, and to a reward server.
/// </summary>
internal static class PolicyCheckpoint
{
    /// <summary>Writes config.json, model.safetensors, and a tokenizer.</summary>
    public static void Save(Policy policy, TaskTokenizer tokenizer, string directory)
    {
        Directory.CreateDirectory(directory);
        WriteJson("config.json", Config(policy.Sizes, tokenizer));
        WriteJson("tokenizer.json", tokenizer.Json);
        WriteJson("tokenizer_config.json", TaskTokenizer.Config());
        using var file = File.Create(Path.Combine(directory, "model.safetensors"));
        WriteWeights(policy, file);

        void WriteJson(string name, JsonObject json) => File.WriteAllText(Path.Combine(directory, name), json.ToJsonString());
    }

    private static JsonObject Config(PolicySizes sizes, TaskTokenizer tokenizer) => new()
    {
        ["architectures"] = new JsonArray("GPT2LMHeadModel"),
        ["model_type"] = "gpt2",
        ["vocab_size"] = sizes.Vocabulary,
        ["n_positions"] = sizes.Positions,
        ["n_embd"] = sizes.Width,
        ["n_layer"] = sizes.Layers,
        ["n_head"] = sizes.Heads,
        ["activation_function"] = "gelu",
        ["tie_word_embeddings"] = false,
        ["eos_token_id"] = tokenizer.EndOfTextId,
        ["pad_token_id"] = tokenizer.PaddingId,
    };

    /// <summary>
    /// Safetensors: the length of the header in 8 bytes, the header, which is JSON and says where each tensor's bytes begin and end, and
    /// the bytes.
    /// </summary>
    private static void WriteWeights(Policy policy, Stream file)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var header = new JsonObject { ["__metadata__"] = new JsonObject { ["format"] = "pt" } };
        var weights = new List<float[]>();
        long end = 0;
        foreach (var (name, parameter) in policy.named_parameters())
        {
            // GPT-2's linear layers, and only these, are stored [inputs, outputs].
            var weight = name.Contains(".c_") && name.EndsWith(".weight") ? parameter.t() : parameter;
            weights.Add(weight.contiguous().data<float>().ToArray());
            var begin = end;
            end += weights[^1].Length * sizeof(float);
            header[name.StartsWith("lm_head") ? name : $"transformer.{name}"] = new JsonObject
            {
                ["dtype"] = "F32",
                ["shape"] = new JsonArray([.. weight.shape.Select(size => (JsonNode)size)]),
                ["data_offsets"] = new JsonArray(begin, end),
            };
        }
        using var writer = new BinaryWriter(file);
        var text = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString());
        writer.Write((ulong)text.Length);
        writer.Write(text);
        foreach (var weight in weights)
            writer.Write(MemoryMarshal.AsBytes<float>(weight));
    }
}
