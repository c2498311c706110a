namespace GenerateSortingTask;

/// <summary>A smaller task than that of samples/GenerateSortingTask: its sources read these sizes here.</summary>
internal static class Sizes
{
    /// <summary>The items are the numbers from 1 to this one, a token each.</summary>
    public const int LargestItem = 15;

    public const int ItemsPerPrompt = 5;

    /// <summary>
    /// Of a list that demonstrations are taken from. Answers have from 0 to 10 pairs in the wrong order, all different in a list, so the
    /// best of four is the sorted one in 4 of 11 lists.
    /// </summary>
    public const int AnswersPerPrompt = 4;

    /// <summary>Prompt, answer and the end token take 14 tokens.</summary>
    public const int MaxPositions = 16;
}
