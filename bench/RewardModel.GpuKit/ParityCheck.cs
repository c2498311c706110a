using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using RewardModel.Training.Optimization;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.GpuKit;

/// <summary>
/// What an architecture gives on the device, beside the reference implementation: the largest difference of rewards, of the loss, and of
/// the gradients' norm as a share of it; in bfloat16, where attention is flash attention on a GPU, the largest difference of rewards as a
/// share of the largest reward.
/// </summary>
internal sealed record ParityCheck(string Name, double Rewards, double Loss, double GradientNorm, double InBfloat16)
{
    public const double RewardTolerance = 1e-4, NormTolerance = 1e-3, Bfloat16Tolerance = 0.1;

    public bool Passes => Rewards <= RewardTolerance && Loss <= RewardTolerance && GradientNorm <= NormTolerance
        && InBfloat16 <= Bfloat16Tolerance;

    public static IReadOnlyList<ParityCheck> Run(string device)
    {
        var assembly = Assembly.GetExecutingAssembly();
        return [.. assembly.GetManifestResourceNames().Where(name => name.StartsWith("parity/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Select(name =>
            {
                using var stream = assembly.GetManifestResourceStream(name)!;
                return Of(name["parity/".Length..], JsonNode.Parse(stream)!, device);
            })];
    }

    private static ParityCheck Of(string name, JsonNode expected, string device)
    {
        using var scope = NewDisposeScope();
        using var model = Load(expected).to(device);
        var lists = expected["ranking"]!["prompts"]!.AsArray().Select(prompt =>
        {
            var answers = prompt!["answer_ids"].Deserialize<int[][]>()!;
            return new TokenizedList(prompt["prompt_ids"].Deserialize<int[]>()!, answers, RankedList.ScoresOfOrder(answers.Length));
        }).ToArray();
        float[] rewards = [.. expected["ranking"]!["rewards"].Deserialize<float[][]>()!.SelectMany(row => row)];

        double Difference()
        {
            float[] found = [.. new RewardScorer(model).Score(lists).SelectMany(row => row)];
            return rewards.Zip(found).Max(pair => Math.Abs((double)pair.First - pair.Second));
        }

        var difference = Difference();
        model.Precision = Precision.Bfloat16;
        var inBfloat16 = Difference() / rewards.Max(Math.Abs);
        model.Precision = Precision.Float32;

        model.train();
        using var sequences = model.Pack(lists);
        var ranking = RankingLoss.ByName("log-sigmoid");
        using var targets = ranking.TargetsOf([.. lists.Select(RankingList.Of)], model.Device);
        var loss = ranking.Sum(model.call(sequences), targets).div(lists.Length);
        loss.backward();
        using var optimizer = new AdamW(model.CheckpointParameters.Select(WeightPart.Of), new AdamWOptions());
        var reference = expected["ranking"]!["logsigmoid"]!;
        var (expectedLoss, expectedNorm) = ((double)reference["loss"]!, (double)reference["grad_norm"]!);
        return new ParityCheck(
            name, difference, Math.Abs(loss.detach().cpu().item<float>() - expectedLoss),
            Math.Abs(optimizer.GradientNorm() - expectedNorm) / expectedNorm, inBfloat16);
    }

    private static RewardTransformer Load(JsonNode expected)
    {
        var directory = Directory.CreateTempSubdirectory("gpu-kit-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(directory, "config.json"), expected["config"]!.ToJsonString());
            CheckpointWriter.Write(directory, expected["parameters"]!.AsObject().Select(parameter =>
            {
                var shape = parameter.Value.Deserialize<long[]>()!;
                return (parameter.Key, tensor(HashWeights.Values(parameter.Key, shape)).view(shape));
            }).ToArray());
            return RewardTransformer.Load(directory);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
