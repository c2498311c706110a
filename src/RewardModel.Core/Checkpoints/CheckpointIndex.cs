using System.Text.Json;
using RewardModel.Files;
using RewardModel.Reading;

namespace RewardModel.Checkpoints;

/// <summary>The <c>model.safetensors.index.json</c> of a checkpoint in several files: which tensor lies in which.</summary>
internal static class CheckpointIndex
{
    private const string WeightMap = "weight_map";

    private static readonly JsonSerializerOptions indented = new() { WriteIndented = true };

    /// <summary>The file of each tensor, as listed; the names of the files are checked to be plain.</summary>
    public static Dictionary<string, string> Read(string directory, ProblemList problems)
    {
        var files = new Dictionary<string, string>();
        byte[] utf8;
        try
        {
            utf8 = FolderFile.ReadBytes(directory, CheckpointLayout.IndexFile, FileKind.Index);
        }
        catch (FileRefusedException refusal)
        {
            problems.Add($"{CheckpointLayout.IndexFile}: {refusal.Problem}", refusal.Advice);
            return files;
        }
        if (ForeignContent.Of(utf8) is { } foreign)
        {
            problems.Add($"the index is {foreign.What}", foreign.Advice);
            return files;
        }
        try
        {
            using var document = JsonDocument.Parse(utf8);
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty(WeightMap, out var map)
                && map.ValueKind == JsonValueKind.Object)
                AddFiles(map, files, problems);
            else
                problems.Add($"the index has no object '{WeightMap}'; expected one that names the file of each tensor");
        }
        // InvalidOperationException: an escaped half of a surrogate pair, which no string can hold.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            problems.Add($"the index is not JSON: {e.Message.TrimEnd('.')}");
        }
        return files;
    }

    /// <summary>The index's text for tensors and their files.</summary>
    /// <param name="files">The file of each tensor.</param>
    /// <param name="totalBytes">Bytes of all tensors' values.</param>
    public static string Text(IReadOnlyDictionary<string, string> files, long totalBytes)
    {
        var index = new Dictionary<string, object>
        {
            ["metadata"] = new Dictionary<string, long> { ["total_size"] = totalBytes },
            [WeightMap] = new SortedDictionary<string, string>(files.ToDictionary(), StringComparer.Ordinal),
        };
        return JsonSerializer.Serialize(index, indented) + "\n";
    }

    private static void AddFiles(JsonElement map, Dictionary<string, string> files, ProblemList problems)
    {
        foreach (var property in map.EnumerateObject())
        {
            if (problems.IsFull)
                return;
            var isText = property.Value.ValueKind == JsonValueKind.String;
            var file = isText ? property.Value.GetString()! : property.Value.GetRawText();
            if (!isText || !CheckpointLayout.IsPlainName(file))
                problems.Add($"tensor {Quoted.Text(property.Name)} is said to lie in {Quoted.Text(file)}; "
                    + "expected the name of a file in the checkpoint's own directory");
            else if (!files.TryAdd(property.Name, file))
                problems.Add($"tensor {Quoted.Text(property.Name)} is listed more than once; expected each name once");
        }
    }
}
