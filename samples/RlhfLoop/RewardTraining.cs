using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training;

namespace RlhfLoop;

/// <summary>The reward model, trained by the library on answers of the policy that are ranked by their true quality.</summary>
internal static class RewardTraining
{
    private const int ListsPerHeldOutList = 20;

    /// <summary>A ranked list of each prompt's answers: equal ones are one, and those that are as good as each other are tied.</summary>
    public static IEnumerable<RankedList> Ranked(Samples samples) => samples.Prompts.Zip(samples.Answers, (prompt, answers) =>
    {
        string[] distinct = [.. answers.Distinct()];
        return new RankedList(prompt, distinct, [.. distinct.Select(answer => TrueQuality.Of(prompt, answer).Score)]);
    });

    /// <summary>Trains a reward model that starts with the policy's weights, and ends with those of its best evaluation.</summary>
    /// <returns>The model, and the share of held-out pairs that it has in the right order.</returns>
    public static (ScoringModel Model, double Accuracy) Run(string policyDirectory, IReadOnlyList<RankedList> lists, long seed)
    {
        var model = ScoringModel.LoadForTraining(policyDirectory, seed: seed);
        var tokenized = model.Tokenize(lists).Lists;
        var heldOutCount = tokenized.Count / ListsPerHeldOutList;
        var options = new TrainingOptions { LearningRate = 3e-3, WarmupSteps = 20, ListsPerStep = 16, Seed = seed };
        var result = new Trainer(model, options, [.. tokenized.Skip(heldOutCount)], [.. tokenized.Take(heldOutCount)]).Train();
        model.Transformer.eval();
        return (model, result.BestEvaluation!.Metrics.Accuracy);
    }
}
