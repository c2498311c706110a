namespace TorchSharp;

public static partial class torch
{
    public unsafe partial class Tensor
    {
        public long[] shape
        {
            get
            {
                var description = Describe();
                var sizes = new Span<long>(description.Sizes, description.Dim).ToArray();
                GC.KeepAlive(this);
                return sizes;
            }
        }

        public ScalarType dtype => (ScalarType)Describe().DType;

        public Device device => Describe() is var description && description.DeviceType == (int)DeviceType.CPU
            ? CPU
            : new Device((DeviceType)description.DeviceType, description.DeviceIndex);

        public DeviceType device_type => (DeviceType)Describe().DeviceType;

        public long dim() => Describe().Dim;

        public long[] size() => shape;

        /// <param name="dim">Counted from the end when negative.</param>
        public long size(int dim)
        {
            var description = Describe();
            var size = description.Sizes[Wrap(dim, description.Dim)];
            GC.KeepAlive(this);
            return size;
        }

        internal long[] stride()
        {
            var description = Describe();
            var strides = new Span<long>(description.Strides, description.Dim).ToArray();
            GC.KeepAlive(this);
            return strides;
        }

        public long numel() => Describe().NumElements;

        public long element_size() => Describe().ElementSize;

        public bool is_contiguous() => Describe().IsContiguous != 0;

        private TensorDescription Describe()
        {
            TensorDescription description;
            Shim.Check(Shim.ts_tensor_describe(Handle, &description));
            GC.KeepAlive(this);
            return description;
        }

        private static int Wrap(int dim, int dims)
        {
            if (dim < -dims || dim >= dims)
                throw new ArgumentOutOfRangeException(
                    nameof(dim), dim, $"expected from {-dims} to {dims - 1}: the tensor has {dims} dimensions");
            return dim < 0 ? dim + dims : dim;
        }
    }
}
