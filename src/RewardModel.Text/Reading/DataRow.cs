using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>One row of a file.</summary>
/// <param name="Source">Its line, or its number in a table; an item of an array has the line where it begins.</param>
/// <param name="Utf8">A JSON value, or what should be one. Until the next row is read.</param>
/// <param name="LoneSurrogateCount">How many escapes of lone surrogates were replaced in it by escapes of U+FFFD.</param>
internal readonly record struct DataRow(SourceLine Source, ReadOnlyMemory<byte> Utf8, int LoneSurrogateCount);
