using System.Runtime.CompilerServices;

namespace RewardModel.Kernels;

/// <summary>Functions of every number of a vector.</summary>
internal static class VectorMath
{
    /// <summary>e^x for x up to 0, within 2 units in the last place; about the smallest of normal numbers below -87.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Exponential<TLanes>(TLanes x) where TLanes : struct, ILanes<TLanes>
    {
        ReduceExponent(x, out var power, out var rest);
        return TLanes.MultiplyAdd(rest, power, power);
    }

    /// <summary>1 / (1 + e^-x); 0 from where that is about the smallest of normal numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Sigmoid<TLanes>(TLanes x) where TLanes : struct, ILanes<TLanes>
    {
        var magnitude = TLanes.Abs(x);
        var zero = TLanes.Of(0);
        var e = TLanes.WhereGreater(magnitude, TLanes.Of(87), zero, Exponential(zero - magnitude));
        var inverse = TLanes.Of(1) / (TLanes.Of(1) + e);
        return TLanes.WhereGreater(zero, x, e * inverse, inverse);
    }

    /// <summary>tanh x, by e^(-2 |x|) - 1, which keeps its digits where x is small.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes HyperbolicTangent<TLanes>(TLanes x) where TLanes : struct, ILanes<TLanes>
    {
        ReduceExponent(TLanes.Of(-2) * TLanes.Abs(x), out var power, out var rest);
        var minusOne = TLanes.MultiplyAdd(rest, power, power - TLanes.Of(1));
        return TLanes.CopySign((TLanes.Of(0) - minusOne) / (TLanes.Of(2) + minusOne), x);
    }

    /// <summary>
    /// e^x = 2^n e^r with x = n ln 2 + r and |r| up to ln 2 / 2 (Cody and Waite's reduction): gives 2^n, and e^r - 1 by its Taylor series,
    /// whose coefficients are exact enough at degree 7.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ReduceExponent<TLanes>(TLanes x, out TLanes power, out TLanes rest) where TLanes : struct, ILanes<TLanes>
    {
        x = TLanes.Max(TLanes.Of(-87), x);
        var n = TLanes.Floor(TLanes.MultiplyAdd(x, TLanes.Of(1.44269504088896341f), TLanes.Of(0.5f)));
        var r = TLanes.MultiplyAdd(n, TLanes.Of(2.12194440e-4f), TLanes.MultiplyAdd(n, TLanes.Of(-0.693359375f), x));
        var p = TLanes.MultiplyAdd(TLanes.Of(1f / 5040), r, TLanes.Of(1f / 720));
        p = TLanes.MultiplyAdd(p, r, TLanes.Of(1f / 120));
        p = TLanes.MultiplyAdd(p, r, TLanes.Of(1f / 24));
        p = TLanes.MultiplyAdd(p, r, TLanes.Of(1f / 6));
        p = TLanes.MultiplyAdd(p, r, TLanes.Of(0.5f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Of(1));
        power = TLanes.PowerOfTwo(n);
        rest = p * r;
    }
}
