using System.Text;

namespace RewardModel.Fuzz.Mutation;

/// <summary>Changes text by words of its language: inserts, replaces, repeats and moves them.</summary>
/// <param name="words">The words.</param>
internal sealed class TokenMutation(IReadOnlyList<string> words) : IMutation
{
    private const int MaxRepetitions = 600;

    /// <inheritdoc/>
    public byte[] Apply(byte[] input, byte[] other, FuzzRandom random)
    {
        var tokens = TokensOf(Encoding.UTF8.GetString(input));
        var others = TokensOf(Encoding.UTF8.GetString(other));
        for (var i = random.Few(most: 8); i > 0; i--)
            Change(tokens, others, random);
        return Encoding.UTF8.GetBytes(string.Concat(tokens));
    }

    private void Change(List<string> tokens, List<string> others, FuzzRandom random)
    {
        var at = random.Below(tokens.Count + 1);
        var length = Math.Min(random.Few(most: 12), tokens.Count - at);
        switch (random.Below(8))
        {
            case 0 when length > 0:
                tokens[at] = random.Pick(words);
                break;
            case 1:
                tokens.Insert(at, $" {random.Pick(words)} ");
                break;
            case 2:
                tokens.RemoveRange(at, length);
                break;
            case 3:
                tokens.InsertRange(random.Below(tokens.Count + 1), tokens.GetRange(at, length));
                break;
            case 4 when others.Count > 0:
                var from = random.Below(others.Count);
                tokens.InsertRange(at, others.GetRange(from, Math.Min(random.Few(most: 20), others.Count - from)));
                break;
            case 5 when length > 0 && random.OneIn(16):
                var repeated = string.Concat(tokens.GetRange(at, length));
                tokens.InsertRange(at, Enumerable.Repeat(repeated, 1 + random.Below(MaxRepetitions)));
                break;
            case 6 when length > 0:
                tokens[at] = $"{ByteMutation.Number(random)}";
                break;
            default:
                tokens.Insert(at, random.Pick(words));
                break;
        }
    }

    /// <summary>Runs of letters, digits and underscores; everything else is a token by itself.</summary>
    private static List<string> TokensOf(string text)
    {
        var tokens = new List<string>();
        for (var start = 0; start < text.Length;)
        {
            var end = start + 1;
            if (IsPartOfWord(text[start]))
                while (end < text.Length && IsPartOfWord(text[end]))
                    end++;
            tokens.Add(text[start..end]);
            start = end;
        }
        return tokens;
    }

    private static bool IsPartOfWord(char sign) => char.IsLetterOrDigit(sign) || sign == '_';
}
