using System.Text.Json;
using System.Text.Unicode;
using RewardModel.Files;

namespace RewardModel.Checkpoints;

/// <summary>Reads the JSON header of a safetensors file. One pass, without recursion; memory grows with the header's bytes only.</summary>
internal ref struct SafetensorsHeader
{
    public const string MetadataName = "__metadata__";

    // libtorch's tensor iterators take no more dimensions.
    private const int MaxDimensionCount = 64;

    // The header is an object (1) of objects (2) of arrays (3).
    private const int MaxDepth = 3;

    private readonly long dataStart;
    private readonly long dataLength;
    private readonly ProblemList problems;
    private static readonly Dictionary<string, SafetensorsType> types =
        Enum.GetValues<SafetensorsType>().ToDictionary(type => type.ToString());

    private static readonly string[] fieldNames = ["dtype", "shape", "data_offsets"];

    private readonly HashSet<string> names = [];
    private readonly List<SafetensorsEntry> entries = [];
    private readonly List<(string Name, long Begin, long End)> ranges = [];
    private readonly Dictionary<string, string> metadata = [];
    private bool allRangesKnown = true;
    private bool isQuantized;
    private Utf8JsonReader json;

    private SafetensorsHeader(ReadOnlySpan<byte> utf8, long dataStart, long dataLength, ProblemList problems)
    {
        json = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
        this.dataStart = dataStart;
        this.dataLength = dataLength;
        this.problems = problems;
    }

    /// <summary>The described tensors in the order of their bytes, and the file's metadata. Incomplete where problems were added.</summary>
    public static (IReadOnlyList<SafetensorsEntry> Entries, IReadOnlyDictionary<string, string> Metadata) Parse(
        ReadOnlySpan<byte> utf8, long dataStart, long dataLength, ProblemList problems)
    {
        var header = new SafetensorsHeader(utf8, dataStart, dataLength, problems);
        if (utf8.IsEmpty || utf8[0] != (byte)'{')
            problems.Add($"the header begins with {(utf8.IsEmpty ? "nothing" : $"byte 0x{utf8[0]:x2}")}; expected '{{' (0x7b)");
        else if (!Utf8.IsValid(utf8))
            problems.Add("the header is not valid UTF-8");
        else
            header.ParseTensors();
        return ([.. header.entries.OrderBy(entry => entry.Offset).ThenBy(entry => entry.Length)], header.metadata);
    }

    private void ParseTensors()
    {
        try
        {
            json.Read();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (problems.IsFull)
                    return;
                var name = json.GetString()!;
                if (!names.Add(name))
                    problems.Add($"{Quoted.Text(name)} is described more than once; expected each name once");
                json.Read();
                if (name == MetadataName)
                    ParseMetadata();
                else
                    ParseTensor(name);
            }
            // Whitespace may follow; anything else makes the reader throw.
            json.Read();
        }
        // InvalidOperationException: an escaped half of a surrogate pair, which no string can hold.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            problems.Add($"the header is not JSON of an object of tensors: {e.Message.TrimEnd('.')}");
            return;
        }
        if (allRangesKnown)
            CheckThatTensorsTileTheData();
    }

    private void ParseMetadata()
    {
        if (!IsObject($"'{MetadataName}'", "an object of strings"))
            return;
        while (!problems.IsFull && json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var key = json.GetString()!;
            json.Read();
            if (json.TokenType == JsonTokenType.String)
                metadata[key] = json.GetString()!;
            else
                Unexpected($"{Quoted.Text(key)} in '{MetadataName}'", "a string");
        }
    }

    private void ParseTensor(string name)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            Unexpected(Described(name), "an object with dtype, shape and data_offsets");
            allRangesKnown = false;
            return;
        }
        SafetensorsType? type = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        Span<int> counts = stackalloc int[fieldNames.Length];
        counts.Clear();
        while (!problems.IsFull && json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldNumber();
            if (field < 0)
                problems.Add($"{Described(name)} has the unknown field {Quoted.Text(json.GetString()!)}; "
                    + "expected dtype, shape and data_offsets");
            else if (counts[field]++ > 0)
                problems.Add($"{Described(name)} has the field '{fieldNames[field]}' more than once");
            json.Read();
            switch (field)
            {
                case 0:
                    type = ParseType(name);
                    break;
                case 1:
                    shape = ParseIntegers(name, "a shape", MaxDimensionCount);
                    break;
                case 2:
                    offsets = ParseIntegers(name, "data_offsets", 2);
                    break;
                default:
                    json.Skip();
                    break;
            }
        }
        for (var field = 0; field < counts.Length; field++)
            if (counts[field] == 0)
                problems.Add($"{Described(name)} has no {fieldNames[field]}");
        AddEntry(name, type, shape, offsets);
    }

    private readonly int FieldNumber()
    {
        for (var field = 0; field < fieldNames.Length; field++)
            if (json.ValueTextEquals(fieldNames[field]))
                return field;
        return -1;
    }

    // Made for a problem only: there can be a hundred thousand tensors.
    private static string Described(string name) => $"tensor {Quoted.Text(name)}";

    private void AddEntry(string name, SafetensorsType? type, List<long>? shape, List<long>? offsets)
    {
        if (offsets is not [var begin, var end] || begin > end)
        {
            allRangesKnown = false;
            if (offsets is not null)
                problems.Add($"{Described(name)} has data_offsets [{string.Join(", ", offsets)}]; expected [begin, end] with begin <= end");
            return;
        }
        ranges.Add((name, begin, end));
        if (type is null || shape is null)
            return;
        string WithShape() => $"{Described(name)} of type {type} and shape [{string.Join(", ", shape)}]";
        try
        {
            var length = type.Value.ByteCount(shape);
            if (length != end - begin)
                problems.Add($"{WithShape()} has {end - begin} bytes; expected {length}");
            else if (end <= dataLength)
                entries.Add(new SafetensorsEntry(name, type.Value, [.. shape], dataStart + begin, length));
        }
        catch (OverflowException)
        {
            problems.Add($"{WithShape()} has more than 2^63 bytes");
        }
    }

    private readonly void CheckThatTensorsTileTheData()
    {
        ranges.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        long covered = 0;
        string? previous = null;
        string Previous() => previous is null ? "the header" : Described(previous);
        foreach (var (name, begin, end) in ranges)
        {
            if (begin > covered)
                problems.Add($"bytes {covered} to {begin} of the data belong to no tensor; "
                    + $"expected {Described(name)} right behind {Previous()}");
            else if (begin < covered)
                problems.Add($"{Described(name)} begins at byte {begin} of the data, before the end of {Previous()} at byte {covered}");
            if (problems.IsFull)
                return;
            covered = Math.Max(covered, end);
            previous = name;
        }
        var sizes = $"the file has {dataLength} bytes of data; expected {covered} by its header";
        if (covered > dataLength)
            problems.Add($"{sizes}: it is cut short");
        else if (covered < dataLength)
            problems.Add($"{sizes}: the last {dataLength - covered} belong to no tensor");
    }

    private SafetensorsType? ParseType(string name)
    {
        if (json.TokenType != JsonTokenType.String)
        {
            Unexpected($"{Described(name)} has a dtype that", "a string");
            return null;
        }
        var text = json.GetString()!;
        if (types.TryGetValue(text, out var type))
            return type;
        if (!Quantization.IsTypeOfQuantized(text))
            problems.Add($"{Described(name)} has the dtype {Quoted.Text(text)}; expected one of {string.Join(", ", types.Keys)}");
        // Once: all of the weights are.
        else if (!isQuantized)
            problems.Add(
                $"the checkpoint is quantised ({text[1]}-bit numbers), as {Described(name)} of the dtype {Quoted.Text(text)} shows; "
                + "this is not supported", Quantization.Advice);
        isQuantized |= Quantization.IsTypeOfQuantized(text);
        return null;
    }

    /// <summary>An array of up to <paramref name="maxCount"/> integers from 0 on; null, and a problem, where it is anything else.</summary>
    private List<long>? ParseIntegers(string name, string what, int maxCount)
    {
        string Expected() => $"an array of at most {maxCount} whole numbers from 0 to 2^63 - 1";
        if (json.TokenType != JsonTokenType.StartArray)
        {
            Unexpected($"{Described(name)} has {what} that", Expected());
            return null;
        }
        var integers = new List<long>();
        var valid = true;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (valid && json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var integer) && integer >= 0
                && integers.Count < maxCount)
                integers.Add(integer);
            else
                valid = false;
            json.Skip();
        }
        if (valid)
            return integers;
        problems.Add($"{Described(name)} has {what} with other values or more of them; expected {Expected()}");
        return null;
    }

    private bool IsObject(string what, string expected)
    {
        if (json.TokenType == JsonTokenType.StartObject)
            return true;
        Unexpected(what, expected);
        return false;
    }

    private void Unexpected(string what, string expected)
    {
        var found = json.TokenType switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            JsonTokenType.String => "a string",
            JsonTokenType.Number => "a number",
            JsonTokenType.Null => "null",
            _ => "a truth value",
        };
        problems.Add($"{what} is {found}; expected {expected}");
        json.Skip();
    }
}
