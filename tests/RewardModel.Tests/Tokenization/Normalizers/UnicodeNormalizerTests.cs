using System.Security.Cryptography;
using System.Text;
using RewardModel.Tokenization.Normalizers;

namespace RewardModel.Tests.Tokenization.Normalizers;

public class UnicodeNormalizerTests
{
    private readonly UnicodeNormalizer normalizer = UnicodeNormalizer.Nfc;

    [Theory]
    [InlineData("plain ASCII", "plain ASCII")]
    [InlineData("e\u0301", "\u00E9")]
    [InlineData("\u00E9", "\u00E9")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307")] // marks are sorted by class
    [InlineData("a\u0323\u0302", "\u1EAD")] // and composed twice
    [InlineData("a\u0302\u0323", "\u1EAD")]
    [InlineData("a\u0301\u0301", "\u00E1\u0301")] // a mark of the same class blocks
    [InlineData("\u0958", "\u0915\u093C")] // excluded from composition
    [InlineData("\u212B", "\u00C5")] // the angstrom sign
    [InlineData("\u1112\u1161\u11AB", "\uD55C")] // Hangul
    [InlineData("\uD55C", "\uD55C")]
    [InlineData("\u0301e", "\u0301e")] // nothing to combine with
    [InlineData("\uD834\uDD5E", "\uD834\uDD57\uD834\uDD65")] // outside of the basic plane
    [InlineData("\uFB01", "\uFB01")] // compatibility characters stay
    public void Text_is_composed(string text, string expected) => Assert.Equal(expected, normalizer.Normalize(text));

    /// <summary>
    /// The digest of Python's <c>unicodedata.normalize('NFC', ...)</c>, version 14.0.0 of Unicode, of every character alone and between
    /// marks, each in UTF-8 with a line feed after it.
    /// </summary>
    [Fact]
    public void Every_character_alone_and_between_marks_is_composed_as_Python_does()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var code = 0; code < 0x110000; code++)
            if (Rune.IsValid(code))
            {
                var character = char.ConvertFromUtf32(code);
                hash.AppendData(Encoding.UTF8.GetBytes(normalizer.Normalize(character) + "\n"));
                hash.AppendData(Encoding.UTF8.GetBytes(normalizer.Normalize($"a\u0301{character}\u0323\u0308") + "\n"));
            }
        Assert.Equal("6cb3dd2c30b0840b05de57350647d7c7bef6e7e0a07c4f3319ddd60da4d84437", Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
