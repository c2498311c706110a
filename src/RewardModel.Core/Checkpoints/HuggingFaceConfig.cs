using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Files;
using RewardModel.Lists;
using RewardModel.Reading;

namespace RewardModel.Checkpoints;

/// <summary>The <c>config.json</c> of a Hugging Face checkpoint, kept whole: what nobody changed is written back as it was.</summary>
public sealed class HuggingFaceConfig
{
    internal const string FileName = "config.json";

    // The writer's own defaults would escape every letter beyond ASCII; transformers writes them as they are.
    private static readonly JsonSerializerOptions indented = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private HuggingFaceConfig(string path, JsonObject json)
    {
        FilePath = path;
        Json = json;
    }

    /// <summary>The file's path.</summary>
    public string FilePath { get; }

    /// <summary>The file's content; changes to it are written by <see cref="Write"/>.</summary>
    public JsonObject Json { get; }

    /// <summary>Reads <c>config.json</c> of a checkpoint's directory.</summary>
    /// <exception cref="CheckpointException">There is no such file, or it is not a JSON object.</exception>
    public static HuggingFaceConfig Read(string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        return FolderFile.Exists(directory, FileName)
            ? Parse(CheckpointLayout.ReadText(directory, FileName), Path.Combine(directory, FileName))
            : throw CheckpointLayout.Incomplete(
                directory, $"there is no {FileName}", "Expected the directory of a Hugging Face checkpoint, as save_pretrained writes it.");
    }

    /// <summary>Reads a file in the format of <c>config.json</c>.</summary>
    /// <exception cref="CheckpointException">There is no such file, or it is not a JSON object.</exception>
    public static HuggingFaceConfig ReadFile(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return File.Exists(path)
            ? Parse(CheckpointLayout.ReadText(path), path)
            : throw new CheckpointException(path, ["there is no such file"], "Expected a Hugging Face config.json.");
    }

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <param name="text">A JSON object.</param>
    /// <param name="path">Where it comes from, for messages.</param>
    /// <exception cref="CheckpointException">The text is not a JSON object.</exception>
    public static HuggingFaceConfig Parse(string text, string path)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(path);
        const string advice = "Download or save the file again.";
        // No string of whole characters has it, and none can be read that has.
        if (LoneSurrogates.Replace(Encoding.UTF8.GetBytes(text)) is > 0 and var count)
            throw new CheckpointException(
                path, [$"the file has {Counted.Of(count, "escape")} such as \\ud800 of half a character; expected whole characters"], advice);
        try
        {
            var root = JsonNode.Parse(text, null, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (root is JsonObject json)
                return new HuggingFaceConfig(path, json);
            throw new CheckpointException(path, [$"the file holds {Quoted.Json(root)}; expected a JSON object"], advice);
        }
        catch (JsonException e)
        {
            throw new CheckpointException(path, [$"the file is not JSON: {e.Message.TrimEnd('.')}"], advice, e);
        }
    }

    /// <summary>A copy, to be changed without changing this one.</summary>
    public HuggingFaceConfig Copy() => new(FilePath, Json.DeepClone().AsObject());

    /// <summary>The same with other weights of a head's outputs, and with their names where it has none; null: as it is.</summary>
    /// <exception cref="CheckpointException">The weights name outputs that the configuration does not have.</exception>
    internal HuggingFaceConfig With(OutputWeights? outputWeights)
    {
        if (outputWeights is null)
            return this;
        var config = Copy();
        RewardOutputs.Set(config, outputWeights);
        return config;
    }

    /// <summary>A reader for the settings; end with its <see cref="ConfigReader.Finish"/>.</summary>
    internal ConfigReader Reader() => new(Json, FilePath);

    /// <summary>Writes <c>config.json</c> into a directory, replacing an existing one in one step.</summary>
    public void Write(string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        WriteJson(Path.Combine(directory, FileName), Json);
    }

    /// <summary>Writes any JSON file as transformers does, replacing an existing one in one step.</summary>
    internal static void WriteJson(string path, JsonObject json) => PendingFile.WriteText(path, json.ToJsonString(indented) + "\n");
}
