namespace Microsoft.ML.Tokenizers;

/// <summary>One token of an encoded text.</summary>
public readonly struct EncodedToken : IEquatable<EncodedToken>
{
    public EncodedToken(int id, string value, Range offset)
    {
        Id = id;
        Value = value;
        Offset = offset;
    }

    /// <summary>The token's id in the vocabulary.</summary>
    public int Id { get; }

    /// <summary>The token as the vocabulary spells it.</summary>
    public string Value { get; }

    /// <summary>The characters of the normalised text that the token stands for.</summary>
    public Range Offset { get; }

    public bool Equals(EncodedToken other) => Id == other.Id && Value == other.Value && Offset.Equals(other.Offset);
}
