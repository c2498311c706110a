using System.Text.Json;
using RewardModel.Reading;

namespace RewardModel.Tests.Reading;

public class DataPathsTests
{
    [Fact]
    public void A_string_is_one_path_and_equal_paths_are_equal()
    {
        DataPaths one = "a.jsonl";
        Assert.Equal(["a.jsonl"], one);
        Assert.Equal(one, new DataPaths("a.jsonl"));
        Assert.Equal(one.GetHashCode(), new DataPaths("a.jsonl").GetHashCode());
        Assert.NotEqual(one, ["a.jsonl", "b"]);
        Assert.Equal("a.jsonl, b", new DataPaths("a.jsonl", "b").ToString());
    }

    [Theory]
    [InlineData("\"a\"", "a")]
    [InlineData("[\"a\",\"b\"]", "a", "b")]
    [InlineData("[]")]
    public void One_path_is_written_as_a_string_and_several_as_an_array(string json, params string[] paths)
    {
        Assert.Equal(json, JsonSerializer.Serialize(new DataPaths(paths)));
        Assert.Equal(new DataPaths(paths), JsonSerializer.Deserialize<DataPaths>(json));
    }
}
