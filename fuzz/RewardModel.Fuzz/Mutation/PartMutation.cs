namespace RewardModel.Fuzz.Mutation;

/// <summary>Changes one file of an input of several.</summary>
/// <param name="mutations">How each of the files is changed.</param>
internal sealed class PartMutation(params IReadOnlyList<IMutation> mutations) : IMutation
{
    /// <inheritdoc/>
    public byte[] Apply(byte[] input, byte[] other, FuzzRandom random)
    {
        var parts = InputParts.Split(input, mutations.Count);
        var others = InputParts.Split(other, mutations.Count);
        var at = random.Below(mutations.Count);
        parts[at] = random.OneIn(24) ? others[at] : random.OneIn(64) ? [] : mutations[at].Apply(parts[at], others[at], random);
        return InputParts.Join(parts);
    }
}
