using System.Globalization;
using System.Text.Json.Nodes;
using RewardModel.Files;
using RewardModel.Training.Data;
using RewardModel.Training.Runs;
using YamlDotNet.RepresentationModel;

namespace RewardModel.Training.Sweeps;

/// <summary>What a sweep tries: read from a YAML file, which docs/sweeps.md describes.</summary>
internal sealed record SweepPlan
{
    private const string optionsKey = "options", varyKey = "vary", searchKey = "search", trialsKey = "trials", seedKey = "seed";

    private static readonly string[] keys = [optionsKey, varyKey, searchKey, trialsKey, seedKey];

    /// <summary>Options of every trial.</summary>
    public required JsonObject Options { get; init; }

    /// <summary>Options that differ.</summary>
    public required IReadOnlyList<VariedOption> Varied { get; init; }

    /// <summary>How many sets of values are drawn at random; null: every combination is tried.</summary>
    public required int? RandomTrialCount { get; init; }

    /// <summary>Decides what is drawn.</summary>
    public required ulong Seed { get; init; }

    /// <summary>For each trial its values, by the options' names.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, string>> Trials() => RandomTrialCount is { } count ? Drawn(count) : Grid();

    /// <summary>Reads a plan.</summary>
    /// <exception cref="RunFileException">It is none: all reasons are listed, with their lines.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static SweepPlan Read(string path)
    {
        using var reader = new StringReader(InputFile.ReadText(path, FileKind.Settings));
        return Parse(reader, path);
    }

    /// <inheritdoc cref="Read"/>
    public static SweepPlan Parse(TextReader text, string path)
    {
        if (YamlText.MappingOf(text, path) is not { } root)
            throw new RunFileException($"'{path}' is no plan of a sweep; expected the keys {string.Join(", ", keys)}.");
        var problems = new List<string>();
        var byKey = new Dictionary<string, YamlNode>();
        foreach (var (key, value) in root.Children)
            if (key is YamlScalarNode { Value: { } name } && keys.Contains(name))
                byKey[name] = value;
            else
                problems.Add($"{path}:{key.Start.Line}: '{key}' is not a key of a sweep; expected one of: {string.Join(", ", keys)}");

        var options = byKey.GetValueOrDefault(optionsKey) is YamlMappingNode mapping
            ? RunFile<TrainingRunOptions>.Options(mapping, path, problems)
            : [];
        if (byKey.TryGetValue(optionsKey, out var given) && given is not YamlMappingNode)
            problems.Add($"{path}:{given.Start.Line}: '{optionsKey}' is no mapping; expected lines such as 'data: train.jsonl'");
        var isRandom = IsRandom(byKey, path, problems);
        var varied = VariedOf(byKey, isRandom, path, problems);
        foreach (var name in varied.Select(option => option.Name).Where(options.ContainsKey))
            problems.Add($"{path}: '{name}' is in '{optionsKey}' and in '{varyKey}'; expected it in one of them");
        foreach (var name in new[] { "output", "seeds" }.Where(name => options.ContainsKey(name) || varied.Any(option => option.Name == name)))
            problems.Add($"{path}: '{name}' can't be set in a sweep, whose trials have directories of their own and one seed each");
        var trials = CountOf(byKey, trialsKey, isRandom, path, problems);
        if (isRandom && trials is null && !byKey.ContainsKey(trialsKey))
            problems.Add($"{path}: '{trialsKey}' is missing; expected how many sets of values are drawn at random");
        var seed = CountOf(byKey, seedKey, isRandom, path, problems);
        return problems.Count == 0
            ? new SweepPlan { Options = options, Varied = varied, RandomTrialCount = isRandom ? trials : null, Seed = (ulong)(seed ?? 0) }
            : throw new RunFileException(string.Join('\n', problems));
    }

    private static bool IsRandom(Dictionary<string, YamlNode> byKey, string path, List<string> problems)
    {
        if (!byKey.TryGetValue(searchKey, out var node) || node is YamlScalarNode { Value: "grid" })
            return false;
        if (node is YamlScalarNode { Value: "random" })
            return true;
        problems.Add($"{path}:{node.Start.Line}: '{searchKey}' is '{node}'; expected grid or random");
        return false;
    }

    private static int? CountOf(Dictionary<string, YamlNode> byKey, string key, bool isRandom, string path, List<string> problems)
    {
        if (!byKey.TryGetValue(key, out var node))
            return null;
        if (!isRandom)
            problems.Add($"{path}:{node.Start.Line}: '{key}' has no effect in a grid, which tries every combination; leave it out");
        var lowest = key == seedKey ? 0 : 1;
        if (node is YamlScalarNode { Value: { } text } && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && count >= lowest)
            return count;
        problems.Add($"{path}:{node.Start.Line}: '{key}' is '{node}'; expected a whole number of {lowest} or more");
        return null;
    }

    private static List<VariedOption> VariedOf(Dictionary<string, YamlNode> byKey, bool isRandom, string path, List<string> problems)
    {
        var varied = new List<VariedOption>();
        if (byKey.GetValueOrDefault(varyKey) is not YamlMappingNode { Children.Count: > 0 } mapping)
        {
            problems.Add($"{path}: '{varyKey}' has no options; expected lines such as 'learning-rate: [1e-5, 3e-5]'");
            return varied;
        }
        foreach (var (key, value) in mapping.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (RunFile<TrainingRunOptions>.TypeOf(name) is not { } type)
                problems.Add($"{path}:{key.Start.Line}: '{name}' is not an option of train");
            else if (value is YamlSequenceNode { Children.Count: > 0 } items)
                varied.Add(new VariedOption(name, [.. items.Children.Select(item => ValueOf(item, name, type, path, problems))], Range: null));
            else if (value is YamlMappingNode range && isRandom)
                varied.Add(new VariedOption(name, [], RangeOf(range, name, type, path, problems)));
            else
                problems.Add(
                    $"{path}:{value.Start.Line}: '{name}' is '{value}'; expected values such as [1e-5, 3e-5]"
                    + (isRandom ? ", or {from: 1e-6, to: 1e-4, scale: log}" : "; ranges are for 'search: random'"));
        }
        return varied;
    }

    private static string ValueOf(YamlNode node, string name, Type type, string path, List<string> problems)
    {
        var text = (node as YamlScalarNode)?.Value;
        if (text is null || !OptionText.Parse(text, type).IsValid)
            problems.Add($"{path}:{node.Start.Line}: a value of '{name}' is '{node}'; expected {OptionText.Expected(type)}");
        return text ?? "";
    }

    private static ValueRange? RangeOf(YamlMappingNode node, string name, Type type, string path, List<string> problems)
    {
        var isWhole = (Nullable.GetUnderlyingType(type) ?? type) is var plain && (plain == typeof(int) || plain == typeof(long));
        // Keys that YAML tells apart by their tags may have one text.
        var parts = node.Children.DistinctBy(part => $"{part.Key}").ToDictionary(part => $"{part.Key}", part => $"{part.Value}");
        var isLogarithmic = parts.GetValueOrDefault("scale") == "log";
        if ((isWhole || plain == typeof(double))
            && parts.Keys.All(part => part is "from" or "to" or "scale") && parts.GetValueOrDefault("scale", "linear") is "linear" or "log"
            && Number("from") is { } from && Number("to") is { } to && from < to && (!isLogarithmic || from > 0)
            && (!isWhole || double.IsInteger(from) && double.IsInteger(to)))
            return new ValueRange(from, to, isLogarithmic, isWhole);
        problems.Add(
            $"{path}:{node.Start.Line}: '{name}' is '{node}'; expected, of an option that is a number, {{from: 1e-6, to: 1e-4, scale: log}}, with "
            + "scale linear or log, a lower end above 0 for log, and whole ends where the option is a whole number");
        return null;

        double? Number(string part) =>
            parts.TryGetValue(part, out var text) && OptionText.Parse(text, typeof(double)).Value is double number && double.IsFinite(number)
                ? number : null;
    }

    private List<IReadOnlyDictionary<string, string>> Grid()
    {
        List<Dictionary<string, string>> trials = [[]];
        foreach (var option in Varied)
            trials = [.. trials.SelectMany(trial => option.Values.Select(value => new Dictionary<string, string>(trial) { [option.Name] = value }))];
        return [.. trials];
    }

    private List<IReadOnlyDictionary<string, string>> Drawn(int count)
    {
        var random = new SplitMix64(Seed);
        return
        [
            .. Enumerable.Range(0, count).Select(_ => Varied.ToDictionary(
                option => option.Name,
                option => option.Range is { } range
                    ? range.At(random.NextBelow(1 << 30) / (double)(1 << 30)).ToString(range.IsWhole ? "F0" : "G4", CultureInfo.InvariantCulture)
                    : option.Values[random.NextBelow(option.Values.Count)])),
        ];
    }
}
