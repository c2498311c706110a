using TorchSharp.Utils;

namespace TorchSharp;

public static partial class torch
{
    public unsafe partial class Tensor
    {
        /// <summary>The one element of the tensor.</summary>
        /// <exception cref="ArgumentException">The tensor has not exactly one element, or its elements are not of that type.</exception>
        public T item<T>()
            where T : unmanaged
        {
            CheckElementType(typeof(T));
            if (numel() != 1)
                throw new ArgumentException($"item() needs a tensor of one element, this one has {numel()}");
            if (device_type == DeviceType.CPU)
                return ReadFirst<T>();
            using var onCpu = cpu();
            return onCpu.ReadFirst<T>();
        }

        /// <summary>The elements of a tensor on the CPU, to be read and written in place.</summary>
        /// <exception cref="ArgumentException">The elements are not of that type.</exception>
        /// <exception cref="InvalidOperationException">The tensor is not on the CPU.</exception>
        public TensorAccessor<T> data<T>()
            where T : unmanaged
        {
            CheckElementType(typeof(T));
            CheckOnCpu();
            return new TensorAccessor<T>(this);
        }

        /// <summary>The memory of a contiguous tensor on the CPU. It is gone when the tensor is: keep the tensor alive.</summary>
        /// <exception cref="InvalidOperationException">The tensor is not on the CPU, or not contiguous.</exception>
        public Span<byte> bytes
        {
            get
            {
                CheckOnCpu();
                var description = Describe();
                if (description.IsContiguous == 0)
                    throw new InvalidOperationException("bytes needs a contiguous tensor: call contiguous() first");
                return new Span<byte>(DataPointer(), checked((int)(description.NumElements * description.ElementSize)));
            }

            set
            {
                var destination = bytes;
                if (value.Length != destination.Length)
                    throw new ArgumentException($"{value.Length} bytes given, the tensor has {destination.Length}");
                value.CopyTo(destination);
            }
        }

        internal void* DataPointer()
        {
            void* data;
            Shim.Check(Shim.ts_tensor_data(Handle, &data));
            return data;
        }

        private T ReadFirst<T>()
            where T : unmanaged
        {
            var value = *(T*)DataPointer();
            GC.KeepAlive(this);
            return value;
        }

        private void CheckElementType(Type type)
        {
            if (ScalarTypeOf(type) != dtype)
                throw new ArgumentException($"the tensor's elements are {dtype}, not {type.Name}: convert it with to() first");
        }

        private void CheckOnCpu()
        {
            if (device_type != DeviceType.CPU)
                throw new InvalidOperationException($"the tensor's memory is on {device}: call cpu() first");
        }
    }
}
