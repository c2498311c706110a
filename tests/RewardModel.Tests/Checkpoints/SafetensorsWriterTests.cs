using System.Text;
using FsCheck;
using FsCheck.Fluent;
using RewardModel.Checkpoints;

namespace RewardModel.Tests.Checkpoints;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    private string FilePath => directory["model.safetensors"];

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_file_has_exactly_these_bytes()
    {
        SafetensorsWriter.Write(
            FilePath, [Source("b", SafetensorsType.U8, [3], 7, 8, 9), Source("a", SafetensorsType.F32, [1, 1], 1, 2, 3, 4)]);
        const string header =
            """{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}"""
            + ""","b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}}     """;
        Assert.Equal(0, header.Length % 8);
        Assert.Equal(SafetensorsBytes.Of(Encoding.UTF8.GetBytes(header), [1, 2, 3, 4, 7, 8, 9]), File.ReadAllBytes(FilePath));
    }

    [Fact]
    public void The_order_of_the_arguments_does_not_change_the_bytes()
    {
        var tensors = new[]
        {
            Source("b", SafetensorsType.BF16, [1], 5, 6), Source("a", SafetensorsType.BF16, [1], 3, 4),
            Source("c", SafetensorsType.I64, [0]),
        };
        SafetensorsWriter.Write(FilePath, tensors);
        var bytes = File.ReadAllBytes(FilePath);
        SafetensorsWriter.Write(FilePath, [tensors[2], tensors[1], tensors[0]]);
        Assert.Equal(bytes, File.ReadAllBytes(FilePath));
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        var tensors =
            from type in Gen.Elements(Enum.GetValues<SafetensorsType>())
            from shape in Gen.Choose(0, 3).Select(size => (long)size).ListOf(3)
            from seed in Gen.Choose(0, int.MaxValue)
            select (type, shape: shape.ToArray(), bytes: Bytes(seed, type.ByteCount([.. shape])));
        Prop.ForAll(tensors.ListOf().ToArbitrary(), list =>
        {
            SafetensorsWriter.Write(
                FilePath, [.. list.Select((tensor, i) => Source($"läyer.{i}\n", tensor.type, tensor.shape, tensor.bytes))]);
            using var file = SafetensorsFile.Open(FilePath);
            Assert.Equal(list.Count, file.Entries.Count);
            foreach (var (i, tensor) in list.Index())
            {
                var entry = file.Find($"läyer.{i}\n")!;
                var bytes = new byte[entry.Length];
                file.Read(entry, 0, bytes);
                Assert.Equal(tensor.type, entry.Type);
                Assert.Equal(tensor.shape, entry.Shape);
                Assert.Equal(tensor.bytes, bytes);
                Assert.Equal(0, entry.Offset % entry.Type.Size());
            }
        }).Check(Config.QuickThrowOnFailure);
    }

    [Fact]
    public void A_source_that_writes_too_little_is_an_error_and_leaves_no_file()
    {
        var error = Assert.Throws<ArgumentException>(
            () => SafetensorsWriter.Write(FilePath, [Source("a", SafetensorsType.F32, [2], 1, 2, 3)]));
        Assert.Equal("the source of tensor 'a' wrote 3 bytes; expected 8 (Parameter 'tensors')", error.Message);
        Assert.Empty(directory.FileNames());
    }

    [Fact]
    public void Wrong_names_and_shapes_are_listed_at_once()
    {
        var error = Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(FilePath, [
            Source("a", SafetensorsType.U8, [1], 1), Source("a", SafetensorsType.U8, [1], 1),
            Source("__metadata__", SafetensorsType.U8, [1], 1),
            Source("b", SafetensorsType.U8, [-1, 2]),
        ]));
        Assert.Equal(
            "the name 'a' is given more than once; the name '__metadata__' is reserved by the format; "
            + "tensor 'b' has the negative shape [-1, 2] (Parameter 'tensors')",
            error.Message);
    }

    private static SafetensorsSource Source(string name, SafetensorsType type, long[] shape, params byte[] bytes) =>
        new(name, type, shape, stream => stream.Write(bytes));

    private static byte[] Bytes(int seed, long count)
    {
        var bytes = new byte[count];
        new System.Random(seed).NextBytes(bytes);
        return bytes;
    }
}
