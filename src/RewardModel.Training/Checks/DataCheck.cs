using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>
/// Looks at ranked lists one after the other and keeps little of each, some 200 bytes for two answers, and a bounded number of texts. Not safe
/// for several threads.
/// </summary>
internal sealed class DataCheck
{
    private readonly DataCheckSettings settings;
    private readonly CheckedLists lists = new();
    private readonly SampledLists? sample, evalSample;
    private readonly NearDuplicates? nearPrompts;
    private readonly TextCounts texts;
    private readonly TokenCounts tokenCounts;
    private readonly PairCounts pairs = new();
    private readonly NoteCounts notes = new();

    /// <summary>Of whole lists, while all have the same prompt; null since another one came.</summary>
    private NearDuplicates? nearLists;

    public DataCheck(DataCheckSettings settings)
    {
        this.settings = settings;
        sample = settings.HasNgrams ? new SampledLists(settings.MaxNgramLists) : null;
        evalSample = settings.HasNgrams ? new SampledLists(settings.MaxNgramLists) : null;
        nearPrompts = settings.HasNearDuplicates ? new NearDuplicates() : null;
        nearLists = settings.HasNearDuplicates ? new NearDuplicates() : null;
        texts = new TextCounts(settings.SpecialTokens);
        tokenCounts = new TokenCounts(settings.TokensAfterAnswer);
    }

    /// <summary>Adds a list of text.</summary>
    /// <param name="list">Text or a conversation.</param>
    /// <param name="tokens">The same list as the model reads it, after template and cut; null without a tokenizer.</param>
    /// <param name="cut">What was cut of it.</param>
    /// <param name="isOfEvalData">
    /// Whether it is of a file that is held out as a whole: of such a file, which may be small, as many lists are measured on as of the others
    /// are trained on.
    /// </param>
    public void Add(RankedList list, TokenizedList? tokens = null, TruncationCount cut = default, bool isOfEvalData = false)
    {
        var plain = PlainText.Of(list);
        var scans = Array.ConvertAll([.. plain.Answers], answer => TextScan.Of(answer));
        var answers = new CheckedAnswer[scans.Length];
        for (var i = 0; i < answers.Length; i++)
            answers[i] = new CheckedAnswer(
                TextHash.Of(list.Answers[i]), list.Scores[i], plain.Answers[i].Length, tokens?.AnswerIds[i].Length ?? -1, scans[i].Marks);
        var promptHash = TextHash.Of(list.Prompt);
        (isOfEvalData ? evalSample : sample)?.Add(
            lists.Count, plain, promptHash, answers.Aggregate(0ul, (hash, answer) => TextHash.Joined(hash, answer.Hash)));

        var isNew = lists.Add(promptHash, answers, list.Source);
        if (isNew)
            nearPrompts?.Add(plain.Prompt);
        if (lists.PromptCount > 1)
            nearLists = null;
        nearLists?.Add(string.Join('\n', plain.Answers));

        texts.Add(plain, scans);
        if (tokens is not null)
            tokenCounts.Add(tokens, cut);
        pairs.Add(answers, tokens, list.Source);
        notes.Add(list.Margin, list.Weight, list.Group, list.Source);
    }

    /// <summary>Adds a list that is token ids only.</summary>
    /// <param name="tokens">The list after the cut.</param>
    /// <param name="cut">What was cut of it.</param>
    public void Add(TokenizedList tokens, TruncationCount cut = default)
    {
        var answers = new CheckedAnswer[tokens.AnswerIds.Count];
        for (var i = 0; i < answers.Length; i++)
            answers[i] = new CheckedAnswer(TextHash.Of(tokens.AnswerIds[i]), tokens.Scores[i], -1, tokens.AnswerIds[i].Length, 0);
        var isNew = lists.Add(TextHash.Of(tokens.PromptIds), answers, tokens.Source);
        if (isNew)
            nearPrompts?.Add(tokens.PromptIds);
        if (lists.PromptCount > 1)
            nearLists = null;
        nearLists?.Add(tokens.AnswerIds.SelectMany(ids => ids).ToArray());

        tokenCounts.Add(tokens, cut);
        pairs.Add(answers, tokens, tokens.Source);
        notes.Add(tokens.Margin, tokens.Weight, tokens.Group, tokens.Source);
    }

    /// <summary>
    /// Clusters of lists whose prompts are nearly the same, by which they can be split: for each list, in the order in which they were added,
    /// the number of its cluster. Where all lists have the same prompt, their answers are compared.
    /// </summary>
    /// <exception cref="InvalidOperationException">The settings leave near duplicates out.</exception>
    public int[] NearDuplicateClusters() =>
        NearLists()?.Clusters ?? throw new InvalidOperationException("The check's settings leave near duplicates out.");

    /// <summary>What was found.</summary>
    /// <param name="isHeldOut">For each list, in the order in which they were added, whether it is held out.</param>
    /// <param name="trainsNgrams">Whether linear models are trained, where texts were kept for them.</param>
    /// <exception cref="ArgumentException">There are more or fewer sides than lists.</exception>
    public DataReport Report(IReadOnlyList<bool> isHeldOut, bool trainsNgrams = true)
    {
        CheckSides(isHeldOut);
        var keys = lists.Keys();
        var repetitions = new Repetitions(lists, keys, NearLists());
        var contradictions = Contradictions.In(lists);
        var baselines = new LazyBaselines(lists, keys, isHeldOut, settings);
        var report = new DataReport
        {
            ListCount = lists.Count,
            AnswerCount = lists.AnswerCount,
            PromptCount = lists.PromptCount,
            ListsByAnswerCount = pairs.ListsByAnswerCount,
            PairCount = pairs.Count,
            TiedPairs = pairs.Tied,
            ListsWithoutPairs = pairs.ListsWithout,
            Margins = notes.Margins,
            Weights = notes.Weights,
            Groups = notes.Groups,
            ListsByGroup = notes.ListsByGroup,
            PromptCharacters = texts.PromptCharacters,
            AnswerCharacters = texts.AnswerCharacters,
            PromptTokens = tokenCounts.PromptTokens,
            AnswerTokens = tokenCounts.AnswerTokens,
            Truncation = tokenCounts.Truncation,
            CutLists = tokenCounts.CutLists,
            IdenticalTexts = pairs.IdenticalTexts,
            IdenticalTokens = pairs.IdenticalTokens,
            IdenticalAnswers = pairs.Identical,
            Contradictions = contradictions.Pairs,
            Cycles = contradictions.Cycles,
            DuplicateLists = repetitions.DuplicateLists(),
            SharedPrompts = repetitions.SharedPrompts(),
            NearDuplicates = repetitions.NearDuplicates(),
            LargestCluster = repetitions.LargestCluster(),
            Split = repetitions.Split(isHeldOut),
            EmptyAnswers = texts.EmptyAnswers,
            OneTokenAnswers = tokenCounts.OneTokenAnswers,
            RepeatedPrompts = texts.RepeatedPrompts,
            Boilerplate = repetitions.Boilerplate(),
            Mojibake = texts.Mojibake,
            ReplacementCharacters = texts.ReplacementCharacters,
            ByteOrderMarks = texts.ByteOrderMarks,
            ControlCharacters = texts.ControlCharacters,
            HtmlEntities = texts.HtmlEntities,
            SpecialTokens = texts.SpecialTokens,
            ListsByScript = texts.ListsByScript,
            ListsByGuessedLanguage = texts.ListsByGuessedLanguage,
            MixedScripts = texts.MixedScripts,
            LongerIsBetter = pairs.LongerIsBetter,
            ShorterIsBetter = pairs.ShorterIsBetter,
            Baselines =
            [
                .. baselines.Rules(),
                .. trainsNgrams ? baselines.Models(Sample()) : [],
            ],
        };
        return report with { Findings = DataFindings.Of(report) };
    }

    /// <summary>What linear models of words and characters make of those held-out lists whose texts were kept.</summary>
    /// <inheritdoc cref="Report"/>
    /// <returns>For each model its scores of lists by their indices; none where texts were not kept, or one of the sides has none.</returns>
    public IReadOnlyList<(string Name, IReadOnlyDictionary<int, float[]> ByList)> NgramScores(IReadOnlyList<bool> isHeldOut)
    {
        CheckSides(isHeldOut);
        return new LazyBaselines(lists, lists.Keys(), isHeldOut, settings).Scores(Sample());
    }

    private (int Index, RankedList List)[] Sample() => sample is null || evalSample is null ? [] : [.. sample.InOrder(), .. evalSample.InOrder()];

    private void CheckSides(IReadOnlyList<bool> isHeldOut)
    {
        if (isHeldOut.Count != lists.Count)
            throw new ArgumentException(
                $"There are {Counted.Of(isHeldOut.Count, "side")} for {Counted.Of(lists.Count, "list")}; expected one for each.",
                nameof(isHeldOut));
    }

    private NearLists? NearLists()
    {
        if (nearPrompts is null)
            return null;
        if (nearLists is not null)
            return new NearLists(nearLists.Sets(settings.Similarity).Ids(), list => nearLists.Normalized[list]);
        var ofPrompts = nearPrompts.Sets(settings.Similarity).Ids();
        return new NearLists(
            [.. Enumerable.Range(0, lists.Count).Select(list => ofPrompts[lists.PromptOf(list)])],
            list => nearPrompts.Normalized[lists.PromptOf(list)]);
    }
}
