namespace RewardModel.Tokenizers.Pipeline;

/// <summary>Places in a text whose tokens are asked for: the ends of steps.</summary>
/// <param name="Ends">How many characters lie before each of them, ascending.</param>
/// <param name="Token">What stands before each of them; where it is the name of a special token, it is that token there.</param>
/// <param name="Others">The same of ends whose tokens are not asked for.</param>
internal sealed record EndMarks(int[] Ends, string Token, int[] Others)
{
    /// <summary>None.</summary>
    public static EndMarks None { get; } = new([], "", []);

    /// <summary>Whether a special token's name at a place of the text ends a step.</summary>
    public bool IsToken(int start, string content) => content == Token
        && (Array.BinarySearch(Ends, start + content.Length) >= 0 || Array.BinarySearch(Others, start + content.Length) >= 0);
}
