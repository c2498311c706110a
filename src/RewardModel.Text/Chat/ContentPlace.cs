namespace RewardModel.Chat;

/// <summary>Where a message's content stands in a rendered conversation, as a whole or, as some templates have it, without white space around it.</summary>
/// <param name="Start">Where its first character that is rendered stands in the rendered text.</param>
/// <param name="First">The index of that character in the content.</param>
/// <param name="Length">How many of its characters are rendered.</param>
internal readonly record struct ContentPlace(int Start, int First, int Length)
{
    /// <summary>The place of a content; null where it is rendered in another way.</summary>
    /// <param name="rendering">The rendered text.</param>
    /// <param name="start">Where the message may begin in it.</param>
    /// <param name="content">The content.</param>
    public static ContentPlace? In(string rendering, int start, string content)
    {
        var trimmed = content.Trim();
        return rendering.IndexOf(content, start, StringComparison.Ordinal) is >= 0 and var whole ? new ContentPlace(whole, 0, content.Length)
            : rendering.IndexOf(trimmed, start, StringComparison.Ordinal) is >= 0 and var part
                ? new ContentPlace(part, content.Length - content.TrimStart().Length, trimmed.Length)
            : null;
    }
}
