using System.Text.Json;
using RewardModel.Files;

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
            CheckEscapes(utf8.Span);
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

    /// <summary><see cref="JsonDocument"/> accepts escapes of lone surrogates and fails only when such a string is read.</summary>
    private static void CheckEscapes(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IndexOf("\\ud"u8) < 0 && utf8.IndexOf("\\uD"u8) < 0)
            return;
        var reader = new Utf8JsonReader(utf8);
        while (reader.Read())
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                try
                {
                    reader.GetString();
                }
                catch (InvalidOperationException exception)
                {
                    throw new JsonException($"a string at byte {reader.TokenStartIndex} is no Unicode text", exception);
                }
    }
}
