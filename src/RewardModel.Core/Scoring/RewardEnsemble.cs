using RewardModel.Checkpoints;
using RewardModel.Files;
using RewardModel.Lists;

namespace RewardModel.Scoring;

/// <summary>A reward of several models.</summary>
/// <param name="Mean">The mean of the members' rewards.</param>
/// <param name="StandardDeviation">
/// Their standard deviation (the population's: divided by their number): how much the members disagree.
/// </param>
public readonly record struct EnsembleReward(float Mean, float StandardDeviation);

/// <summary>
/// Several reward models that score together. An answer's reward is the mean of the members' rewards, each by its own normaliser, less
/// <see cref="DeviationWeight"/> standard deviations of them: with 0 mean optimisation, above it a lower bound that a policy can't raise by
/// what one member alone believes (Coste et al., arXiv 2310.02743).
/// </summary>
/// <remarks>
/// The members read text in the same way: they have the same tokenizer and, but for the normaliser, the same rule. They may be of different
/// architectures. All are in memory. Any number of threads may score at once, as <see cref="RewardScorer"/> says.
/// </remarks>
public sealed class RewardEnsemble : IRewardModel, IDisposable
{
    private const string memberPattern = "seed-*";

    /// <summary>Puts models together.</summary>
    /// <param name="members">At least one model; from now on this object's own.</param>
    /// <exception cref="ArgumentNullException">The members or one of them is null.</exception>
    /// <exception cref="ArgumentException">There is none, or they read text in different ways: all differences are listed.</exception>
    public RewardEnsemble(params IReadOnlyList<ScoringModel> members)
    {
        ScoringModel.CheckNoneIsNull(members, nameof(members), "model");
        if (members.Count == 0)
            throw new ArgumentException("There are no models to score with; expected at least one.", nameof(members));
        string[] differences =
        [
            .. members.Skip(1).SelectMany((member, i) => ModelReading.Differences(member, members[0])
                .Select(difference => $"model {i + 2}: {difference}, as in the first one")),
        ];
        if (differences.Length > 0)
            throw new ArgumentException(
                $"The models read text in different ways, so that they can't score together: {string.Join("; ", differences)}.",
                nameof(members));
        Members = [.. members];
    }

    /// <summary>The models.</summary>
    public IReadOnlyList<ScoringModel> Members { get; }

    /// <summary>
    /// How many standard deviations of the members' rewards are taken off their mean by <c>Score</c> and <c>ScoreAsync</c>. Default 0.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public double DeviationWeight
    {
        get;
        init => field = value >= 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(DeviationWeight), value, "expected 0 or more");
    }

    /// <summary>Loads the models of an ensemble, one after the other.</summary>
    /// <param name="directories">
    /// Each of a model, as for <see cref="ScoringModel.Load"/>, or of models in directories <c>seed-*</c>, as <c>train --seeds</c> writes them.
    /// </param>
    /// <param name="device">As for <see cref="ScoringModel.Load"/>.</param>
    /// <param name="baseDirectory">Directory of the base model of adapters, as for <see cref="ScoringModel.Load"/>.</param>
    /// <param name="outputWeights">What each output of all models' heads counts in a reward, as for <see cref="ScoringModel.Load"/>.</param>
    /// <param name="cancellationToken">Stops loading before the next tensor.</param>
    /// <returns>The ensemble, which the caller disposes of.</returns>
    /// <exception cref="ArgumentNullException">The directories or one of them is null.</exception>
    /// <exception cref="ArgumentException">
    /// There are none, models read text in different ways, or the device is not on this machine.
    /// </exception>
    /// <inheritdoc cref="ScoringModel.Load" path="/exception[not(contains(@cref, 'Argument'))]"/>
    /// <example>
    /// <code>
    /// using var ensemble = RewardEnsemble.Load(["my-ensemble"]);
    /// var list = RankedList.BestFirst("Which is larger, 3 or 5?", "5 is larger.", "3 is larger.");
    /// foreach (var reward in ensemble.ScoreWithDeviation([list])[0])
    ///     Console.WriteLine($"{reward.Mean:F2} +- {reward.StandardDeviation:F2}");
    /// </code>
    /// </example>
    public static RewardEnsemble Load(
        IReadOnlyList<string> directories, string? device = null, string? baseDirectory = null, OutputWeights? outputWeights = null,
        CancellationToken cancellationToken = default)
    {
        ScoringModel.CheckNoneIsNull(directories, nameof(directories), "directory");
        var members = new List<ScoringModel>();
        try
        {
            foreach (var directory in directories.SelectMany(MembersOf))
                members.Add(ScoringModel.Load(directory, device, baseDirectory, outputWeights, cancellationToken: cancellationToken));
            return new RewardEnsemble(members);
        }
        catch
        {
            members.ForEach(member => member.Dispose());
            throw;
        }
    }

    /// <summary>Scores lists with every member.</summary>
    /// <param name="lists">Lists of text or of conversations; their scores are ignored.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    /// <returns>Per list, one reward for each of its answers, in their order.</returns>
    /// <inheritdoc cref="ScoringModel.Score(IReadOnlyList{RankedList}, IProgress{ListProgress}, CancellationToken)" path="/exception"/>
    public EnsembleReward[][] ScoreWithDeviation(IReadOnlyList<RankedList> lists, CancellationToken cancellationToken = default)
    {
        var reader = Members[0];
        return Score(reader.Tokenize(reader.ToScore(lists), progress: null, cancellationToken).Lists, maxTokensPerBatch: null, progress: null, cancellationToken);
    }

    /// <inheritdoc/>
    public float[] Score(string prompt, params IReadOnlyList<string> answers) =>
        Score(ScoringModel.ListOf(prompt, answers), CancellationToken.None);

    /// <inheritdoc/>
    public float[] Score(Conversation conversation, params IReadOnlyList<string> answers) =>
        Score(ScoringModel.ListOf(conversation, answers), CancellationToken.None);

    /// <inheritdoc/>
    public Task<float[]> ScoreAsync(string prompt, IReadOnlyList<string> answers, CancellationToken cancellationToken = default)
    {
        var list = ScoringModel.ListOf(prompt, answers);
        return Task.Run(() => Score(list, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<float[]> ScoreAsync(
        Conversation conversation, IReadOnlyList<string> answers, CancellationToken cancellationToken = default)
    {
        var list = ScoringModel.ListOf(conversation, answers);
        return Task.Run(() => Score(list, cancellationToken), cancellationToken);
    }

    /// <summary>Releases the members. No thread may be scoring with them.</summary>
    public void Dispose()
    {
        foreach (var member in Members)
            member.Dispose();
    }

    /// <summary>Rewards of tokenised lists, member by member; progress is told of each.</summary>
    internal EnsembleReward[][] Score(
        IReadOnlyList<TokenizedList> lists, int? maxTokensPerBatch, IProgress<ListProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        float[][][] all = [.. Members.Select(member => member.Scorer(maxTokensPerBatch).Score(lists, progress, cancellationToken))];
        return
        [
            .. lists.Select((list, l) => list.AnswerIds.Select((_, k) => RewardOf([.. all.Select(rewards => rewards[l][k])])).ToArray()),
        ];
    }

    /// <summary>The names of the outputs of which a reward is a sum; null where it is one of its own, and of several models.</summary>
    internal IReadOnlyList<string>? OutputNames =>
        Members is [{ Transformer.Outputs.Weights.Count: > 1 } only] ? only.Transformer.Outputs.Names : null;

    /// <summary>The same, and the outputs of <see cref="OutputNames"/>, per list and answer; null where there are none.</summary>
    internal (EnsembleReward[][] Rewards, float[][][]? Outputs) ScoreWithOutputs(IReadOnlyList<TokenizedList> lists, int? maxTokensPerBatch)
    {
        if (OutputNames is null)
            return (Score(lists, maxTokensPerBatch), null);
        var (rewards, outputs) = Members[0].Scorer(maxTokensPerBatch).ScoreWithOutputs(lists, progress: null, CancellationToken.None);
        return (Array.ConvertAll(rewards, list => Array.ConvertAll(list, reward => new EnsembleReward(reward, 0))), outputs);
    }

    /// <summary>The means of the members' rewards of tokenised lists, and the outputs of an only one; progress is told of each member.</summary>
    internal ScoredAnswers ScoreMeans(
        IReadOnlyList<TokenizedList> lists, int? maxTokensPerBatch, IProgress<ListProgress>? progress, CancellationToken cancellationToken) =>
        Members is [var only]
            ? only.Scorer(maxTokensPerBatch).ScoreWithOutputs(lists, progress, cancellationToken)
            : new ScoredAnswers(
                [.. Score(lists, maxTokensPerBatch, progress, cancellationToken).Select(list => Array.ConvertAll(list, reward => reward.Mean))],
                Outputs: null);

    private static EnsembleReward RewardOf(float[] rewards)
    {
        var mean = rewards.Average(reward => (double)reward);
        return new EnsembleReward(
            (float)mean, (float)Math.Sqrt(rewards.Average(reward => (reward - mean) * (reward - mean))));
    }

    private float[] Score(RankedList list, CancellationToken cancellationToken) =>
    [
        .. ScoreWithDeviation([list], cancellationToken)[0]
            .Select((reward, k) => (float)(reward.Mean - DeviationWeight * reward.StandardDeviation) is var lowered && float.IsFinite(lowered)
                ? lowered : throw new NotFiniteRewardException(lowered, k + 1, "the list", "the ensemble")),
    ];

    private static string[] MembersOf(string directory)
    {
        // A model's own directory, also one whose files are being replaced, is no collection of others.
        string[] members = Directory.Exists(directory) && !FolderFile.Exists(directory, HuggingFaceConfig.FileName)
            ? Directory.GetDirectories(directory, memberPattern) : [];
        return members.Length > 0 ? [.. members.OrderBy(member => member.Length).ThenBy(member => member, StringComparer.Ordinal)] : [directory];
    }
}
