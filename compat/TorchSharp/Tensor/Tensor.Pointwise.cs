namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor neg() => Aten.neg.Call(this);

        public Tensor sqrt() => Aten.sqrt.Call(this);

        public Tensor rsqrt() => Aten.rsqrt.Call(this);

        public Tensor abs() => Aten.abs.Call(this);

        public Tensor sigmoid() => Aten.sigmoid.Call(this);

        public Tensor tanh() => Aten.tanh.Call(this);

        public Tensor relu() => Aten.relu.Call(this);

        public Tensor silu() => Aten.silu.Call(this);

        public Tensor gelu() => Aten.gelu.Call(this);

        public Tensor softmax(long dim, ScalarType? dtype = null) => Aten.softmax_int.Call(this, dim, dtype);
    }
}
