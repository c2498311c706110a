using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Scoring;

namespace RewardModel.Server;

/// <summary>
/// One version of a served model: what was loaded from its directories at one time. It stays in memory while somebody has acquired it.
/// </summary>
internal sealed class LoadedModel : IBatchModel
{
    private readonly RewardEnsemble ensemble;
    private readonly int maxTokensPerBatch;
    private readonly Lock access = new();

    /// <summary>One for the server, until it has another version, and one for each that has acquired it.</summary>
    private int userCount = 1;

    private LoadedModel(string name, RewardEnsemble ensemble, int maxTokensPerBatch, DateTimeOffset loadedAt)
    {
        var first = ensemble.Members[0];
        (this.ensemble, this.maxTokensPerBatch) = (ensemble, maxTokensPerBatch);
        Tokenizer = new RequestTokenizer(first, ensemble.Members.Min(member => member.Transformer.VocabularySize));
        Info = new ServedModelInfo(
            name, first.Transformer.Architecture, first.Rule.MaxLength, first is { Tokenizer: not null, Rule.ChatTemplate: not null },
            ensemble.Members.Count, loadedAt);
        SharesPrompts = ensemble.Members.All(member => member.Transformer.Backbone.IsCausal);
    }

    public ServedModelInfo Info { get; }

    /// <summary>Turns requests into token ids.</summary>
    public RequestTokenizer Tokenizer { get; }

    /// <inheritdoc/>
    public bool SharesPrompts { get; }

    /// <summary>Loads a model and looks whether its rewards are numbers.</summary>
    /// <param name="options">Which model.</param>
    /// <param name="ofServer">How it is computed.</param>
    /// <param name="maxTokensPerBatch">Most tokens that are computed at once.</param>
    /// <param name="time">What time it is.</param>
    /// <param name="cancellationToken">Stops loading before the next tensor.</param>
    /// <exception cref="ArgumentException">
    /// Members read text in different ways, the device is not on this machine, or a member can't compute independently of its batch.
    /// </exception>
    /// <exception cref="CheckpointException">
    /// A directory does not hold a trained reward model, or one whose rewards are not finite.
    /// </exception>
    /// <exception cref="Tokenizers.TokenizerException">Its tokenizer can't be used.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static LoadedModel Load(
        ServedModelOptions options, RewardServerOptions ofServer, int maxTokensPerBatch, TimeProvider time, CancellationToken cancellationToken)
    {
        var ensemble = RewardEnsemble.Load([.. options.Directories], options.Device, options.BaseDirectory, cancellationToken: cancellationToken);
        try
        {
            foreach (var member in ensemble.Members)
            {
                member.Transformer.IsBatchInvariant = ofServer.IsBatchInvariant;
                CheckFinite(member, options);
                if (ofServer.PromptCacheBytes > 0 && member.Transformer.SharesPrompts)
                    member.PromptCache = new PromptCache(ofServer.PromptCacheBytes / ensemble.Members.Count);
            }
            ensemble.Members[0].ReadsTextAsChat &= !options.ReadsTextAsIs;
            return new LoadedModel(options.ServedName, ensemble, maxTokensPerBatch, time.GetUtcNow());
        }
        catch
        {
            ensemble.Dispose();
            throw;
        }
    }

    /// <summary>Prompts that there are keys and values of, and their bytes.</summary>
    public (int Prompts, long Bytes) Cached()
    {
        var caches = ensemble.Members.Select(member => member.PromptCache).OfType<PromptCache>().ToArray();
        return (caches.Sum(cache => cache.Count), caches.Sum(cache => cache.Bytes));
    }

    /// <inheritdoc/>
    public void ReleaseMemory()
    {
        foreach (var member in ensemble.Members)
            member.PromptCache?.Clear();
    }

    /// <inheritdoc/>
    public EnsembleReward[][] Compute(IReadOnlyList<TokenizedList> lists) => ensemble.Score(lists, maxTokensPerBatch);

    /// <inheritdoc/>
    public bool TryAcquire()
    {
        lock (access)
        {
            if (userCount == 0)
                return false;
            userCount++;
            return true;
        }
    }

    /// <inheritdoc/>
    public void Release()
    {
        lock (access)
            if (--userCount > 0)
                return;
        ensemble.Dispose();
    }

    /// <exception cref="CheckpointException">The rewards of a probe are not finite.</exception>
    private static void CheckFinite(ScoringModel member, ServedModelOptions options)
    {
        const int mostIds = 16;
        var (idCount, length) = (member.Transformer.VocabularySize, Math.Min(mostIds, member.Rule.MaxLength));
        // Ids from all over the vocabulary, each an answer by itself, too.
        int[] ids = [.. Enumerable.Range(0, length).Select(i => (int)((long)i * (idCount - 1) / Math.Max(1, length - 1)))];
        int[][] answers = [ids, .. ids.Distinct().Select(id => (int[])[id])];
        try
        {
            member.Scorer().Score([new TokenizedList([], answers, new double[answers.Length])]);
        }
        catch (NotFiniteRewardException e)
        {
            throw new CheckpointException(
                member.Transformer.Adapter is null ? member.Transformer.BaseDirectory! : options.Directories[0],
                ["the reward of a probe is not a finite number"],
                "The weights have numbers that are not finite or too large: save the model of a run that did not diverge.", e);
        }
    }
}
