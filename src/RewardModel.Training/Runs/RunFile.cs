using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using RewardModel.Files;
using RewardModel.Reading;
using YamlDotNet.RepresentationModel;

namespace RewardModel.Training.Runs;

/// <summary>A run file is invalid: all reasons are listed, with their lines.</summary>
public sealed class RunFileException(string message) : Exception(message);

/// <summary>
/// Options as YAML: one mapping of option names, as the command line spells them without the dashes, to single values, or
/// to several where they are paths of data. What is written is
/// read again as the same options.
/// </summary>
/// <typeparam name="T">A record of options, whose members carry these names.</typeparam>
internal static class RunFile<T>
{
    private static readonly Dictionary<string, PropertyInfo> members = typeof(T).GetProperties()
        .Select(property => (Property: property, Name: property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name))
        .Where(pair => pair.Name is not null)
        .ToDictionary(pair => pair.Name!, pair => pair.Property);

    private static readonly JsonSerializerOptions jsonOptions = new()
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    private static readonly JsonSerializerOptions readableJson = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The options that a file sets, by their names.</summary>
    /// <exception cref="RunFileException">It is no such mapping, has unknown names or wrong values: all are listed.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static JsonObject Read(string path)
    {
        using var reader = new StringReader(InputFile.ReadText(path, FileKind.Settings));
        return Parse(reader, path);
    }

    /// <summary>The options that a text sets, by their names.</summary>
    /// <param name="text">The YAML.</param>
    /// <param name="path">What messages call it.</param>
    /// <exception cref="RunFileException">It is no such mapping, has unknown names or wrong values: all are listed.</exception>
    public static JsonObject Parse(TextReader text, string path)
    {
        if (YamlText.MappingOf(text, path) is not { } mapping)
            throw new RunFileException($"'{path}' is not a run file; expected lines such as 'epochs: 2'.");
        var problems = new List<string>();
        var options = Options(mapping, path, problems);
        return problems.Count == 0 ? options : throw new RunFileException(string.Join('\n', problems));
    }

    /// <summary>The options that a part of a file sets, by their names.</summary>
    /// <param name="mapping">The part.</param>
    /// <param name="path">What messages call the file.</param>
    /// <param name="problems">Gets what is wrong, with lines.</param>
    public static JsonObject Options(YamlMappingNode mapping, string path, List<string> problems)
    {
        var options = new JsonObject();
        foreach (var (key, value) in mapping.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (!members.TryGetValue(name, out var member))
                problems.Add(
                    $"{path}:{key.Start.Line}: {Quoted.Text(name)} is not an option; expected one of: {string.Join(", ", members.Keys)}");
            else if (value is YamlSequenceNode items && member.PropertyType == typeof(DataPaths)
                && items.Children.All(item => item is YamlScalarNode { Value: not null }))
                options[name] = ToNode(new DataPaths([.. items.Children.Select(item => ((YamlScalarNode)item).Value!)]));
            else if (value is not YamlScalarNode { Value: { } found })
                problems.Add($"{path}:{value.Start.Line}: '{name}' has several values; expected one");
            else if (OptionText.Parse(found, member.PropertyType) is { Value: { } parsed })
                options[name] = ToNode(parsed);
            else
                problems.Add(
                    $"{path}:{value.Start.Line}: '{name}' is {Quoted.Text(found)}; expected {OptionText.Expected(member.PropertyType)}");
        }
        return options;
    }

    /// <summary>The type of an option; null where there is none of that name.</summary>
    public static Type? TypeOf(string name) => members.GetValueOrDefault(name)?.PropertyType;

    /// <summary>The record of options by their names; those that are not there have their defaults.</summary>
    public static T ToOptions(JsonObject options) => options.Deserialize<T>(jsonOptions)!;

    /// <summary>Options that a caller has as values, by their names.</summary>
    public static JsonNode? ToNode(object value) => JsonSerializer.SerializeToNode(value, value.GetType(), jsonOptions);

    /// <summary>The options whose values are others than in <paramref name="defaults"/>, as a run file has them.</summary>
    public static IReadOnlyDictionary<string, string> DifferencesOf(T options, T defaults)
    {
        var (json, usual) = (Values(options), Values(defaults));
        return members.Keys.Where(name => json[name] is not null && !JsonNode.DeepEquals(json[name], usual[name])).ToDictionary(
            name => name,
            name => json[name] is JsonValue value && value.TryGetValue<string>(out var text)
                ? text
                : json[name]!.ToJsonString(readableJson));
    }

    /// <summary>Writes all options that have a value.</summary>
    public static void Write(string path, T options)
    {
        var json = Values(options);
        // JSON's strings and numbers are YAML's, too.
        PendingFile.WriteText(path, string.Concat(members.Keys
            .Where(name => json[name] is not null)
            .Select(name => $"{name}: {json[name]!.ToJsonString(readableJson)}\n")));
    }

    /// <summary>The values of all options, by their names; null for those that are not set.</summary>
    public static JsonObject Values(T options) => JsonSerializer.SerializeToNode(options, jsonOptions)!.AsObject();
}
