using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>
/// Takes the prompt off answers that repeat the whole of it at their start, as completions of a language model do: where all answers of a row
/// do so. One that begins with the words of a short prompt by chance keeps them.
/// </summary>
internal static class RepeatedPrompt
{
    /// <summary>An answer can begin with a shorter prompt by chance, as one to "Hello" does.</summary>
    private const int fewestCharacters = 16;

    /// <summary>Takes a prompt off the answers, if all of them start with it and say something after it.</summary>
    /// <returns>Whether it was.</returns>
    public static bool TakeOff(string prompt, string[] answers)
    {
        if (prompt.Length < fewestCharacters || answers.Length == 0 || !answers.All(answer => Repeats(answer, prompt)))
            return false;
        for (var i = 0; i < answers.Length; i++)
            answers[i] = answers[i][prompt.Length..];
        return true;
    }

    /// <summary>The same of messages, which are not alike by chance.</summary>
    public static bool TakeOff(IReadOnlyList<ChatMessage> prompt, ChatMessage[][] answers)
    {
        if (prompt.Count == 0 || answers.Length == 0 || !answers.All(answer => Repeats(answer, prompt)))
            return false;
        for (var i = 0; i < answers.Length; i++)
            answers[i] = answers[i][prompt.Count..];
        return true;
    }

    private static bool Repeats(string answer, string prompt) =>
        answer.StartsWith(prompt, StringComparison.Ordinal) && !CommonStart.IsInWord(answer, prompt.Length)
        && !string.IsNullOrWhiteSpace(answer[prompt.Length..]);

    private static bool Repeats(ChatMessage[] answer, IReadOnlyList<ChatMessage> prompt) =>
        answer.Length > prompt.Count && prompt.Zip(answer).All(pair => JsonElement.DeepEquals(pair.First.Json, pair.Second.Json));
}
