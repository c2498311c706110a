using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>
/// Looks at ranked lists one after the other and keeps little of each, some 200 bytes for two answers, and a bounded number of texts. Not safe
/// for several threads.
/// </summary>
internal sealed class DataCheck
{
    private const int mostGroups = 20;
    private const int fewestPromptsOfBoilerplate = 5;

    /// <summary>A prompt of a few words can begin an answer by chance, or as its title.</summary>
    private const int fewestCharactersRepeated = 16;

    private readonly DataCheckSettings settings;
    private readonly CheckedLists lists = new();
    private readonly SampledLists? sample, evalSample;
    private readonly SpecialTokenSearch specialTokens;
    private readonly NearDuplicates? nearPrompts;
    private readonly LengthCounts promptCharacters = new(), answerCharacters = new(), promptTokens = new(), answerTokens = new();
    private readonly SortedDictionary<int, int> listsByAnswerCount = [];
    private readonly Dictionary<string, int> listsByGroup = [], listsByScript = [], listsByLanguage = [];
    private readonly Tally tiedPairs = new(), listsWithoutPairs = new(), margins = new(), weights = new(), groups = new();
    private readonly Tally cutLists = new(), identicalTexts = new(), identicalTokens = new(), identicalAnswers = new();
    private readonly Tally emptyAnswers = new(), oneTokenAnswers = new(), repeatedPrompts = new(), specialTokenLists = new();
    private readonly Tally mojibake = new(), replacements = new(), byteOrderMarks = new(), controls = new(), entities = new();
    private readonly Tally mixedScripts = new(), longerIsBetter = new(), shorterIsBetter = new();

    /// <summary>Of whole lists, while all have the same prompt; null since another one came.</summary>
    private NearDuplicates? nearLists;
    private TruncationCount truncation;
    private int textListCount, tokenListCount;
    private long textAnswerCount, tokenAnswerCount, pairCount, textPairCount;

    public DataCheck(DataCheckSettings settings)
    {
        this.settings = settings;
        sample = settings.HasNgrams ? new SampledLists(settings.MaxNgramLists) : null;
        evalSample = settings.HasNgrams ? new SampledLists(settings.MaxNgramLists) : null;
        nearPrompts = settings.HasNearDuplicates ? new NearDuplicates() : null;
        nearLists = settings.HasNearDuplicates ? new NearDuplicates() : null;
        specialTokens = new SpecialTokenSearch(settings.SpecialTokens);
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

        CountText(plain, TextScan.Of(plain.Prompt), scans);
        if (tokens is not null)
            CountTokens(tokens, cut);
        CountScores(answers, EqualTexts(answers), tokens?.EqualAnswers(), list.Source, hasText: true);
        CountNotes(list.Margin, list.Weight, list.Group, list.Source);
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

        CountTokens(tokens, cut);
        CountScores(answers, null, tokens.EqualAnswers(), tokens.Source, hasText: false);
        CountNotes(tokens.Margin, tokens.Weight, tokens.Group, tokens.Source);
    }

    /// <summary>
    /// Clusters of lists whose prompts are nearly the same, by which they can be split: for each list, in the order in which they were added,
    /// the number of its cluster. Where all lists have the same prompt, their answers are compared.
    /// </summary>
    /// <exception cref="InvalidOperationException">The settings leave near duplicates out.</exception>
    public int[] NearDuplicateClusters()
    {
        if (nearPrompts is null)
            throw new InvalidOperationException("The check's settings leave near duplicates out.");
        if (nearLists is not null)
            return nearLists.Sets(settings.Similarity).Ids();
        var ofPrompts = nearPrompts.Sets(settings.Similarity).Ids();
        return [.. Enumerable.Range(0, lists.Count).Select(list => ofPrompts[lists.PromptOf(list)])];
    }

    /// <summary>What was found.</summary>
    /// <param name="isHeldOut">For each list, in the order in which they were added, whether it is held out.</param>
    /// <exception cref="ArgumentException">There are more or fewer sides than lists.</exception>
    public DataReport Report(IReadOnlyList<bool> isHeldOut)
    {
        if (isHeldOut.Count != lists.Count)
            throw new ArgumentException(
                $"There are {Counted.Of(isHeldOut.Count, "side")} for {Counted.Of(lists.Count, "list")}; expected one for each.", nameof(isHeldOut));
        var keys = lists.Keys();
        var clusters = nearPrompts is null ? null : NearDuplicateClusters();
        var contradictions = Contradictions.In(lists);
        var baselines = new LazyBaselines(lists, keys, isHeldOut, settings);
        var report = new DataReport
        {
            ListCount = lists.Count,
            AnswerCount = lists.AnswerCount,
            PromptCount = lists.PromptCount,
            ListsByAnswerCount = listsByAnswerCount,
            PairCount = pairCount,
            TiedPairs = tiedPairs.Of(listsByAnswerCount.Sum(count => (long)count.Value * count.Key * (count.Key - 1) / 2)),
            ListsWithoutPairs = listsWithoutPairs.Of(lists.Count),
            Margins = margins.Of(lists.Count),
            Weights = weights.Of(lists.Count),
            Groups = groups.Of(lists.Count),
            ListsByGroup = Largest(listsByGroup),
            PromptCharacters = promptCharacters.Percentiles(),
            AnswerCharacters = answerCharacters.Percentiles(),
            PromptTokens = promptTokens.Percentiles(),
            AnswerTokens = answerTokens.Percentiles(),
            Truncation = tokenListCount > 0 ? truncation : null,
            CutLists = OfTokenLists(cutLists),
            IdenticalTexts = OfTextLists(identicalTexts),
            IdenticalTokens = OfTokenLists(identicalTokens),
            IdenticalAnswers = identicalAnswers.Of(lists.Count),
            Contradictions = contradictions.Pairs,
            Cycles = contradictions.Cycles,
            DuplicateLists = DuplicateLists(),
            SharedPrompts = SharedPrompts(keys),
            NearDuplicates = clusters is null ? null : NearDuplicatesOf(keys, clusters),
            LargestCluster = clusters?.CountBy(cluster => cluster).Max(cluster => cluster.Value),
            Split = isHeldOut.Contains(true) ? SplitOf(isHeldOut, keys, clusters) : null,
            EmptyAnswers = textListCount > 0 ? emptyAnswers.Of(textAnswerCount) : null,
            OneTokenAnswers = tokenListCount > 0 ? oneTokenAnswers.Of(tokenAnswerCount) : null,
            RepeatedPrompts = textListCount > 0 ? repeatedPrompts.Of(textAnswerCount) : null,
            Boilerplate = Boilerplate(keys),
            Mojibake = OfTextLists(mojibake),
            ReplacementCharacters = OfTextLists(replacements),
            ByteOrderMarks = OfTextLists(byteOrderMarks),
            ControlCharacters = OfTextLists(controls),
            HtmlEntities = OfTextLists(entities),
            SpecialTokens = OfTextLists(specialTokenLists),
            ListsByScript = textListCount > 0 ? Largest(listsByScript) : null,
            ListsByGuessedLanguage = textListCount > 0 ? Largest(listsByLanguage) : null,
            MixedScripts = OfTextLists(mixedScripts),
            LongerIsBetter = textListCount > 0 ? longerIsBetter.Of(textPairCount) : null,
            ShorterIsBetter = textListCount > 0 ? shorterIsBetter.Of(textPairCount) : null,
            Baselines = [.. baselines.Rules(), .. sample is null ? [] : baselines.Models([.. sample.InOrder(), .. evalSample!.InOrder()])],
        };
        return report with { Findings = DataFindings.Of(report) };
    }

    private DataCount? OfTextLists(Tally tally) => textListCount > 0 ? tally.Of(textListCount) : null;

    private DataCount? OfTokenLists(Tally tally) => tokenListCount > 0 ? tally.Of(tokenListCount) : null;

    private void CountText(RankedList list, TextScan prompt, TextScan[] answers)
    {
        textListCount++;
        textAnswerCount += answers.Length;
        promptCharacters.Add(list.Prompt.Length);
        var start = list.Prompt.AsSpan().Trim();
        var (flaws, letters, hasSpecial, isMixed) = (prompt.Flaws, prompt.Letters, specialTokens.IsIn(list.Prompt), false);
        for (var i = 0; i < answers.Length; i++)
        {
            var answer = list.Answers[i];
            answerCharacters.Add(answer.Length);
            emptyAnswers.AddIf(string.IsNullOrWhiteSpace(answer), list.Source);
            repeatedPrompts.AddIf(
                start.Length >= fewestCharactersRepeated && answer.AsSpan().TrimStart().StartsWith(start, StringComparison.Ordinal), list.Source);
            flaws |= answers[i].Flaws;
            letters.Add(answers[i].Letters);
            hasSpecial |= specialTokens.IsIn(answer);
            isMixed |= prompt.Letters.DiffersFrom(answers[i].Letters);
        }
        mojibake.AddIf(flaws.HasFlag(TextFlaws.Mojibake), list.Source);
        replacements.AddIf(flaws.HasFlag(TextFlaws.ReplacementCharacter), list.Source);
        byteOrderMarks.AddIf(flaws.HasFlag(TextFlaws.ByteOrderMark), list.Source);
        controls.AddIf(flaws.HasFlag(TextFlaws.ControlCharacter), list.Source);
        entities.AddIf(flaws.HasFlag(TextFlaws.HtmlEntity), list.Source);
        specialTokenLists.AddIf(hasSpecial, list.Source);
        mixedScripts.AddIf(isMixed, list.Source);
        CountOne(listsByScript, letters.Main.ToString().ToLowerInvariant());
        if (letters.Main == Script.Latin)
            CountOne(listsByLanguage, LanguageGuess.Of(list) ?? "unknown");
    }

    private void CountTokens(TokenizedList list, TruncationCount cut)
    {
        tokenListCount++;
        tokenAnswerCount += list.AnswerIds.Count;
        truncation += cut;
        cutLists.AddIf(cut.IsCut, list.Source);
        promptTokens.Add(list.PromptIds.Length);
        foreach (var ids in list.AnswerIds)
        {
            answerTokens.Add(ids.Length);
            oneTokenAnswers.AddIf(ids.Length == settings.TokensAfterAnswer + 1, list.Source);
        }
    }

    private void CountNotes(double? margin, double weight, string? group, SourceLine source)
    {
        margins.AddIf(margin is not null, source);
        weights.AddIf(weight != 1, source);
        groups.AddIf(group is not null, source);
        if (group is not null)
            CountOne(listsByGroup, group);
    }

    /// <summary>Counts pairs.</summary>
    /// <param name="answers">The list's answers.</param>
    /// <param name="equalTexts">For each answer the first one that is the same text; null where none is.</param>
    /// <param name="equalTokens">The same for tokens.</param>
    /// <param name="source">Where the list was read from.</param>
    /// <param name="hasText">Whether the answers have lengths in characters.</param>
    private void CountScores(CheckedAnswer[] answers, int[]? equalTexts, int[]? equalTokens, SourceLine source, bool hasText)
    {
        listsByAnswerCount[answers.Length] = listsByAnswerCount.GetValueOrDefault(answers.Length) + 1;
        var (pairs, tied, longer, shorter, hasEqualTexts, hasEqualTokens) = (0L, 0L, 0L, 0L, false, false);
        for (var i = 0; i < answers.Length; i++)
            for (var j = 0; j < i; j++)
            {
                if (answers[i].Score == answers[j].Score)
                {
                    tied++;
                    continue;
                }
                var (isEqualText, isEqualToken) = (equalTexts?[i] == equalTexts?[j] && equalTexts is not null,
                    equalTokens?[i] == equalTokens?[j] && equalTokens is not null);
                hasEqualTexts |= isEqualText;
                hasEqualTokens |= isEqualToken;
                if (isEqualText || isEqualToken)
                    continue;
                pairs++;
                var difference = answers[i].Characters - answers[j].Characters;
                if (difference != 0)
                    (longer, shorter) = answers[i].Score > answers[j].Score == difference > 0 ? (longer + 1, shorter) : (longer, shorter + 1);
            }
        pairCount += pairs;
        textPairCount += hasText ? pairs : 0;
        listsWithoutPairs.AddIf(pairs == 0, source);
        identicalTexts.AddIf(hasEqualTexts, source);
        identicalTokens.AddIf(hasEqualTokens, source);
        identicalAnswers.AddIf(hasEqualTexts || hasEqualTokens, source);
        foreach (var (tally, count) in new[] { (tiedPairs, tied), (longerIsBetter, longer), (shorterIsBetter, shorter) })
            if (count > 0)
                tally.Add(source, count);
    }

    private static int[]? EqualTexts(CheckedAnswer[] answers)
    {
        int[]? firstEqual = null;
        for (var i = 1; i < answers.Length; i++)
            for (var j = 0; j < i; j++)
                if (answers[i].Hash == answers[j].Hash)
                {
                    firstEqual ??= [.. Enumerable.Range(0, answers.Length)];
                    firstEqual[i] = j;
                    break;
                }
        return firstEqual;
    }

    private DataCount DuplicateLists()
    {
        var (tally, before) = (new Tally(), new HashSet<ulong>());
        for (var list = 0; list < lists.Count; list++)
            tally.AddIf(!before.Add(lists.HashOf(list)), lists.SourceOf(list));
        return tally.Of(lists.Count);
    }

    private DataCount SharedPrompts(int[] keys)
    {
        var counts = keys.CountBy(key => key).ToDictionary();
        var tally = new Tally();
        for (var list = 0; list < lists.Count; list++)
            tally.AddIf(counts[keys[list]] > 1, lists.SourceOf(list));
        return tally.Of(lists.Count);
    }

    private DataCount NearDuplicatesOf(int[] keys, int[] clusters)
    {
        var keyOf = new Dictionary<int, int>();
        var mixed = new HashSet<int>();
        for (var list = 0; list < keys.Length; list++)
            if (!keyOf.TryAdd(clusters[list], keys[list]) && keyOf[clusters[list]] != keys[list])
                mixed.Add(clusters[list]);
        var tally = new Tally();
        for (var list = 0; list < keys.Length; list++)
            tally.AddIf(mixed.Contains(clusters[list]), lists.SourceOf(list));
        return tally.Of(lists.Count);
    }

    private DataSplitReport SplitOf(IReadOnlyList<bool> isHeldOut, int[] keys, int[]? clusters)
    {
        int[] train = [.. Enumerable.Range(0, keys.Length).Where(list => !isHeldOut[list])];
        int[] heldOut = [.. Enumerable.Range(0, keys.Length).Where(list => isHeldOut[list])];
        var trainKeys = train.Select(list => keys[list]).ToHashSet();
        var trainTexts = clusters is null ? [] : train.Select(NormalizedOf).ToHashSet();
        var trainClusters = train.Select(list => clusters?[list]).ToHashSet();
        var (leak, leakButForSpace, nearLeak) = (new Tally(), new Tally(), new Tally());
        foreach (var list in heldOut)
            if (trainKeys.Contains(keys[list]))
                leak.Add(lists.SourceOf(list));
            else if (clusters is not null)
            {
                leakButForSpace.AddIf(trainTexts.Contains(NormalizedOf(list)), lists.SourceOf(list));
                nearLeak.AddIf(trainClusters.Contains(clusters[list]), lists.SourceOf(list));
            }
        return new DataSplitReport
        {
            TrainListCount = train.Length,
            HeldOutListCount = heldOut.Length,
            Leak = leak.Of(heldOut.Length),
            LeakButForSpaceAndCase = clusters is null ? null : leakButForSpace.Of(heldOut.Length),
            NearLeak = clusters is null ? null : nearLeak.Of(heldOut.Length),
        };

        ulong NormalizedOf(int list) => nearLists?.Normalized[list] ?? nearPrompts!.Normalized[lists.PromptOf(list)];
    }

    private DataCount Boilerplate(int[] keys)
    {
        var (hashes, uses) = (new ulong[lists.AnswerCount], new int[lists.AnswerCount]);
        for (int list = 0, next = 0; list < lists.Count; list++)
            foreach (var answer in lists.AnswersOf(list))
                (hashes[next], uses[next++]) = (answer.Hash, list);
        Array.Sort(hashes, uses);
        var tally = new Tally();
        for (int start = 0, end; start < hashes.Length; start = end)
        {
            end = start + 1;
            while (end < hashes.Length && hashes[end] == hashes[start])
                end++;
            if (end - start < fewestPromptsOfBoilerplate
                || uses[start..end].Select(list => keys[list]).Distinct().Count() < fewestPromptsOfBoilerplate)
                continue;
            tally.Add(lists.SourceOf(uses[start..end].Min()), end - start);
        }
        return tally.Of(lists.AnswerCount);
    }

    private static void CountOne(Dictionary<string, int> counts, string name) => counts[name] = counts.GetValueOrDefault(name) + 1;

    private static Dictionary<string, int> Largest(Dictionary<string, int> counts) => counts
        .OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(mostGroups)
        .ToDictionary(pair => pair.Key, pair => pair.Value);
}
