namespace RewardModel.Training.Data;

/// <summary>
/// The SplitMix64 generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): the same
/// seed gives the same numbers on every machine and .NET version, which <c>System.Random</c> does not promise.
/// </summary>
/// <param name="seed">Any number; neighbouring seeds give unrelated sequences.</param>
internal sealed class SplitMix64(ulong seed)
{
    /// <summary>The odd number nearest to 2^64 divided by the golden ratio.</summary>
    private const ulong Increment = 0x9e3779b97f4a7c15;

    private ulong state = seed;

    /// <summary>The numbers 0 to <paramref name="count"/> - 1 in a random order.</summary>
    /// <param name="count">How many, from 0.</param>
    /// <param name="seed">Decides the order.</param>
    public static int[] Permutation(int count, ulong seed)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        new SplitMix64(seed).Shuffle<int>(order);
        return order;
    }

    /// <summary>The next 64 random bits.</summary>
    public ulong Next()
    {
        state += Increment;
        return Mix(state);
    }

    /// <summary>A random number from 0 to <paramref name="bound"/> - 1, each equally likely.</summary>
    /// <param name="bound">From 1.</param>
    public int NextBelow(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        // Numbers below 2^64 mod bound are drawn again, so that what remains is a whole multiple of bound.
        var rejected = unchecked(0UL - (ulong)bound) % (ulong)bound;
        ulong number;
        do
            number = Next();
        while (number < rejected);
        return (int)(number % (ulong)bound);
    }

    /// <summary>Puts the items into a random order, every order equally likely (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var last = items.Length - 1; last > 0; last--)
        {
            var other = NextBelow(last + 1);
            (items[last], items[other]) = (items[other], items[last]);
        }
    }

    /// <summary>The generator's output function: spreads every bit of <paramref name="bits"/> over all 64.</summary>
    internal static ulong Mix(ulong bits)
    {
        bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
        bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
        return bits ^ (bits >> 31);
    }
}
