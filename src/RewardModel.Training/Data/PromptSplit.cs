using System.Runtime.InteropServices;
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
        Split(lists, list => list.Prompt, list => string.Join('\0', list.Answers), evalFraction, seed);

    /// <inheritdoc cref="Of(IReadOnlyList{RankedList}, double, ulong)"/>
    /// <param name="lists">Lists of token ids.</param>
    /// <param name="evalFraction">As for lists of text.</param>
    /// <param name="seed">As for lists of text.</param>
    public static (IReadOnlyList<TokenizedList> Train, IReadOnlyList<TokenizedList> Eval) Of(
        IReadOnlyList<TokenizedList> lists, double evalFraction, ulong seed) =>
        Split(lists, list => Key(list.PromptIds), list => string.Join('\0', list.AnswerIds.Select(Key)), evalFraction, seed);

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

    private static (IReadOnlyList<TList> Train, IReadOnlyList<TList> Eval) Split<TList>(
        IReadOnlyList<TList> lists, Func<TList, string> promptOf, Func<TList, string> answersOf, double evalFraction, ulong seed)
    {
        if (!(evalFraction >= 0 && evalFraction < 1))
            throw new ArgumentException($"The held-out fraction is {evalFraction}; expected a number from 0 to below 1.");
        if (evalFraction == 0)
            return (lists, []);

        var keyOf = lists.Select(promptOf).Distinct(StringComparer.Ordinal).Count() == 1 ? answersOf : promptOf;
        var keys = lists.Select(keyOf).Distinct(StringComparer.Ordinal).ToList();
        if (keys.Count < 2)
            throw new ArgumentException(
                $"There {Counted.Verb(keys.Count, "is", "are")} {Counted.Of(keys.Count, "distinct list")}; expected at least 2, to hold "
                + "some out. "
                + "Provide more lists or a separate file for evaluation (--eval-data), or turn evaluation off (--eval-fraction 0).");
        var evalCount = Math.Clamp((int)Math.Round(keys.Count * evalFraction), 1, keys.Count - 1);
        var evalKeys = keys
            .OrderBy(key => Hash(key, seed))
            .ThenBy(key => key, StringComparer.Ordinal)
            .Take(evalCount)
            .ToHashSet(StringComparer.Ordinal);
        var sides = lists.ToLookup(list => evalKeys.Contains(keyOf(list)));
        return ([.. sides[false]], [.. sides[true]]);
    }

    /// <summary>Two characters hold one id: the string is only a key that compares as the ids do.</summary>
    private static string Key(int[] ids) => new(MemoryMarshal.Cast<int, char>(ids));

    private static ulong Hash(string key, ulong seed)
    {
        var hash = SplitMix64.Mix(seed);
        foreach (var character in key)
            hash = SplitMix64.Mix(hash + character + 1);
        return hash;
    }
}
