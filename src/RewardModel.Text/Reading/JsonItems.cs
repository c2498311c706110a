using System.Text;

namespace RewardModel.Reading;

/// <summary>How JSON values lie in a file.</summary>
internal enum JsonLayout
{
    /// <summary>One value a line.</summary>
    Lines,

    /// <summary>All as the items of one array, over any number of lines.</summary>
    Array,

    /// <summary>One after the other, over any number of lines.</summary>
    Sequence,
}

/// <summary>Divides a JSON array, or values that follow each other, into its items without holding more than one of them.</summary>
internal static class JsonItems
{
    /// <summary>
    /// What the first bytes of a file say. A line that begins with a bracket may be a value of its own, which is wrong in its own way: an
    /// array begins with a bracket alone in its line, or before an object. A brace alone in its line, before a key, begins an object over
    /// several lines.
    /// </summary>
    public static JsonLayout LayoutOf(ReadOnlySpan<byte> start)
    {
        var text = WithoutPreamble(start).TrimStart(" \t\r\n"u8);
        if (text is [])
            return JsonLayout.Lines;
        var rest = text[1..].TrimStart(" \t\r"u8);
        var isAlone = rest is [(byte)'\n', ..];
        var next = rest.TrimStart(" \t\r\n"u8);
        return text[0] switch
        {
            (byte)'[' when isAlone || next is [(byte)'{', ..] => JsonLayout.Array,
            (byte)'{' when isAlone && next is [(byte)'"', ..] => JsonLayout.Sequence,
            _ => JsonLayout.Lines,
        };
    }

    /// <summary>The items with the lines in which they begin. What is no JSON comes as an item, too, up to where it seems to end.</summary>
    /// <param name="stream">From the start of the file on.</param>
    /// <param name="isArray">Whether they are the items of an array.</param>
    /// <param name="path">The file, for messages.</param>
    /// <exception cref="RankedDataException">The array does not end, or something comes after it.</exception>
    public static IEnumerable<(int Line, byte[] Utf8)> Read(Stream stream, bool isArray, string path)
    {
        var item = new List<byte>();
        // The brackets of the item that are open.
        var open = new List<byte>();
        int line = 1, itemLine = 1, count = 0;
        bool isOpen = !isArray, isClosed = false, inString = false, isEscaped = false;
        foreach (var character in Bytes(stream))
        {
            var isSpace = character is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';
            var endsItem = false;
            if (isClosed)
            {
                if (!isSpace)
                    throw new RankedDataException(
                        $"{DataPath.Quoted(path)} goes on after the end of its JSON array, in line {line}; expected one array of objects, "
                        + "or one object a line. Make one array of it, or take the brackets and the commas between the objects away.");
            }
            else if (!isOpen)
            {
                isOpen = character == '[';
            }
            else if (inString)
            {
                item.Add(character);
                // No string goes over a line's end: so a quote that is missing spoils no more than its item.
                if (character == '\n')
                    inString = isEscaped = false;
                else if (isEscaped)
                    isEscaped = false;
                else
                    (inString, isEscaped) = (character != '"', character == '\\');
            }
            else if (item.Count > 0 || !(isSpace || (isArray && character is (byte)',' or (byte)']')))
            {
                if (item.Count == 0)
                    itemLine = line;
                isClosed = isArray && character == ']' && !open.Contains((byte)'[');
                endsItem = isClosed || (isArray && open.Count == 0 && character == ',');
                if (!endsItem)
                    item.Add(character);
                inString = character == '"';
                if (character is (byte)'{' or (byte)'[')
                    open.Add(character);
                else if (character is (byte)'}' or (byte)']')
                    Close(open, character == '}' ? (byte)'{' : (byte)'[');
                endsItem |= !isArray && open.Count == 0 && (character is (byte)'}' or (byte)']' or (byte)'\n');
            }
            else
            {
                isClosed = character == ']';
            }
            if (character == '\n')
                line++;
            if (!endsItem)
                continue;
            yield return (itemLine, [.. item]);
            item.Clear();
            open.Clear();
            count++;
        }
        if (isArray && !isClosed)
            throw new RankedDataException(
                $"{DataPath.Quoted(path)} ends within its JSON array, "
                + (item.Count > 0 ? $"in the item that begins in line {itemLine}" : $"after {count} items")
                + "; expected ] at its end. It is only the beginning of a file, which is to be copied or written again, "
                + "or a quote is missing.");
        if (item.Count > 0)
            yield return (itemLine, [.. item]);
    }

    /// <summary>Closes a bracket, and those inside of it that were forgotten.</summary>
    private static void Close(List<byte> open, byte bracket)
    {
        var index = open.LastIndexOf(bracket);
        if (index >= 0)
            open.RemoveRange(index, open.Count - index);
    }

    private static ReadOnlySpan<byte> WithoutPreamble(ReadOnlySpan<byte> start) =>
        start.StartsWith(Encoding.UTF8.Preamble) ? start[Encoding.UTF8.Preamble.Length..] : start;

    private static IEnumerable<byte> Bytes(Stream stream)
    {
        var buffer = new byte[1 << 16];
        var isStart = true;
        while (stream.ReadAtLeast(buffer, Encoding.UTF8.Preamble.Length, throwOnEndOfStream: false) is > 0 and var length)
        {
            for (var i = isStart ? length - WithoutPreamble(buffer.AsSpan(0, length)).Length : 0; i < length; i++)
                yield return buffer[i];
            isStart = false;
        }
    }
}
