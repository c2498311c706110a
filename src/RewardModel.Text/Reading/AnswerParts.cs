using System.Collections.Frozen;
using System.Runtime.InteropServices;
using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>Joins rows of one answer each into the lists of their prompts.</summary>
internal sealed class AnswerParts
{
    private readonly Dictionary<(string Prompt, string? Group), List<RankedList>> answers = [];

    /// <summary>How many lists there are.</summary>
    public int Count => answers.Count;

    /// <summary>What is wrong with an answer beside those of the same list; null where nothing is.</summary>
    public string? ProblemOf(RankedList answer)
    {
        if (!answers.TryGetValue((answer.Prompt, answer.Group), out var others))
            return null;
        var first = others[0];
        return first.Margin != answer.Margin ? Differs("margin", answer.Margin, first.Margin)
            : first.Weight != answer.Weight ? Differs("weight", answer.Weight, first.Weight)
            : first.IsUnscored != answer.IsUnscored ? $"{(answer.IsUnscored ? "no score or rank" : "a score or rank")}, expected "
                + $"{(answer.IsUnscored ? "one" : "none")} as in {first.Source}: both are answers of one list"
            : null;

        string Differs(string name, double? found, double? expected) => FormattableString.Invariant(
            $"\"{name}\" is {found?.ToString() ?? "absent"}, expected {expected?.ToString() ?? "none"} as in {first.Source}: both are answers of one list");
    }

    /// <summary>Adds an answer.</summary>
    /// <param name="answer">A list of it alone.</param>
    public void Add(RankedList answer) =>
        (CollectionsMarshal.GetValueRefOrAddDefault(answers, (answer.Prompt, answer.Group), out _) ??= []).Add(answer);

    /// <summary>The lists, in the order of their first answers, from where they are.</summary>
    public IEnumerable<RankedList> Lists() => answers.Values.Select(Joined);

    private static RankedList Joined(List<RankedList> parts)
    {
        var first = parts[0];
        double[] scores = [.. parts.Select(part => part.Scores[0])];
        var list = first.Chat is { } chat
            ? RankedList.OfChat(new RankedChat(chat.Prompt, [.. parts.Select(part => part.Chat!.Answers[0])]), scores, first.Source)
            : new RankedList(first.Prompt, [.. parts.Select(part => part.Answers[0])], scores, first.Source);
        return list with
        {
            ScoresAreOrder = first.ScoresAreOrder,
            Margin = first.Margin,
            Weight = first.Weight,
            Group = first.Group,
            Attributes = parts.Exists(part => part.Attributes is not null)
                ? [.. parts.Select(part => part.Attributes?[0] ?? FrozenDictionary<string, double>.Empty)] : null,
        };
    }
}
