using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>
/// What dropout drops, as a function without state: whether a number stays depends on the key of its row and on its column alone, so the
/// backward pass finds it again, and it is the same on every device.
/// </summary>
/// <remarks>
/// Keys have 64 bits and are made one from the other, of a seed, a segment's token ids, the row and so on, by SplitMix64's output function
/// (Steele, Lea and Flood, OOPSLA 2014): one bit changes half of a key's. A number's 32 bits are the finaliser "lowbias32" of C. Wellons'
/// hash prospector, of the lower half of the key plus the column times the golden ratio; the upper half comes in between its two products,
/// so that two of a model's millions of rows have the same numbers, or some columns apart, only where all 64 bits say so.
/// </remarks>
internal static unsafe class DropoutHash
{
    private const ulong keyStep = 0x9e3779b97f4a7c15;
    private const uint columnStep = 0x9e3779b9, firstFactor = 0x7feb352d, secondFactor = 0x846ca68b;
    private const int firstShift = 16, secondShift = 15, lastShift = 16;

    /// <summary>Spreads every bit over all 64: 0 stays 0.</summary>
    public static ulong Mix(ulong bits)
    {
        bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
        bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
        return bits ^ (bits >> 31);
    }

    /// <summary>The key of a part of what has a key: of a row of a segment, of a site of a row.</summary>
    /// <param name="key">Of the whole; its bits are spread already.</param>
    /// <param name="part">The part's number, any but the highest.</param>
    public static ulong Part(ulong key, ulong part) => Mix(key + (part + 1) * keyStep);

    /// <summary>A number for the content and the order of token ids.</summary>
    public static ulong Of(ReadOnlySpan<int> ids)
    {
        var hash = Mix((ulong)ids.Length + 1);
        foreach (var id in ids)
            hash = Part(hash, (uint)id);
        return hash;
    }

    /// <summary>Numbers whose 32 bits are below this are dropped.</summary>
    public static uint Threshold(double rate) => (uint)(rate * 4294967296.0);

    /// <summary>What the others are multiplied by, so that the mean stays.</summary>
    public static float Kept(double rate) => (float)(1 / (1 - rate));

    /// <summary>A number's 32 bits.</summary>
    public static uint Bits(ulong key, uint column)
    {
        var x = (uint)key + column * columnStep;
        x = (x ^ (x >> firstShift)) * firstFactor;
        x = (x ^ (x >> secondShift) ^ (uint)(key >> 32)) * secondFactor;
        return x ^ (x >> lastShift);
    }

    /// <summary>The factors of columns side by side, 0 or <see cref="Kept"/>; writes whole vectors, over the end too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Factors<TLanes>(ulong key, uint firstColumn, int count, double rate, float* factors)
        where TLanes : struct, ILanes<TLanes>
    {
        var row = new RowLanes<TLanes>(key, firstColumn, rate);
        for (var i = 0; i < count; i += TLanes.Count)
            row.Next().Store(factors + i);
    }

    /// <summary>Multiplies a row by its factors, from column 0 on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TLanes>(ulong key, double rate, float* x, float* result, int count) where TLanes : struct, ILanes<TLanes>
    {
        var row = new RowLanes<TLanes>(key, 0, rate);
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
            (TLanes.Load(x + i) * row.Next()).Store(result + i);
        var (threshold, kept) = (Threshold(rate), Kept(rate));
        for (; i < count; i++)
            result[i] = x[i] * (Bits(key, (uint)i) < threshold ? 0 : kept);
    }

    /// <summary>Whether numbers stay, of operators that every device has: int64, each of its operations below 2^64.</summary>
    /// <param name="keys">[..., 1], int64.</param>
    /// <param name="columns">Their counterparts, int64, from 0.</param>
    /// <param name="rate">Share that is dropped.</param>
    /// <returns>Of the shape that both have together, bool.</returns>
    public static Tensor AreKept(Tensor keys, Tensor columns, double rate)
    {
        using var scope = NewDisposeScope();
        Tensor low = (long)uint.MaxValue;
        var upper = keys.bitwise_right_shift(32).bitwise_and(low);
        var x = columns.mul((long)columnStep).add(keys.bitwise_and(low)).bitwise_and_(low);
        x.bitwise_xor_(x.bitwise_right_shift(firstShift)).mul_((long)firstFactor).bitwise_and_(low);
        x.bitwise_xor_(x.bitwise_right_shift(secondShift)).bitwise_xor_(upper).mul_((long)secondFactor).bitwise_and_(low);
        x.bitwise_xor_(x.bitwise_right_shift(lastShift));
        return x.ge((long)Threshold(rate)).MoveToOuterDisposeScope();
    }

    /// <summary>The same as <see cref="Bits"/> for a vector of columns after the other, and the factors that it makes.</summary>
    private struct RowLanes<TLanes>(ulong key, uint firstColumn, double rate) where TLanes : struct, ILanes<TLanes>
    {
        private readonly TLanes upper = TLanes.OfBits((uint)(key >> 32));
        private readonly TLanes threshold = TLanes.OfBits(Threshold(rate)), kept = TLanes.Of(Kept(rate));
        private TLanes start = TLanes.AddBits(
            TLanes.OfBits((uint)key + firstColumn * columnStep), TLanes.MultiplyBits(TLanes.CountingBits, TLanes.OfBits(columnStep)));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Next()
        {
            var x = start;
            start = TLanes.AddBits(start, TLanes.OfBits(unchecked((uint)TLanes.Count * columnStep)));
            x = TLanes.MultiplyBits(TLanes.XorBits(x, TLanes.ShiftBitsRight(x, firstShift)), TLanes.OfBits(firstFactor));
            x = TLanes.XorBits(TLanes.XorBits(x, TLanes.ShiftBitsRight(x, secondShift)), upper);
            x = TLanes.MultiplyBits(x, TLanes.OfBits(secondFactor));
            x = TLanes.XorBits(x, TLanes.ShiftBitsRight(x, lastShift));
            return TLanes.WhereBitsLess(x, threshold, TLanes.Of(0), kept);
        }
    }
}
