using System.Text;
using System.Text.RegularExpressions;
using RewardModel.Files;
using RewardModel.Reading;

namespace RewardModel.Checkpoints;

/// <summary>The names of the weight files in a Hugging Face checkpoint's directory, and which files count as lying in it.</summary>
internal static partial class CheckpointLayout
{
    public const string SingleFile = "model.safetensors";
    public const string IndexFile = "model.safetensors.index.json";

    /// <summary>Where LLaMA-Factory puts the head of a reward model.</summary>
    public const string ValueHeadFile = "value_head.safetensors";

    private const string MergeAdapter =
        "Load it with peft, merge it into its model (merge_and_unload) and write that with save_pretrained";

    /// <summary>What an adapter in PEFT's format is: which layers it changes, and of which model.</summary>
    public const string AdapterConfigFile = "adapter_config.json";

    /// <summary>Its weights.</summary>
    public const string AdapterFile = "adapter_model.safetensors";

    private static readonly string[] adapterFiles = [AdapterConfigFile, AdapterFile, "adapter_model.bin"];

    /// <summary>The name of one of several weight files; <paramref name="number"/> counts from 1.</summary>
    public static string ShardFile(int number, int count) => $"model-{number:d5}-of-{count:d5}.safetensors";

    /// <summary>Whether a file of that name belongs to the weights, in either layout.</summary>
    public static bool IsWeightFile(string name) =>
        name is SingleFile or IndexFile or ValueHeadFile || ShardPattern().IsMatch(name);

    /// <summary>Whether the name is one of a file directly in a directory, on every operating system.</summary>
    public static bool IsPlainName(string name) => name is not ("" or "." or "..") && name.AsSpan().IndexOfAny('/', '\\', '\0') < 0;

    /// <summary>Why a directory without a whole model's files has none, and what to do.</summary>
    /// <param name="directory">Where files are missing.</param>
    /// <param name="missing">What is missing, as a sentence.</param>
    /// <param name="advice">What to do where there is nothing else that we know of.</param>
    public static CheckpointException Incomplete(string directory, string missing, string advice)
    {
        if (File.Exists(directory))
            return new CheckpointException(
                directory, [$"this is {WhatIs(directory)}; expected a directory"],
                "Expected the directory of a Hugging Face checkpoint, with config.json and safetensors files.");
        if (!Directory.Exists(directory))
            return new CheckpointException(
                directory, ["there is no such directory"],
                "Expected the directory of a Hugging Face checkpoint."
                + HubAdvice(directory));
        if (AdapterFiles(directory) is { Length: > 0 } adapter)
            return new CheckpointException(
                directory, [$"there is an adapter ({string.Join(", ", adapter)}), which is only the changes to another model; {missing}"],
                $"{MergeAdapter}.");
        if (UnfinishedDownloads(directory) is { Length: > 0 } unfinished)
            return new CheckpointException(
                directory, [$"{missing}, but a download that has not ended: {string.Join(", ", unfinished)}"],
                "Wait for it, or start the download again: it goes on where it stopped.");
        var names = FolderFile.Names(directory);
        foreach (var (pattern, what) in new[]
        {
            (PicklePattern(), "Pickles can run any program and are never read: if you trust this one, load it in transformers and write it "
                + "with save_pretrained(safe_serialization=True)."),
            (LlamaCppPattern(), "GGUF files of llama.cpp are not read: take the checkpoint that they were converted from, with its "
                + "config.json and safetensors files."),
            (OtherWeightsPattern(), "Of weights only safetensors files are read: load these in transformers (from_tf, from_flax) and write "
                + "them with save_pretrained."),
        })
            if (names.Where(name => pattern.IsMatch(name)).ToArray() is { Length: > 0 } weights)
                return new CheckpointException(directory, [$"the only weights are {string.Join(", ", weights)}; {missing}"], what);
        return new CheckpointException(directory, [missing], advice);
    }

    /// <summary>An adapter beside weights changes what they compute, so these alone would give other rewards.</summary>
    /// <exception cref="CheckpointException">There are an adapter and weights.</exception>
    public static void CheckNoAdapter(string directory)
    {
        if (AdapterFiles(directory) is { Length: > 0 } adapter
            && HasWeights(directory))
            throw new CheckpointException(
                directory,
                [
                    $"there is an adapter ({string.Join(", ", adapter)}) beside the weights, which would change every reward; "
                        + $"expected {AdapterConfigFile} to name this directory as the adapter's base model",
                ],
                "If the weights have the adapter already, remove its files. If they are its base model, name their directory in "
                + "base_model_name_or_path. Otherwise move the adapter to a directory of its own.");
    }

    /// <summary>Whether there are weights in a directory, other than an adapter's.</summary>
    public static bool HasWeights(string directory) =>
        new[] { SingleFile, IndexFile }.Any(name => FolderFile.Exists(directory, name));

    /// <summary>What to do where a model is not there, as far as its name tells.</summary>
    public static string HubAdvice(string directory) => HubPattern().IsMatch(directory)
        ? " Models of the Hugging Face hub are not downloaded: if this is one, "
            + $"`hf download {directory} --local-dir {Path.GetFileName(directory)}` gives a directory of it."
        : "";

    private static string[] AdapterFiles(string directory) =>
        Directory.Exists(directory) ? [.. adapterFiles.Where(name => FolderFile.Exists(directory, name))] : [];

    private static string WhatIs(string file)
    {
        try
        {
            return ForeignContent.OfFile(file, FileKind.Weights)?.What ?? "a file";
        }
        catch (IOException)
        {
            return "a file";
        }
    }

    /// <summary>
    /// Files that a download is writing or left behind: in the directory, or where <c>hf download</c> writes them until they are whole.
    /// </summary>
    private static string[] UnfinishedDownloads(string directory)
    {
        string[] places =
        [
            directory, Path.Combine(directory, ".cache", "huggingface", "download"),
            .. Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(directory))) == "snapshots"
                ? (string[])[Path.GetFullPath(Path.Combine(directory, "..", "..", "blobs"))] : [],
        ];
        return
        [
            .. places.Where(Directory.Exists).SelectMany(Directory.EnumerateFiles).Where(path => UnfinishedPattern().IsMatch(path))
                .Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>The text of a JSON file of a checkpoint, which must exist.</summary>
    /// <exception cref="CheckpointException">The file must not be read, or is too large.</exception>
    public static string ReadText(string directory, string name) =>
        Read(FolderFile.PathOf(directory, name), () => FolderFile.Checked(directory, name));

    /// <summary>The text of a JSON file that the user named.</summary>
    /// <exception cref="CheckpointException">The file is too large.</exception>
    public static string ReadText(string path) => Read(path, () => path);

    private static string Read(string path, Func<string> file)
    {
        try
        {
            var bytes = InputFile.ReadBytes(file(), FileKind.Config);
            return ForeignContent.Of(bytes) is { } foreign
                ? throw new CheckpointException(path, [$"the file is {foreign.What}"], foreign.Advice)
                : Encoding.UTF8.GetString(InputFile.Utf8Of(bytes, path).Span);
        }
        catch (FileRefusedException refusal)
        {
            throw new CheckpointException(path, [refusal.Problem], refusal.Advice, refusal);
        }
    }

    /// <summary>Makes a directory to write a checkpoint into, unless it is there.</summary>
    /// <exception cref="CheckpointException">It can't be made: the message says why.</exception>
    public static void CreateDirectory(string directory)
    {
        if (File.Exists(directory))
            throw new CheckpointException(
                directory, ["there is a file of this name; expected a directory, or nothing yet"], "Give another path, or move the file.");
        try
        {
            Disk.CreateDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(
                directory, [$"the directory can't be made: {e.Message.TrimEnd('.')}"], "Give a path where you may write.", e);
        }
    }

    [GeneratedRegex("^model-[0-9]{5}-of-[0-9]{5}\\.safetensors$", RegexOptions.CultureInvariant)]
    private static partial Regex ShardPattern();

    [GeneratedRegex("\\.gguf$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex LlamaCppPattern();

    // TensorFlow, Flax, Rust, ONNX.
    [GeneratedRegex("^(tf_model.*\\.h5|flax_model.*\\.msgpack|rust_model\\.ot|.*\\.onnx)$", RegexOptions.CultureInvariant)]
    private static partial Regex OtherWeightsPattern();

    // Of huggingface_hub, browsers, aria2 and wget's users.
    [GeneratedRegex("\\.(incomplete|crdownload|part|aria2)$", RegexOptions.CultureInvariant)]
    private static partial Regex UnfinishedPattern();

    // ORGANISATION/NAME.
    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$", RegexOptions.CultureInvariant)]
    private static partial Regex HubPattern();

    // Weights, not the states of optimisers and generators that trainers leave beside them.
    [GeneratedRegex("^(pytorch_model|model|adapter_model|consolidated|value_head).*\\.(bin|pt|pth|ckpt)$", RegexOptions.CultureInvariant)]
    private static partial Regex PicklePattern();
}
