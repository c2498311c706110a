using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;

namespace RewardModel.Tests.Checkpoints;

/// <summary>Checkpoints of any size whose weights are all 0: the file system keeps them as a hole.</summary>
internal static class SparseCheckpoint
{
    /// <summary>A Llama with one layer.</summary>
    /// <returns>Bytes of all parameters as float32, and of the largest tensor as the file has it.</returns>
    public static (long ModelBytes, long LargestBytes) Write(string directory, SafetensorsType type, int vocabularySize, int width)
    {
        var settings = TinyModel.Config("llama");
        settings["vocab_size"] = vocabularySize;
        settings["hidden_size"] = width;
        settings["intermediate_size"] = 2 * width;
        settings["num_hidden_layers"] = 1;
        File.WriteAllText(Path.Combine(directory, "config.json"), settings.ToJsonString());
        using var model = RewardTransformer.WithoutWeights(HuggingFaceConfig.Read(directory));
        var header = new JsonObject();
        long end = 0;
        long largest = 0;
        foreach (var (name, parameter) in model.CheckpointParameters)
        {
            var begin = end;
            end += parameter.numel() * type.Size();
            largest = Math.Max(largest, end - begin);
            header[name] = new JsonObject
            {
                ["dtype"] = type.ToString(),
                ["shape"] = JsonSerializer.SerializeToNode(parameter.shape),
                ["data_offsets"] = JsonSerializer.SerializeToNode(new[] { begin, end }),
            };
        }
        using var file = File.OpenWrite(Path.Combine(directory, "model.safetensors"));
        file.Write(SafetensorsBytes.Of(header.ToJsonString(), 0));
        file.SetLength(file.Length + end);
        return (end / type.Size() * 4, largest);
    }
}
