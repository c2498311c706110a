using RewardModel.Checkpoints;
using static TorchSharp.torch;

namespace RewardModel.Tests.Checkpoints;

public sealed class TensorBytesTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    private string FilePath => directory["a.safetensors"];

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Every_type_of_the_format_that_torch_has_is_read_and_written()
    {
        (SafetensorsType, ScalarType)[] types =
        [
            (SafetensorsType.F64, ScalarType.Float64),
            (SafetensorsType.F32, ScalarType.Float32),
            (SafetensorsType.F16, ScalarType.Float16),
            (SafetensorsType.BF16, ScalarType.BFloat16),
            (SafetensorsType.I64, ScalarType.Int64),
            (SafetensorsType.I32, ScalarType.Int32),
            (SafetensorsType.I16, ScalarType.Int16),
            (SafetensorsType.I8, ScalarType.Int8),
            (SafetensorsType.U8, ScalarType.Byte),
            (SafetensorsType.BOOL, ScalarType.Bool),
        ];
        Assert.All(types, pair =>
        {
            var (type, expected) = pair;
            Assert.Equal(expected, TensorBytes.ToScalarType(type));
            Assert.Equal(type, TensorBytes.ToSafetensorsType(expected));
            using var tensor = zeros([2, 3], expected);
            Assert.Equal(type.Size(), tensor.element_size());
        });
    }

    [Fact]
    public void Complex_numbers_cannot_be_written()
    {
        // TorchSharp's ComplexFloat32.
        const ScalarType complex = (ScalarType)9;
        var error = Assert.Throws<ArgumentException>(() => TensorBytes.ToSafetensorsType(complex));
        Assert.Equal(
            $"tensors of type {complex} cannot be written; convert them to one of "
            + "Float64, Float32, Float16, BFloat16, Int64, Int32, Int16, Int8, Byte, Bool (Parameter 'type')",
            error.Message);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(1000)]
    public void Values_are_written_and_read_in_pieces(int pieceBytes)
    {
        using var scope = NewDisposeScope();
        var values = arange(0, 10, ScalarType.Float32).reshape(2, 5);
        Write(values, pieceBytes);
        using var file = SafetensorsFile.Open(FilePath);
        var read = TensorBytes.Read(file, file.Find("a")!, null, pieceBytes);
        Assert.Equal([2, 5], read.shape);
        Assert.Equal([0f, 1, 2, 3, 4, 5, 6, 7, 8, 9], read.data<float>().ToArray());
    }

    [Fact]
    public void A_transposed_tensor_is_written_in_row_major_order()
    {
        using var scope = NewDisposeScope();
        Write(arange(0, 6, ScalarType.Float32).reshape(2, 3).transpose(0, 1));
        Assert.Equal([0f, 3, 1, 4, 2, 5], Read(null).data<float>().ToArray());
    }

    [Fact]
    public void Values_are_converted_to_the_type_asked_for()
    {
        using var scope = NewDisposeScope();
        Write(tensor([1.5f, -2f]).to(ScalarType.BFloat16));
        var read = Read(ScalarType.Float32);
        Assert.Equal(ScalarType.Float32, read.dtype);
        Assert.Equal([1.5f, -2f], read.data<float>().ToArray());
        Assert.Equal(ScalarType.BFloat16, Read(null).dtype);
    }

    [Theory]
    [InlineData(new long[0], 1)]
    [InlineData(new long[] { 3, 0 }, 0)]
    public void Scalars_and_empty_tensors_keep_their_shape(long[] shape, int count)
    {
        using var scope = NewDisposeScope();
        Write(ones(shape, ScalarType.Float32));
        var read = Read(null);
        Assert.Equal(shape, read.shape);
        Assert.Equal(count, read.sum().item<float>());
    }

    [Fact]
    public void Only_the_result_is_left_alive()
    {
        using var outer = NewDisposeScope();
        Write(ones([4], ScalarType.Float32));
        var before = outer.DisposablesCount;
        using var read = Read(ScalarType.Float64);
        Assert.Equal(before + 1, outer.DisposablesCount);
    }

    [Fact]
    public void Reading_into_a_tensor_in_pieces_leaves_no_view_of_it_alive()
    {
        using var outer = NewDisposeScope();
        Write(arange(0, 10, ScalarType.Float32));
        using var file = SafetensorsFile.Open(FilePath);
        var target = empty(6);
        var before = outer.DisposablesCount;
        TensorBytes.Read(file, file.Find("a")!, 2, target, maxChunkBytes: 8);
        Assert.Equal(before, outer.DisposablesCount);
        Assert.Equal([2f, 3, 4, 5, 6, 7], target.data<float>().ToArray());
    }

    private void Write(Tensor tensor, long maxChunkBytes = 1000) =>
        SafetensorsWriter.Write(FilePath, [
            new("a", TensorBytes.ToSafetensorsType(tensor.dtype), tensor.shape, stream => TensorBytes.Write(tensor, stream, maxChunkBytes)),
        ]);

    private Tensor Read(ScalarType? dtype)
    {
        using var file = SafetensorsFile.Open(FilePath);
        return TensorBytes.Read(file, file.Find("a")!, dtype);
    }
}
