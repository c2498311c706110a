namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor to(ScalarType type, Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(type, device, copy, disposeAfter, non_blocking);

        public Tensor to(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(type, null, copy, disposeAfter, non_blocking);

        public Tensor to(Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(null, device, copy, disposeAfter, non_blocking);

        public Tensor to(
            DeviceType deviceType, int deviceIndex = -1, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(null, new Device(deviceType, deviceIndex), copy, disposeAfter, non_blocking);

        public Tensor to(string device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(null, new Device(device), copy, disposeAfter, non_blocking);

        /// <summary>The type and device of <paramref name="other"/>.</summary>
        public Tensor to(Tensor other, bool non_blocking = false) =>
            Convert(other.dtype, other.device, copy: false, disposeAfter: false, non_blocking);

        public Tensor cpu() => to(CPU);

        public Tensor contiguous() => Aten.contiguous.Call(this);

        public Tensor clone() => Aten.clone.Call(this);

        public Tensor copy_(Tensor source, bool nonBlocking = false)
        {
            Aten.copy_.Call(this, source, nonBlocking).Dispose();
            return this;
        }

        public Tensor fill_(Scalar value) => Aten.fill__Scalar.Call(this, value);

        private Tensor Convert(ScalarType? type, Device device, bool copy, bool disposeAfter, bool non_blocking)
        {
            var place = device is null ? null : Usable(device);
            var converted = Aten.to_dtype_layout.Call(this, type, Arg.None, place, Arg.None, non_blocking, copy);
            if (disposeAfter)
                Dispose();
            return converted;
        }
    }
}
