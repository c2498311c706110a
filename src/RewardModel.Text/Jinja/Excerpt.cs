using RewardModel.Files;

namespace RewardModel.Jinja;

/// <summary>Names and texts of templates and messages in our own messages.</summary>
internal static class Excerpt
{
    private const int MaxLength = 100;

    /// <summary>The most that the reason of an error has; a template may write one of its own.</summary>
    private const int MaxProblemLength = 2000;

    /// <summary>The start of a text where it is long.</summary>
    public static string Of(string text) => Cut(text, MaxLength);

    public static string OfProblem(string problem) => Cut(problem, MaxProblemLength, keepsLines: true);

    private static string Cut(string text, int maxLength, bool keepsLines = false) =>
        Quoted.Cut(text, maxLength, keepsLines) + (text.Length <= maxLength ? "" : $" ({text.Length} characters)");
}
