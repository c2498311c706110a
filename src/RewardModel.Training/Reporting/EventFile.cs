using System.Buffers.Binary;
using System.Numerics;
using RewardModel.Files;

namespace RewardModel.Training.Reporting;

/// <summary>
/// A file of TensorFlow's events: records, each of them its length (8 bytes, little-endian), the masked CRC-32C of these bytes, an event as
/// a protocol buffer, and its masked CRC-32C (tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto).
/// </summary>
/// <remarks>
/// TorchSharp's SummaryWriter knows whole seconds only, gives its first event a time of ticks instead of seconds, and can't tell of a
/// restart.
/// </remarks>
internal sealed class EventFile : IDisposable
{
    private const string version = "brain.Event:2";
    private const int startStatus = 1;

    private readonly FileStream file;

    /// <summary>Begins a file.</summary>
    /// <param name="path">The file; there is none yet.</param>
    /// <param name="time">The time of its first event.</param>
    /// <param name="firstStep">What was written before of this step or a later one is no longer valid; null: nothing was.</param>
    public EventFile(string path, DateTimeOffset time, int? firstStep)
    {
        file = Disk.Open(path, FileMode.CreateNew, FileShare.Read);
        var first = EventAt(time, 0);
        first.Text(3, version);
        Append(first);
        if (firstStep is { } step)
        {
            // An event's session_log: its status says that events from its step on are purged.
            var status = new ProtocolBuffer();
            status.Integer(1, startStatus);
            var start = EventAt(time, step);
            start.Message(7, status);
            Append(start);
        }
        file.Flush();
    }

    /// <summary>Writes scalars of a step.</summary>
    public void Write(int step, DateTimeOffset time, IEnumerable<(string Tag, double Value)> scalars)
    {
        var summary = new ProtocolBuffer();
        foreach (var (tag, value) in scalars)
        {
            var scalar = new ProtocolBuffer();
            scalar.Text(1, tag);
            scalar.Single(2, (float)value);
            summary.Message(1, scalar);
        }
        var written = EventAt(time, step);
        written.Message(5, summary);
        Append(written);
        file.Flush();
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();

    private static ProtocolBuffer EventAt(DateTimeOffset time, int step)
    {
        var made = new ProtocolBuffer();
        made.Double(1, (time - DateTimeOffset.UnixEpoch).TotalSeconds);
        made.Integer(2, step);
        return made;
    }

    private void Append(ProtocolBuffer message)
    {
        var bytes = message.Bytes;
        Span<byte> head = stackalloc byte[12];
        BinaryPrimitives.WriteInt64LittleEndian(head, bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head[8..], MaskedChecksum(head[..8]));
        Span<byte> foot = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(foot, MaskedChecksum(bytes));
        file.Write(head);
        file.Write(bytes);
        file.Write(foot);
    }

    /// <summary>Masked, so that a checksum of what holds checksums is not weak (tensorflow/core/lib/hash/crc32c.h).</summary>
    private static uint MaskedChecksum(ReadOnlySpan<byte> bytes)
    {
        var checksum = uint.MaxValue;
        foreach (var value in bytes)
            checksum = BitOperations.Crc32C(checksum, value);
        return BitOperations.RotateRight(~checksum, 15) + 0xa282ead8;
    }
}
