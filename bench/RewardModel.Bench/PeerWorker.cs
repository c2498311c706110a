using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Bench;

/// <summary>
/// The peer in TorchSharp, in a process of its own: a pairwise trainer without anything of this library but its reader of checkpoints.
/// Commands and answers are those of <see cref="Worker"/> and of <c>peer.py</c>.
/// </summary>
internal sealed class PeerWorker
{
    private const int PairsPerMicroBatch = 9;

    private readonly PeerModel model;
    private readonly Parameter[] parameters;
    private readonly optim.Optimizer optimizer;
    private readonly int[][] rows;
    private readonly (int Better, int Worse)[] pairs;
    private readonly bool scoresPairs;

    /// <param name="directory">Has the checkpoint and the list.</param>
    /// <param name="mode"><c>pairs</c>: every pair is scored on its own; <c>once</c>: each answer is, all in one padded batch.</param>
    /// <param name="threads">How many libtorch computes with.</param>
    public PeerWorker(string directory, string mode, int threads)
    {
        scoresPairs = mode switch
        {
            "pairs" => true,
            "once" => false,
            _ => throw new ArgumentException($"mode '{mode}' is not known; expected pairs or once"),
        };
        TorchLibraries.Load();
        set_num_threads(threads);
        model = new PeerModel(JsonNode.Parse(File.ReadAllText(Path.Combine(directory, "config.json")))!);
        model.Load(directory);
        parameters = [.. model.parameters()];
        optimizer = optim.AdamW(parameters, lr: 1e-5, weight_decay: 0.01);
        var list = JsonNode.Parse(File.ReadAllText(Path.Combine(directory, "list.json")))!;
        var prompt = list["prompt"].Deserialize<int[]>()!;
        rows = [.. list["answers"].Deserialize<int[][]>()!.Select(answer => (int[])[.. prompt, .. answer])];
        pairs = [.. Enumerable.Range(0, rows.Length).SelectMany(i => Enumerable.Range(i + 1, rows.Length - i - 1).Select(j => (i, j)))];
    }

    public void Run()
    {
        Wire.Answer(new { ready = true });
        while (Console.ReadLine() is { } command)
        {
            var start = Stopwatch.GetTimestamp();
            switch (command)
            {
                case "step":
                    Step();
                    Wire.Answer(new { seconds = Stopwatch.GetElapsedTime(start).TotalSeconds });
                    break;
                case "score":
                    var rewards = Score();
                    Wire.Answer(new { seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, rewards });
                    break;
                case "agree":
                    Agree();
                    break;
                case "memory":
                    Wire.Answer(new { mib = Wire.PeakMemory() });
                    break;
                default:
                    throw new ArgumentException($"unknown command '{command}'");
            }
        }
    }

    private void Step()
    {
        Backward();
        using var scope = NewDisposeScope();
        nn.utils.clip_grad_norm_(parameters, 1.0);
        optimizer.step();
    }

    /// <summary>Gradients of the mean loss over all pairs; returns the loss.</summary>
    private double Backward()
    {
        optimizer.zero_grad();
        return (scoresPairs ? pairs.Chunk(PairsPerMicroBatch) : [pairs]).Sum(BackwardOfMicroBatch);
    }

    private double BackwardOfMicroBatch((int Better, int Worse)[] part)
    {
        using var scope = NewDisposeScope();
        Tensor margins;
        if (scoresPairs)
        {
            var rewards = Rewards([.. part.Select(pair => rows[pair.Better]), .. part.Select(pair => rows[pair.Worse])]).chunk(2);
            margins = rewards[0] - rewards[1];
        }
        else
        {
            var rewards = Rewards(rows);
            margins = rewards.index_select(0, tensor(part.Select(pair => (long)pair.Better).ToArray()))
                - rewards.index_select(0, tensor(part.Select(pair => (long)pair.Worse).ToArray()));
        }
        var loss = -nn.functional.logsigmoid(margins).sum() / pairs.Length;
        loss.backward();
        return loss.item<float>();
    }

    /// <summary>Rewards of token ids, padded to the longest row.</summary>
    private Tensor Rewards(int[][] batch)
    {
        var longest = batch.Max(row => row.Length);
        var ids = new long[batch.Length, longest];
        foreach (var (i, row) in batch.Index())
            for (var k = 0; k < row.Length; k++)
                ids[i, k] = row[k];
        return model.call(tensor(ids), tensor(batch.Select(row => row.Length - 1L).ToArray()));
    }

    private float[] Score()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Rewards(rows).data<float>().ToArray();
    }

    private void Agree()
    {
        var loss = Backward();
        using var scope = NewDisposeScope();
        var norms = model.CheckpointParameters.ToDictionary(
            pair => pair.Name, pair => pair.Parameter.grad!.to(float64).norm().item<double>());
        optimizer.zero_grad();
        Wire.Answer(new { loss, norms });
    }
}
