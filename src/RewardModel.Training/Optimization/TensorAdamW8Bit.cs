using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>AdamW with moments of 8 bits by operators, on any device.</summary>
internal sealed class TensorAdamW8Bit : IArithmetic<QuantizedSlot, AdamWRule>
{
    /// <summary>Blocks that are decoded at a time: bounds memory.</summary>
    private const long blocksAtOnce = 1 << 16;

    public void Update(IReadOnlyList<QuantizedSlot> slots, AdamWRule rule)
    {
        if (slots.Count == 0)
            return;
        var device = slots[0].Parameter.device;
        MapTensors signed = new(DynamicMap.Signed, device), unsigned = new(DynamicMap.Unsigned, device);
        foreach (var slot in slots.Where(slot => slot.Parameter.grad is not null))
        {
            var gradient = slot.Parameter.grad!.contiguous().view(-1);
            var blocks = DynamicMap.BlockCountOf(gradient.numel());
            for (long first = 0; first < blocks; first += blocksAtOnce)
                Update(slot, gradient, signed, unsigned, first, Math.Min(blocksAtOnce, blocks - first), rule);
        }
    }

    private static void Update(
        QuantizedSlot slot, Tensor gradient, MapTensors signed, MapTensors unsigned, long first, long count, AdamWRule rule)
    {
        using var scope = NewDisposeScope();
        var start = first * DynamicMap.BlockLength;
        var length = Math.Min(count * DynamicMap.BlockLength, gradient.numel() - start);
        Tensor m = signed.Decode(slot.FirstMoment, first, count), v = unsigned.Decode(slot.SecondMoment, first, count);
        TensorAdamW.Update(
            slot.Parameter.view(-1).narrow(0, start, length), gradient.narrow(0, start, length),
            m.view(-1).narrow(0, 0, length), v.view(-1).narrow(0, 0, length), slot.Optimized, rule);
        signed.Encode(m, slot.FirstMoment, first);
        unsigned.Encode(v, slot.SecondMoment, first);
    }

    /// <summary>A map where the moments lie.</summary>
    private sealed class MapTensors(DynamicMap map, Device device)
    {
        private readonly Tensor values = DeviceTensor.Of(map.Values.ToArray(), device);
        private readonly Tensor bounds = DeviceTensor.Of(map.Bounds.ToArray(), device);

        /// <summary>The numbers of some blocks, [blocks, <see cref="DynamicMap.BlockLength"/>] float32.</summary>
        public Tensor Decode(QuantizedMoment moment, long first, long count)
        {
            var codes = moment.Codes.narrow(0, first, count);
            return values.index_select(0, codes.view(-1).to(int64)).view(codes.shape)
                .mul(moment.Largest.narrow(0, first, count).unsqueeze(-1));
        }

        /// <summary>Stores numbers of some blocks.</summary>
        public void Encode(Tensor numbers, QuantizedMoment moment, long first)
        {
            var largest = numbers.abs().amax([-1], keepdim: true);
            largest = largest.mul(largest.ge(DynamicMap.LeastMagnitude));
            var share = numbers.abs().div(largest.where(largest.gt(0), ones_like(largest)));
            // out_int32, and right: a bound belongs to the part that it begins.
            var k = new OperatorCall("aten::bucketize", "Tensor").Tensor(share).Tensor(bounds).Bool(true).Bool(true).Call(1)[0];
            var codes = map.Zero == 0
                ? k.maximum(numbers.gt(0).to(int32))
                : k.where(numbers.ge(0), k.clamp_max(map.Zero).neg()).add(map.Zero);
            moment.Codes.narrow(0, first, codes.size(0)).copy_(codes);
            moment.Largest.narrow(0, first, codes.size(0)).copy_(largest.squeeze(-1));
        }
    }
}
