namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor this[long i1]
        {
            get => select(0, i1);
            set => Assign(value, [i1]);
        }

        public Tensor this[long i1, long i2]
        {
            get => index([i1, i2]);
            set => Assign(value, [i1, i2]);
        }

        public Tensor this[long i1, long i2, long i3]
        {
            get => index([i1, i2, i3]);
            set => Assign(value, [i1, i2, i3]);
        }

        public Tensor this[long i1, long i2, long i3, long i4]
        {
            get => index([i1, i2, i3, i4]);
            set => Assign(value, [i1, i2, i3, i4]);
        }

        public Tensor this[long i1, long i2, long i3, long i4, long i5]
        {
            get => index([i1, i2, i3, i4, i5]);
            set => Assign(value, [i1, i2, i3, i4, i5]);
        }

        public Tensor this[long i1, long i2, long i3, long i4, long i5, long i6]
        {
            get => index([i1, i2, i3, i4, i5, i6]);
            set => Assign(value, [i1, i2, i3, i4, i5, i6]);
        }

        public Tensor this[params long[] indices]
        {
            get => index(ToTensorIndices(indices));
            set => Assign(value, ToTensorIndices(indices));
        }

        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => Assign(value, indices);
        }

        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices, accumulate: false).Dispose();
        }

        public Tensor index(params Tensor[] indices) => Aten.index_Tensor.Call(this, indices);

        public Tensor index(params TensorIndex[] indices)
        {
            using var place = new IndexedPlace(this, indices);
            return place.Read();
        }

        public Tensor index_put_(Tensor value, params Tensor[] indices) => index_put_(value, indices, accumulate: false);

        public Tensor index_put_(Tensor value, Tensor[] indices, bool accumulate = false) =>
            Aten.index_put_.Call(this, indices, value, accumulate);

        public Tensor index_put_(Scalar value, params Tensor[] indices)
        {
            using var tensor = FullLike(value);
            return index_put_(tensor, indices);
        }

        public Tensor index_put_(Tensor value, params TensorIndex[] indices) => index_put_(value, indices, accumulate: false);

        public Tensor index_put_(Tensor value, TensorIndex[] indices, bool accumulate = false)
        {
            using var place = new IndexedPlace(this, indices);
            place.Write(value, accumulate);
            return alias();
        }

        public Tensor index_put_(Scalar value, params TensorIndex[] indices)
        {
            using var tensor = FullLike(value);
            return index_put_(tensor, indices);
        }

        public Tensor index_select(long dim, Tensor index) => Aten.index_select.Call(this, dim, index);

        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar alpha) =>
            Aten.index_add_.Call(this, dim, index, source, alpha);

        public Tensor index_copy_(long dim, Tensor index, Tensor source) => Aten.index_copy_.Call(this, dim, index, source);

        public Tensor gather(long dim, Tensor index) => Aten.gather.Call(this, dim, index);

        public Tensor scatter_(long dim, Tensor index, Tensor src) => Aten.scatter__src.Call(this, dim, index, src);

        public Tensor masked_fill(Tensor mask, Scalar value) => Aten.masked_fill_Scalar.Call(this, mask, value);

        public Tensor masked_fill_(Tensor mask, Scalar value) => Aten.masked_fill__Scalar.Call(this, mask, value);

        public Tensor masked_select(Tensor mask) => Aten.masked_select.Call(this, mask);

        /// <summary>This tensor's elements where the condition holds, those of <paramref name="y"/> elsewhere.</summary>
        public Tensor where(Tensor condition, Tensor y) => Aten.where_self.Call(condition, this, y);

        public Tensor nonzero() => Aten.nonzero.Call(this);

        private void Assign(Tensor value, TensorIndex[] indices)
        {
            using var place = new IndexedPlace(this, indices);
            place.Write(value, accumulate: false);
        }

        private Tensor FullLike(Scalar value) => full([], value, dtype, device);

        private static TensorIndex[] ToTensorIndices(long[] indices) => Array.ConvertAll(indices, index => (TensorIndex)index);
    }
}
