namespace TorchSharp;

public static partial class torch
{
    internal enum TensorIndexKind
    {
        None,
        Ellipsis,
        Single,
        Slice,
        Bool,
        Tensor,
    }

    /// <summary>What chooses along one dimension, as between the brackets of Python: a number, a slice, None, a tensor.</summary>
    public struct TensorIndex
    {
        /// <summary>As many whole dimensions as the other indices leave.</summary>
        public static readonly TensorIndex Ellipsis = new() { Kind = TensorIndexKind.Ellipsis };

        /// <summary>A new dimension of size 1.</summary>
        public static readonly TensorIndex None = new() { Kind = TensorIndexKind.None };

        /// <summary>The same as <see cref="None"/>.</summary>
        public static readonly TensorIndex Null = None;

        /// <summary>The whole dimension.</summary>
        public static readonly TensorIndex Colon = Slice();

        internal TensorIndexKind Kind { get; private init; }

        internal long? Start { get; private init; }

        internal long? Stop { get; private init; }

        internal long? Step { get; private init; }

        internal bool Truth { get; private init; }

        internal Tensor Indices { get; private init; }

        /// <summary>How many dimensions of the indexed tensor it uses up.</summary>
        internal readonly long DimCount => Kind switch
        {
            TensorIndexKind.Single or TensorIndexKind.Slice => 1,
            TensorIndexKind.Tensor => DimCountOf(Indices),
            _ => 0,
        };

        public static TensorIndex Single(long? index) =>
            index is null ? None : new() { Kind = TensorIndexKind.Single, Start = index };

        public static TensorIndex Bool(bool value) => new() { Kind = TensorIndexKind.Bool, Truth = value };

        public static TensorIndex Tensor(Tensor tensor) => new() { Kind = TensorIndexKind.Tensor, Indices = tensor };

        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null) =>
            new() { Kind = TensorIndexKind.Slice, Start = start, Stop = stop, Step = step };

        public static TensorIndex Slice((int?, int?) range) => Slice(range.Item1, range.Item2);

        /// <summary><c>^n</c> counts from the end.</summary>
        public static TensorIndex Slice(Range range) => Slice(FromStart(range.Start), FromStart(range.End));

        public static implicit operator TensorIndex(long value) => Single(value);

        public static implicit operator TensorIndex(Index index) => Single(FromStart(index));

        public static implicit operator TensorIndex(Range range) => Slice(range);

        public static implicit operator TensorIndex((int?, int?) range) => Slice(range);

        /// <summary>Never: it exists so that a mixture of tensors and other indices compiles, and says what to write instead.</summary>
        /// <exception cref="InvalidOperationException">Always.</exception>
        public static implicit operator Tensor(TensorIndex value) =>
            throw new InvalidOperationException(
                "wrap the tensors among the indices with TensorIndex.Tensor(...): a TensorIndex is no tensor");

        /// <summary>A mask chooses in as many dimensions as it has, a tensor of positions in one.</summary>
        internal static long DimCountOf(Tensor indices) => indices.dtype is ScalarType.Bool or ScalarType.Byte ? indices.dim() : 1;

        private static long? FromStart(Index index) =>
            index.IsFromEnd ? (index.Value == 0 ? null : -index.Value) : index.Value;
    }
}
