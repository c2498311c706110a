using System.Text;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Decoders;

/// <summary>Turns each run of byte tokens (<c>&lt;0x0A&gt;</c>) into its text, or, if it isn't UTF-8, into a U+FFFD per byte.</summary>
internal sealed class ByteFallbackDecoder : ITokenDecoder
{
    private static readonly UTF8Encoding utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens)
    {
        var result = new List<string>(tokens.Count);
        var bytes = new List<byte>();
        foreach (var token in tokens)
        {
            if (ByteTokens.TryRead(token, out var value))
            {
                bytes.Add(value);
                continue;
            }
            Flush(bytes, result);
            result.Add(token);
        }
        Flush(bytes, result);
        return result;
    }

    private static void Flush(List<byte> bytes, List<string> result)
    {
        if (bytes.Count == 0)
            return;
        try
        {
            result.Add(utf8.GetString([.. bytes]));
        }
        catch (DecoderFallbackException)
        {
            result.AddRange(Enumerable.Repeat("\uFFFD", bytes.Count));
        }
        bytes.Clear();
    }
}
