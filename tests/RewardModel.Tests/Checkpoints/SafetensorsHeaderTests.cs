using System.Diagnostics;
using System.Text;
using RewardModel.Checkpoints;

namespace RewardModel.Tests.Checkpoints;

public sealed class SafetensorsHeaderTests
{
    private const string Types = "F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL";
    private const string Integers = "whole numbers from 0 to 2^63 - 1";

    [Theory]
    [InlineData("[]", "the header begins with byte 0x5b; expected '{' (0x7b)")]
    [InlineData(" {}", "the header begins with byte 0x20; expected '{' (0x7b)")]
    [InlineData("""{"a":0}""", "tensor 'a' is a number; expected an object with dtype, shape and data_offsets")]
    [InlineData("""{"a":[[0]]}""", "tensor 'a' is an array; expected an object with dtype, shape and data_offsets")]
    [InlineData("""{"__metadata__":"pt"}""", "'__metadata__' is a string; expected an object of strings")]
    [InlineData("""{"__metadata__":{"step":3}}""", "'step' in '__metadata__' is a number; expected a string")]
    public void A_header_of_the_wrong_kind_is_an_error(string header, string problem) => Refuses(header, 0, problem);

    [Theory]
    [InlineData("""{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}""", 1,
        "the checkpoint is quantised (8-bit numbers), as tensor 'a' of the dtype 'F8_E4M3' shows; this is not supported")]
    [InlineData("""{"dtype":"f32","shape":[1],"data_offsets":[0,4]}""", 4, "tensor 'a' has the dtype 'f32'; expected one of " + Types)]
    [InlineData("""{"dtype":7,"shape":[1],"data_offsets":[0,4]}""", 4, "tensor 'a' has a dtype that is a number; expected a string")]
    [InlineData("""{"shape":[1],"data_offsets":[0,4]}""", 4, "tensor 'a' has no dtype")]
    [InlineData("""{"dtype":"F32","data_offsets":[0,4]}""", 4, "tensor 'a' has no shape")]
    [InlineData("""{"dtype":"F32","shape":[1]}""", 0, "tensor 'a' has no data_offsets")]
    [InlineData("""{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}""", 4, "tensor 'a' has the field 'dtype' more than once")]
    [InlineData("""{"dtype":"F32","shape":[1],"data_offsets":[0,4],"strides":[1]}""", 4,
        "tensor 'a' has the unknown field 'strides'; expected dtype, shape and data_offsets")]
    [InlineData("""{"dtype":"F32","shape":null,"data_offsets":[0,4]}""", 4,
        "tensor 'a' has a shape that is null; expected an array of at most 64 " + Integers)]
    [InlineData("""{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}""", 4,
        "tensor 'a' has a shape with other values or more of them; expected an array of at most 64 " + Integers)]
    [InlineData("""{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}""", 4,
        "tensor 'a' has a shape with other values or more of them; expected an array of at most 64 " + Integers)]
    [InlineData("""{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}""", 4,
        "tensor 'a' has a shape with other values or more of them; expected an array of at most 64 " + Integers)]
    [InlineData("""{"dtype":"F32","shape":[1],"data_offsets":[0,2,4]}""", 0,
        "tensor 'a' has data_offsets with other values or more of them; expected an array of at most 2 " + Integers)]
    [InlineData("""{"dtype":"F32","shape":[1],"data_offsets":[4]}""", 0,
        "tensor 'a' has data_offsets [4]; expected [begin, end] with begin <= end")]
    [InlineData("""{"dtype":"F32","shape":[1],"data_offsets":[4,0]}""", 0,
        "tensor 'a' has data_offsets [4, 0]; expected [begin, end] with begin <= end")]
    public void A_wrong_description_of_a_tensor_is_an_error(string tensor, int dataLength, string problem) =>
        Refuses($$$"""{"a":{{{tensor}}}}""", dataLength, problem);

    [Theory]
    [InlineData("[2]", "tensor 'a' of type F32 and shape [2] has 4 bytes; expected 8")]
    [InlineData("[0]", "tensor 'a' of type F32 and shape [0] has 4 bytes; expected 0")]
    [InlineData("[1152921504606846976]",
        "tensor 'a' of type F32 and shape [1152921504606846976] has 4 bytes; expected 4611686018427387904")]
    [InlineData("[0, 2305843009213693952]", "tensor 'a' of type F32 and shape [0, 2305843009213693952] has more than 2^63 bytes")]
    [InlineData("[2305843009213693952]", "tensor 'a' of type F32 and shape [2305843009213693952] has more than 2^63 bytes")]
    [InlineData("[1152921504606846976,1152921504606846976]",
        "tensor 'a' of type F32 and shape [1152921504606846976, 1152921504606846976] has more than 2^63 bytes")]
    public void A_shape_that_does_not_fit_the_bytes_is_an_error(string shape, string problem) =>
        Refuses($$$"""{"a":{"dtype":"F32","shape":{{{shape}}},"data_offsets":[0,4]}}""", 4, problem);

    [Theory]
    [InlineData("[0,1]", "[2,3]", 3, "bytes 1 to 2 of the data belong to no tensor; expected tensor 'b' right behind tensor 'a'")]
    [InlineData("[1,2]", "[2,3]", 3, "bytes 0 to 1 of the data belong to no tensor; expected tensor 'a' right behind the header")]
    [InlineData("[0,1]", "[0,1]", 1, "tensor 'b' begins at byte 0 of the data, before the end of tensor 'a' at byte 1")]
    [InlineData("[0,1]", "[1,2]", 3, "the file has 3 bytes of data; expected 2 by its header: the last 1 belong to no tensor")]
    [InlineData("[0,1]", "[1,2]", 1, "the file has 1 bytes of data; expected 2 by its header: it is cut short")]
    public void Tensors_that_do_not_tile_the_data_are_an_error(string a, string b, int dataLength, string problem) =>
        Refuses(
            $$$"""{"a":{"dtype":"U8","shape":[1],"data_offsets":{{{a}}}},"b":{"dtype":"U8","shape":[1],"data_offsets":{{{b}}}}}""",
            dataLength, problem);

    [Fact]
    public void An_offset_near_2_to_the_63_is_an_error() =>
        Refuses(
            """{"a":{"dtype":"U8","shape":[1],"data_offsets":[9223372036854775806,9223372036854775807]}}""", 1,
            "bytes 0 to 9223372036854775806 of the data belong to no tensor; expected tensor 'a' right behind the header",
            "the file has 1 bytes of data; expected 9223372036854775807 by its header: it is cut short");

    [Fact]
    public void A_name_given_twice_is_an_error() =>
        Refuses(
            """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2,
            "'a' is described more than once; expected each name once");

    [Fact]
    public void All_defects_are_listed_at_once() =>
        Refuses(
            """
            {
                "a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}, "b":{"dtype":"U8","shape":[3],"data_offsets":[2,3]},
                "c":{"dtype":"U8","shape":[1]}
            }
            """, 3,
            $"tensor 'a' has the dtype 'F8'; expected one of {Types}",
            "tensor 'b' of type U8 and shape [3] has 1 bytes; expected 3",
            "tensor 'c' has no data_offsets");

    [Theory]
    [InlineData("{", "Expected depth to be zero at the end of the JSON payload")]
    [InlineData("{}x", "'x' is invalid after a single JSON value")]
    [InlineData("""{"a":{"dtype":"F32","shape":[[0]],"data_offsets":[0,4]}}""", "The maximum configured depth of 3 has been exceeded")]
    [InlineData("""{"\ud800":0}""", "Cannot read incomplete UTF-16 JSON text as string with missing low surrogate")]
    public void A_header_that_is_not_json_is_an_error(string header, string reason)
    {
        var problem = Assert.Single(Problems(Encoding.UTF8.GetBytes(header), 0));
        Assert.StartsWith($"the header is not JSON of an object of tensors: {reason}", problem);
    }

    [Fact]
    public void A_header_that_is_not_utf8_is_an_error() =>
        Assert.Equal(["the header is not valid UTF-8"], Problems([(byte)'{', (byte)'"', 0xff, (byte)'"', (byte)'}'], 0));

    [Fact]
    public void Deep_nesting_is_refused_at_once()
    {
        var header = Encoding.UTF8.GetBytes($$$"""{"a":{{{new string('[', 10_000_000)}}}""");
        var watch = Stopwatch.StartNew();
        var problems = Problems(header, 0);
        Assert.Equal(
            [
                "tensor 'a' is an array; expected an object with dtype, shape and data_offsets",
                "the header is not JSON of an object of tensors: The maximum configured depth of 3 has been exceeded. "
                    + "Cannot read next JSON array. LineNumber: 0 | BytePositionInLine: 7",
            ],
            problems);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void A_hundred_defects_are_listed()
    {
        var header = "{" + string.Join(",", Enumerable.Range(0, 103).Select(i => $"\"{i}\":0")) + "}";
        var problems = Problems(Encoding.UTF8.GetBytes(header), 0);
        Assert.Equal(101, problems.Count);
        Assert.Equal("tensor '99' is a number; expected an object with dtype, shape and data_offsets", problems[99]);
        Assert.Equal("and more problems of this kind", problems[100]);
    }

    [Fact]
    public void A_shape_of_a_million_dimensions_is_refused()
    {
        var shape = string.Join(",", Enumerable.Repeat("1", 1_000_000));
        Refuses(
            $$$"""{"a":{"dtype":"U8","shape":[{{{shape}}}],"data_offsets":[0,1]}}""", 1,
            $"tensor 'a' has a shape with other values or more of them; expected an array of at most 64 {Integers}");
    }

    private static void Refuses(string header, int dataLength, params string[] problems) =>
        Assert.Equal(problems, Problems(Encoding.UTF8.GetBytes(header), dataLength));

    private static IReadOnlyList<string> Problems(byte[] header, int dataLength)
    {
        var problems = new ProblemList();
        SafetensorsHeader.Parse(header, 8 + header.Length, dataLength, problems);
        return Assert.Throws<CheckpointException>(() => problems.ThrowIfAny("model.safetensors", "Save it again.")).Problems;
    }
}
