using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>Where a prompt ends that was not given, but is what two dialogues both start with.</summary>
internal enum PromptEnd
{
    /// <summary>The prompt was given.</summary>
    Given,

    /// <summary>After the last sign of a turn in the common start, such as <c>Assistant:</c> at the start of a line.</summary>
    Turn,

    /// <summary>After the last whole word of the common start.</summary>
    Word,
}

/// <summary>Finds the prompt of two whole dialogues, as texts or as messages.</summary>
internal static partial class CommonStart
{
    /// <summary>The length of the prompt, 0 where the dialogues do not start with the same word, and the rule it was found by.</summary>
    public static (int Length, PromptEnd End) Of(string chosen, string rejected)
    {
        var common = chosen.AsSpan().CommonPrefixLength(rejected);
        if (common > 0 && char.IsHighSurrogate(chosen[common - 1]))
            common--;
        if (Turn().Match(chosen[..common]) is { Success: true } turn)
            return (turn.Index + turn.Length, PromptEnd.Turn);

        var length = common;
        while (length > 0 && (IsInWord(chosen, length) || IsInWord(rejected, length)))
            length--;
        // White space belongs to the word after it, as tokenizers see it.
        return (chosen.AsSpan(0, length).TrimEnd().Length, PromptEnd.Word);
    }

    /// <summary>
    /// The messages that two conversations both start with, and what each of them has after these; a problem where there is nothing.
    /// </summary>
    /// <param name="fields">The row.</param>
    /// <param name="first">A conversation and its key.</param>
    /// <param name="second">The other.</param>
    /// <param name="expected">What is expected instead of different starts.</param>
    public static (ChatMessage[] Start, ChatMessage[][] Ends) Of(
        RowFields fields, (string Key, ChatMessage[] Messages) first, (string Key, ChatMessage[] Messages) second, string expected)
    {
        var common = first.Messages.Zip(second.Messages).TakeWhile(pair => JsonElement.DeepEquals(pair.First.Json, pair.Second.Json)).Count();
        if (fields.Problems.Count == 0 && common == 0)
            fields.Reject($"\"{first.Key}\" and \"{second.Key}\" start with different messages, expected {expected}");
        if (fields.Problems.Count == 0 && common == Math.Min(first.Messages.Length, second.Messages.Length))
            fields.Reject($"\"{first.Key}\" or \"{second.Key}\" has nothing after the messages that both start with");
        return (first.Messages[..common], [first.Messages[common..], second.Messages[common..]]);
    }

    /// <summary>Whether a word goes on at an index.</summary>
    public static bool IsInWord(string text, int index) => index < text.Length && IsOfWord(text[index - 1]) && IsOfWord(text[index]);

    /// <summary>Whether a character goes on a word: those of Chinese and Japanese are words of their own.</summary>
    private static bool IsOfWord(char character) =>
        character is not (>= '\u2e80' and <= '\u9fff' or >= '\uf900' and <= '\ufaff')
        && (char.IsLetterOrDigit(character) || char.IsSurrogate(character)
            || char.GetUnicodeCategory(character) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark);

    /// <summary>A word and a colon at the start of a line, such as <c>### Response:</c>; no address such as <c>http://</c>.</summary>
    [GeneratedRegex(@"(?<=^|\n)[ \t]*(#+ *|\*\*)?\p{L}[\p{L}\p{M}\p{N}_-]{0,29}(:(\*\*)?(?!\S)|：)", RegexOptions.RightToLeft)]
    private static partial Regex Turn();
}
