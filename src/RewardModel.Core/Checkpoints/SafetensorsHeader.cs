using System.Text.Json;
using System.Text.Unicode;

namespace RewardModel.Checkpoints;

/// <summary>Reads the JSON header of a safetensors file. One pass, without recursion; memory grows with the header's bytes only.</summary>
internal ref struct SafetensorsHeader
{
    public const string MetadataName = "__metadata__";

    // libtorch's tensor iterators take no more dimensions.
    private const int MaxDimensionCount = 64;

    // The header is an object (1) of objects (2) of arrays (3).
    private const int MaxDepth = 3;

    private readonly long _dataStart;
    private readonly long _dataLength;
    private readonly ProblemList _problems;
    private readonly HashSet<string> _names = [];
    private readonly List<SafetensorsEntry> _entries = [];
    private readonly List<(string Name, long Begin, long End)> _ranges = [];
    private readonly Dictionary<string, string> _metadata = [];
    private bool _allRangesKnown = true;
    private Utf8JsonReader _json;

    private SafetensorsHeader(ReadOnlySpan<byte> utf8, long dataStart, long dataLength, ProblemList problems)
    {
        _json = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
        _dataStart = dataStart;
        _dataLength = dataLength;
        _problems = problems;
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
        return ([.. header._entries.OrderBy(entry => entry.Offset).ThenBy(entry => entry.Length)], header._metadata);
    }

    private void ParseTensors()
    {
        try
        {
            _json.Read();
            while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
            {
                var name = _json.GetString()!;
                if (!_names.Add(name))
                    _problems.Add($"{Quoted.Text(name)} is described more than once; expected each name once");
                _json.Read();
                if (name == MetadataName)
                    ParseMetadata();
                else
                    ParseTensor(name);
            }
            // Whitespace may follow; anything else makes the reader throw.
            _json.Read();
        }
        // InvalidOperationException: an escaped half of a surrogate pair, which no string can hold.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            _problems.Add($"the header is not JSON of an object of tensors: {e.Message.TrimEnd('.')}");
            return;
        }
        if (_allRangesKnown)
            CheckThatTensorsTileTheData();
    }

    private void ParseMetadata()
    {
        if (!IsObject($"'{MetadataName}'", "an object of strings"))
            return;
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            var key = _json.GetString()!;
            _json.Read();
            if (_json.TokenType == JsonTokenType.String)
                _metadata[key] = _json.GetString()!;
            else
                Unexpected($"{Quoted.Text(key)} in '{MetadataName}'", "a string");
        }
    }

    private void ParseTensor(string name)
    {
        var tensor = $"tensor {Quoted.Text(name)}";
        if (!IsObject(tensor, "an object with dtype, shape and data_offsets"))
        {
            _allRangesKnown = false;
            return;
        }
        SafetensorsType? type = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        var fields = new HashSet<string>();
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            var field = _json.GetString()!;
            if (!fields.Add(field))
                _problems.Add($"{tensor} has the field {Quoted.Text(field)} more than once");
            _json.Read();
            switch (field)
            {
                case "dtype":
                    type = ParseType(tensor);
                    break;
                case "shape":
                    shape = ParseIntegers($"{tensor} has a shape", MaxDimensionCount);
                    break;
                case "data_offsets":
                    offsets = ParseIntegers($"{tensor} has data_offsets", 2);
                    break;
                default:
                    _problems.Add($"{tensor} has the unknown field {Quoted.Text(field)}; expected dtype, shape and data_offsets");
                    _json.Skip();
                    break;
            }
        }
        foreach (var field in (ReadOnlySpan<string>)["dtype", "shape", "data_offsets"])
            if (!fields.Contains(field))
                _problems.Add($"{tensor} has no {field}");
        AddEntry(name, tensor, type, shape, offsets);
    }

    private void AddEntry(string name, string tensor, SafetensorsType? type, List<long>? shape, List<long>? offsets)
    {
        if (offsets is not [var begin, var end] || begin > end)
        {
            _allRangesKnown = false;
            if (offsets is not null)
                _problems.Add($"{tensor} has data_offsets [{string.Join(", ", offsets)}]; expected [begin, end] with begin <= end");
            return;
        }
        _ranges.Add((name, begin, end));
        if (type is null || shape is null)
            return;
        var described = $"{tensor} of type {type} and shape [{string.Join(", ", shape)}]";
        try
        {
            var length = type.Value.ByteCount(shape);
            if (length != end - begin)
                _problems.Add($"{described} has {end - begin} bytes; expected {length}");
            else if (end <= _dataLength)
                _entries.Add(new SafetensorsEntry(name, type.Value, [.. shape], _dataStart + begin, length));
        }
        catch (OverflowException)
        {
            _problems.Add($"{described} has more than 2^63 bytes");
        }
    }

    private readonly void CheckThatTensorsTileTheData()
    {
        _ranges.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        long covered = 0;
        var previous = "the header";
        foreach (var (name, begin, end) in _ranges)
        {
            if (begin > covered)
                _problems.Add($"bytes {covered} to {begin} of the data belong to no tensor; expected tensor {Quoted.Text(name)} right behind {previous}");
            else if (begin < covered)
                _problems.Add($"tensor {Quoted.Text(name)} begins at byte {begin} of the data, before the end of {previous} at byte {covered}");
            covered = Math.Max(covered, end);
            previous = $"tensor {Quoted.Text(name)}";
        }
        if (covered > _dataLength)
            _problems.Add($"the file has {_dataLength} bytes of data; expected {covered} by its header: it is cut short");
        else if (covered < _dataLength)
            _problems.Add($"the file has {_dataLength} bytes of data; expected {covered} by its header: the last {_dataLength - covered} belong to no tensor");
    }

    private SafetensorsType? ParseType(string tensor)
    {
        if (_json.TokenType != JsonTokenType.String)
        {
            Unexpected($"{tensor} has a dtype that", "a string");
            return null;
        }
        var text = _json.GetString()!;
        foreach (var type in Enum.GetValues<SafetensorsType>())
            if (text == type.ToString())
                return type;
        _problems.Add($"{tensor} has the dtype {Quoted.Text(text)}; expected one of {string.Join(", ", Enum.GetNames<SafetensorsType>())}");
        return null;
    }

    /// <summary>An array of at most <paramref name="maxCount"/> integers from 0 on; null, and a problem, where it is something else.</summary>
    private List<long>? ParseIntegers(string what, int maxCount)
    {
        var expected = $"an array of at most {maxCount} whole numbers from 0 to 2^63 - 1";
        if (_json.TokenType != JsonTokenType.StartArray)
        {
            Unexpected($"{what} that", expected);
            return null;
        }
        var integers = new List<long>();
        var valid = true;
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (valid && _json.TokenType == JsonTokenType.Number && _json.TryGetInt64(out var integer) && integer >= 0
                && integers.Count < maxCount)
                integers.Add(integer);
            else
                valid = false;
            _json.Skip();
        }
        if (valid)
            return integers;
        _problems.Add($"{what} with other values or more of them; expected {expected}");
        return null;
    }

    private bool IsObject(string what, string expected)
    {
        if (_json.TokenType == JsonTokenType.StartObject)
            return true;
        Unexpected(what, expected);
        return false;
    }

    private void Unexpected(string what, string expected)
    {
        var found = _json.TokenType switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            JsonTokenType.String => "a string",
            JsonTokenType.Number => "a number",
            JsonTokenType.Null => "null",
            _ => "a truth value",
        };
        _problems.Add($"{what} is {found}; expected {expected}");
        _json.Skip();
    }
}
