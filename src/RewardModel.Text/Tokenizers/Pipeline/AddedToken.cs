namespace RewardModel.Tokenizers.Pipeline;

/// <summary>A token that is found in the text itself, before the model sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">The text that stands for it.</param>
/// <param name="IsSingleWord">Whether it is left alone inside a word.</param>
/// <param name="StripsLeft">Whether it takes the white space before it.</param>
/// <param name="StripsRight">Whether it takes the white space after it.</param>
/// <param name="IsNormalized">Whether it is looked for in the normalised text.</param>
/// <param name="IsSpecial">Whether it is a sign to the model, which decoding may skip and users' text must not contain.</param>
internal sealed record AddedToken(
    int Id, string Content, bool IsSingleWord, bool StripsLeft, bool StripsRight, bool IsNormalized, bool IsSpecial)
{
    /// <summary>Each place of a text is compared with whole tokens.</summary>
    private const int MaxLength = 512;

    public static AddedToken Read(JsonComponent component)
    {
        var token = new AddedToken(
            component.Number("id"),
            component.Text("content"),
            component.OptionalFlag("single_word") ?? false,
            component.OptionalFlag("lstrip") ?? false,
            component.OptionalFlag("rstrip") ?? false,
            component.OptionalFlag("normalized") ?? false,
            component.OptionalFlag("special") ?? false);
        component.RejectUnread();
        if (token.Content.Length > MaxLength)
            component.AddProblem($"'content' has {token.Content.Length} characters, expected at most {MaxLength}");
        return token;
    }
}
