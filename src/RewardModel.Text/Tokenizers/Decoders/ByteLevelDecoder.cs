using System.Text;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Decoders;

/// <summary>Turns tokens spelt in the byte alphabet into the text of their bytes; invalid UTF-8 becomes U+FFFD.</summary>
internal sealed class ByteLevelDecoder : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens)
    {
        var bytes = new List<byte>();
        foreach (var token in tokens)
            // An added token with a character outside of the alphabet (a space, say) is not spelt in it.
            if (!ByteAlphabet.TryRead(token, bytes))
                bytes.AddRange(Encoding.UTF8.GetBytes(token));
        return [Encoding.UTF8.GetString([.. bytes])];
    }
}
