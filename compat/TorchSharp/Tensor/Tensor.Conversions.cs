namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public static implicit operator Tensor(Scalar scalar) => full([], scalar, scalar.Type);

        public static implicit operator Tensor(bool value) => FromArray<bool>([value], [], null, null, false);

        public static implicit operator Tensor(bool[] value) => FromArray(value, [value.Length], null, null, false);

        public static implicit operator Tensor(byte value) => FromArray<byte>([value], [], null, null, false);

        public static implicit operator Tensor(byte[] value) => FromArray(value, [value.Length], null, null, false);

        public static implicit operator Tensor(int value) => FromArray<int>([value], [], null, null, false);

        public static implicit operator Tensor(int[] value) => FromArray(value, [value.Length], null, null, false);

        public static implicit operator Tensor(long value) => FromArray<long>([value], [], null, null, false);

        public static implicit operator Tensor(long[] value) => FromArray(value, [value.Length], null, null, false);

        public static implicit operator Tensor(float value) => FromArray<float>([value], [], null, null, false);

        public static implicit operator Tensor(float[] value) => FromArray(value, [value.Length], null, null, false);

        public static implicit operator Tensor(double value) => FromArray<double>([value], [], null, null, false);

        public static implicit operator Tensor(double[] value) => FromArray(value, [value.Length], null, null, false);

        public static explicit operator bool(Tensor value) => value.Single<bool>();

        public static explicit operator byte(Tensor value) => value.Single<byte>();

        public static explicit operator int(Tensor value) => value.Single<int>();

        public static explicit operator long(Tensor value) => value.Single<long>();

        public static explicit operator float(Tensor value) => value.Single<float>();

        public static explicit operator double(Tensor value) => value.Single<double>();

        // Unlike item(), a cast converts the element first.
        private T Single<T>()
            where T : unmanaged
        {
            using var converted = to(ScalarTypeOf(typeof(T)).Value);
            return converted.item<T>();
        }
    }
}
