using System.Runtime.CompilerServices;

namespace RewardModel.Kernels;

/// <summary>
/// The dynamic data type of 8 bits (Dettmers, arXiv 1511.04561; as optimisers use it, Dettmers et al., arXiv 2110.02861, section 2): 256
/// numbers of [-1, 1], or of [0, 1], that are spread over seven powers of ten, with more digits for the larger ones. Numbers of a block are
/// stored as codes of their share of the block's largest magnitude.
/// </summary>
/// <remarks>
/// The decade from 10^(i-7) to 10^(i-6), i from 0 to 6, is divided into 2^i equal parts (2^(i+1) without a sign), whose middles are the
/// numbers; 0, below all parts, and 1 come besides. A number's code is that of the part it lies in: the nearest number, but where a decade
/// ends, whose parts are smaller than those above. So a code is a function of straight pieces, each less steep than the one before: the
/// least of seven lines, and the number of a code the greatest of seven. That is computed with vectors, where tables would be read number by
/// number.
/// </remarks>
internal sealed unsafe class DynamicMap
{
    /// <summary>Numbers that share a largest magnitude: as bitsandbytes has it.</summary>
    public const int BlockLength = 256;

    /// <summary>Tensors of fewer numbers stay in float32, as in the paper's implementation: they are biases and norms, and small.</summary>
    public const int LeastCount = 4096;

    /// <summary>A block whose largest magnitude is below this is 0: its inverse might not be finite.</summary>
    public const float LeastMagnitude = 1e-37f;

    private const int decades = 7;

    // Of a part: so much before it a number counts as in it. A block's largest number is 1 but for rounding.
    private const double slack = 1e-3;

    private readonly bool isSigned;
    private readonly float[] values = new float[256];
    private readonly float[] bounds;

    // Of each decade's line.
    private readonly float[] codeSlopes = new float[decades], codeOffsets = new float[decades];
    private readonly float[] valueSlopes = new float[decades], valueOffsets = new float[decades];

    private DynamicMap(bool isSigned)
    {
        this.isSigned = isSigned;
        Zero = isSigned ? 127 : 0;
        bounds = new float[255 - Zero];
        for (var i = 0; i < decades; i++)
        {
            var parts = 1 << (isSigned ? i : i + 1);
            var first = isSigned ? parts : parts - 1;
            double start = Math.Pow(10, i - decades), part = 9 * start / parts;
            (codeSlopes[i], codeOffsets[i]) = ((float)(1 / part), (float)(first - start / part + slack));
            // The middle of a part.
            (valueSlopes[i], valueOffsets[i]) = ((float)part, (float)(start - (first - 0.5) * part));
            for (var k = 0; k < parts; k++)
            {
                // The first part of a decade begins where the line of the one before says.
                bounds[first + k - 1] = (float)(start + k * part - slack * (k == 0 && i > 0 ? part / 5 : part));
                values[Zero + first + k] = (float)(start + (k + 0.5) * part);
            }
        }
        (values[255], bounds[^1]) = (1, (float)(1 - slack * 0.9 / (isSigned ? 64 : 128)));
        // -1 is left out, so that there are 256.
        for (var k = 1; k <= Zero; k++)
            values[Zero - k] = -values[Zero + k];
    }

    /// <summary>Of [-1, 1]: for first moments.</summary>
    public static DynamicMap Signed { get; } = new(isSigned: true);

    /// <summary>Of [0, 1]: for second moments.</summary>
    public static DynamicMap Unsigned { get; } = new(isSigned: false);

    /// <summary>The code of 0.</summary>
    public int Zero { get; }

    /// <summary>The numbers by their codes, from the smallest to the largest.</summary>
    public ReadOnlySpan<float> Values => values;

    /// <summary>Where the parts above 0 begin, and the part of 1.</summary>
    public ReadOnlySpan<float> Bounds => bounds;

    /// <summary>Blocks of a tensor of so many numbers.</summary>
    public static long BlockCountOf(long count) => (count + BlockLength - 1) / BlockLength;

    /// <summary>The numbers of a block from its codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Decode<TLanes>(byte* codes, float largest, float* numbers) where TLanes : struct, ILanes<TLanes>
    {
        var (one, zero, ofZero, scale) = (TLanes.Of(1), TLanes.Of(0), TLanes.Of(Zero), TLanes.Of(largest));
        fixed (float* slopes = valueSlopes, offsets = valueOffsets)
            for (var i = 0; i < BlockLength; i += TLanes.Count)
            {
                var code = TLanes.LoadBytes(codes + i) - ofZero;
                var k = TLanes.Abs(code);
                var value = TLanes.Max(
                    TLanes.Max(
                        TLanes.Max(Line(k, slopes, offsets, 0), Line(k, slopes, offsets, 1)),
                        TLanes.Max(Line(k, slopes, offsets, 2), Line(k, slopes, offsets, 3))),
                    TLanes.Max(
                        TLanes.Max(Line(k, slopes, offsets, 4), Line(k, slopes, offsets, 5)), TLanes.Max(Line(k, slopes, offsets, 6), zero)));
                // Behind the last part comes 1.
                (TLanes.CopySign(TLanes.Min(value, one), code) * scale).Store(numbers + i);
            }
    }

    /// <summary>The codes of a block's numbers.</summary>
    /// <param name="numbers">The numbers; where the map has no sign, none below 0.</param>
    /// <param name="largest">Their largest magnitude, 0 or at least <see cref="LeastMagnitude"/>.</param>
    /// <param name="codes">Is given the codes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Encode<TLanes>(float* numbers, float largest, byte* codes) where TLanes : struct, ILanes<TLanes>
    {
        TLanes zero = TLanes.Of(0), one = TLanes.Of(1), ofZero = TLanes.Of(Zero);
        var inverse = TLanes.Of(largest > 0 ? 1 / largest : 0);
        fixed (float* slopes = codeSlopes, offsets = codeOffsets)
            for (var i = 0; i < BlockLength; i += TLanes.Count)
            {
                var number = TLanes.Load(numbers + i);
                var share = TLanes.Abs(number) * inverse;
                var k = TLanes.Min(
                    TLanes.Min(
                        TLanes.Min(Line(share, slopes, offsets, 0), Line(share, slopes, offsets, 1)),
                        TLanes.Min(Line(share, slopes, offsets, 2), Line(share, slopes, offsets, 3))),
                    TLanes.Min(
                        TLanes.Min(Line(share, slopes, offsets, 4), Line(share, slopes, offsets, 5)), Line(share, slopes, offsets, 6)));
                k = TLanes.Max(TLanes.Floor(k), zero);
                var code = isSigned
                    // -1 has no code, and is the number next to it.
                    ? TLanes.Max(ofZero + TLanes.CopySign(k, number), zero)
                    // A number above 0 stays above 0.
                    : TLanes.WhereGreater(number, zero, TLanes.Max(k, one), k);
                code.StoreBytes(codes + i);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Line<TLanes>(TLanes x, float* slopes, float* offsets, int decade) where TLanes : struct, ILanes<TLanes> =>
        TLanes.MultiplyAdd(x, TLanes.Of(slopes[decade]), TLanes.Of(offsets[decade]));
}
