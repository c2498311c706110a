using System.Diagnostics;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using static TorchSharp.torch;

namespace RewardModel.Bench;

/// <summary>
/// Times how a directory of two gigabytes of bfloat16 becomes a model, beside copying as many bytes in memory and reading the file without
/// using it, turn by turn. The file is in the system's cache.
/// </summary>
/// <param name="directory">Where the model is, or goes.</param>
internal sealed class LoadingMeasurement(string directory)
{
    private const int rounds = 7;

    private const string config =
        """
        {
          "model_type": "llama", "vocab_size": 32000, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
          "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "hidden_act": "silu"
        }
        """;

    private readonly string weights = Path.Combine(directory, "model.safetensors");
    private readonly string settings = Path.Combine(directory, "config.json");

    public void Run()
    {
        if (!File.Exists(weights))
            Write();
        var bytes = new FileInfo(weights).Length;
        Console.WriteLine(Machine.Description);
        Console.WriteLine($"{bytes / 1e9:F2} GB of bfloat16, {get_num_threads()} threads; medians of {rounds}");
        Console.WriteLine();
        using var source = zeros(bytes, ScalarType.Byte);
        using var target = zeros(bytes, ScalarType.Byte);
        (string Name, Action Act)[] sides =
        [
            ("a copy in memory", () => target.copy_(source)),
            ("reading the file, a megabyte at a time", ReadOnly),
            ("loading the model", () => RewardTransformer.Load(directory).Dispose()),
            ("the same, tensor by tensor", LoadByTensors),
            ("loading it with frozen weights as they are", LoadStored),
        ];
        var seconds = sides.Select(_ => new List<double>()).ToArray();
        for (var round = -1; round < rounds; round++)
            for (var i = 0; i < sides.Length; i++)
            {
                var clock = Stopwatch.StartNew();
                sides[i].Act();
                if (round >= 0)
                    seconds[i].Add(clock.Elapsed.TotalSeconds);
            }
        Console.WriteLine("| | s | GB of the file a second | of a copy |");
        Console.WriteLine("|---|---|---|---|");
        for (var i = 0; i < sides.Length; i++)
        {
            var median = Comparison.Median(seconds[i]);
            Console.WriteLine(
                $"| {sides[i].Name} | {median:F2} | {bytes / median / 1e9:F2} | {Comparison.Median(seconds[0]) / median:P0} |");
        }
    }

    private void Write()
    {
        Directory.CreateDirectory(directory);
        File.WriteAllText(settings, config);
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(directory), seed: 1);
        CheckpointWriter.Write(
            directory, model.CheckpointParameters.Select(pair => (pair.Name, (Tensor)pair.Parameter)), maxShardBytes: long.MaxValue, ScalarType.BFloat16);
    }

    private void ReadOnly()
    {
        var buffer = new byte[1 << 20];
        using var file = File.OpenHandle(weights);
        for (long place = 0; RandomAccess.Read(file, buffer, place) is > 0 and var count; place += count)
        {
        }
    }

    /// <summary>A tensor of the file's type, then one of the model's.</summary>
    private void LoadByTensors()
    {
        using var reader = CheckpointReader.Open(directory);
        var tensors = new List<Tensor>();
        foreach (var name in reader.Names)
        {
            using var values = reader.Read(name);
            var parameter = empty(values.shape);
            parameter.copy_(values);
            tensors.Add(parameter);
        }
        tensors.ForEach(tensor => tensor.Dispose());
    }

    private void LoadStored() => RewardTransformer.Load(directory, frozenWeights: new FrozenWeights(WeightStorage.Bfloat16, UnfrozenLayers: 0)).Dispose();
}
