using RewardModel.Cli;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tests.Scoring;
using RewardModel.Tokenizers;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Training.Data;

public sealed class ListReadingTests : IDisposable
{
    /// <summary>Rejects what the user says twice, as templates do that want the roles to alternate.</summary>
    internal const string StrictTemplate =
        "{% for m in messages %}{% if m.content == 'no' %}{{ raise_exception('not that') }}{% endif %}{{ m.content }}{% endfor %}";

    private const string Rejection = "chat template, line 1, column 68: the template rejects the conversation: not that";

    private readonly TemporaryDirectory directory = new();
    private readonly StringWriter log = new() { NewLine = "\n" };

    public ListReadingTests()
    {
        ScoringModelTests.Tokenizer(directory);
        File.WriteAllText(directory["tokenizer/chat_template.jinja"], StrictTemplate);
    }

    private string Path => directory["lists.jsonl"];

    public void Dispose() => directory.Dispose();

    [Fact]
    public void What_is_left_out_ignored_or_replaced_is_logged()
    {
        Assert.Single(Read(
            """
            {"prompt": "p", "answers": ["\ud83d", "\ude00\ude00"], "id": 1}
            {"prompt": "p", "answers": []}
            """, BadData.Skip));
        Assert.Equal(
            $"""
            warning: {Path}:2: "answers" is empty, expected at least one item: skipped
            warning: {Path}: 1 line skipped, 1 list read
            warning: {Path}: unknown key 'id' in 1 line: ignored
            warning: {Path}: 3 unpaired surrogates replaced by U+FFFD

            """, log.ToString());
    }

    [Fact]
    public void What_is_cut_is_logged_with_its_shares()
    {
        Assert.Equal("", Logged(RankedList.BestFirst("abc", "de", "f")));
        // Of 8 + 8 + 1 tokens of prompts 5 + 4 + 1, of 3 + 2 + 8 of answers 2.
        Assert.Equal(
            "warning: made: truncated to 6 tokens for a prompt and an answer together (--max-length): 2 of 2 prompts (100 %) lose "
            + "their beginning, 58.8 % of all prompt tokens; 1 of 3 answers (33.3 %) loses its end, 15.4 % of all answer tokens\n",
            Logged(RankedList.BestFirst("abcdefgh", "xy", "z"), RankedList.BestFirst("a", "abcdefg")));
        Assert.Equal(
            "warning: made: truncated to 6 tokens for a prompt and an answer together (--max-length): 1 of 2000 prompts (0.1 %) loses "
            + "its beginning, 0.1 % of all prompt tokens\n",
            Logged([RankedList.BestFirst("abcde", "x"), .. Enumerable.Repeat(RankedList.BestFirst("abcd", "x"), 1999)]));

        string Logged(params RankedList[] lists)
        {
            log.GetStringBuilder().Clear();
            using var model = Model(maxLength: 6);
            using var read = new ListReading(model, new LineLogger(log.WriteLine)).Read(new Made(lists), BadData.Error);
            Assert.Equal(lists.Length, read.Count);
            Assert.Equal($"made, row {lists.Length}", read[^1].Source.ToString());
            return log.ToString();
        }
    }

    [Fact]
    public void Prompts_that_were_found_are_logged_once_with_their_rules()
    {
        const string turn = """{"chosen": "User: a\nBot: b", "rejected": "User: a\nBot: c"}""";
        const string word = """{"chosen": "one two", "rejected": "one three"}""";
        Read($"{turn}\n{word}\n{turn}\n");
        Read(word);
        Assert.Equal(
            $"{Path}: no \"prompt\" in 3 lists: it is taken to be what \"chosen\" and \"rejected\" both start with, up to the last turn such as "
            + "Assistant: (in 2 lists) or the last whole word (in 1 list)\n"
            + $"{Path}: no \"prompt\" in 1 list: it is taken to be what \"chosen\" and \"rejected\" both start with, up to the last whole word "
            + "(in 1 list)\n",
            log.ToString());
    }

    [Fact]
    public void The_layout_of_the_rows_and_what_it_changes_is_logged()
    {
        Read("""
            {"instruction": "Say it to all of us", "models": [], "completions": [{"response": "Say it to all of us: yes", "overall_score": 2}, {"response": "Say it to all of us: no", "overall_score": 1}, {"response": "a"}]}
            """, maxLength: 60);
        Assert.Equal(
            $"""
            {Path}: 1 row read as UltraFeedback: answers with marks (--layout ultrafeedback)
            {Path}: answers of 1 row start with their whole prompt: it is taken off them
            {Path}: 1 answer without a score or a rank, or deleted: left out

            """, log.ToString());
    }

    [Fact]
    public void Lists_that_the_template_rejects_are_told_all_at_once_or_left_out()
    {
        const string rows = """
            {"messages": [{"role": "user", "content": "a"}], "answers": ["x", "y"]}
            {"messages": [{"role": "user", "content": "no"}], "answers": ["x", "y"]}
            {"messages": [{"role": "user", "content": "b"}], "answers": ["x", "y"]}
            {"messages": [{"role": "user", "content": "no"}], "answers": ["x", "y"]}
            """;
        var exception = Assert.Throws<RankedDataException>(() => Read(rows));
        Assert.Equal(
            $"""
            '{Path}' has 2 bad lines:
            {Path}:2: {Rejection}
            {Path}:4: {Rejection}
            Correct these lines, or skip them (--on-bad-data skip; in code, BadData.Skip).
            """, exception.Message);
        Assert.Equal([2, 4], exception.BadLines.Select(line => line.Source.Line));
        Assert.Equal("", log.ToString());

        Assert.Equal([1, 3], Read(rows, BadData.Skip).Select(list => list.Source.Line));
        Assert.Equal(
            $"""
            warning: {Path}:2: {Rejection}: skipped
            warning: {Path}:4: {Rejection}: skipped
            warning: {Path}: 2 lines rejected by the tokenizer or its chat template skipped, 2 lists left

            """, log.ToString());

        Assert.Equal(
            $"{Path}: the tokenizer or its chat template rejects every list (1); expected at least one that it accepts.",
            Assert.Throws<RankedDataException>(() => Read(rows.Split('\n')[1], BadData.Skip)).Message);
    }

    [Fact]
    public void Rows_that_are_no_lists_are_told_before_those_that_the_template_rejects()
    {
        const string rows = """
            {"messages": [{"role": "user", "content": "no"}], "answers": ["x", "y"]}
            {"messages": [{"role": "user", "content": "a"}], "answers": []}
            {"prompt": "p"}
            """;
        Assert.Equal([2, 3], Assert.Throws<RankedDataException>(() => Read(rows)).BadLines.Select(line => line.Source.Line));
    }

    [Fact]
    public void A_cache_holds_the_same_lists_and_tells_the_same()
    {
        const string rows = """
            {"prompt": "abcdefgh", "answers": ["b", "c"], "scores": [1, 2], "margin": 2, "weight": 3, "id": 1}
            {"prompt": "abcdefgh", "answers": []}
            {"prompt": "", "answers": ["b", "cde", "f"]}
            """;
        var plain = Texts(Read(rows, BadData.Skip));
        var told = log.ToString();
        Assert.Equal(plain, Texts(Read(rows, BadData.Skip, cache: directory["cache"])));
        log.GetStringBuilder().Clear();
        Assert.Equal(plain, Texts(Read(rows, BadData.Skip, cache: directory["cache"])));
        Assert.Equal($"{Path}: 2 lists of the cache '{directory["cache"]}'\n{told}", log.ToString());
        Assert.Single(Directory.GetFiles(directory["cache"]));

        // Whatever else it depends on makes another one.
        Assert.NotEqual(plain, Texts(Read(rows.Replace("\"cde\"", "\"cd\""), BadData.Skip, cache: directory["cache"])));
        Assert.NotEqual(plain, Texts(Read(rows, BadData.Skip, cache: directory["cache"], maxLength: 5)));
        Assert.Equal(3, Directory.GetFiles(directory["cache"]).Length);
        File.WriteAllText(directory["tokenizer/chat_template.jinja"], "{{ messages[0].content }}");
        Read(rows, BadData.Skip, cache: directory["cache"]);
        Assert.Equal(4, Directory.GetFiles(directory["cache"]).Length);
    }

    [Fact]
    public void Many_lists_lie_in_a_file_that_goes_with_them()
    {
        const string rows = """
            {"prompt": "abcdefgh", "answers": ["b", "c"]}
            {"prompt": "", "answers": ["b", "cde", "f"]}
            """;
        var expected = Texts(Read(rows));
        using var model = Model(12);
        foreach (var most in new[] { rows.Length - 1, rows.Length })
        {
            var reading = new ListReading(model, new LineLogger(log.WriteLine)) { Overflow = directory[$"{most}"], MostBytesInMemory = most };
            using (var lists = reading.Read(new RankedListFiles(Path)))
                Assert.Equal(expected, Texts(lists));
            Assert.Null(reading.Key);
            // The folder shows that there was a file.
            Assert.Equal(most < rows.Length, Directory.Exists(directory[$"{most}"]));
        }
        Assert.Empty(Directory.GetFiles(directory[$"{rows.Length - 1}"]));
    }

    [Fact]
    public void Lists_that_are_only_seen_are_not_kept()
    {
        File.WriteAllText(Path, """{"prompt": "abcdefgh", "answers": ["b", "c"]}""");
        using var model = Model(12);
        var seen = new List<TokenizedList>();
        using var lists = new ListReading(model, new LineLogger(log.WriteLine)) { KeepsLists = false, Seen = (_, ids, _) => seen.Add(ids) }
            .Read(new RankedListFiles(Path));
        Assert.Empty(lists);
        Assert.Equal(Texts(Read(File.ReadAllText(Path))), Texts(seen));
    }

    [Fact]
    public void Lists_whose_key_is_known_are_found_without_their_files()
    {
        Read("""{"prompt": "a", "answers": ["b", "c"]}""", cache: directory["cache"]);
        using var model = Model(12);
        var files = new RankedListFiles(Path);
        var first = new ListReading(model, new LineLogger(log.WriteLine)) { Cache = directory["cache"] };
        using var ofFirst = first.Read(files);
        Assert.Equal(DataKey.Of(files, model, ListPurpose.Training, null, default), first.Key);
        // Another file would have another key.
        File.WriteAllText(Path, """{"prompt": "a", "answers": ["b", "d", "e"]}""");
        using var ofSecond = new ListReading(model, new LineLogger(log.WriteLine)) { Cache = directory["cache"], Key = first.Key }.Read(files);
        Assert.Equal(Texts(ofFirst), Texts(ofSecond));
        using var ofThird = new ListReading(model, new LineLogger(log.WriteLine)) { Cache = directory["cache"] }.Read(files);
        Assert.NotEqual(Texts(ofFirst), Texts(ofThird));
    }

    private static string[] Texts(IEnumerable<TokenizedList> lists) =>
    [
        .. lists.Select(list => FormattableString.Invariant(
            $"{list.Source} {string.Join(" / ", list.AnswerIds.Select((ids, k) => $"{string.Join(' ', list.PromptOf(k))} | {string.Join(' ', ids)}"))} | ")
            + FormattableString.Invariant($"{string.Join(' ', list.Scores)} {list.ScoresAreOrder} {list.Margin} {list.Weight} {list.IsChat}")),
    ];

    private ScoringModel Model(int maxLength) => new(TinyModel.Create("gpt2"), HuggingFaceTokenizer.Load(directory["tokenizer"]), maxLength);

    private TokenizedList[] Read(string rows, BadData onBadData = BadData.Error, string? cache = null, int maxLength = 12)
    {
        File.WriteAllText(Path, rows);
        using var model = Model(maxLength);
        using var lists = new ListReading(model, new LineLogger(log.WriteLine)) { Cache = cache }
            .Read(new RankedListFiles(Path) { OnBadData = onBadData });
        return [.. lists];
    }

    private sealed class Made(RankedList[] lists) : IRankedListSource
    {
        public string Name => "made";

#pragma warning disable CS1998 // They are here.
        public async IAsyncEnumerable<RankedList> ReadAsync(
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
#pragma warning restore CS1998
        {
            foreach (var list in lists)
                yield return list;
        }
    }
}
