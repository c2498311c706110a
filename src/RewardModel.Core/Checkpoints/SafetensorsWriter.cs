using System.Buffers.Binary;
using System.Text.Json;
using RewardModel.Files;

namespace RewardModel.Checkpoints;

/// <summary>Writes safetensors files. The same tensors give the same bytes, in whatever order they are passed.</summary>
internal static class SafetensorsWriter
{
    // transformers refuses files that don't say which framework's conventions they follow.
    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    /// <summary>Writes a file, replacing an existing one in one step once the new one is complete and on disk.</summary>
    /// <exception cref="ArgumentException">
    /// A name twice, the reserved name <c>__metadata__</c>, a negative size, or a source that wrote more or fewer bytes than its shape
    /// and type need.
    /// </exception>
    public static void Write(string path, IReadOnlyList<SafetensorsSource> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        using var file = new PendingFile(path);
        Write(file.Content, tensors);
        file.Commit();
    }

    /// <summary>Writes a file's header, and the values that the sources have of it, to a stream that can seek.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="tensors">All of the file's tensors, of which the sources may have parts only.</param>
    /// <param name="writesHeader">False where another process writes the header, and sets the file's length.</param>
    /// <exception cref="ArgumentException">As above.</exception>
    internal static void Write(Stream stream, IReadOnlyList<SafetensorsSource> tensors, bool writesHeader = true)
    {
        CheckNamesAndShapes(tensors);
        // Wide elements first, so that every tensor begins at a multiple of its element's size.
        var ordered = tensors.OrderByDescending(tensor => tensor.Type.Size())
            .ThenBy(tensor => tensor.Name, StringComparer.Ordinal).ToList();

        var header = Header(ordered);
        var place = sizeof(ulong) + (long)header.Length;
        if (writesHeader)
        {
            Span<byte> lengthField = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(lengthField, (ulong)header.Length);
            stream.Write(lengthField);
            stream.Write(header);
            stream.SetLength(place + ordered.Sum(tensor => tensor.Type.ByteCount(tensor.Shape)));
        }
        foreach (var tensor in ordered)
        {
            stream.Position = place + tensor.First * tensor.Type.Size();
            var start = stream.Position;
            tensor.WriteTo(stream);
            var written = stream.Position - start;
            var expected = tensor.Count * tensor.Type.Size();
            if (written != expected)
                throw new ArgumentException(
                    $"the source of tensor {Quoted.Text(tensor.Name)} wrote {written} bytes; expected {expected}", nameof(tensors));
            place += tensor.Type.ByteCount(tensor.Shape);
        }
    }

    private static byte[] Header(IReadOnlyList<SafetensorsSource> ordered)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WritePropertyName(SafetensorsHeader.MetadataName);
            JsonSerializer.Serialize(json, Metadata);
            long offset = 0;
            foreach (var tensor in ordered)
            {
                var end = checked(offset + tensor.Type.ByteCount(tensor.Shape));
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.ToString());
                json.WritePropertyName("shape");
                JsonSerializer.Serialize(json, tensor.Shape);
                json.WritePropertyName("data_offsets");
                JsonSerializer.Serialize(json, (long[])[offset, end]);
                json.WriteEndObject();
                offset = end;
            }
            json.WriteEndObject();
        }
        // Padding keeps the values aligned to 8 bytes.
        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    internal static void CheckNamesAndShapes(IReadOnlyList<SafetensorsSource> tensors)
    {
        var names = new HashSet<string>();
        var problems = new List<string>();
        foreach (var tensor in tensors)
        {
            if (tensor.Name == SafetensorsHeader.MetadataName)
                problems.Add($"the name '{SafetensorsHeader.MetadataName}' is reserved by the format");
            else if (!names.Add(tensor.Name))
                problems.Add($"the name {Quoted.Text(tensor.Name)} is given more than once");
            if (tensor.Shape.Any(size => size < 0))
                problems.Add($"tensor {Quoted.Text(tensor.Name)} has the negative shape [{string.Join(", ", tensor.Shape)}]");
        }
        if (problems.Count > 0)
            throw new ArgumentException(string.Join("; ", problems), nameof(tensors));
    }
}
