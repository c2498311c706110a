namespace RewardModel.Data;

/// <summary>
/// DuckDB writes numbers that are not finite by names that JSON doesn't have. Tables often have them where there is no value, so they are null.
/// </summary>
internal static class NotFinite
{
    private static readonly byte[][] names = ["NaN"u8.ToArray(), "-NaN"u8.ToArray(), "Infinity"u8.ToArray(), "-Infinity"u8.ToArray()];

    /// <summary>The row with null in the place of NaN and of infinities: itself, where it has none.</summary>
    /// <param name="json">A row as DuckDB writes it.</param>
    public static ReadOnlyMemory<byte> AsNull(ReadOnlyMemory<byte> json)
    {
        var text = json.Span;
        if (text.IndexOf("NaN"u8) < 0 && text.IndexOf("Infinity"u8) < 0)
            return json;
        var result = new List<byte>(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var length = text[i] == '"' ? LengthOfText(text[i..]) : 1;
            var name = Array.Find(names, name => json.Span[i..].StartsWith(name));
            result.AddRange(name is null ? text.Slice(i, length) : "null"u8);
            i += name?.Length ?? length;
        }
        return result.ToArray();
    }

    private static int LengthOfText(ReadOnlySpan<byte> json)
    {
        var length = 1;
        for (; json[length] != '"'; length++)
            if (json[length] == '\\')
                length++;
        return length + 1;
    }
}
