using System.Collections;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace RewardModel.Reading;

/// <summary>
/// Where data are: files, folders or patterns such as <c>data/train-*.parquet</c>; <c>-</c> is standard input. A number behind = is how often
/// an epoch has each list of them: <c>web.jsonl=0.5</c>. A string is one of them.
/// </summary>
/// <param name="paths">The paths, as they are given.</param>
[CollectionBuilder(typeof(DataPaths), nameof(Create))]
[JsonConverter(typeof(Converter))]
public sealed class DataPaths(params IReadOnlyList<string> paths) : IReadOnlyList<string>, IEquatable<DataPaths>
{
    private readonly string[] paths = [.. paths ?? throw new ArgumentNullException(nameof(paths))];

    /// <inheritdoc/>
    public int Count => paths.Length;

    /// <inheritdoc/>
    public string this[int index] => paths[index];

    /// <summary>One path.</summary>
    public static implicit operator DataPaths(string path) => FromString(path);

    /// <summary>One path.</summary>
    public static DataPaths FromString(string path) => new(path ?? throw new ArgumentNullException(nameof(path)));

    /// <summary>Makes one of a collection expression.</summary>
    public static DataPaths Create(ReadOnlySpan<string> paths) => new(paths.ToArray());

    /// <inheritdoc/>
    public bool Equals(DataPaths? other) => other is not null && paths.AsSpan().SequenceEqual(other.paths);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DataPaths);

    /// <inheritdoc/>
    public override int GetHashCode() => paths.Aggregate(0, HashCode.Combine);

    /// <inheritdoc/>
    public IEnumerator<string> GetEnumerator() => ((IEnumerable<string>)paths).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The paths, with commas between them.</summary>
    public override string ToString() => string.Join(", ", paths);

    /// <summary>A single path is written as a string.</summary>
    private sealed class Converter : JsonConverter<DataPaths>
    {
        public override DataPaths Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String
                ? new DataPaths(reader.GetString()!)
                : new DataPaths(JsonSerializer.Deserialize<string[]>(ref reader, options) ?? []);

        public override void Write(Utf8JsonWriter writer, DataPaths value, JsonSerializerOptions options)
        {
            if (value.Count == 1)
                writer.WriteStringValue(value[0]);
            else
                JsonSerializer.Serialize(writer, value.paths, options);
        }
    }
}
