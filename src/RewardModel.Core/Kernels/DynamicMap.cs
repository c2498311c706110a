using System.Runtime.CompilerServices;

namespace RewardModel.Kernels;

/// <summary>
/// The dynamic data type of 8 bits (Dettmers, arXiv 1511.04561; as optimisers use it, Dettmers et al., arXiv 2110.02861, section 2): 256
/// numbers of [-1, 1], or of [0, 1], that are spread over seven powers of ten, with more digits for the larger ones. Numbers of a block are
/// stored as codes of their share of the block's largest magnitude.
/// </summary>
/// <remarks>
/// In the decade from 10^(i-7) to 10^(i-6), i from 0 to 6, lie the middles of 2^i equal parts (2^(i+1) without a sign); 0 and 1 come besides.
/// A number's code is that of the nearest of them; where two are as near, of the one nearer to 0.
/// </remarks>
internal sealed unsafe class DynamicMap
{
    /// <summary>Numbers that share a largest magnitude: as bitsandbytes has it.</summary>
    public const int BlockLength = 256;

    /// <summary>Tensors of fewer numbers stay in float32, as in the paper's implementation: they are biases and norms, and small.</summary>
    public const int LeastCount = 4096;

    private const int decades = 7;

    // A float32's upper half: its sign, its exponent, and so many bits of its fraction that two neighbouring middles never share it.
    private const int halfBits = 16;

    // The upper half of 2^-23, which lies below all middles, and of 1.
    private const int first = (127 - 23) << 7, last = 127 << 7;

    // What a kernel reads by address: pinned, and never freed.
    private readonly float[] values;
    private readonly float[] middles;
    private readonly byte[] codes;
    private readonly float* valuesPointer;
    private readonly float* middlesPointer;
    private readonly byte* codesPointer;
    private readonly bool isSigned;

    private DynamicMap(bool isSigned)
    {
        this.isSigned = isSigned;
        double[] magnitudes = [0, .. Enumerable.Range(0, decades).SelectMany(i => Decade(i, 1 << (isSigned ? i : i + 1))), 1];
        Zero = isSigned ? magnitudes.Length - 2 : 0;
        // -1 is left out, so that there are 256.
        var negative = isSigned ? magnitudes[1..^1].Reverse().Select(value => -value) : [];
        values = GC.AllocateArray<float>(256, pinned: true);
        negative.Concat(magnitudes).Select(value => (float)value).ToArray().CopyTo(values, 0);
        // Behind the largest magnitude comes none.
        middles = GC.AllocateArray<float>(magnitudes.Length, pinned: true);
        for (var k = 0; k < middles.Length; k++)
            middles[k] = k + 1 < middles.Length ? Middle(Zero + k) : float.PositiveInfinity;
        codes = GC.AllocateArray<byte>(last - first + 1, pinned: true);
        for (var half = 0; half < codes.Length; half++)
            codes[half] = (byte)middles.Count(middle => middle < BitConverter.Int32BitsToSingle((half + first) << halfBits));
        valuesPointer = (float*)Unsafe.AsPointer(ref values[0]);
        middlesPointer = (float*)Unsafe.AsPointer(ref middles[0]);
        codesPointer = (byte*)Unsafe.AsPointer(ref codes[0]);
    }

    /// <summary>Of [-1, 1]: for first moments.</summary>
    public static DynamicMap Signed { get; } = new(isSigned: true);

    /// <summary>Of [0, 1]: for second moments.</summary>
    public static DynamicMap Unsigned { get; } = new(isSigned: false);

    /// <summary>The code of 0.</summary>
    public int Zero { get; }

    /// <summary>The numbers by their codes, from the smallest to the largest.</summary>
    public ReadOnlySpan<float> Values => values;

    /// <summary>The middles between neighbouring numbers, by the lower one's code.</summary>
    public float[] Middles => [.. Enumerable.Range(0, values.Length - 1).Select(Middle)];

    /// <summary>Blocks of a tensor of so many numbers.</summary>
    public static long BlockCountOf(long count) => (count + BlockLength - 1) / BlockLength;

    /// <summary>Numbers from their codes.</summary>
    public void Decode(byte* source, float largest, int length, float* target)
    {
        var numbers = valuesPointer;
        for (var i = 0; i < length; i++)
            target[i] = numbers[source[i]] * largest;
    }

    /// <summary>Codes of numbers.</summary>
    /// <param name="source">The numbers; where the map has no sign, none below 0.</param>
    /// <param name="largest">Their largest magnitude; 0 where all are 0.</param>
    /// <param name="length">How many.</param>
    /// <param name="least">The least code of a number above 0: 1 keeps it from becoming 0.</param>
    /// <param name="target">Is given the codes.</param>
    public void Encode(float* source, float largest, int length, int least, byte* target)
    {
        var divisor = largest > 0 ? largest : 1;
        float* middle = middlesPointer;
        byte* code = codesPointer;
        for (var i = 0; i < length; i++)
        {
            var share = source[i] / divisor;
            var magnitude = Math.Abs(share);
            var half = Math.Clamp((BitConverter.SingleToInt32Bits(magnitude) >> halfBits) - first, 0, last - first);
            int k = code[half];
            k += magnitude > middle[k] ? 1 : 0;
            k = magnitude > 0 ? Math.Max(k, least) : k;
            target[i] = (byte)(isSigned ? share < 0 ? Zero - Math.Min(k, Zero) : Zero + k : k);
        }
    }

    private static IEnumerable<double> Decade(int i, int parts) =>
        Enumerable.Range(0, parts).Select(k => Math.Pow(10, i - (decades - 1)) * (0.1 + 0.9 * (k + 0.5) / parts));

    private float Middle(int code) => (values[code] + values[code + 1]) / 2;
}
