using System.Buffers.Binary;
using System.Text;

namespace RewardModel.Tests.Training.Reporting;

/// <summary>One event of a file for TensorBoard.</summary>
internal sealed record ReadEvent(double WallTime, long Step, string? FileVersion, (string Tag, float Value)[] Scalars, long? SessionStatus);

/// <summary>
/// A reader of TensorFlow's event files that shares nothing with what writes them: checksums bit by bit, and fields of protocol buffers by
/// their numbers in event.proto and summary.proto.
/// </summary>
internal static class EventFiles
{
    /// <summary>The events of a file; it fails where a length or a checksum is wrong.</summary>
    public static IEnumerable<ReadEvent> Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        for (var position = 0; position < bytes.Length;)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(position));
            Assert.Equal(Masked(bytes.AsSpan(position, 8)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(position + 8)));
            var payload = bytes.AsSpan(position + 12, length).ToArray();
            Assert.Equal(Masked(payload), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(position + 12 + length)));
            position += 12 + length + 4;
            yield return Event(payload);
        }
    }

    /// <summary>
    /// What TensorBoard shows of some files, one after the other: a session's START (1) removes what was read before of its step and later
    /// (event_accumulator.py, _CheckForRestartAndMaybePurge).
    /// </summary>
    public static (string Tag, long Step, float Value, double Time)[] Shown(IEnumerable<string> paths)
    {
        var shown = new List<(string, long Step, float, double)>();
        foreach (var read in paths.SelectMany(Read))
        {
            if (read.SessionStatus == 1)
                shown.RemoveAll(point => point.Step >= read.Step);
            shown.AddRange(read.Scalars.Select(scalar => (scalar.Tag, read.Step, scalar.Value, read.WallTime)));
        }
        return [.. shown];
    }

    /// <summary>CRC-32C (Castagnoli) from its polynomial, reflected: 0x82f63b78.</summary>
    public static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = 0xffffffffu;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
        }
        return crc ^ 0xffffffffu;
    }

    private static uint Masked(ReadOnlySpan<byte> bytes)
    {
        var crc = Checksum(bytes);
        return unchecked((crc >> 15 | crc << 17) + 0xa282ead8u);
    }

    private static ReadEvent Event(byte[] bytes)
    {
        var fields = Fields(bytes).ToLookup(field => field.Number, field => field.Value);
        return new ReadEvent(
            fields[1].Select(value => BitConverter.ToDouble(value)).Single(), fields[2].Select(Integer).SingleOrDefault(),
            fields[3].Select(Encoding.UTF8.GetString).SingleOrDefault(),
            [.. fields[5].SelectMany(Fields).Where(field => field.Number == 1).Select(field => Scalar(field.Value))],
            fields[7].SelectMany(Fields).Where(field => field.Number == 1).Select(field => (long?)Integer(field.Value)).SingleOrDefault());
    }

    private static (string, float) Scalar(byte[] bytes)
    {
        var fields = Fields(bytes).ToDictionary(field => field.Number, field => field.Value);
        return (Encoding.UTF8.GetString(fields[1]), BitConverter.ToSingle(fields[2]));
    }

    private static long Integer(byte[] varint) => varint.Select((value, i) => (long)(value & 0x7f) << 7 * i).Sum();

    private static IEnumerable<(int Number, byte[] Value)> Fields(byte[] bytes)
    {
        for (var position = 0; position < bytes.Length;)
        {
            var key = Integer(Varint());
            var length = (key & 7) switch { 0 => -1, 1 => 8, 2 => (int)Integer(Varint()), 5 => 4, _ => throw new InvalidDataException($"wire type {key & 7}") };
            var value = length < 0 ? Varint() : bytes[position..(position + length)];
            position += length < 0 ? 0 : length;
            yield return ((int)(key >> 3), value);

            byte[] Varint()
            {
                var start = position;
                while ((bytes[position++] & 0x80) != 0)
                {
                }
                return bytes[start..position];
            }
        }
    }
}
