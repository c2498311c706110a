namespace RewardModel.Fuzz.Mutation;

/// <summary>A way to change inputs.</summary>
internal interface IMutation
{
    /// <summary>Changes an input.</summary>
    /// <param name="input">The input, which stays as it is.</param>
    /// <param name="other">Another one, to take parts of.</param>
    /// <param name="random">Decides what is done.</param>
    /// <returns>Another input; the same one where there is nothing to change in this way.</returns>
    byte[] Apply(byte[] input, byte[] other, FuzzRandom random);
}
