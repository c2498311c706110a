using RewardModel.Lists;
using RewardModel.Reading;

namespace RewardModel.Training.Data;

/// <summary>
/// Splits lists into a training set and a held-out set, by prompt: all lists of a prompt are on the same side, so no prompt is both
/// trained on and evaluated.
/// </summary>
/// <remarks>
/// The side of a prompt depends on the prompts and the seed alone, not on the order of the lists: a shuffled file is split in
/// the same way, and a few more prompts move only a few. Each side keeps the order of the lists. Where all lists have the same
/// prompt (a fixed instruction), the lists themselves are split, equal ones together.
/// </remarks>
public static class PromptSplit
{
    /// <summary>Holds out a fraction of the prompts, with all of their lists.</summary>
    /// <param name="lists">Lists of text.</param>
    /// <param name="evalFraction">
    /// The fraction of the prompts to hold out, at least 0 and below 1. 0: no held-out set; otherwise it is rounded to at least
    /// one prompt on each side.
    /// </param>
    /// <param name="seed">Decides which prompts are held out.</param>
    /// <exception cref="ArgumentException">
    /// The fraction is out of range, or there are fewer than two prompts, or lists of one prompt, to divide.
    /// </exception>
    public static (IReadOnlyList<RankedList> Train, IReadOnlyList<RankedList> Eval) Of(
        IReadOnlyList<RankedList> lists, double evalFraction, ulong seed) =>
        Of(lists.Count, Kept(lists.Count, index => ListKeys.Of(lists[index])), evalFraction, seed) is { } sides
            ? ([.. sides.Train.Select(index => lists[index])], [.. sides.Eval.Select(index => lists[index])])
            : (lists, []);

    /// <inheritdoc cref="Of(IReadOnlyList{RankedList}, double, ulong)"/>
    /// <param name="lists">Lists of token ids.</param>
    /// <param name="evalFraction">As for lists of text.</param>
    /// <param name="seed">As for lists of text.</param>
    public static (IReadOnlyList<TokenizedList> Train, IReadOnlyList<TokenizedList> Eval) Of(
        IReadOnlyList<TokenizedList> lists, double evalFraction, ulong seed) =>
        Of(lists.Count, lists is IIndexedLists ? lists.KeysOf : Kept(lists.Count, lists.KeysOf), evalFraction, seed) is { } sides
            ? (new ListSubset(lists, sides.Train), new ListSubset(lists, sides.Eval))
            : (lists, []);

    /// <inheritdoc cref="Of(IReadOnlyList{RankedList}, double, ulong)"/>
    /// <param name="file">A file's lists, of text or of token ids.</param>
    /// <param name="evalFraction">As for lists of text.</param>
    /// <param name="seed">As for lists of text.</param>
    /// <example>
    /// <code>
    /// var (train, heldOut) = PromptSplit.Of(RankedListReader.Read("train.jsonl"), evalFraction: 0.1, seed: 0);
    /// Console.WriteLine($"{train.Lists.Count} lists to train on, {heldOut.Lists.Count} to evaluate");
    /// </code>
    /// </example>
    public static (RankedListFile Train, RankedListFile Eval) Of(RankedListFile file, double evalFraction, ulong seed)
    {
        if (file.Lists.Count > 0)
        {
            var (train, eval) = Of(file.Lists, evalFraction, seed);
            return (file with { Lists = train }, file with { Lists = eval });
        }
        var (trainIds, evalIds) = Of(file.TokenizedLists, evalFraction, seed);
        return (file with { TokenizedLists = trainIds }, file with { TokenizedLists = evalIds });
    }

    /// <summary>Splits lists by their prompts, or by their answers where all have the same prompt.</summary>
    /// <param name="count">Number of lists.</param>
    /// <param name="keysOf">The keys of each; asked for several times, so that they need no memory.</param>
    /// <param name="evalFraction">The fraction of the prompts to hold out.</param>
    /// <param name="seed">Decides which.</param>
    /// <returns>The indices of each side, in their order; null for a fraction of 0, which holds out nothing.</returns>
    internal static (int[] Train, int[] Eval)? Of(int count, Func<int, ListKeys> keysOf, double evalFraction, ulong seed)
    {
        var hasOnePrompt = Enumerable.Range(0, count).All(index => PromptOf(index) == PromptOf(0));
        return Of(count, hasOnePrompt ? index => keysOf(index).Answers : PromptOf, evalFraction, seed, "list");

        ulong PromptOf(int index) => (ulong)keysOf(index).Prompt;
    }

    /// <summary>Splits lists by what is held out as a whole.</summary>
    /// <param name="by">What that is.</param>
    /// <param name="count">Number of lists.</param>
    /// <param name="keysOf">The keys of each.</param>
    /// <param name="groupOf">The key of each one's group.</param>
    /// <param name="clusters">The cluster of each among what is nearly the same; asked for where it is needed.</param>
    /// <param name="evalFraction">The fraction to hold out.</param>
    /// <param name="seed">Decides which.</param>
    /// <returns>The indices of each side, in their order; null for a fraction of 0.</returns>
    internal static (int[] Train, int[] Eval)? Of(
        SplitBy by, int count, Func<int, ListKeys> keysOf, Func<int, ulong> groupOf, Func<int[]> clusters, double evalFraction, ulong seed) => by switch
        {
            SplitBy.Group => Of(count, groupOf, evalFraction, seed, "group"),
            SplitBy.NearDuplicate => Of(clusters(), evalFraction, seed),
            _ => Of(count, keysOf, evalFraction, seed),
        };

    private static (int[] Train, int[] Eval)? Of(int[] clusters, double evalFraction, ulong seed) =>
        Of(clusters.Length, index => (ulong)clusters[index], evalFraction, seed, "set of near duplicate");

    /// <summary>Splits lists so that all with the same key are on one side: of a group, or of similar prompts.</summary>
    /// <param name="count">Number of lists.</param>
    /// <param name="keyOf">The key of each list, asked for twice. It decides by itself and the seed where the list comes.</param>
    /// <param name="evalFraction">The fraction of the keys to hold out, from 0 to below 1; at least one is on each side, unless it is 0.</param>
    /// <param name="seed">Decides which.</param>
    /// <param name="name">What lists of one key are, for messages, in the singular.</param>
    /// <returns>The indices of each side, in their order; null for a fraction of 0.</returns>
    /// <exception cref="ArgumentException">The fraction is out of range, or there are fewer than two keys.</exception>
    internal static (int[] Train, int[] Eval)? Of(int count, Func<int, ulong> keyOf, double evalFraction, ulong seed, string name)
    {
        if (!(evalFraction >= 0 && evalFraction < 1))
            throw new ArgumentException($"The held-out fraction is {evalFraction}; expected a number from 0 to below 1.");
        if (evalFraction == 0)
            return null;
        // Of lists there may be very many: eight bytes for each meanwhile, and four for its index.
        var sorted = new ulong[count];
        for (var i = 0; i < count; i++)
            sorted[i] = RankOf(i);
        Array.Sort(sorted);
        var distinctCount = 0;
        for (var i = 0; i < count; i++)
            distinctCount += IsFirstOfKey(i) ? 1 : 0;
        if (distinctCount < 2)
            throw new ArgumentException(
                $"There {Counted.Verb(distinctCount, "is", "are")} {Counted.Of(distinctCount, $"distinct {name}")}; expected at least 2, to hold some "
                + "out. Provide more lists or a separate file for evaluation (--eval-data), or turn evaluation off (--eval-fraction 0).");
        // The first rank that is not held out.
        var evalCount = 0;
        for (var passed = Math.Clamp((int)Math.Round(distinctCount * evalFraction), 1, distinctCount - 1); ; evalCount++)
            if (IsFirstOfKey(evalCount) && passed-- == 0)
                break;
        var (firstOfTrain, train, eval) = (sorted[evalCount], new int[count - evalCount], new int[evalCount]);
        for (int i = 0, trainCount = 0; i < count; i++)
            if (RankOf(i) >= firstOfTrain)
                train[trainCount++] = i;
            else
                eval[i - trainCount] = i;
        return (train, eval);

        // Different for different keys, as the function that mixes their bits can be undone.
        ulong RankOf(int index) => SplitMix64.Mix(SplitMix64.Mix(seed) + keyOf(index));

        bool IsFirstOfKey(int place) => place == 0 || sorted[place] != sorted[place - 1];
    }

    /// <summary>The keys of lists that have to be made, or hashed, for them.</summary>
    private static Func<int, ListKeys> Kept(int count, Func<int, ListKeys> keysOf)
    {
        ListKeys[] keys = [.. Enumerable.Range(0, count).Select(keysOf)];
        return index => keys[index];
    }

    /// <summary>How many prompts are among the lists of both sides.</summary>
    internal static int CountShared(IReadOnlyList<TokenizedList> train, IReadOnlyList<TokenizedList> eval)
    {
        var ofEval = Enumerable.Range(0, eval.Count).Select(index => eval.KeysOf(index).Prompt).ToHashSet();
        return Enumerable.Range(0, train.Count).Select(index => train.KeysOf(index).Prompt).Where(ofEval.Contains).Distinct().Count();
    }
}
