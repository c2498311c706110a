using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Models;

/// <summary>A vocabulary of whole words.</summary>
/// <param name="Vocabulary">Every word and its id.</param>
/// <param name="UnknownToken">What stands for all other words.</param>
internal sealed record WordLevelDefinition(Dictionary<string, int> Vocabulary, string UnknownToken) : ModelDefinition(Vocabulary)
{
    public override string Type => "WordLevel";

    public static WordLevelDefinition Read(JsonComponent component)
    {
        var vocabulary = ModelReader.ReadVocabulary(component);
        return new WordLevelDefinition(vocabulary, ModelReader.ReadUnknownToken(component, vocabulary));
    }

    public override WordModel Make(bool readsBytes, IReadOnlySet<string> hidden) => new WordLevelModel(this, hidden);
}
