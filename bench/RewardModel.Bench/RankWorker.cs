using System.Diagnostics;
using RewardModel.Distributed;
using RewardModel.Training;
using static TorchSharp.torch;

namespace RewardModel.Bench;

/// <summary>What one of several processes does that a launcher has started; the first one prints a line of JSON.</summary>
internal static class RankWorker
{
    /// <summary>Trains, and tells every rank's peak memory in MiB.</summary>
    public static void Train(RankModel model, string directory, string output, Sharding sharding, int steps, int? loraRank)
    {
        using var ranks = Collectives.FromEnvironment();
        Collectives.Run(ranks, () =>
        {
            new TrainingRun(model.Options(directory, output, sharding, ranks.Size, steps, loraRank), ranks: ranks).Run();
            var peaks = ranks.Gather(BitConverter.GetBytes(Wire.PeakMemory()), "peak memory");
            if (ranks.Rank == 0)
                Wire.Answer(new { mib = peaks.Select(bytes => BitConverter.ToDouble(bytes)) });
        });
    }

    /// <summary>Adds up tensors over all ranks, and tells how long that takes: medians.</summary>
    /// <param name="megabytes">Size of the large tensor; the small one is a single number, whose time is that of messages alone.</param>
    /// <param name="rounds">How often, beside three times that don't count.</param>
    public static void Messages(int megabytes, int rounds)
    {
        using var ranks = Collectives.FromEnvironment();
        Collectives.Run(ranks, () =>
        {
            using Tensor large = ones(megabytes * 250_000L), small = ones(1);
            double SecondsOf(Tensor tensor)
            {
                var seconds = new List<double>();
                for (var round = -3; round < rounds; round++)
                {
                    ranks.Gather([], "the next round");
                    var clock = Stopwatch.StartNew();
                    ranks.AllReduce(tensor, "a measured sum").Wait();
                    if (round >= 0)
                        seconds.Add(clock.Elapsed.TotalSeconds);
                }
                return Comparison.Median(seconds);
            }
            var (ofLarge, ofSmall) = (SecondsOf(large), SecondsOf(small));
            // Each rank sends 2 V (N - 1) / N bytes in 2 (N - 1) messages, as StepTime has it.
            double messages = 2 * (ranks.Size - 1), sent = messages * megabytes * 1e6 / ranks.Size;
            if (ranks.Rank == 0)
                Wire.Answer(new
                {
                    ranks = ranks.Size,
                    megabytes,
                    seconds = ofLarge,
                    megabytes_a_second = megabytes / ofLarge,
                    bandwidth = sent / Math.Max(ofLarge - ofSmall, 1e-9),
                    latency = ofSmall / messages,
                });
        });
    }
}
