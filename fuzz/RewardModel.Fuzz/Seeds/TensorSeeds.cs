using System.Buffers.Binary;
using System.Text;

namespace RewardModel.Fuzz.Seeds;

/// <summary>Files of tensors.</summary>
internal static class TensorSeeds
{
    private static readonly string[] headers =
    [
        """{"__metadata__": {"format": "pt"}, "a.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}""",
        """{"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}, "b": {"dtype": "F16", "shape": [1, 1], "data_offsets": [4, 6]}}""",
        """{"empty": {"dtype": "F64", "shape": [0, 5], "data_offsets": [0, 0]}, "scalar": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]}}""",
        """{"u": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]}, "t": {"dtype": "BOOL", "shape": [1], "data_offsets": [3, 4]}}""",
        "{}",
    ];

    /// <summary>Names and texts of headers.</summary>
    public static IReadOnlyList<string> Words { get; } =
        [.. SeedText.WordsOf(headers), "F8_E4M3", "F8_E5M2", "I32", "I16", "I8", "U16", "U32", "U64", "C64", "score.weight"];

    /// <summary>Whole files.</summary>
    public static IReadOnlyList<byte[]> Files { get; } = [.. headers.Zip([24, 6, 8, 4, 0], File)];

    /// <summary>Indices of checkpoints in several files.</summary>
    public static IReadOnlyList<string> Indices { get; } =
    [
        """
        {"metadata": {"total_size": 30}, "weight_map": {"a.weight": "model-00001-of-00002.safetensors", "a": "model-00002-of-00002.safetensors",
         "b": "model-00002-of-00002.safetensors"}}
        """,
        """{"weight_map": {"a.weight": "../a.safetensors", "b": "model-00002-of-00002.safetensors"}}""",
    ];

    private static byte[] File(string header, int dataLength)
    {
        var length = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, Encoding.UTF8.GetByteCount(header));
        return [.. length, .. Encoding.UTF8.GetBytes(header), .. Enumerable.Range(0, dataLength).Select(i => (byte)i)];
    }
}
