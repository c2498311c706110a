using RewardModel.Training.Data;

namespace RewardModel.Fuzz.Mutation;

/// <summary>What is drawn while inputs are changed: the same seed changes them in the same way.</summary>
/// <param name="seed">Any number.</param>
internal sealed class FuzzRandom(ulong seed)
{
    private readonly SplitMix64 numbers = new(seed);

    /// <summary>64 random bits.</summary>
    public ulong Bits() => numbers.Next();

    /// <summary>A number from 0 to below a bound, which is at least 1.</summary>
    public int Below(int bound) => numbers.NextBelow(bound);

    /// <summary>True once in so many times.</summary>
    public bool OneIn(int count) => Below(count) == 0;

    /// <summary>One of several, of which there is at least one.</summary>
    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary>A small number from 1, most often 1: half as probable for each one more.</summary>
    public int Few(int most)
    {
        var count = 1;
        while (count < most && OneIn(2))
            count++;
        return count;
    }
}
