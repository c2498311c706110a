using System.Text.Json;
using RewardModel.Files;
using RewardModel.Lists;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>Reads a file that holds one JSON object.</summary>
internal static class JsonFile
{
    /// <summary>The file's object; null where the file is missing, or can't be used, which is then among the problems.</summary>
    public static JsonDocument? Read(string directory, string name, List<string> problems)
    {
        if (!FolderFile.Exists(directory, name))
            return null;
        try
        {
            var utf8 = FolderFile.ReadUtf8(directory, name, FileKind.Tokenizer);
            if (utf8.Length == 0)
            {
                problems.Add($"{name}: {InputFile.IsEmpty}. Download or save it again");
                return null;
            }
            if (WholeCharacters.FirstWithout(utf8.Span) is { } at)
                throw new JsonException($"a string at byte {at} is no Unicode text");
            var document = JsonDocument.Parse(utf8);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document;
            problems.Add($"{name}: the file holds a value of kind {document.RootElement.ValueKind}, expected an object");
            document.Dispose();
        }
        catch (FileRefusedException exception)
        {
            problems.Add($"{name}: {exception.Problem}. {exception.Advice}");
        }
        catch (JsonException exception)
        {
            problems.Add($"{name}: not valid JSON: {exception.Message}");
        }
        return null;
    }
}
