namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor t() => Aten.t.Call(this);

        public Tensor view(params long[] shape) => Aten.view.Call(this, shape);

        public Tensor reshape(params long[] shape) => Aten.reshape.Call(this, shape);

        public Tensor transpose(long dim0, long dim1) => Aten.transpose_int.Call(this, dim0, dim1);

        public Tensor permute(params long[] permutation) => Aten.permute.Call(this, permutation);

        public Tensor permute(IEnumerable<long> permutation) => permute(permutation.ToArray());

        public Tensor repeat(params long[] sizes) => Aten.repeat.Call(this, sizes);

        public Tensor unsqueeze(long dim) => Aten.unsqueeze.Call(this, dim);

        public Tensor squeeze(long? dim = null) => dim is null ? Aten.squeeze.Call(this) : Aten.squeeze_dim.Call(this, dim.Value);

        public Tensor[] split(long size, int dim = 0) => Aten.split_Tensor.CallList(this, size, dim);

        public Tensor[] split(long[] sizes, long dim = 0) => Aten.split_with_sizes.CallList(this, sizes, dim);

        public Tensor[] split(params long[] sizes) => split(sizes, dim: 0);

        public Tensor[] unbind(long dimension = 0) => Aten.unbind_int.CallList(this, dimension);

        public Tensor narrow(long dim, long start, long length) => Aten.narrow.Call(this, dim, start, length);
    }
}
