namespace RewardModel.Tokenizers.Pipeline;

/// <summary>
/// How much longer a tokenizer's own steps may make a text: without a limit a chain of a few dozen steps that double it fills any memory.
/// </summary>
internal static class TextGrowth
{
    /// <summary>
    /// More than texts grow: bytes are three for a UTF-16 unit at most, and decompositions have few, but for one rare sign's, which has 18:
    /// only of it alone a text may not be long.
    /// </summary>
    private const int MaxFactor = 16;

    /// <summary>What short texts may grow to at least, in UTF-16 units.</summary>
    private const int MinLimit = 1 << 20;

    /// <param name="step">The kind of step, for the message.</param>
    /// <param name="from">The length of the text as it was, in UTF-16 units.</param>
    /// <param name="to">The length that it has got or is about to get.</param>
    /// <exception cref="TokenizerException">It is too long.</exception>
    public static void Check(string step, int from, long to)
    {
        var limit = Math.Max(MinLimit, (long)MaxFactor * from);
        if (to > limit)
            throw new TokenizerException(
                TokenizerDirectory.TokenizerFile,
                [
                    $"{step} makes {to} characters or more of a text of {from}, expected at most {limit}; the file may be damaged or "
                    + "hostile",
                ]);
    }
}
