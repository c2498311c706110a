namespace RewardModel.Reading;

/// <summary>A path of data, where - stands for standard input.</summary>
internal static class DataPath
{
    public const string StandardInput = "-";

    private const string StandardInputName = "(standard input)";

    /// <summary>Whether there is something to read.</summary>
    public static bool Exists(string path) => path == StandardInput || File.Exists(path);

    /// <summary>Whether it can be read a second time, as standard input and pipes can't: these have no length.</summary>
    public static bool CanReadAgain(string path) =>
        path != StandardInput && !path.StartsWith("/dev/", StringComparison.Ordinal) && new FileInfo(path) is { Exists: true, Length: > 0 };

    /// <summary>What stands before the number of a line: <c>train.jsonl</c>, or <c>(standard input)</c>.</summary>
    public static string NameOf(string path) => path == StandardInput ? StandardInputName : path;

    /// <summary>What a sentence calls it: <c>'train.jsonl'</c>, or <c>standard input</c>.</summary>
    public static string Quoted(string path) => path is StandardInput or StandardInputName ? "standard input" : $"'{path}'";
}
