using System.Security.Cryptography;
using System.Text;
using RewardModel.Tokenizers.Normalizers;

namespace RewardModel.Tests.Tokenizers.Normalizers;

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

    [Theory]
    [InlineData("NFD", "\u1E69", "s\u0323\u0307")]
    [InlineData("NFD", "\uD55C", "\u1112\u1161\u11AB")]
    [InlineData("NFD", "\uFB01", "\uFB01")]
    [InlineData("NFKD", "\uFB01\u1E69", "fis\u0323\u0307")]
    [InlineData("NFKC", "\uFF21\u030A \u00BD", "\u00C5 1\u20442")] // decomposed for compatibility, then composed
    public void Other_forms_decompose_or_take_compatible_characters(string form, string text, string expected) =>
        Assert.Equal(expected, Form(form).Normalize(text));

    /// <summary>
    /// The digest of the same by Hugging Face's library, version 0.23.1: every character alone and between marks, each in UTF-8 with a
    /// line feed after it.
    /// </summary>
    [Theory]
    [InlineData("NFC", "7c1beb1873003c7f9aed7499bf85ca3b380a397d0bf97d96e86fb4db53449655")]
    [InlineData("NFD", "de98fe4a88544434ef63be2f909488ea57d0836c5aca2ed4c46342ccba66f225")]
    [InlineData("NFKC", "1ffe7cf8a98e4e8c1642adee287660c223558ca1531bbc61015942e64a235602")]
    [InlineData("NFKD", "9f2aaa80a674c5f8e5ba6c6758231d76206ec46f6205781a39bf2f2bc95eddd4")]
    public void Every_character_alone_and_between_marks_is_normalised_as_in_Hugging_Face(string form, string expected)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var code = 0; code < 0x110000; code++)
            if (Rune.IsValid(code))
            {
                var character = char.ConvertFromUtf32(code);
                hash.AppendData(Encoding.UTF8.GetBytes(Form(form).Normalize(character) + "\n"));
                hash.AppendData(Encoding.UTF8.GetBytes(Form(form).Normalize($"a\u0301{character}\u0323\u0308") + "\n"));
            }
        Assert.Equal(expected, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static UnicodeNormalizer Form(string name) => name switch
    {
        "NFC" => UnicodeNormalizer.Nfc,
        "NFD" => UnicodeNormalizer.Nfd,
        "NFKC" => UnicodeNormalizer.Nfkc,
        _ => UnicodeNormalizer.Nfkd,
    };
}
