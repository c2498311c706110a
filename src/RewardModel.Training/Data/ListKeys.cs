using System.IO.Hashing;
using System.Runtime.InteropServices;
using RewardModel.Lists;

namespace RewardModel.Training.Data;

/// <summary>What a list is told apart by without its text or its token ids: hashes, which are the same everywhere and depend on no seed.</summary>
/// <param name="Prompt">Of the prompt: lists with the same one belong together.</param>
/// <param name="Answers">Of all answers, in their order.</param>
/// <param name="Source">The number of what the list was read from: what has a weight of its own in an epoch.</param>
internal readonly record struct ListKeys(UInt128 Prompt, ulong Answers, int Source = 0)
{
    /// <summary>The keys of a list of text, which stay the same whatever the tokenizer makes of it.</summary>
    public static ListKeys Of(RankedList list, int source = 0)
    {
        var answers = new XxHash128();
        foreach (var answer in list.Answers)
            Append<char>(answers, answer);
        return new ListKeys(HashOf<char>(list.Prompt), (ulong)answers.GetCurrentHashAsUInt128(), source);
    }

    /// <summary>The keys of a list that came as token ids.</summary>
    public static ListKeys Of(TokenizedList list, int source = 0)
    {
        var answers = new XxHash128();
        foreach (var answer in list.AnswerIds)
            Append<int>(answers, answer);
        return new ListKeys(HashOf<int>(list.PromptIds), (ulong)answers.GetCurrentHashAsUInt128(), source);
    }

    /// <summary>The key of a group's name.</summary>
    public static ulong OfGroup(string group) => (ulong)HashOf<char>(group);

    /// <summary>
    /// What of a list changes the result of a step: token ids, token type, scores, attributes, margin and weight. Not where it was read from, nor in
    /// which form it is kept.
    /// </summary>
    public static UInt128 ContentOf(TokenizedList list)
    {
        var hash = new XxHash128();
        Append<int>(hash, list.PromptIds);
        Append<double>(hash, list.Scores as double[] ?? [.. list.Scores]);
        Append<int>(hash, [list.AnswerTokenType]);
        foreach (var answer in list.AnswerIds)
            Append<int>(hash, answer);
        for (var k = 0; list.OwnPromptIds is not null && k < list.AnswerIds.Count; k++)
            Append<int>(hash, list.PromptOf(k));
        Append<double>(hash, [list.Margin ?? -1, list.Weight]);
        for (var k = 0; k < list.Attributes?.Count; k++)
            foreach (var (name, value) in list.Attributes[k].OrderBy(attribute => attribute.Key, StringComparer.Ordinal))
            {
                Append<char>(hash, name);
                Append<double>(hash, [k, value]);
            }
        return hash.GetCurrentHashAsUInt128();
    }

    private static UInt128 HashOf<TValue>(ReadOnlySpan<TValue> values) where TValue : unmanaged =>
        XxHash128.HashToUInt128(MemoryMarshal.AsBytes(values));

    /// <summary>With their number, so that values can't move from one array to the next unnoticed.</summary>
    private static void Append<TValue>(XxHash128 hash, ReadOnlySpan<TValue> values) where TValue : unmanaged
    {
        var count = values.Length;
        hash.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in count)));
        hash.Append(MemoryMarshal.AsBytes(values));
    }
}
