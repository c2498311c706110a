namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor index_select(long dim, Tensor index) => Aten.index_select.Call(this, dim, index);

        public Tensor index_copy_(long dim, Tensor index, Tensor source) => Aten.index_copy_.Call(this, dim, index, source);
    }
}
