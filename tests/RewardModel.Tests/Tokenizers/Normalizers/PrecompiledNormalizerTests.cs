using RewardModel.Tokenizers.Normalizers;

namespace RewardModel.Tests.Tokenizers.Normalizers;

public class PrecompiledNormalizerTests
{
    [Theory]
    [InlineData("", "it has 0 bytes, expected at least 4")]
    [InlineData("00000000", "its trie has 0 bytes, expected a positive multiple of 4")]
    [InlineData("0300000000000000", "its trie has 3 bytes, expected a positive multiple of 4")]
    [InlineData("080000000000000000", "its trie should have 8 bytes, but only 5 are present")]
    [InlineData("FCFFFFFF00000000", "its trie should have 4294967292 bytes, but only 4 are present")]
    public void A_malformed_table_says_what_is_wrong(string hex, string expected)
    {
        Assert.Null(PrecompiledNormalizer.TryRead(Convert.FromHexString(hex), out var reason));
        Assert.Equal(expected, reason);
    }

    /// <summary>Units 0x61 and on: "a" ends here, with its value in a unit that is not there, or its text behind the last.</summary>
    [Theory]
    [InlineData(0x61u | 0x100, 0u, "A")]
    [InlineData(0x61u | 0x100, 5u, "a")] // behind the replacements
    [InlineData(0x61u | 0x100, 0x7FFFFFFFu, "a")]
    [InlineData(0x61u | 0x100 | (0x3FFFFFu << 10), 0u, "a")] // a node behind the trie
    [InlineData(0x61u, 0u, "a")] // nothing ends here
    [InlineData(0x62u | 0x100, 0u, "a")] // another character's
    public void A_table_that_leads_nowhere_replaces_nothing(uint unit, uint value, string expected)
    {
        // The root's offset is 256, so "a" is at 256 ^ 0x61; its own offset is 1, unless it is given.
        var trie = new uint[512];
        trie[0] = 256u << 10;
        trie[256 ^ 0x61] = unit | (unit >> 10 == 0 ? 1u << 10 : 0);
        trie[256 ^ 0x61 ^ 1] = value;
        byte[] table = [.. BitConverter.GetBytes(512 * 4), .. trie.SelectMany(BitConverter.GetBytes), .. "A\0"u8];
        Assert.Equal(expected, PrecompiledNormalizer.TryRead(table, out _)!.Normalize("a"));
    }
}
