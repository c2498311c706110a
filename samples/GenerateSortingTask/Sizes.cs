namespace GenerateSortingTask;

/// <summary>What decides how hard the task is and how large the model is that learns it.</summary>
internal static class Sizes
{
    /// <summary>The items are the numbers from 1 to this one, a token each.</summary>
    public const int LargestItem = 20;

    public const int ItemsPerPrompt = 8;

    public const int AnswersPerPrompt = 9;

    /// <summary>One list to evaluate on for so many to train on.</summary>
    public const int TrainListsPerTestList = 10;

    public const int HiddenSize = 64;

    public const int Layers = 2;

    public const int AttentionHeads = 4;

    /// <summary>Prompt, answer and the end token take 20 tokens.</summary>
    public const int MaxPositions = 64;
}
