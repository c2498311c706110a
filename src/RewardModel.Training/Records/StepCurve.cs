using System.Buffers.Binary;
using System.Buffers.Text;
using RewardModel.Training.Reporting;

namespace RewardModel.Training.Records;

/// <summary>
/// A number of each step, bucket by bucket, rounded to the first three bytes of a float32. A bucket without finite numbers has NaN.
/// </summary>
internal sealed class StepCurve
{
    /// <summary>Fewer steps are seen one by one, and not smoothed.</summary>
    private const int fewestToSmooth = 20;

    private StepCurve(StepBuckets buckets)
    {
        Buckets = buckets;
        (Low, High, Mean, Smooth) = (new float[buckets.Count], new float[buckets.Count], new float[buckets.Count], new float[buckets.Count]);
    }

    /// <summary>How the steps are divided.</summary>
    public StepBuckets Buckets { get; }

    /// <summary>The lowest number of each bucket.</summary>
    public float[] Low { get; }

    /// <summary>The highest one.</summary>
    public float[] High { get; }

    /// <summary>The mean.</summary>
    public float[] Mean { get; }

    /// <summary>The mean over <see cref="SmoothedSteps"/> steps with the bucket in their middle.</summary>
    public float[] Smooth { get; }

    /// <summary>How many steps <see cref="Smooth"/> is the mean of; 1 where the curve is not smoothed.</summary>
    public int SmoothedSteps { get; private set; } = 1;

    /// <summary>Numbers that were left out, as they are not finite.</summary>
    public int LeftOutCount { get; private set; }

    /// <summary>Whether there is anything to see.</summary>
    public bool IsEmpty => Array.TrueForAll(Mean, float.IsNaN);

    /// <summary>The curve of a number.</summary>
    /// <param name="steps">All steps.</param>
    /// <param name="buckets">Their buckets.</param>
    /// <param name="value">The number of a step.</param>
    /// <param name="smooths">Whether it is smoothed, if there are enough steps.</param>
    public static StepCurve Of(IReadOnlyList<StepReport> steps, StepBuckets buckets, Func<StepReport, double> value, bool smooths)
    {
        var curve = new StepCurve(buckets);
        var (sums, counts) = (new double[buckets.Count], new int[buckets.Count]);
        Array.Fill(curve.Low, float.PositiveInfinity);
        Array.Fill(curve.High, float.NegativeInfinity);
        foreach (var step in steps)
        {
            var number = (float)value(step);
            if (!float.IsFinite(number))
            {
                curve.LeftOutCount++;
                continue;
            }
            number = Rounded(number);
            var bucket = buckets.BucketOf(step.Step);
            curve.Low[bucket] = Math.Min(curve.Low[bucket], number);
            curve.High[bucket] = Math.Max(curve.High[bucket], number);
            sums[bucket] += number;
            counts[bucket]++;
        }
        for (var i = 0; i < buckets.Count; i++)
            if (counts[i] == 0)
                curve.Low[i] = curve.High[i] = curve.Mean[i] = float.NaN;
            else
                curve.Mean[i] = Rounded(sums[i] / counts[i]);
        // Two per cent of a run.
        var half = !smooths || steps.Count < fewestToSmooth ? 0 : Math.Max(2, buckets.Count / 100);
        curve.SmoothedSteps = half == 0 ? 1 : (2 * half + 1) * buckets.Size;
        MovingMean(sums, counts, half, curve.Smooth);
        return curve;
    }

    /// <summary>
    /// Numbers for report.js: of each the first three bytes of a float32, which have four and a half decimal digits, as base64 with the
    /// letters of URLs.
    /// </summary>
    public static string Packed(float[] numbers)
    {
        var bytes = new byte[3 * numbers.Length];
        Span<byte> four = stackalloc byte[4];
        for (var i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteSingleBigEndian(four, numbers[i]);
            four[..3].CopyTo(bytes.AsSpan(3 * i));
        }
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Neighbouring buckets together, so that there are at most so many.</summary>
    /// <returns>Of each the step in its middle, the lowest and the highest number, and the means.</returns>
    public IEnumerable<(double Step, double Low, double High, double Mean, double Smooth)> Columns(int most)
    {
        var size = (Buckets.Count - 1) / most + 1;
        for (var start = 0; start < Buckets.Count; start += size)
        {
            var count = Math.Min(size, Buckets.Count - start);
            var (low, high, mean, smooth, present) = (float.PositiveInfinity, float.NegativeInfinity, 0.0, 0.0, 0);
            for (var i = start; i < start + count; i++)
                if (!float.IsNaN(Mean[i]))
                {
                    (low, high) = (Math.Min(low, Low[i]), Math.Max(high, High[i]));
                    mean += Mean[i];
                    smooth += Smooth[i];
                    present++;
                }
            yield return present == 0
                ? (Buckets.MiddleOf(start, count), double.NaN, double.NaN, double.NaN, double.NaN)
                : (Buckets.MiddleOf(start, count), low, high, mean / present, smooth / present);
        }
    }

    /// <summary>Each window is added up by itself: a sum that goes along would keep the rounding of a number that is past.</summary>
    private static void MovingMean(double[] sums, int[] counts, int half, float[] means)
    {
        for (var i = 0; i < sums.Length; i++)
        {
            var (first, last) = (Math.Max(0, i - half), Math.Min(sums.Length - 1, i + half));
            var (sum, count) = (0.0, 0L);
            for (var j = first; j <= last; j++)
                (sum, count) = (sum + sums[j], count + counts[j]);
            means[i] = count == 0 ? float.NaN : Rounded(sum / count);
        }
    }

    /// <summary>As report.js has it.</summary>
    private static float Rounded(double number)
    {
        var bits = BitConverter.SingleToUInt32Bits((float)number);
        var rounded = BitConverter.UInt32BitsToSingle((bits + 0x80) & ~0xffu);
        return float.IsFinite(rounded) ? rounded : BitConverter.UInt32BitsToSingle(bits & ~0xffu);
    }
}
