using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>
/// Quantisation by blocks: every 64 numbers that lie side by side have a scale of their own, in bfloat16, so that a large number costs only its
/// neighbours precision. int8: whole numbers from -127 to 127, the scale is the largest magnitude / 127. nf4: the nearest of
/// <see cref="Levels"/>, the scale is the largest magnitude. The last block is filled up with zeros.
/// </summary>
/// <remarks>
/// QLoRA quantises the scales of nf4 a second time, from float32 to 8.127 bits each; in bfloat16 they take 16, which is 0.12 bits more for a
/// weight, and their rounding is taken into account when the codes are chosen.
/// </remarks>
internal static unsafe class BlockCodes
{
    /// <summary>Numbers of a block.</summary>
    public const int BlockSize = 64;

    private const int blocksPerTask = 1024;

    private static readonly float[] levels = ComputeLevels();

    // Between two neighbouring levels: where the nearest one changes.
    private static readonly float[] bounds = [.. levels.Zip(levels.Skip(1), (low, high) => (low + high) / 2)];

    /// <summary>The two levels of each byte, the first in its lower four bits, as 64 bits of memory.</summary>
    private static readonly ulong[] pairs = [.. Enumerable.Range(0, 256).Select(code => Bits(levels[code & 15]) | Bits(levels[code >> 4]) << 32)];

    /// <summary>
    /// NormalFloat4 (arXiv 2305.14314, section 3 and appendix E): quantiles of the normal distribution, eight of them from 0 on and eight up to
    /// 0, divided by the largest, so that 0 and both ends are among them.
    /// </summary>
    public static IReadOnlyList<float> Levels => levels;

    /// <summary>Blocks of that many numbers.</summary>
    public static long CountOf(long numbers) => (numbers + BlockSize - 1) / BlockSize;

    /// <summary>Bytes of a block's codes.</summary>
    public static int BytesOf(WeightStorage storage) => storage == WeightStorage.Nf4 ? BlockSize / 2 : BlockSize;

    /// <summary>Codes and scales of a contiguous float32 tensor on the CPU.</summary>
    /// <returns>int8 [B, 64] or uint8 [B, 32], and bfloat16 [B].</returns>
    public static (Tensor Codes, Tensor Scales) Encode(Tensor values, WeightStorage storage)
    {
        var (count, blocks) = (values.numel(), CountOf(values.numel()));
        var codes = empty(blocks, BytesOf(storage), dtype: storage == WeightStorage.Nf4 ? uint8 : int8);
        var scales = empty(blocks, dtype: bfloat16);
        var source = (float*)LibTorch.DataOf(values);
        byte* codeData = (byte*)LibTorch.DataOf(codes);
        var scaleData = (ushort*)LibTorch.DataOf(scales);
        RunBlocks(blocks, block =>
        {
            var start = block * BlockSize;
            var copy = stackalloc float[BlockSize];
            var length = (int)Math.Min(BlockSize, count - start);
            new Span<float>(copy, BlockSize).Clear();
            new ReadOnlySpan<float>(source + start, length).CopyTo(new Span<float>(copy, BlockSize));
            scaleData[block] = EncodeBlock(copy, codeData + block * BytesOf(storage), storage);
        });
        return (codes, scales);
    }

    /// <summary>The numbers of codes and scales on the CPU: float32, in <see cref="TensorMemory"/>.</summary>
    public static Tensor Decode(Tensor codes, Tensor scales, WeightStorage storage, long[] shape)
    {
        var result = TensorMemory.Empty(shape);
        var (count, blocks) = (result.numel(), codes.size(0));
        var codeData = (byte*)LibTorch.DataOf(codes);
        var scaleData = (ushort*)LibTorch.DataOf(scales);
        var target = (float*)LibTorch.DataOf(result);
        RunBlocks(blocks, block =>
        {
            var start = block * BlockSize;
            var code = codeData + block * BytesOf(storage);
            var scale = OfBfloat16(scaleData[block]);
            if (count - start >= BlockSize)
            {
                DecodeBlock(code, scale, storage, target + start);
                return;
            }
            var copy = stackalloc float[BlockSize];
            DecodeBlock(code, scale, storage, copy);
            new ReadOnlySpan<float>(copy, (int)(count - start)).CopyTo(new Span<float>(target + start, (int)(count - start)));
        });
        return result;
    }

    /// <summary>The same of TorchSharp's operators, on any device.</summary>
    public static Tensor ComposeDecode(Tensor codes, Tensor scales, WeightStorage storage, long[] shape)
    {
        using var scope = NewDisposeScope();
        Tensor units;
        if (storage == WeightStorage.Nf4)
        {
            var numbers = codes.to(int32);
            var both = stack([numbers.bitwise_and(15), numbers.bitwise_right_shift(4)], dim: 2).view(-1);
            units = DeviceTensor.Of(levels, codes.device).index_select(0, both).view(-1, BlockSize);
        }
        else
            units = codes.to(float32);
        var count = shape.Aggregate(1L, (product, size) => product * size);
        return units.mul_(scales.to(float32).unsqueeze(1)).view(-1).narrow(0, 0, count).view(shape).MoveToOuterDisposeScope();
    }

    private static void RunBlocks(long blocks, Action<long> body) => TorchThreads.Run(
        checked((int)((blocks + blocksPerTask - 1) / blocksPerTask)),
        task =>
        {
            var end = Math.Min(blocks, (task + 1L) * blocksPerTask);
            for (var block = (long)task * blocksPerTask; block < end; block++)
                body(block);
        });

    private static ushort EncodeBlock(float* values, byte* codes, WeightStorage storage)
    {
        switch (LaneWidth.Bits)
        {
            case 512:
                return EncodeBlock<Lanes512>(values, codes, storage);
            case 256:
                return EncodeBlock<Lanes256>(values, codes, storage);
            default:
                return EncodeBlock<Lanes128>(values, codes, storage);
        }
    }

    /// <summary>Overwrites the values. Returns the scale's bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ushort EncodeBlock<TLanes>(float* values, byte* codes, WeightStorage storage) where TLanes : struct, ILanes<TLanes>
    {
        TLanes largest = TLanes.Of(0), notFinite = TLanes.Of(0);
        for (var i = 0; i < BlockSize; i += TLanes.Count)
        {
            var value = TLanes.Load(values + i);
            largest = TLanes.Max(largest, TLanes.Abs(value));
            // 0, or no number where the value is none or infinite; a maximum may pass over it.
            notFinite += value * TLanes.Of(0);
        }
        var isNf4 = storage == WeightStorage.Nf4;
        var scale = ToBfloat16((isNf4 ? largest.Largest() : largest.Largest() / 127) + notFinite.Sum());
        var divisor = TLanes.Of(OfBfloat16(scale));
        for (var i = 0; i < BlockSize; i += TLanes.Count)
        {
            var unit = TLanes.Load(values + i) / divisor;
            (isNf4 ? NearestLevel(unit) : TLanes.Floor(unit + TLanes.Of(0.5f))).Store(values + i);
        }
        for (var i = 0; isNf4 && i < BlockSize; i += 2)
            codes[i / 2] = (byte)((int)values[i] | (int)values[i + 1] << 4);
        for (var i = 0; !isNf4 && i < BlockSize; i++)
            codes[i] = (byte)(sbyte)Math.Clamp((int)values[i], -127, 127);
        return scale;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes NearestLevel<TLanes>(TLanes unit) where TLanes : struct, ILanes<TLanes>
    {
        var code = TLanes.Of(0);
        foreach (var bound in bounds)
            code += TLanes.WhereGreater(unit, TLanes.Of(bound), TLanes.Of(1), TLanes.Of(0));
        return code;
    }

    private static void DecodeBlock(byte* codes, float scale, WeightStorage storage, float* target)
    {
        switch (LaneWidth.Bits)
        {
            case 512:
                DecodeBlock<Lanes512>(codes, scale, storage, target);
                break;
            case 256:
                DecodeBlock<Lanes256>(codes, scale, storage, target);
                break;
            default:
                DecodeBlock<Lanes128>(codes, scale, storage, target);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecodeBlock<TLanes>(byte* codes, float scale, WeightStorage storage, float* target)
        where TLanes : struct, ILanes<TLanes>
    {
        var factor = TLanes.Of(scale);
        if (storage != WeightStorage.Nf4)
        {
            for (var i = 0; i < BlockSize; i += TLanes.Count)
                (TLanes.OfSignedBytes((sbyte*)codes + i) * factor).Store(target + i);
            return;
        }
        fixed (ulong* table = pairs)
            for (var i = 0; i < BlockSize / 2; i++)
                ((ulong*)target)[i] = table[codes[i]];
        for (var i = 0; i < BlockSize; i += TLanes.Count)
            (TLanes.Load(target + i) * factor).Store(target + i);
    }

    private static float OfBfloat16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>Rounded to the nearest, to even ones where there are two; what is no number stays none.</summary>
    private static ushort ToBfloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsFinite(value) ? (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16) : (ushort)(bits >> 16 | (float.IsNaN(value) ? 0x40u : 0));
    }

    private static ulong Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    // As bitsandbytes computes the numbers that the paper has: probabilities in float32, from 1 - (1 / 30 + 1 / 32) / 2, halfway between what
    // is outermost of 15 and of 16 levels.
    private static float[] ComputeLevels()
    {
        const double outermost = 0.9677083;
        float[] positive = Quantiles(8), negative = Quantiles(7);
        return [.. negative.Select(value => -value / positive[0]), 0, .. positive.Reverse().Select(value => value / positive[0])];

        static float[] Quantiles(int count)
        {
            using var scope = NewDisposeScope();
            // Of the normal distribution: sqrt(2) erfinv(2 p - 1).
            var probabilities = linspace(outermost, 0.5, count + 1, dtype: float32).narrow(0, 0, count).to(float64);
            return probabilities.mul(2).sub(1).erfinv().mul(Math.Sqrt(2)).to(float32).data<float>().ToArray();
        }
    }
}
