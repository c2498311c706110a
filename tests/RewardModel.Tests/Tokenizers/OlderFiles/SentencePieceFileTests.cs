using System.Text;
using RewardModel.Tokenizers.OlderFiles;

namespace RewardModel.Tests.Tokenizers.OlderFiles;

public class SentencePieceFileTests
{
    [Fact]
    public void Pieces_and_settings_are_read_and_other_fields_left_out()
    {
        byte[] content =
        [
            .. Field(1, [.. Field(1, "<unk>"), .. Varint(3, 2)]),
            .. Field(1, [.. Field(1, "▁a"), .. Float(2, -1.5f)]),
            .. Field(1, [.. Field(1, "<s>"), .. Varint(3, 3), .. Field(9, "?")]),
            .. Field(2, [.. Varint(3, 2), .. Varint(35, 1), .. Field(45, "<unk>"), .. Varint(40, 0), .. Float(10, 0.5f)]),
            .. Field(3, [.. Field(1, "identity"), .. Field(2, "map")]),
            .. Field(4, "self test"),
        ];
        var file = SentencePieceFile.Read(content);
        Assert.Equal(
            [
                new SentencePiece("<unk>", 0, (SentencePieceKind)2), new SentencePiece("▁a", -1.5f, SentencePieceKind.Normal),
                new SentencePiece("<s>", 0, SentencePieceKind.Control),
            ],
            file.Pieces);
        Assert.Equal((true, true, 0, "<unk>"), (file.IsBpe, file.FallsBackToBytes, file.UnknownId, file.UnknownPiece));
        Assert.Equal("map"u8.ToArray(), file.Charsmap);
    }

    [Fact]
    public void Merges_are_all_ways_to_cut_pieces_the_best_pieces_first()
    {
        var pieces = new[] { ("a", 0f), ("b", 0f), ("abb", -3f), ("ab", -1f), ("bb", -2f), ("\U0001F600a", -1f), ("\U0001F600", 0f) };
        byte[] content = [.. pieces.SelectMany(piece => Field(1, [.. Field(1, piece.Item1), .. Float(2, piece.Item2)]))];
        Assert.Equal(
            [("a", "b"), ("\U0001F600", "a"), ("b", "b"), ("ab", "b"), ("a", "bb")], SentencePieceFile.Read(content).Merges());
    }

    [Theory]
    [InlineData("", "it has no pieces")]
    [InlineData("0A", "a field should have 1 bytes, but only 0 are present")]
    [InlineData("0A05", "a field should have 5 bytes, but only 0 are present")]
    [InlineData("0AFFFFFFFFFFFFFFFFFF01", "a field should have 18446744073709551615 bytes, but only 0 are present")]
    [InlineData("08FFFFFFFFFFFFFFFFFFFF01", "a number has more than 10 bytes")]
    [InlineData("0B", "a field has the wire type 3, expected 0, 1, 2 or 5")]
    [InlineData("0D0000", "a field should have 4 bytes, but only 2 are present")]
    [InlineData("0A03" + "0A0161" + "1202" + "1804", "its model type is 4, expected 1 (Unigram) or 2 (BPE)")]
    [InlineData("0A03" + "0A0161" + "1203" + "C00201", "its unk_id is 1, but it has 1 pieces")]
    [InlineData("0A08" + "0A0161" + "150000C07F", "the score of 'a' is NaN")]
    public void A_malformed_file_is_an_error(string hex, string expected) =>
        Assert.Equal(expected, Assert.Throws<InvalidDataException>(() => SentencePieceFile.Read(Convert.FromHexString(hex))).Message);

    [Fact]
    public void A_piece_without_end_is_an_error()
    {
        byte[] piece = [0x0A, 0x81, 0x08, .. Enumerable.Repeat((byte)'a', 1025)];
        byte[] content = [0x0A, 0x84, 0x08, .. piece];
        Assert.Equal(
            "a piece has 1025 characters, expected at most 1024",
            Assert.Throws<InvalidDataException>(() => SentencePieceFile.Read(content)).Message);
    }

    private static byte[] Field(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

    private static byte[] Field(int number, byte[] content) => [.. Key(number, 2), (byte)content.Length, .. content];

    private static byte[] Varint(int number, byte value) => [.. Key(number, 0), value];

    private static byte[] Float(int number, float value) => [.. Key(number, 5), .. BitConverter.GetBytes(value)];

    private static byte[] Key(int number, int type)
    {
        var key = (number << 3) | type;
        return key < 0x80 ? [(byte)key] : [(byte)(key | 0x80), (byte)(key >> 7)];
    }
}
