using System.Text.Json.Nodes;
using RewardModel.Backbones;
using RewardModel.Checkpoints;

namespace RewardModel.Tests.Backbones;

public class DistanceBucketsTests
{
    // Numbers of the reference implementation.
    [Theory]
    [InlineData(8, 64, new[] { 0, 1, 4, 5, 6, 10, 11, 25, 26, 63 }, new[] { 0, 1, 4, 5, 5, 5, 6, 6, 7, 7 })]
    [InlineData(256, 512, new[] { 0, 1, 127, 128, 129, 130, 131, 200, 300, 510, 511 },
        new[] { 0, 1, 127, 128, 129, 130, 131, 169, 207, 255, 255 })]
    public void Long_distances_share_a_row(int bucketCount, int positions, int[] distances, int[] expected)
    {
        var settings = new JsonObject { ["relative_attention"] = true, ["position_buckets"] = bucketCount };
        var buckets = DistanceBuckets.Read(new ConfigReader(settings, "config.json"), positions)!;
        var rows = buckets.Rows(positions);
        Assert.Equal(bucketCount, buckets.Span);
        Assert.Equal(expected, distances.Select(distance => (int)rows[positions + distance] - bucketCount));
        Assert.Equal(expected, distances.Select(distance => bucketCount - (int)rows[positions - distance]));
    }

    [Fact]
    public void Rows_of_shorter_sequences_are_the_middle_ones()
    {
        var settings = new JsonObject { ["relative_attention"] = true, ["max_relative_positions"] = 2 };
        var buckets = DistanceBuckets.Read(new ConfigReader(settings, "config.json"), positions: 9)!;
        Assert.Equal([0, 0, 1, 2, 3, 3, 3], buckets.Rows(3));
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3], buckets.Rows(9));
    }

    [Theory]
    [InlineData("relative_attention", "false")]
    [InlineData("max_relative_positions", "-1")]
    public void Without_relative_attention_there_are_none(string setting, string value) =>
        Assert.Null(DistanceBuckets.Read(
            new ConfigReader(new JsonObject { [setting] = JsonNode.Parse(value) }, "config.json"), positions: 64));
}
