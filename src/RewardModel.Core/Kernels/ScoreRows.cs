using System.Runtime.CompilerServices;

namespace RewardModel.Kernels;

/// <summary>
/// What attention does with rows of scores. There is room for a whole vector behind each row, which may be written to: so nothing here has a
/// remainder.
/// </summary>
internal static unsafe class ScoreRows<TLanes> where TLanes : struct, ILanes<TLanes>
{
    /// <summary>The largest score. Behind the last is minus infinity then, as far as a vector goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Largest(float* scores, int count)
    {
        var largest = TLanes.Of(float.NegativeInfinity);
        largest.Store(scores + count);
        for (var i = 0; i < count; i += TLanes.Count)
            largest = TLanes.Max(largest, TLanes.Load(scores + i));
        return largest.Largest();
    }

    /// <summary>Replaces scores by e^(score - largest) and returns their sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Exponentials(float* scores, int count, float largest)
    {
        var sum = TLanes.Of(0);
        var offset = TLanes.Of(largest);
        for (var i = 0; i < count; i += TLanes.Count)
        {
            var e = VectorMath.Exponential(TLanes.Load(scores + i) - offset);
            e.Store(scores + i);
            sum += e;
        }
        return sum.Sum();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WeightsAndGradients(float* weights, float* gradients, int count, float logSum, float dot)
    {
        TLanes offset = TLanes.Of(logSum), mean = TLanes.Of(dot);
        for (var i = 0; i < count; i += TLanes.Count)
        {
            var weight = VectorMath.Exponential(TLanes.Load(weights + i) - offset);
            weight.Store(weights + i);
            (weight * (TLanes.Load(gradients + i) - mean)).Store(gradients + i);
        }
    }

    /// <summary>Replaces scores by cap tanh(score / cap); slopes, where wanted, get the derivative at each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Cap(float* scores, int count, float cap, float* slopes)
    {
        TLanes factor = TLanes.Of(cap), inverse = TLanes.Of(1 / cap);
        for (var i = 0; i < count; i += TLanes.Count)
        {
            var share = VectorMath.HyperbolicTangent(TLanes.Load(scores + i) * inverse);
            (factor * share).Store(scores + i);
            if (slopes != null)
                (TLanes.Of(1) - share * share).Store(slopes + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* row, float* terms, int count)
    {
        for (var i = 0; i < count; i++)
            row[i] += terms[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* row, float* factors, int count)
    {
        for (var i = 0; i < count; i++)
            row[i] *= factors[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Dot(float* left, float* right, int count)
    {
        var sum = TLanes.Of(0);
        for (var i = 0; i < count; i += TLanes.Count)
            sum = TLanes.MultiplyAdd(TLanes.Load(left + i), TLanes.Load(right + i), sum);
        return sum.Sum();
    }
}
