namespace RewardModel.Tokenizers;

/// <summary>
/// How a plain-text prompt and its answer are tokenised. A reward depends on it, so it is part of what is saved with a reward
/// model. (Conversations are always one text; texts with a special token between them, as encoders have it, are always two.)
/// </summary>
public enum TextEncoding
{
    /// <summary>
    /// Prompt and answer are one text, as they are for trainers of policies and for transformers: a tokenizer puts what it puts at the
    /// start of a text (SentencePiece's <c>▁</c>) there only, and may join the prompt's last characters with the answer's first ones.
    /// </summary>
    Joint,

    /// <summary>Each is a text of its own, so that an answer starts as a text does.</summary>
    Separate,
}
