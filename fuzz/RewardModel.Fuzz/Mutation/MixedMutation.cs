namespace RewardModel.Fuzz.Mutation;

/// <summary>Changes inputs as bytes or as what they mean, now one and then the other.</summary>
/// <param name="meaning">Changes them as what they mean.</param>
internal sealed class MixedMutation(IMutation meaning) : IMutation
{
    private static readonly ByteMutation bytes = new();

    /// <inheritdoc/>
    public byte[] Apply(byte[] input, byte[] other, FuzzRandom random) => (random.OneIn(4) ? bytes : meaning).Apply(input, other, random);
}
