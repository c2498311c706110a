using System.Text;
using FsCheck;
using FsCheck.Fluent;
using RewardModel.Checkpoints;
using static RewardModel.Tests.Checkpoints.SafetensorsBytes;

namespace RewardModel.Tests.Checkpoints;

public sealed class SafetensorsFileTests : IDisposable
{
    private const string TwoTensors =
        """{"__metadata__":{"format":"pt"},"b":{"dtype":"I16","shape":[2,1],"data_offsets":[4,8]},"""
        + """ "a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""";

    private readonly TemporaryDirectory directory = new();

    private string FilePath => directory["model.safetensors"];

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_file_gives_its_tensors_in_the_order_of_their_bytes()
    {
        using var file = Open(Of(TwoTensors, 8));
        Assert.Equal(["a", "b"], file.Entries.Select(entry => entry.Name));
        Assert.Equal([SafetensorsType.F32, SafetensorsType.I16], file.Entries.Select(entry => entry.Type));
        Assert.Equal([[], [2, 1]], file.Entries.Select(entry => entry.Shape));
        Assert.Equal([8 + TwoTensors.Length, 12 + TwoTensors.Length], file.Entries.Select(entry => entry.Offset));
        Assert.Equal([4, 4], file.Entries.Select(entry => entry.Length));
    }

    [Fact]
    public void A_file_gives_itMetadata()
    {
        using var file = Open(Of(TwoTensors, 8));
        Assert.Equal(new Dictionary<string, string> { ["format"] = "pt" }, file.Metadata);
    }

    [Fact]
    public void A_file_without_tensors_is_valid()
    {
        using var file = Open(Of("{}", 0));
        Assert.Empty(file.Entries);
        Assert.Empty(file.Metadata);
    }

    [Fact]
    public void Spaces_behind_the_header_are_padding()
    {
        using var file = Open(Of("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}   """, 1));
        Assert.Equal("a", Assert.Single(file.Entries).Name);
    }

    [Fact]
    public void Empty_tensors_may_lie_between_others()
    {
        using var file = Open(Of(
            """
            {
                "a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
                "none":{"dtype":"F64","shape":[3,0],"data_offsets":[1,1]},
                "b":{"dtype":"I8","shape":[1],"data_offsets":[1,2]}
            }
            """, 2));
        Assert.Equal(["a", "none", "b"], file.Entries.Select(entry => entry.Name));
    }

    [Fact]
    public void Values_are_read_from_any_position()
    {
        using var file = Open(Of(Encoding.UTF8.GetBytes(TwoTensors), [1, 2, 3, 4, 5, 6, 7, 8]));
        var bytes = new byte[2];
        file.Read(file.Find("b")!, 1, bytes);
        Assert.Equal([6, 7], bytes);
    }

    [Fact]
    public void Values_beyond_4_GB_are_read()
    {
        const long length = (1L << 32) + 8;
        File.WriteAllBytes(FilePath, Of($$$"""{"a":{"dtype":"U8","shape":[{{{length}}}],"data_offsets":[0,{{{length}}}]}}""", 0));
        // The file system keeps the zeros in between as a hole.
        using (var stream = File.OpenWrite(FilePath))
        {
            stream.Seek(length - 2, SeekOrigin.End);
            stream.Write([7, 9]);
        }
        using var file = SafetensorsFile.Open(FilePath);
        var bytes = new byte[3];
        file.Read(file.Find("a")!, length - 3, bytes);
        Assert.Equal([0, 7, 9], bytes);
    }

    [Fact]
    public void Values_beyond_the_tensor_are_not_read()
    {
        using var file = Open(Of(TwoTensors, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(file.Find("a")!, 1, new byte[4]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(file.Find("b")!, -1, new byte[1]));
    }

    [Fact]
    public void An_unknown_name_is_not_found()
    {
        using var file = Open(Of(TwoTensors, 8));
        Assert.Null(file.Find("c"));
    }

    [Fact]
    public void A_file_cut_short_while_open_is_an_error()
    {
        using var file = Open(Of(TwoTensors, 8));
        File.WriteAllBytes(FilePath, new byte[10]);
        var error = Assert.Throws<CheckpointException>(() => file.Read(file.Find("b")!, 0, new byte[4]));
        Assert.Equal(
            $"{FilePath}: the file ends inside tensor 'b': it became shorter after it was opened. Download or save the file again.",
            error.Message);
    }

    [Theory]
    [InlineData(new byte[] { }, "the file is empty, or it is not a regular file")]
    [InlineData(new byte[] { 2, 0, 0, 0, 0, 0, 0 }, "the file has 7 bytes; expected at least the 8 of the header's length")]
    [InlineData(new byte[] { 3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d },
        "the header's length is 3 bytes, but 2 follow: the file is cut short")]
    [InlineData(new byte[] { 1, 0x12, 0x7a, 0, 0, 0, 0, 0, 0x7b, 0x7d },
        "the header's length is 8000001 bytes; expected at most 8000000: this is no safetensors file")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0x80, 0x7b, 0x7d },
        "the header's length is 9223372036854775808 bytes; expected at most 8000000: this is no safetensors file")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 }, "the header begins with nothing; expected '{' (0x7b)")]
    public void A_wrong_header_length_is_an_error(byte[] bytes, string problem) => Refuses(bytes, problem);

    [Fact]
    public void An_error_leaves_the_file_closed()
    {
        Refuses([1], "the file has 1 bytes; expected at least the 8 of the header's length");
        using var exclusive = new FileStream(FilePath, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Assert.Equal(1, exclusive.Length);
    }

    [Fact]
    public void A_missing_file_is_an_input_error() =>
        Assert.Throws<FileNotFoundException>(() => SafetensorsFile.Open(FilePath));

    [Fact]
    public void Mutated_files_open_or_are_refused_with_a_reason()
    {
        var valid = Of(TwoTensors, 8);
        var edits = Gen.Zip(Gen.Choose(0, valid.Length - 1), Gen.Choose(0, 255)).Select(pair => (At: pair.Item1, Value: (byte)pair.Item2));
        var mutations = Gen.Zip(edits.NonEmptyListOf(), Gen.Choose(0, valid.Length)).Select(pair =>
        {
            var bytes = (byte[])valid.Clone();
            foreach (var (at, value) in pair.Item1)
                bytes[at] = value;
            // Half of the files keep their length.
            return pair.Item2 % 2 == 0 ? bytes : bytes[..pair.Item2];
        });
        Prop.ForAll(mutations.ToArbitrary(), OpensOrIsRefused).Check(Fuzzing.Config(2000));
    }

    [Fact]
    public void Headers_of_random_json_open_or_are_refused_with_a_reason()
    {
        var words = Gen.Elements(
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"__metadata__\"", "\"dtype\"", "\"F32\"", "\"shape\"", "\"data_offsets\"",
            "0", "4", "-1", "1.5", "9223372036854775807", "99999999999999999999", "null", "true", "\"\\ud800\"",
            "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}",
            "\"b\":{\"dtype\":\"U8\",\"shape\":[", "],\"data_offsets\":[");
        var headers = words.ListOf().Select(list => Of("{" + string.Concat(list) + "}", 4));
        Prop.ForAll(headers.ToArbitrary(), OpensOrIsRefused).Check(Fuzzing.Config(2000));
    }

    /// <summary>
    /// Either the tensors fill the file behind the header to its last byte, or there are reasons why not; in both cases without
    /// another exception, and without allocating more than 64 KB and 200 bytes for each of the file's.
    /// </summary>
    private bool OpensOrIsRefused(byte[] bytes)
    {
        File.WriteAllBytes(FilePath, bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            using var file = SafetensorsFile.Open(FilePath);
            var end = 8 + System.Buffers.Binary.BinaryPrimitives.ReadInt64LittleEndian(bytes);
            foreach (var entry in file.Entries)
            {
                if (entry.Offset != end)
                    return false;
                end += entry.Length;
            }
            return end == bytes.Length && IsBounded();
        }
        catch (CheckpointException e)
        {
            return e.Problems.Count > 0 && IsBounded();
        }

        bool IsBounded() => GC.GetAllocatedBytesForCurrentThread() - before < 65_536 + 200 * bytes.Length;
    }

    private SafetensorsFile Open(byte[] bytes)
    {
        File.WriteAllBytes(FilePath, bytes);
        return SafetensorsFile.Open(FilePath);
    }

    private void Refuses(byte[] bytes, string problem)
    {
        var error = Assert.Throws<CheckpointException>(() => Open(bytes));
        Assert.Equal($"{FilePath}: {problem}. Download or save the file again.", error.Message);
    }
}
