using GenerateSortingTask;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tokenizers;
using static TorchSharp.torch;

namespace RlhfLoop;

/// <summary>The three trainings, one after the other, and what came of them.</summary>
/// <param name="directory">Where the policy that was fine-tuned and the reward model are saved.</param>
/// <param name="settings">How much of everything there is.</param>
/// <param name="seed">Of weights, prompts and what is drawn.</param>
internal sealed class Loop(string directory, LoopSettings settings, int seed)
{
    /// <summary>By how much fewer sorted answers than in the best row are no chance: about three standard errors of a row.</summary>
    private const double ClearFall = 0.05;

    private readonly string policyDirectory = Path.Combine(directory, "policy");
    private readonly PhaseClock clock = new();

    // No prompt is used for two things.
    private readonly Queue<RankedList> lists = new(new SortingTask((ulong)seed).Lists(settings.PromptCount));

    public void Run(string? rewardModelDirectory)
    {
        random.manual_seed(seed);
        var heldOutPrompts = NextPrompts(settings.HeldOutPromptCount);
        var taskTokenizer = TaskTokenizer.Build();
        using var policy = new Policy(new PolicySizes(taskTokenizer.VocabularySize, Sizes.MaxPositions, Width: 48, Layers: 2, Heads: 4));
        PolicyCheckpoint.Save(policy, taskTokenizer, policyDirectory);
        using var sampling = new Sampling(HuggingFaceTokenizer.Load(policyDirectory), Sizes.ItemsPerPrompt + 1, (ulong)seed);

        FineTune(policy, sampling);
        PolicyCheckpoint.Save(policy, taskTokenizer, policyDirectory);
        using var reference = policy.Copy();

        // Taken from the queue in any case, so that GRPO has the same prompts whichever reward model there is.
        var rankedPrompts = NextPrompts(settings.RankedPromptCount);
        using var rewardModel = rewardModelDirectory is null
            ? TrainRewardModel(reference, sampling, rankedPrompts)
            : ScoringModel.Load(rewardModelDirectory);

        // All that GRPO asks of a reward model: another program's, or a rule, goes here as well.
        Optimize(policy, reference, sampling, rewardModel.Score);
        Compare(policy, reference, sampling, rewardModel, heldOutPrompts);
        clock.PrintTotal();
    }

    private void FineTune(Policy policy, Sampling sampling)
    {
        var demonstrations = Next(settings.DemonstrationCount);
        var sorted = demonstrations.Average(list => TrueQuality.Of(list.Prompt, list.Answers[0]).IsExact ? 1.0 : 0);
        var loss = FineTuning.Run(policy, sampling, demonstrations);
        clock.Print($"Fine-tuned on {demonstrations.Length} demonstrations, {100 * sorted:F0} % of them sorted: {loss:F3} nats a token");
    }

    private ScoringModel TrainRewardModel(Policy reference, Sampling sampling, string[] prompts)
    {
        var ranked = new List<RankedList>();
        foreach (var batch in prompts.Chunk(LoopSettings.PromptsPerBatch))
        {
            using var samples = sampling.Draw(reference, batch, LoopSettings.AnswersPerRankedPrompt);
            ranked.AddRange(RewardTraining.Ranked(samples));
        }
        clock.Print($"Drew {LoopSettings.AnswersPerRankedPrompt} answers to each of {prompts.Length} prompts, ranked by true quality");
        var (model, accuracy) = RewardTraining.Run(policyDirectory, ranked, seed);
        model.Save(Path.Combine(directory, "reward-model"));
        clock.Print($"Trained a reward model on them: held-out accuracy {accuracy:F3}");
        return model;
    }

    private void Optimize(Policy policy, Policy reference, Sampling sampling, Func<string, IReadOnlyList<string>, float[]> reward)
    {
        using var grpo = new Grpo(policy, reference, sampling, reward, new GrpoSettings { KlCoefficient = settings.KlCoefficient });
        var (row, rows) = (new List<GrpoStep>(), new List<Figures>());
        Tables.PrintStepHeader();
        for (var step = 1; step <= settings.GrpoSteps; step++)
        {
            row.Add(grpo.Step(NextPrompts(LoopSettings.PromptsPerBatch)));
            if (row.Count < settings.StepsPerRow && step < settings.GrpoSteps)
                continue;
            rows.Add(Figures.Mean([.. row.Select(one => one.Answers)]));
            Tables.PrintSteps(step, row, rows[^1]);
            row.Clear();
        }
        clock.Print($"{settings.GrpoSteps} steps of GRPO with a KL coefficient of {settings.KlCoefficient}");
        var (best, last) = (rows.MaxBy(one => one.Exact)!, rows[^1]);
        if (last.Exact < best.Exact - ClearFall && last.Reward > best.Reward)
            Console.WriteLine(
                "Over-optimisation: the reward went on rising while the true quality fell. The policy does what the reward model is wrong "
                + "about; a larger --kl keeps it from that.");
    }

    private static void Compare(Policy policy, Policy reference, Sampling sampling, ScoringModel rewardModel, string[] prompts)
    {
        using var before = sampling.Draw(reference, prompts, LoopSettings.AnswersPerHeldOutPrompt);
        using var after = sampling.Draw(policy, prompts, LoopSettings.AnswersPerHeldOutPrompt);
        var rewardsBefore = RewardsOf(before);
        Tables.PrintComparisonHeader(prompts.Length);
        Tables.Print("reference policy", Figures.OfBest(1, before, rewardsBefore));
        foreach (var n in new[] { 4, 16 })
            Tables.Print($"its best of {n}", Figures.OfBest(n, before, rewardsBefore));
        Tables.Print("policy after GRPO", Figures.OfBest(1, after, RewardsOf(after)) with { Kl = Grpo.KlOf(policy, reference, after) });
        Console.WriteLine();

        float[][] RewardsOf(Samples samples) => rewardModel.Score([.. samples.Prompts.Zip(samples.Answers, RankedList.BestFirst)]);
    }

    private RankedList[] Next(int count) => [.. Enumerable.Range(0, count).Select(_ => lists.Dequeue())];

    private string[] NextPrompts(int count) => [.. Next(count).Select(list => list.Prompt)];
}
