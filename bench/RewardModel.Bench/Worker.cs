using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using static TorchSharp.torch;

namespace RewardModel.Bench;

/// <summary>
/// Our side, in a process of its own: reads a command a line and answers with a line of JSON, as the peers do. Steps are those of
/// <see cref="Trainer"/>, which waits in its progress report for the next command. Arguments, commands and answers stay as they are, so
/// that builds of other commits can be compared.
/// </summary>
internal sealed class Worker : IProgress<TrainingReport>
{
    private readonly RewardTransformer model;
    private readonly TokenizedList list;
    private readonly Precision precision;
    private readonly bool checkpointing;
    private readonly int? unfrozenLayers;
    private readonly string? loraTargets;
    private readonly Stopwatch clock = new();

    public Worker(
        string directory, int threads, Precision precision, bool checkpointing, WeightStorage storage = WeightStorage.Float32,
        int? unfrozenLayers = null, string? loraTargets = null)
    {
        (this.unfrozenLayers, this.loraTargets) = (unfrozenLayers, loraTargets);
        this.precision = precision;
        this.checkpointing = checkpointing;
        set_num_threads(threads);
        model = RewardTransformer.Load(
            directory,
            frozenWeights: storage == WeightStorage.Float32 ? null : new FrozenWeights(storage, unfrozenLayers!.Value));
        model.Precision = precision;
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(directory, "list.json")))!;
        var answers = json["answers"].Deserialize<int[][]>()!;
        list = new TokenizedList(json["prompt"].Deserialize<int[]>()!, answers, RankedList.ScoresOfOrder(answers.Length));
    }

    public void Run()
    {
        Wire.Answer(new { ready = true });
        AnswerUntilStep();
        var options = new TrainingOptions
        {
            Steps = 1_000_000,
            Schedule = ScheduleKind.Constant,
            LearningRate = 1e-5,
            ListsPerStep = 1,
            MaxTokensPerBatch = 1_000_000,
            Precision = precision,
            ActivationCheckpointing = checkpointing,
            WeightDecay = 0.01,
            UnfrozenLayers = unfrozenLayers,
            LoraRank = loraTargets is null ? null : Comparison.LoraRank,
            LoraTargets = loraTargets,
        };
        var trainer = new Trainer(model, options, [list], [], progress: this);
        clock.Restart();
        trainer.Train();
    }

    public void Report(TrainingReport value)
    {
        Wire.Answer(new { seconds = clock.Elapsed.TotalSeconds });
        AnswerUntilStep();
        clock.Restart();
    }

    /// <summary>Answers commands until one asks for a training step.</summary>
    private void AnswerUntilStep()
    {
        while (Console.ReadLine() is { } command)
            switch (command)
            {
                case "step":
                    return;
                case "agree":
                    Agree();
                    break;
                case "score":
                    clock.Restart();
                    var rewards = new RewardScorer(model, 1_000_000).Score([list])[0];
                    Wire.Answer(new { seconds = clock.Elapsed.TotalSeconds, rewards });
                    break;
                case "probe":
                    Wire.Answer(new { float32 = Probe(float32) });
                    break;
                case "memory":
                    Wire.Answer(new { mib = Wire.PeakMemory() });
                    break;
                default:
                    throw new ArgumentException($"unknown command '{command}'");
            }
        Environment.Exit(0);
    }

    private void Agree()
    {
        using var scope = NewDisposeScope();
        model.train();
        model.zero_grad();
        using var sequences = model.Pack([list]);
        var ranking = RankingLoss.ByName("log-sigmoid");
        using var targets = ranking.TargetsOf([RankingList.Of(list)]);
        using var pass = new ForwardPass(sequences, checkpointing: checkpointing);
        var loss = ranking.Sum(model.forward(pass), targets);
        pass.Backward(loss);
        var norms = model.CheckpointParameters.ToDictionary(pair => pair.Name, pair =>
        {
            using var data = pair.Parameter.grad!.contiguous().data<float>();
            return Math.Sqrt(data.ToArray().Sum(value => (double)value * value));
        });
        model.zero_grad();
        Wire.Answer(new { loss = (double)loss.item<float>(), norms });
    }

    /// <summary>GFLOP/s of a product of two 2048 x 2048 matrices, the best of five.</summary>
    private double Probe(ScalarType type)
    {
        const int size = 2048;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var left = ones(size, size).to(type);
        var best = double.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            clock.Restart();
            using var product = nn.functional.linear(left, left);
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
        }
        return 2.0 * size * size * size / best / 1e9;
    }
}
