using RewardModel.Checkpoints;
using static TorchSharp.torch;

namespace RewardModel.Tests.Checkpoints;

public sealed class CheckpointWriterTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Small_weights_are_one_file()
    {
        Write(20, 8, 12);
        Assert.Equal(["model.safetensors"], directory.FileNames());
        AssertReadsBack(8, 12);
    }

    [Fact]
    public void Large_weights_are_shards_in_the_given_order()
    {
        Write(16, 8, 8, 4, 40, 4);
        Assert.Equal(
            [
                "model-00001-of-00004.safetensors", "model-00002-of-00004.safetensors", "model-00003-of-00004.safetensors",
                "model-00004-of-00004.safetensors", "model.safetensors.index.json",
            ],
            directory.FileNames());
        Assert.Equal(
            """
            {
              "metadata": {
                "total_size": 64
              },
              "weight_map": {
                "t0": "model-00001-of-00004.safetensors",
                "t1": "model-00001-of-00004.safetensors",
                "t2": "model-00002-of-00004.safetensors",
                "t3": "model-00003-of-00004.safetensors",
                "t4": "model-00004-of-00004.safetensors"
              }
            }

            """.ReplaceLineEndings("\n"),
            File.ReadAllText(directory["model.safetensors.index.json"]));
        AssertReadsBack(8, 8, 4, 40, 4);
    }

    [Fact]
    public void Weight_files_of_the_layout_before_are_removed_and_no_others()
    {
        File.WriteAllText(directory["config.json"], "{}");
        File.WriteAllText(directory["value_head.safetensors"], "");
        File.WriteAllText(directory["other.safetensors"], "");
        Write(8, 8, 8, 8);
        Write(100, 8, 4);
        Assert.Equal(["config.json", "model.safetensors", "other.safetensors"], directory.FileNames());
        AssertReadsBack(8, 4);
        Write(8, 8, 4);
        Assert.Equal(
            [
                "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json",
                "other.safetensors",
            ],
            directory.FileNames());
        AssertReadsBack(8, 4);
    }

    [Fact]
    public void Weights_that_cannot_be_written_leave_the_old_ones()
    {
        Write(8, 8, 8);
        var before = directory.FileNames();
        using var valid = ones([3], ScalarType.Float32);
        var disposed = ones([3], ScalarType.Float32);
        // Reads a tensor's shape and type at once but its values only when their turn has come.
        IEnumerable<(string, Tensor)> Tensors()
        {
            yield return ("t0", disposed);
            yield return ("t1", valid);
            disposed.Dispose();
        }
        Assert.Throws<InvalidOperationException>(() => CheckpointWriter.Write(directory.Path, Tensors(), 8));
        Assert.Equal(before, directory.FileNames());
        AssertReadsBack(8, 8);
    }

    [Fact]
    public void A_name_given_twice_is_an_error_even_in_different_shards()
    {
        using var tensor = ones([2], ScalarType.Float32);
        var error = Assert.Throws<ArgumentException>(() => CheckpointWriter.Write(directory.Path, [("a", tensor), ("a", tensor)], 8));
        Assert.Equal("the name 'a' is given more than once (Parameter 'tensors')", error.Message);
        Assert.Empty(directory.FileNames());
    }

    [Fact]
    public void A_shard_must_have_room_for_something()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => CheckpointWriter.Write(directory.Path, [], 0));
        Assert.Equal("maxShardBytes", error.ParamName);
    }

    [Fact]
    public void Files_are_split_at_50_GB_as_in_transformers_5() => Assert.Equal(50_000_000_000, CheckpointWriter.DefaultMaxShardBytes);

    [Fact]
    public void The_directory_is_created()
    {
        using var tensor = ones([2], ScalarType.Float32);
        CheckpointWriter.Write(directory["new/deep"], [("a", tensor)]);
        Assert.True(File.Exists(directory["new/deep/model.safetensors"]));
    }

    /// <summary>Writes tensors t0, t1, ... of these many bytes: t1 = [1, 2, 3, ...].</summary>
    private void Write(long maxShardBytes, params int[] byteCounts)
    {
        using var scope = NewDisposeScope();
        CheckpointWriter.Write(
            directory.Path, byteCounts.Select((count, i) => ($"t{i}", arange(i, i + count / 4, ScalarType.Float32))), maxShardBytes);
    }

    private void AssertReadsBack(params int[] byteCounts)
    {
        using var scope = NewDisposeScope();
        using var reader = CheckpointReader.Open(directory.Path);
        Assert.Equal(byteCounts.Select((_, i) => $"t{i}"), reader.Names);
        foreach (var (i, count) in byteCounts.Index())
            Assert.Equal(Enumerable.Range(i, count / 4).Select(value => (float)value), reader.Read($"t{i}").data<float>().ToArray());
    }
}
