using FsCheck;
using FsCheck.Fluent;
using RewardModel.Lists;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Training.Data;

/// <summary>Lists with everything that a list can have.</summary>
internal static class SomeLists
{
    private static readonly Gen<int> id = Gen.OneOf(
        Gen.Choose(0, 200), Gen.Choose(0, 200_000), Gen.Choose(int.MinValue, int.MaxValue),
        Gen.Elements(0xdfff, 0xe000, 0xffff, 0x10000, 0x1ffe_ffff, 0x1fff_0000, int.MaxValue, -1));

    private static readonly Gen<double> number = ArbMap.Default.ArbFor<NormalFloat>().Generator.Select(value => value.Get);

    private static readonly Gen<int[]> ids = id.ArrayOf();

    /// <summary>A list of 1 to 6 answers.</summary>
    public static readonly Gen<TokenizedList> List =
        from prompt in ids
        from count in Gen.Choose(1, 6)
        from answers in Gen.OneOf(ids, Gen.Constant(new[] { 7 })).ArrayOf(count)
        from scores in Gen.OneOf(number, Gen.Choose(0, 2).Select(score => (double)score), Gen.Elements(-0.0)).ArrayOf(count)
        from isOrder in Gen.Elements(true, false)
        from margin in Gen.OneOf(Gen.Constant<double?>(null), number.Select(value => (double?)Math.Abs(value)))
        from weight in Gen.Elements(1, 0.5, 3, double.Epsilon)
        from text in Gen.Elements(null, "", "one", "unpaired \ud83d")
        from type in Gen.Elements(0, 1, -1, int.MaxValue)
        from isChat in Gen.Elements<bool?>(null, true, false)
        from attributes in Attributes(count)
        from ownPrompts in OwnPrompts(prompt, count)
        from source in Gen.Elements(default, new SourceLine("", 0), new SourceLine("a.jsonl", 17), new SourceLine("b.jsonl", int.MaxValue),
            new SourceLine("c.parquet", 3) { IsRow = true })
        select new TokenizedList(prompt, answers, scores, source)
        {
            ScoresAreOrder = isOrder,
            Margin = margin,
            Weight = weight,
            Group = text,
            Attributes = attributes,
            AnswerTokenType = type,
            IsChat = isChat,
            OwnPromptIds = ownPrompts,
        };

    /// <summary>Several lists.</summary>
    public static Arbitrary<TokenizedList[]> Several => List.ArrayOf().ToArbitrary();

    /// <summary>The lists in a store in memory.</summary>
    public static CompactLists InMemory(IEnumerable<TokenizedList> lists)
    {
        using var writer = new CompactListsWriter();
        foreach (var list in lists)
            writer.Add(list, ListKeys.Of(list));
        return writer.Finish();
    }

    /// <summary>Asserts that lists are the same in every member, and own prompts also in which of them are one array.</summary>
    public static void AssertSame(TokenizedList expected, TokenizedList actual)
    {
        Assert.Equal(expected.PromptIds, actual.PromptIds);
        Assert.Equal(expected.AnswerIds, actual.AnswerIds);
        Assert.Equal(expected.Scores.Select(BitConverter.DoubleToInt64Bits), actual.Scores.Select(BitConverter.DoubleToInt64Bits));
        Assert.Equal(
            (expected.ScoresAreOrder, expected.Margin, expected.Weight, expected.Group, expected.AnswerTokenType, expected.IsChat, expected.Source),
            (actual.ScoresAreOrder, actual.Margin, actual.Weight, actual.Group, actual.AnswerTokenType, actual.IsChat, actual.Source));
        Assert.Equal(expected.Attributes, actual.Attributes);
        Assert.Equal(expected.OwnPromptIds, actual.OwnPromptIds);
        if (expected.OwnPromptIds is null)
            return;
        int[]?[] before = [expected.PromptIds, .. expected.OwnPromptIds], after = [actual.PromptIds, .. actual.OwnPromptIds!];
        Assert.Equal(before.Select(array => Array.IndexOf(before, array)), after.Select(array => Array.IndexOf(after, array)));
    }

    /// <summary>None, or for each answer some of four, which may be none.</summary>
    private static Gen<IReadOnlyDictionary<string, double>[]?> Attributes(int count)
    {
        var one =
            from names in Gen.SubListOf("a", "helpfulness", "", "unpaired \ud83d")
            from values in number.ArrayOf(names.Count)
            select (IReadOnlyDictionary<string, double>)names.Zip(values).ToDictionary(pair => pair.First, pair => pair.Second);
        return Gen.OneOf(Gen.Constant<IReadOnlyDictionary<string, double>[]?>(null), one.ArrayOf(count).Select(all => (IReadOnlyDictionary<string, double>[]?)all));
    }

    /// <summary>None, or for each answer none, the list's, one cut at its beginning or within, an unrelated one, or that of the answer before.</summary>
    private static Gen<int[]?[]?> OwnPrompts(int[] prompt, int count)
    {
        var one = Gen.OneOf<int[]?>(
            Gen.Constant<int[]?>(null), Gen.Constant<int[]?>(prompt), ids.Select(own => (int[]?)own),
            Gen.Choose(0, prompt.Length).Select(cut => (int[]?)[.. prompt.Take(1), .. prompt.Skip(cut)]));
        var all =
            from own in one.ArrayOf(count)
            from isRepeated in Gen.Elements(true, false).ArrayOf(count)
            select (int[]?[]?)[.. own.Select((array, k) => k > 0 && isRepeated[k] ? own[k - 1] : array)];
        return Gen.OneOf(Gen.Constant<int[]?[]?>(null), all);
    }
}
