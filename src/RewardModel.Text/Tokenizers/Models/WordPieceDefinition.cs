using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Models;

/// <summary>BERT's vocabulary of words and parts of words.</summary>
/// <param name="Vocabulary">Every token and its id.</param>
/// <param name="UnknownToken">What stands for words that can't be put together.</param>
/// <param name="ContinuingPrefix">What tokens that don't start a word start with: ##.</param>
/// <param name="MaxWordLength">The most characters of a word that is not unknown for its length.</param>
internal sealed record WordPieceDefinition(
    Dictionary<string, int> Vocabulary, string UnknownToken, string ContinuingPrefix, int MaxWordLength) : ModelDefinition(Vocabulary)
{
    public override string Type => "WordPiece";

    public static WordPieceDefinition Read(JsonComponent component)
    {
        var vocabulary = ModelReader.ReadVocabulary(component);
        ModelReader.CheckLengths(component, vocabulary.Keys);
        return new WordPieceDefinition(
            vocabulary,
            ModelReader.ReadUnknownToken(component, vocabulary),
            component.OptionalText("continuing_subword_prefix") ?? "##",
            component.OptionalNumber("max_input_chars_per_word") ?? 100);
    }

    public override WordModel Make(bool readsBytes, IReadOnlySet<string> hidden) => new WordPieceModel(this, hidden);
}
