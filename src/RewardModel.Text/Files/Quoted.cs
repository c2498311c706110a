using System.Text;
using System.Text.Json.Nodes;

namespace RewardModel.Files;

/// <summary>Text found in a file, made fit for a message: of bounded length and without control characters.</summary>
internal static class Quoted
{
    private const int MaxLength = 80;

    public static string Text(string text) => $"'{Printable(text)}'";

    public static string Json(JsonNode? value) => Printable(value is null ? "null" : value.ToJsonString());

    /// <summary>The same without quotes.</summary>
    /// <param name="text">The text.</param>
    /// <param name="longest">How many characters of it are kept.</param>
    /// <param name="keepsLines">Whether its line breaks are kept, too.</param>
    public static string Cut(string text, int longest = MaxLength, bool keepsLines = false) => Printable(text, longest, keepsLines);

    private static string Printable(string text, int longest = MaxLength, bool keepsLines = false)
    {
        var printable = new StringBuilder();
        foreach (var character in text.AsSpan(0, Math.Min(text.Length, longest)))
            printable.Append(
                !(char.IsControl(character) || char.IsSurrogate(character)) || (keepsLines && character == '\n')
                    ? character.ToString() : $"\\u{(int)character:x4}");
        return text.Length > longest ? $"{printable}..." : printable.ToString();
    }
}
