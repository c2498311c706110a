using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using RewardModel.Reading;

namespace RewardModel.Tests.Reading;

public class LoneSurrogatesTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("\\", "\\", 0)]
    [InlineData("\\u", "\\u", 0)]
    [InlineData("\\ud83", "\\ud83", 0)]
    [InlineData("\\ud83g", "\\ud83g", 0)]
    [InlineData("a\\ud83d", "a\\ufffd", 1)]
    [InlineData("\\uD83Db", "\\ufffdb", 1)]
    [InlineData("\\uDE00", "\\ufffd", 1)]
    [InlineData("\\ud83d\\ude00", "\\ud83d\\ude00", 0)]
    [InlineData("\\ud83d\\ud83d\\ude00\\ude00", "\\ufffd\\ud83d\\ude00\\ufffd", 2)]
    [InlineData("\\ud83d\\n\\ude00", "\\ufffd\\n\\ufffd", 2)]
    [InlineData("\\\\ud83d", "\\\\ud83d", 0)] // an escaped backslash, and letters
    [InlineData("\\\\\\ud83d", "\\\\\\ufffd", 1)]
    [InlineData("\\u00e9\\\"\\ud83d\\u0041", "\\u00e9\\\"\\ufffd\\u0041", 1)]
    public void Only_escapes_of_lone_surrogates_are_replaced(string json, string expected, int count)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        Assert.Equal((count, expected), (LoneSurrogates.Replace(bytes), Encoding.UTF8.GetString(bytes)));
    }

    [Fact]
    public void Every_escaped_text_reads_as_its_text_with_replacement_characters()
    {
        var units = Gen.OneOf(
            Gen.Elements([.. "\\ud83d\"\uD83D\uDE00"]), Gen.Choose(0, char.MaxValue).Select(unit => (char)unit));
        Prop.ForAll(units.ListOf().Select(list => string.Concat(list)).ToArbitrary(), text =>
        {
            var escaped = Encoding.ASCII.GetBytes($"\"{string.Concat(text.Select(Escape))}\"");
            var loneCount = text.EnumerateRunes().Count(rune => rune == Rune.ReplacementChar) - text.Count(unit => unit == '\uFFFD');
            var count = LoneSurrogates.Replace(escaped);
            var read = JsonSerializer.Deserialize<string>(escaped);
            return count == loneCount && read == string.Concat(text.EnumerateRunes());
        }).QuickCheckThrowOnFailure();

        static string Escape(char unit) =>
            unit is '\\' or '"' ? $"\\{unit}" : char.IsAsciiLetterOrDigit(unit) ? $"{unit}" : $"\\u{(int)unit:x4}";
    }
}
