namespace RewardModel.Tokenizers.Models;

/// <summary>Looks whole words up.</summary>
internal sealed class WordLevelModel : WordModel
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> ids;
    private readonly int unknownId;

    public WordLevelModel(WordLevelDefinition definition, IReadOnlySet<string> hidden)
    {
        ids = definition.Vocabulary.Where(entry => !hidden.Contains(entry.Key))
            .ToDictionary(StringComparer.Ordinal)
            .GetAlternateLookup<ReadOnlySpan<char>>();
        unknownId = definition.Vocabulary[definition.UnknownToken];
    }

    public override void AddTokens(ReadOnlySpan<char> word, List<WordToken> tokens) =>
        tokens.Add(new WordToken(ids.TryGetValue(word, out var id) ? id : unknownId, 0, word.Length));
}
