using System.Text;
using System.Text.RegularExpressions;
using RewardModel.Files;

namespace RewardModel.Reading;

/// <summary>Says what a file is whose beginning shows that it holds neither JSON nor a table, and how JSON is made of it: in one sentence.</summary>
internal static partial class OtherFormat
{
    private const string Expected = "expected JSON lines (one object a line), a JSON array of objects, Parquet, CSV or TSV";

    // What a file of these begins with, at which byte, what it is, and what to do; in that FILE is the file and NAME is its name without
    // the ending.
    private static readonly (byte[] Magic, int At, string Name, string Advice)[] formats =
    [
        ([.. "ARROW1"u8], 0, "an Arrow file", Python("import pandas; pandas.read_feather('FILE')", ToLines)),
        ([0xff, 0xff, 0xff, 0xff], 0, "an Arrow stream",
            Python("from datasets import Dataset; Dataset.from_file('FILE')", ".to_json('NAME.jsonl')")),
        ([(byte)'P', (byte)'K', 3, 4], 0, "a zip archive", "Unpack it: unzip 'FILE'"),
        ([0xfd, .. "7zXZ"u8, 0], 0, "compressed by xz", "Unpack it: xz -dc 'FILE' > 'NAME.jsonl'"),
        ([.. "BZh"u8], 0, "compressed by bzip2", "Unpack it: bzip2 -dc 'FILE' > 'NAME.jsonl'"),
        ([.. "ustar"u8], 257, "a tar archive", "Unpack it: tar -xf 'FILE'"),
        ([0xff, 0xfe, 0, 0], 0, "text in UTF-32", Iconv("UTF-32")),
    ];

    private const string ToLines = ".to_json('NAME.jsonl', orient='records', lines=True)";

    /// <summary>The sentence about what else a file is; null where it may be JSON.</summary>
    /// <param name="start">Its first bytes; all of them where it is shorter.</param>
    /// <param name="path">The file, for the sentence and its command.</param>
    public static string? Sentence(ReadOnlySpan<byte> start, string path)
    {
        if (start.IsEmpty)
            return $"{DataPath.Quoted(path)} is empty, {Expected}. Check what should have written it.";
        if (FilesSentence(start, path) is { } sentence)
            return sentence;
        // A half character at the end of the beginning is no trouble.
        var text = Encoding.UTF8.GetString(start).TrimStart('\ufeff');
        string[] lines = [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
        if (lines is [] || (lines[0][0] != '<' && (lines.Any(line => line[0] == '{') || IsJson(lines[0]))))
            return null;
        return text.Contains('\0') ? Text(path, "binary data", "Check the path.") : TextSentence(lines, path);
    }

    /// <summary>The same about formats that are known by their first bytes alone, whatever the file's name promises.</summary>
    public static string? FilesSentence(ReadOnlySpan<byte> start, string path)
    {
        foreach (var (magic, at, name, advice) in formats)
            if (start.Length >= at && start[at..].StartsWith(magic))
                return Text(path, name, advice);
        if (ForeignContent.Of(start) is { } foreign)
            return $"{DataPath.Quoted(path)} is {foreign.What}. {foreign.Advice}";
        return null;
    }

    /// <summary>Whether a line seems to be JSON: an array, which may be cut off here, or a string.</summary>
    public static bool IsJson(string line) => line[0] == '[' || WholeString().IsMatch(line);

    private static string TextSentence(string[] lines, string path)
    {
        var first = lines[0];
        if (first[0] == '<')
            return Text(path, "XML or HTML", "Convert it, or download the file itself.");
        if (YamlStart().IsMatch(first))
            return Text(
                path, "text like YAML", Python("import json, yaml; json.dump(yaml.safe_load(open('FILE')), open('NAME.json', 'w'))", ""));
        return Text(path, $"text that is no JSON, beginning with {Quoted.Text(first)}", "Write each list as a JSON object.");
    }

    private static string Python(string code, string end) => $"Convert it: python3 -c \"{code}{end}\"";

    private static string Iconv(string encoding) => $"Convert it: iconv -f {encoding} -t UTF-8 'FILE' > 'NAME-utf8.jsonl'";

    private static string Text(string path, string what, string advice)
    {
        var isFile = path != DataPath.StandardInput;
        var name = Path.Combine(Path.GetDirectoryName(path) ?? "", Path.GetFileNameWithoutExtension(path));
        if (Path.GetExtension(name) is ".jsonl" or ".json")
            name = name[..name.LastIndexOf('.')];
        return $"{DataPath.Quoted(path)} is {what}, {Expected}. "
            + (isFile ? advice.Replace("FILE", path, StringComparison.Ordinal).Replace("NAME", name, StringComparison.Ordinal) : advice);
    }

    /// <summary>A JSON string and nothing else.</summary>
    [GeneratedRegex(@"^""(\\.|[^""\\])*""$")]
    private static partial Regex WholeString();

    [GeneratedRegex(@"^(---|- .*|[\w-]+:( .*)?)$")]
    private static partial Regex YamlStart();
}
