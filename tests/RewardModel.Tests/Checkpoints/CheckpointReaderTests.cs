using RewardModel.Checkpoints;
using static TorchSharp.torch;

namespace RewardModel.Tests.Checkpoints;

public sealed class CheckpointReaderTests : IDisposable
{
    private const string First = "model-00001-of-00002.safetensors";
    private const string Second = "model-00002-of-00002.safetensors";
    private const string Again = "Download or save the checkpoint again.";

    private readonly TemporaryDirectory directory = new();

    private string FullPath => directory.Path;

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_single_file_gives_its_tensors()
    {
        WriteFile("model.safetensors", ("b", [1, 2]), ("a", [3]));
        using var reader = CheckpointReader.Open(FullPath);
        Assert.Equal(["a", "b"], reader.Names);
        Assert.True(reader.Contains("a"));
        Assert.False(reader.Contains("c"));
        Assert.Equal([2], reader.Entry("b").Shape);
        AssertValues(reader, "b", 1, 2);
    }

    [Fact]
    public void Shards_give_their_tensors()
    {
        WriteFile(First, ("a", [1]));
        WriteFile(Second, ("b", [2, 3]), ("c", [4]));
        WriteIndex(("a", First), ("b", Second), ("c", Second));
        using var reader = CheckpointReader.Open(FullPath);
        Assert.Equal(["a", "b", "c"], reader.Names);
        AssertValues(reader, "a", 1);
        AssertValues(reader, "b", 2, 3);
        AssertValues(reader, "c", 4);
    }

    [Fact]
    public void The_single_file_is_taken_where_both_are_present()
    {
        WriteFile("model.safetensors", ("a", [1]));
        WriteFile(First, ("b", [2]));
        WriteIndex(("b", First));
        using var reader = CheckpointReader.Open(FullPath);
        Assert.Equal(["a"], reader.Names);
    }

    [Fact]
    public void A_tensor_that_is_not_there_is_an_error()
    {
        WriteFile("model.safetensors", ("a", [1]));
        using var reader = CheckpointReader.Open(FullPath);
        var error = Assert.Throws<CheckpointException>(() => reader.Read("b"));
        Assert.Equal(
            $"{FullPath}: there is no tensor 'b'. Expected a checkpoint of the architecture that its config.json names.", error.Message);
    }

    [Fact]
    public void A_directory_with_pickles_only_is_an_error()
    {
        foreach (var name in new[]
            { "pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "training_args.bin", "optimizer.pt" })
            File.WriteAllText(directory[name], "");
        Refuses(
            $"{FullPath}: the only weights are pytorch_model-00001-of-00002.bin, pytorch_model.bin; "
            + "there is no model.safetensors and no model.safetensors.index.json. "
            + "Pickles can run any program and are never read: "
            + "if you trust this one, load it in transformers and write it with save_pretrained(safe_serialization=True).");
    }

    [Theory]
    [InlineData("model-q4_k_m.gguf", "GGUF files of llama.cpp are not read: take the checkpoint that they were converted from, with its "
        + "config.json and safetensors files.")]
    [InlineData("tf_model.h5", "Of weights only safetensors files are read: load these in transformers (from_tf, from_flax) and write "
        + "them with save_pretrained.")]
    public void Weights_in_other_formats_are_named(string name, string advice)
    {
        File.WriteAllText(directory[name], "");
        Refuses($"{FullPath}: the only weights are {name}; there is no model.safetensors and no model.safetensors.index.json. {advice}");
    }

    [Theory]
    [InlineData("model.safetensors.incomplete", "", "")]
    [InlineData("model.safetensors.crdownload", "", "")]
    [InlineData("0123.incomplete", ".cache/huggingface/download", "")]
    [InlineData("0123.incomplete", "blobs", "snapshots/main")]
    public void A_download_that_has_not_ended_is_named(string name, string place, string model)
    {
        Directory.CreateDirectory(directory[place]);
        Directory.CreateDirectory(directory[model]);
        File.WriteAllText(Path.Combine(directory[place], name), "");
        Assert.EndsWith(
            $": there is no model.safetensors and no model.safetensors.index.json, but a download that has not ended: {name}. "
            + "Wait for it, or start the download again: it goes on where it stopped.",
            Assert.Throws<CheckpointException>(() => CheckpointReader.Open(directory[model])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GGUF", "a GGUF file of llama.cpp")]
    [InlineData("{}", "a file")]
    public void A_file_in_place_of_a_directory_is_named(string content, string what)
    {
        File.WriteAllText(directory["model"], content);
        Assert.Equal(
            $"{directory["model"]}: this is {what}; expected a directory. "
            + "Expected the directory of a Hugging Face checkpoint, with config.json and safetensors files.",
            Assert.Throws<CheckpointException>(() => CheckpointReader.Open(directory["model"])).Message);
    }

    [Fact]
    public void A_directory_without_weights_is_an_error() =>
        Refuses($"{FullPath}: there is no model.safetensors and no model.safetensors.index.json. {Again}");

    [Fact]
    public void A_missing_directory_is_an_error()
    {
        var path = directory["none"];
        var error = Assert.Throws<CheckpointException>(() => CheckpointReader.Open(path));
        Assert.Equal($"{path}: there is no such directory. Expected the directory of a Hugging Face checkpoint.", error.Message);
    }

    [Theory]
    [InlineData("Organisation/Model-0.6B")]
    [InlineData("none/such_model.v2")]
    public void A_name_of_the_hub_is_told_with_the_command_that_downloads_it(string name) => Assert.Equal(
        $"{name}: there is no such directory. Expected the directory of a Hugging Face checkpoint. Models of the Hugging Face hub are not "
        + $"downloaded: if this is one, `hf download {name} --local-dir {name.Split('/')[1]}` gives a directory of it.",
        Assert.Throws<CheckpointException>(() => CheckpointReader.Open(name)).Message);

    [Fact]
    public void All_disagreements_of_index_and_files_are_listed_at_once()
    {
        WriteFile(First, ("a", [1]), ("extra", [2]));
        WriteFile(Second, ("a", [1]), ("b", [1]));
        WriteIndex(("a", First), ("b", Second), ("gone", Second), ("c", "model-00003-of-00002.safetensors"), ("d", "../model.safetensors"));
        Refuses(
            $"""
            {FullPath}: 5 problems
              - tensor 'd' is said to lie in '../model.safetensors'; expected the name of a file in the checkpoint's own directory
              - tensor 'extra' is in '{First}', where the index does not list it
              - tensor 'a' is in '{Second}', where the index does not list it
              - 'model-00003-of-00002.safetensors' does not exist
              - tensor 'gone' is not in '{Second}', where the index lists it
            {Again}
            """.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void An_adapter_is_to_be_merged_first()
    {
        File.WriteAllText(directory["adapter_config.json"], "{}");
        WriteFile("adapter_model.safetensors", ("a", [1]));
        const string advice = "Load it with peft, merge it into its model (merge_and_unload) and write that with save_pretrained.";
        Refuses(
            $"{FullPath}: there is an adapter (adapter_config.json, adapter_model.safetensors), "
            + "which is only the changes to another model; "
            + $"there is no model.safetensors and no model.safetensors.index.json. {advice}");
        Assert.Equal(
            $"{FullPath}: there is an adapter (adapter_config.json, adapter_model.safetensors), "
            + "which is only the changes to another model; "
            + $"there is no config.json. {advice}",
            Assert.Throws<CheckpointException>(() => HuggingFaceConfig.Read(FullPath)).Message);
    }

    [Theory]
    [InlineData(false, "adapter_config.json", "adapter_model.safetensors")]
    [InlineData(true, "adapter_config.json", "adapter_model.safetensors")]
    [InlineData(false, "adapter_config.json")]
    [InlineData(false, "adapter_model.safetensors")]
    [InlineData(false, "adapter_config.json", "adapter_model.bin")]
    public void An_adapter_beside_weights_is_not_ignored(bool inShards, params string[] files)
    {
        if (inShards)
        {
            WriteFile(First, ("a", [1]));
            WriteIndex(("a", First));
        }
        else
            WriteFile("model.safetensors", ("a", [1]));
        foreach (var name in files)
            File.WriteAllText(directory[name], "{}");
        Refuses(
            $"{FullPath}: there is an adapter ({string.Join(", ", files)}) beside the weights, which would change every reward; "
            + "expected adapter_config.json to name this directory as the adapter's base model. "
            + "If the weights have the adapter already, remove its files. If they are its base model, name their directory in "
            + "base_model_name_or_path. Otherwise move the adapter to a directory of its own.");
    }

    [Theory]
    [InlineData("adapter_model.safetensors")]
    [InlineData("adapter_config.json", "adapter_model.bin")]
    public void An_adapter_with_a_configuration_of_its_model_but_no_weights_is_named(params string[] files)
    {
        foreach (var name in files.Append("config.json"))
            File.WriteAllText(directory[name], "{}");
        Assert.StartsWith(
            $"{FullPath}: there is an adapter ({string.Join(", ", files)}), which is only the changes to another model; ",
            Assert.Throws<CheckpointException>(() => CheckpointReader.Open(FullPath)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_head_of_LLaMA_Factory_is_part_of_the_checkpoint()
    {
        WriteFile("model.safetensors", ("a", [1]));
        WriteFile("value_head.safetensors", ("v_head.summary.weight", [2]));
        using var reader = CheckpointReader.Open(FullPath);
        Assert.Equal(["a", "v_head.summary.weight"], reader.Names);
        AssertValues(reader, "v_head.summary.weight", 2);
    }

    [Fact]
    public void A_tensor_of_two_files_is_an_error()
    {
        WriteFile("model.safetensors", ("a", [1]));
        WriteFile("value_head.safetensors", ("a", [2]));
        Refuses($"{FullPath}: tensor 'a' is in 'value_head.safetensors' and in another file; expected it once. {Again}");
    }

    [Fact]
    public void A_link_out_of_the_directory_is_not_followed()
    {
        using var elsewhere = new TemporaryDirectory();
        File.WriteAllText(elsewhere["secret"], "");
        File.CreateSymbolicLink(directory[First], elsewhere["secret"]);
        WriteIndex(("a", First));
        Refuses(
            $"{FullPath}: '{First}' is a link to '{elsewhere["secret"]}'; expected a file in the same directory. {Again}");
    }

    [Fact]
    public void An_index_that_is_a_link_out_of_the_directory_is_not_followed()
    {
        using var elsewhere = new TemporaryDirectory();
        File.WriteAllText(elsewhere["secret"], "");
        File.CreateSymbolicLink(directory["model.safetensors.index.json"], elsewhere["secret"]);
        Refuses(
            $"{FullPath}: model.safetensors.index.json: 'model.safetensors.index.json' is a link to '{elsewhere["secret"]}'; "
            + "expected a file in the same directory. Put the file itself there: cp -L copies what a link leads to.");
    }

    [Fact]
    public void A_shard_cut_short_is_named()
    {
        WriteFile(First, ("a", [1, 2]));
        using (var file = File.OpenWrite(directory[First]))
            file.SetLength(file.Length - 3);
        WriteIndex(("a", First));
        Refuses($"{FullPath}: '{First}': the file has 5 bytes of data; expected 8 by its header: it is cut short. {Again}");
    }

    [Fact]
    public void A_broken_shard_is_named()
    {
        File.WriteAllBytes(directory[First], [1, 2]);
        WriteIndex(("a", First));
        Refuses($"{FullPath}: '{First}': the file has 2 bytes; expected at least the 8 of the header's length. {Again}");
    }

    [SharedTheory("goldens")]
    [InlineData("llama", 21, 51888)]
    [InlineData("gpt2", 29, 71424)]
    public void Checkpoints_of_transformers_are_read(string name, int tensorCount, long parameterCount)
    {
        using var reader = CheckpointReader.Open(Shared.PathOf($"goldens/{name}"));
        Assert.Equal(tensorCount, reader.Names.Count);
        using var scope = NewDisposeScope();
        Assert.Equal(parameterCount, reader.Names.Sum(tensor => reader.Read(tensor).numel()));
        // Drawn from a normal distribution with a standard deviation of 0.2.
        Assert.InRange(reader.Read("score.weight").abs().max().item<float>(), 0.3f, 1f);
    }

    private void WriteFile(string name, params (string Name, float[] Values)[] tensors) =>
        SafetensorsWriter.Write(directory[name], [.. tensors.Select(tensor => new SafetensorsSource(
            tensor.Name, SafetensorsType.F32, [tensor.Values.Length],
            stream => stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(tensor.Values))))]);

    private void WriteIndex(params (string Tensor, string File)[] files) =>
        File.WriteAllText(
            directory["model.safetensors.index.json"],
            CheckpointIndex.Text(files.ToDictionary(file => file.Tensor, file => file.File), totalBytes: 0));

    private void Refuses(string message) =>
        Assert.Equal(message, Assert.Throws<CheckpointException>(() => CheckpointReader.Open(FullPath)).Message);

    private static void AssertValues(CheckpointReader reader, string name, params float[] expected)
    {
        using var tensor = reader.Read(name);
        Assert.Equal(expected, tensor.data<float>().ToArray());
    }
}
