using Microsoft.Extensions.Logging;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;

namespace RewardModel.Training.Data;

/// <summary>By which answers the rewards of a trained model get their scale.</summary>
internal enum NormalizedBy
{
    /// <summary>All held-out answers have mean 0 and standard deviation 1.</summary>
    HeldOut,

    /// <summary>The best answers of the held-out lists have mean 0.</summary>
    HeldOutBest,

    /// <summary>Reference answers of a file have mean 0; of a list the best one is the reference.</summary>
    Reference,
}

/// <summary>How a trained model's rewards are normalised.</summary>
/// <param name="By">The answers.</param>
/// <param name="ReferenceFile">Their file; null for held-out ones.</param>
internal sealed record RewardNormalization(NormalizedBy By, string? ReferenceFile)
{
    /// <summary>The text for no normalisation.</summary>
    public const string None = "none";

    /// <summary>The texts that <see cref="Parse"/> reads.</summary>
    public const string Expected = "none, held-out, held-out-best or reference:FILE";

    private const string heldOut = "held-out";
    private const string heldOutBest = "held-out-best";
    private const string reference = "reference:";

    /// <summary>The value of an option.</summary>
    /// <returns>Whether it was understood, and as what: null for none.</returns>
    public static (bool IsValid, RewardNormalization? Value) Parse(string text) => text switch
    {
        None => (true, null),
        heldOut => (true, new RewardNormalization(NormalizedBy.HeldOut, null)),
        heldOutBest => (true, new RewardNormalization(NormalizedBy.HeldOutBest, null)),
        _ when text.StartsWith(reference, StringComparison.Ordinal) && text.Length > reference.Length =>
            (true, new RewardNormalization(NormalizedBy.Reference, text[reference.Length..])),
        _ => (false, null),
    };

    /// <summary>The normaliser of a model, and what it was computed with, which is logged.</summary>
    /// <param name="model">Scored with its weights as they are, without its own normaliser.</param>
    /// <param name="lists">The answers' lists: the held-out ones, or those of the file.</param>
    /// <param name="maxTokensPerBatch">Most tokens that are computed at once.</param>
    /// <param name="logger">Told the numbers.</param>
    /// <exception cref="ArgumentException">There are no lists, rewards are not finite, or all are the same.</exception>
    public RewardNormalizer Of(ScoringModel model, IReadOnlyList<TokenizedList> lists, int maxTokensPerBatch, ILogger logger)
    {
        if (lists.Count == 0)
            throw new ArgumentException("There are no lists to normalise the rewards by; expected at least one.", nameof(lists));
        var scored = By == NormalizedBy.HeldOut ? lists : BestOf(lists);
        float[] rewards = [.. new RewardScorer(model.Transformer, maxTokensPerBatch).Score(scored).SelectMany(list => list)];
        var normalizer = By == NormalizedBy.HeldOut ? RewardNormalizer.Standardizing(rewards) : RewardNormalizer.Centering(rewards);
        logger.LogInformation(
            "Rewards are normalised: (raw - {Mean:G6}) / {Std:G6}, so that {Answers} have mean 0{Scale}", normalizer.Mean, normalizer.Std,
            Source(rewards.Length), By == NormalizedBy.HeldOut ? " and standard deviation 1" : "");
        return normalizer;
    }

    /// <summary>The best answer of each list.</summary>
    public static IReadOnlyList<TokenizedList> BestOf(IReadOnlyList<TokenizedList> lists) => new ChangedLists(lists, (list, _) => Best(list));

    /// <summary>Of several best ones the first.</summary>
    private static TokenizedList Best(TokenizedList list) => list.WithAnswers([list.Scores.ToList().IndexOf(list.Scores.Max())]);

    private string Source(int count) => By switch
    {
        NormalizedBy.HeldOut => $"{Counted.Of(count, "held-out answer")}",
        NormalizedBy.HeldOutBest => $"the best answers of {Counted.Of(count, "held-out list")}",
        _ => $"{Counted.Of(count, "reference answer")} of {DataPath.Quoted(ReferenceFile!)}",
    };
}
