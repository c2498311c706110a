namespace RewardModel.Tokenizers.Models;

/// <summary>The "model" of a tokenizer.json.</summary>
/// <param name="Vocabulary">Every token of the model and its id.</param>
internal abstract record ModelDefinition(Dictionary<string, int> Vocabulary)
{
    /// <summary>Its <c>type</c>.</summary>
    public abstract string Type { get; }

    /// <summary>What encodes words.</summary>
    /// <param name="readsBytes">Whether the words still have to be spelt in the byte alphabet.</param>
    /// <param name="hidden">Tokens that are not to be found in words, though the vocabulary has them.</param>
    public abstract WordModel Make(bool readsBytes, IReadOnlySet<string> hidden);

    /// <summary>Whether a word can become a token without being put together from its characters.</summary>
    public virtual bool LooksWordsUp => true;

    /// <summary>Whether words may come as they are though the vocabulary spells bytes: the model spells them itself.</summary>
    public virtual bool SpellsBytes => false;
}
