using RewardModel.Lists;

namespace RewardModel.Training.Data;

/// <summary>
/// A list as bytes: the scores first, which are asked for alone, then what its flags say that it has, then token ids. Where it was read
/// from, its flags and how many answers it has stand in its index entry.
/// </summary>
internal static class ListEncoding
{
    // What stands for a prompt of an answer's own: nothing, the list's prompt itself, or from here on the answer that has the same array.
    private const int noPrompt = 0, listPrompt = 1, firstAnswer = 2;

    /// <summary>Writes a list.</summary>
    public static void Write(ByteWriter writer, TokenizedList list)
    {
        foreach (var score in list.Scores)
            writer.WriteDouble(score);
        if (list.Margin is { } margin)
            writer.WriteDouble(margin);
        if (list.Weight != 1)
            writer.WriteDouble(list.Weight);
        if (list.Group is not null)
            writer.WriteText(list.Group);
        if (list.Attributes is not null)
            WriteAttributes(writer, list.Attributes);
        writer.WriteIds([list.AnswerTokenType]);
        writer.WriteIds(list.PromptIds);
        foreach (var answer in list.AnswerIds)
            writer.WriteIds(answer);
        for (var k = 0; list.OwnPromptIds is not null && k < list.AnswerIds.Count; k++)
            WriteOwnPrompt(writer, list.PromptIds, list.OwnPromptIds, k);
    }

    /// <summary>Reads a list.</summary>
    /// <param name="bytes">From its first one on.</param>
    /// <param name="info">What is known of it.</param>
    /// <param name="source">Where it was read from.</param>
    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static TokenizedList Read(ReadOnlySpan<byte> bytes, in ListInfo info, SourceLine source)
    {
        try
        {
            return ReadParts(bytes, info, source);
        }
        // An id that is cut, no token type, a margin that none can be.
        catch (Exception exception) when (exception is IndexOutOfRangeException or ArgumentException)
        {
            throw ByteReader.Damaged();
        }
    }

    /// <summary>Reads the scores alone.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static double[] ReadScores(ReadOnlySpan<byte> bytes, in ListInfo info) => new ByteReader(bytes).ReadDoubles(info.AnswerCount);

    private static TokenizedList ReadParts(ReadOnlySpan<byte> bytes, in ListInfo info, SourceLine source)
    {
        var reader = new ByteReader(bytes);
        var scores = reader.ReadDoubles(info.AnswerCount);
        double? margin = info.Has(ListFlags.Margin) ? reader.ReadDouble() : null;
        var weight = info.Has(ListFlags.Weight) ? reader.ReadDouble() : 1;
        var group = info.Has(ListFlags.Group) ? reader.ReadText() : null;
        var attributes = info.Has(ListFlags.Attributes) ? ReadAttributes(ref reader, info.AnswerCount) : null;
        var tokenType = reader.ReadIds()[0];
        var promptIds = reader.ReadIds();
        var answerIds = new int[info.AnswerCount][];
        foreach (ref var answer in answerIds.AsSpan())
            answer = reader.ReadIds();
        int[]?[]? ownPromptIds = info.Has(ListFlags.OwnPrompts) ? new int[info.AnswerCount][] : null;
        for (var k = 0; k < ownPromptIds?.Length; k++)
            ownPromptIds[k] = ReadOwnPrompt(ref reader, promptIds, ownPromptIds, k);
        return new TokenizedList(promptIds, answerIds, scores, source)
        {
            ScoresAreOrder = info.Has(ListFlags.ScoresAreOrder),
            Margin = margin,
            Weight = weight,
            Group = group,
            Attributes = attributes,
            AnswerTokenType = tokenType,
            IsChat = info.Has(ListFlags.Chat) ? true : info.Has(ListFlags.Text) ? false : null,
            OwnPromptIds = ownPromptIds,
        };
    }

    // The names once; then those of each answer by their places, with their values.
    private static void WriteAttributes(ByteWriter writer, IReadOnlyList<IReadOnlyDictionary<string, double>> attributes)
    {
        var places = new Dictionary<string, int>();
        foreach (var name in attributes.SelectMany(ofAnswer => ofAnswer.Keys))
            places.TryAdd(name, places.Count);
        writer.WriteCount(places.Count);
        foreach (var name in places.Keys)
            writer.WriteText(name);
        foreach (var ofAnswer in attributes)
        {
            writer.WriteCount(ofAnswer.Count);
            foreach (var (name, value) in ofAnswer)
            {
                writer.WriteCount(places[name]);
                writer.WriteDouble(value);
            }
        }
    }

    private static Dictionary<string, double>[] ReadAttributes(ref ByteReader reader, int answerCount)
    {
        var names = new List<string>();
        for (var rest = reader.ReadCount(); rest > 0; rest--)
            names.Add(reader.ReadText());
        var attributes = new Dictionary<string, double>[answerCount];
        for (var k = 0; k < answerCount; k++)
        {
            attributes[k] = [];
            for (var rest = reader.ReadCount(); rest > 0; rest--)
            {
                var (place, value) = (reader.ReadCount(), reader.ReadDouble());
                if (place >= names.Count || !double.IsFinite(value) || !attributes[k].TryAdd(names[place], value))
                    throw ByteReader.Damaged();
            }
        }
        return attributes;
    }

    /// <summary>A prompt that had to be cut is the list's but for its middle, which is most often nothing.</summary>
    private static void WriteOwnPrompt(ByteWriter writer, int[] listIds, IReadOnlyList<int[]?> prompts, int answer)
    {
        if (prompts[answer] is not { } ids)
        {
            writer.WriteCount(noPrompt);
            return;
        }
        if (ids == listIds)
        {
            writer.WriteCount(listPrompt);
            return;
        }
        var first = 0;
        while (prompts[first] != ids)
            first++;
        writer.WriteCount(firstAnswer + first);
        if (first < answer)
            return;
        var prefix = ids.AsSpan().CommonPrefixLength(listIds);
        var suffix = 0;
        while (suffix < Math.Min(ids.Length, listIds.Length) - prefix && ids[^(suffix + 1)] == listIds[^(suffix + 1)])
            suffix++;
        writer.WriteCount(prefix);
        writer.WriteCount(suffix);
        writer.WriteIds(ids.AsSpan(prefix, ids.Length - prefix - suffix));
    }

    private static int[]? ReadOwnPrompt(ref ByteReader reader, int[] listIds, int[]?[] prompts, int answer)
    {
        var code = reader.ReadCount();
        if (code < firstAnswer + answer)
            return code switch { noPrompt => null, listPrompt => listIds, _ => prompts[code - firstAnswer] };
        var prefix = reader.ReadCount();
        var suffix = reader.ReadCount();
        if (suffix > listIds.Length - prefix)
            throw ByteReader.Damaged();
        var ids = reader.ReadIds(prefix, suffix);
        listIds.AsSpan(0, prefix).CopyTo(ids);
        listIds.AsSpan(listIds.Length - suffix).CopyTo(ids.AsSpan(ids.Length - suffix));
        return ids;
    }
}
