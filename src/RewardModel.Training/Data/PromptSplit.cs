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
        Of(lists.Count, index => ListKeys.Of(lists[index]), evalFraction, seed) is { } sides
            ? ([.. sides.Train.Select(index => lists[index])], [.. sides.Eval.Select(index => lists[index])])
            : (lists, []);

    /// <inheritdoc cref="Of(IReadOnlyList{RankedList}, double, ulong)"/>
    /// <param name="lists">Lists of token ids.</param>
    /// <param name="evalFraction">As for lists of text.</param>
    /// <param name="seed">As for lists of text.</param>
    public static (IReadOnlyList<TokenizedList> Train, IReadOnlyList<TokenizedList> Eval) Of(
        IReadOnlyList<TokenizedList> lists, double evalFraction, ulong seed) =>
        Of(lists.Count, lists.KeysOf, evalFraction, seed) is { } sides
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
    /// <param name="keysOf">The keys of each; asked for once.</param>
    /// <param name="evalFraction">The fraction of the prompts to hold out.</param>
    /// <param name="seed">Decides which.</param>
    /// <returns>The indices of each side, in their order; null for a fraction of 0, which holds out nothing.</returns>
    internal static (int[] Train, int[] Eval)? Of(int count, Func<int, ListKeys> keysOf, double evalFraction, ulong seed)
    {
        var prompts = new ulong[count];
        var answers = new ulong[count];
        for (var i = 0; i < count; i++)
        {
            var keys = keysOf(i);
            (prompts[i], answers[i]) = ((ulong)keys.Prompt, keys.Answers);
        }
        return Of(prompts.AsSpan().ContainsAnyExcept(count > 0 ? prompts[0] : 0) ? prompts : answers, evalFraction, seed, "list");
    }

    /// <summary>Splits lists so that all with the same key are on one side: of a group, or of similar prompts.</summary>
    /// <param name="keys">The key of each list. It decides by itself and the seed where the list comes.</param>
    /// <param name="evalFraction">The fraction of the keys to hold out, from 0 to below 1; at least one is on each side, unless it is 0.</param>
    /// <param name="seed">Decides which.</param>
    /// <param name="name">What lists of one key are, for messages, in the singular.</param>
    /// <returns>The indices of each side, in their order; null for a fraction of 0.</returns>
    /// <exception cref="ArgumentException">The fraction is out of range, or there are fewer than two keys.</exception>
    internal static (int[] Train, int[] Eval)? Of(ulong[] keys, double evalFraction, ulong seed, string name)
    {
        if (!(evalFraction >= 0 && evalFraction < 1))
            throw new ArgumentException($"The held-out fraction is {evalFraction}; expected a number from 0 to below 1.");
        if (evalFraction == 0)
            return null;
        // Different for different keys, as the function that mixes their bits can be undone.
        var ranks = Array.ConvertAll(keys, key => SplitMix64.Mix(SplitMix64.Mix(seed) + key));
        ulong[] distinct = [.. ranks];
        Array.Sort(distinct);
        var count = 0;
        for (var i = 0; i < distinct.Length; i++)
            if (i == 0 || distinct[i] != distinct[i - 1])
                distinct[count++] = distinct[i];
        if (count < 2)
            throw new ArgumentException(
                $"There {Counted.Verb(count, "is", "are")} {Counted.Of(count, $"distinct {name}")}; expected at least 2, to hold some out. "
                + "Provide more lists or a separate file for evaluation (--eval-data), or turn evaluation off (--eval-fraction 0).");
        var last = distinct[Math.Clamp((int)Math.Round(count * evalFraction), 1, count - 1) - 1];
        return (IndicesOf(rank => rank > last), IndicesOf(rank => rank <= last));

        int[] IndicesOf(Func<ulong, bool> isOfSide) => [.. Enumerable.Range(0, ranks.Length).Where(index => isOfSide(ranks[index]))];
    }

    /// <summary>How many prompts are among the lists of both sides.</summary>
    internal static int CountShared(IReadOnlyList<TokenizedList> train, IReadOnlyList<TokenizedList> eval)
    {
        var ofEval = Enumerable.Range(0, eval.Count).Select(index => eval.KeysOf(index).Prompt).ToHashSet();
        return Enumerable.Range(0, train.Count).Select(index => train.KeysOf(index).Prompt).Where(ofEval.Contains).Distinct().Count();
    }
}
