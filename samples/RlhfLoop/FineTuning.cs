using RewardModel.Lists;
using static TorchSharp.torch;

namespace RlhfLoop;

/// <summary>Supervised fine-tuning: the policy learns to give the answers that it is shown, good or not so good.</summary>
internal static class FineTuning
{
    private const int ListsPerStep = 32;
    private const int WarmupSteps = 50;
    private const double LearningRate = 4e-3;

    /// <summary>Trains a policy on the first answer of each list, once, by AdamW; the learning rate rises and then falls to 0.</summary>
    /// <returns>The mean cross-entropy of the last tenth of the steps, in nats a token.</returns>
    public static double Run(Policy policy, Sampling sampling, IReadOnlyList<RankedList> lists)
    {
        using var optimizer = optim.AdamW(policy.parameters(), weight_decay: 0.01);
        var steps = lists.Chunk(ListsPerStep).ToArray();
        var losses = new List<double>();
        foreach (var step in steps)
        {
            using var scope = NewDisposeScope();
            foreach (var group in optimizer.ParamGroups)
                group.LearningRate = LearningRate * Math.Min((losses.Count + 1.0) / WarmupSteps, 1 - (double)losses.Count / steps.Length);
            var answers = sampling.AnswerIds([.. step.Select(list => list.Answers[0])]);
            var ids = cat([sampling.PromptIds([.. step.Select(list => list.Prompt)]), answers], dim: 1);
            var loss = -policy.OfAnswers(ids, (int)answers.shape[1]).LogProbabilities.mean();
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
            losses.Add(loss.item<float>());
        }
        return losses.TakeLast((losses.Count + 9) / 10).Average();
    }
}
