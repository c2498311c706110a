using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>
/// Takes the prompt off answers that repeat the whole of it at their start, as completions of a language model do. Each answer is looked at
/// by itself, so that its reward does not depend on the others.
/// </summary>
internal static class RepeatedPrompt
{
    /// <summary>Takes a prompt off the answers that start with it and say something after it.</summary>
    /// <returns>Whether there was one.</returns>
    public static bool TakeOff(string prompt, string[] answers)
    {
        var found = false;
        for (var i = 0; i < answers.Length; i++)
            if (prompt != "" && answers[i].StartsWith(prompt, StringComparison.Ordinal)
                && !CommonStart.IsInWord(answers[i], prompt.Length) && !string.IsNullOrWhiteSpace(answers[i][prompt.Length..]))
                (answers[i], found) = (answers[i][prompt.Length..], true);
        return found;
    }

    /// <summary>The same of messages.</summary>
    public static bool TakeOff(IReadOnlyList<ChatMessage> prompt, ChatMessage[][] answers)
    {
        var found = false;
        for (var i = 0; i < answers.Length; i++)
            if (prompt.Count > 0 && answers[i].Length > prompt.Count
                && prompt.Zip(answers[i]).All(pair => JsonElement.DeepEquals(pair.First.Json, pair.Second.Json)))
                (answers[i], found) = (answers[i][prompt.Count..], true);
        return found;
    }
}
