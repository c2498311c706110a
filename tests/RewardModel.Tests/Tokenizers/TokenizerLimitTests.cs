using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using RewardModel.Tests.Checkpoints;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers;

/// <summary>Tokenizer files of strangers: what would hang, fill the memory or end the process is an error.</summary>
public class TokenizerLimitTests
{
    private const string Words = """{"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "a": 1}}""";

    private static string Repeated(string part, int count) => string.Join(", ", Enumerable.Repeat(part, count));

    private static string File(
        string normalizer = "null", string preTokenizer = "null", string postProcessor = "null", string model = Words, string added = "") =>
        $$"""
        {"added_tokens": [{{added}}], "normalizer": {{normalizer}}, "pre_tokenizer": {{preTokenizer}}, "post_processor": {{postProcessor}},
         "decoder": null, "model": {{model}}}
        """;

    private static string Added(int id, string content) => $$"""{"id": {{id}}, "content": "{{content}}", "special": true}""";

    private static string Split(string expression) =>
        $$"""{"type": "Split", "pattern": {"Regex": {{JsonValue.Create(expression)!.ToJsonString()}}}, "behavior": "Isolated"}""";

    private static string Problem(string json, string text = "a")
    {
        using var folder = new TokenizerFolder(json);
        return Assert.Throws<TokenizerException>(
            () => HuggingFaceTokenizer.Load(folder.Directory).Encode(text, addSpecialTokens: true)).Problems[0];
    }

    [Fact]
    public void A_text_may_grow_to_sixteen_times_its_length()
    {
        string Sequence(string step, int count) => $$"""{"type": "Sequence", "normalizers": [{{Repeated(step, count)}}]}""";
        const string Damaged = "expected at most 1048576; the file may be damaged or hostile";
        const string Doubling = """{"type": "Replace", "pattern": {"Regex": "."}, "content": "aa"}""";
        Assert.Equal(
            $"the normalizer Sequence makes 2097152 characters or more of a text of 1, {Damaged}", Problem(File(Sequence(Doubling, 60))));
        Assert.StartsWith(
            "the normalizer Sequence makes ", Problem(File(Sequence("""{"type": "ByteLevel"}""", 60)), "ä"));
        Assert.EndsWith(Damaged, Problem(File(Sequence(
            $$"""{"type": "Prepend", "prepend": "{{new string('x', 9000)}}"}""", 200))));
        var long1 = new string('x', 300_000);
        Assert.Equal(
            $"the step Replace makes 3000000 characters or more of a text of 10, {Damaged}",
            Problem(File($$"""{"type": "Replace", "pattern": {"String": "a"}, "content": "{{long1}}"}"""), "aaaaaaaaaa"));
        Assert.StartsWith(
            "the step Replace makes ",
            Problem(File($$"""{"type": "Replace", "pattern": {"Regex": "b*"}, "content": "{{long1}}"}"""), "aaaaaaaaaa"));
        Assert.StartsWith("the normalizer Prepend makes ", Problem(File($$"""{"type": "Prepend", "prepend": "{{new string('x', 2_000_000)}}"}""")));
        Assert.StartsWith("the pre-tokenizer makes ", Problem(
            File(preTokenizer: $$"""{"type": "Sequence", "pretokenizers": [{{Repeated("""{"type": "ByteLevel", "use_regex": false}""", 60)}}]}"""), "ä"));
        // A sign that normalises to 18 characters, which is the most that Unicode has.
        using var folder = new TokenizerFolder(File("""{"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "ByteLevel"}]}"""));
        Assert.Equal([0], HuggingFaceTokenizer.Load(folder.Directory).Encode(new string('\uFDFA', 1000), addSpecialTokens: false));
    }

    [Fact]
    public void Steps_and_special_tokens_are_bounded()
    {
        Assert.Equal(
            "tokenizer.json: normalizer: 'normalizers' has 1001 items, expected at most 1000",
            Problem(File($$"""{"type": "Sequence", "normalizers": [{{Repeated("""{"type": "NFC"}""", 1001)}}]}""")));
        string Template(string ids, int pieces) => $$$"""
            {"type": "TemplateProcessing", "special_tokens": {"a": {"id": "a", "ids": [{{{ids}}}], "tokens": []}}, "pair": [],
             "single": [{"Sequence": {"id": "A", "type_id": 0}}, {{{Repeated("""{"SpecialToken": {"id": "a", "type_id": 0}}""", pieces)}}}]}
            """;
        Assert.Equal(
            "tokenizer.json: post_processor: 'single' has 100001 items, expected at most 1000", Problem(File(postProcessor: Template("1", 100_000))));
        Assert.Equal(
            "tokenizer.json: post_processor: 'single' has more than 1000 special tokens",
            Problem(File(postProcessor: Template(Repeated("1", 1000), 900))));
    }

    [Theory]
    [InlineData("""{"?": 0, "a": 2147483647}""", "1 ids are above 16777215, which no embedding has rows for: 2147483647 of 'a'")]
    [InlineData("""{"?": 0, "a": 16777216}""", "1 ids are above 16777215, which no embedding has rows for: 16777216 of 'a'")]
    [InlineData("""{"?": 0, "a": -1}""", "model: the ids of 1 tokens are not integers from 0 on: 'a'")]
    [InlineData("""{"?": 0, "a": 2147483648}""", "model: the ids of 1 tokens are not integers from 0 on: 'a'")]
    [InlineData("""{"?": 0, "a": null}""", "model: the ids of 1 tokens are not integers from 0 on: 'a'")]
    [InlineData("""{"?": 0, "a": 0}""", "model: 1 ids belong to several tokens: 0")]
    [InlineData("null", "model: 'vocab' is not an object of tokens and ids with at least one token")]
    public void Ids_that_no_model_has_are_refused(string vocabulary, string problem) => Assert.Equal(
        $"tokenizer.json: {problem}", Problem(File(model: $$"""{"type": "WordLevel", "unk_token": "?", "vocab": {{vocabulary}} }""")));

    [Fact]
    public void An_added_token_has_a_place_and_a_length()
    {
        Assert.Equal(
            "tokenizer.json: 1 ids are above 16777215, which no embedding has rows for: 2147483647 of '<s>'",
            Problem(File(added: Added(int.MaxValue, "<s>"))));
        Assert.Equal(
            "tokenizer.json: added_tokens[0]: 'content' has 513 characters, expected at most 512",
            Problem(File(added: Added(2, new string('x', 513)))));
        Assert.Equal(
            "tokenizer.json: model: 'unk_token' is '', which 'vocab' lacks", Problem(File(model: Words.Replace("\"?\", \"vocab", "\"\", \"vocab"))));
    }

    [Fact]
    public void Two_hundred_thousand_added_tokens_are_found()
    {
        var added = string.Join(",", Enumerable.Range(0, 200_000).Select(i => Added(i + 2, $"<{i}>")));
        using var folder = new TokenizerFolder(File(added: added));
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        var text = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"<{i * 10}>"));
        Assert.Equal(Enumerable.Range(0, 20_000).Select(i => i * 10 + 2), tokenizer.Encode(text, addSpecialTokens: false));
    }

    [Fact]
    public void An_expression_that_would_backtrack_for_ever_is_matched_in_linear_time()
    {
        var pattern = RewardModel.Tokenizers.Pipeline.TextPattern.Expression("(a+)+$");
        var text = $"aa\n{new string('a', 40)}b\naaa";
        var found = new List<(int, int)>();
        foreach (var match in pattern.Matches(text))
            found.Add(match);
        Assert.Equal([(0, 2), (45, 48)], found);
        // From then on at once.
        Assert.Equal($"-\n{new string('a', 40)}b\n-", pattern.Replace(text, "-"));
    }

    [Fact]
    public void One_that_no_engine_matches_in_linear_time_is_an_error()
    {
        Assert.Equal(
            "the expression (?=a)(a+)+$ takes longer than 2 seconds for a text of 41 characters; simplify it",
            Problem(File(preTokenizer: Split("(?=a)(a+)+$")), new string('a', 40) + "b"));
        Assert.StartsWith(
            "the expression (?!b)(a|aa)+$ takes longer than 2 seconds",
            Problem(File("""{"type": "Replace", "pattern": {"Regex": "(?!b)(a|aa)+$"}, "content": ""}"""), new string('a', 60) + "b"));
    }

    [Fact]
    public void Expressions_that_are_too_long_or_too_deep_are_refused()
    {
        Assert.Equal(
            $"tokenizer.json: pre_tokenizer: the expression {new string('a', 100)}... (10001 characters) is too long, expected at most 10000 characters",
            Problem(File(preTokenizer: Split(new string('a', 10_001)))));
        var deep = new string('(', 5000) + new string(')', 5000);
        using var folder = new TokenizerFolder(File(preTokenizer: Split(deep)));
        Exception? problem = null;
        var thread = new Thread(() => problem = Record.Exception(() => HuggingFaceTokenizer.Load(folder.Directory)), 256 << 10);
        thread.Start();
        thread.Join();
        Assert.True(problem is null or TokenizerException, $"{problem}");
        foreach (var expression in new[] { "(", "a{2,1}", "[z-a]", "\\p{Nonsense}", "(?<n>", "*", "a**", "\\" })
            Assert.StartsWith("tokenizer.json: pre_tokenizer: the expression is not supported: ", Problem(File(preTokenizer: Split(expression))));
    }

    [Theory]
    [InlineData("Unigram")]
    [InlineData("WordPiece")]
    public void Tokens_that_are_compared_with_every_place_have_a_longest(string type)
    {
        var piece = new string('a', 257);
        var model = type == "Unigram"
            ? $$"""{"type": "Unigram", "unk_id": 0, "vocab": [["?", 0], ["{{piece}}", 0]]}"""
            : $$"""{"type": "WordPiece", "unk_token": "?", "vocab": {"?": 0, "{{piece}}": 1} }""";
        Assert.Equal(
            $"tokenizer.json: model: 1 tokens of 'vocab' have more than 256 characters: '{new string('a', 99)}... (259 characters)",
            Problem(File(model: model)));
    }

    [Fact]
    public void A_megabyte_without_spaces_is_encoded_by_every_model()
    {
        var text = new string('a', 1_000_000);
        var piece = new string('a', 256);
        foreach (var (model, count) in new[]
        {
            ("""{"type": "BPE", "vocab": {"a": 0, "aa": 1, "aaaa": 2}, "merges": ["a a", "aa aa"]}""", 250_000),
            ($$"""{"type": "Unigram", "unk_id": 0, "vocab": [["?", -9], ["a", -2], ["{{new string('a', 16)}}", -1]]}""", 62_500),
            ("""{"type": "WordPiece", "unk_token": "?", "max_input_chars_per_word": 2147483647, "vocab": {"?": 0, "a": 1, "##aaaaaaaaa": 2}}""", 111_112),
            (Words, 1),
        })
        {
            using var folder = new TokenizerFolder(File(model: model));
            Assert.Equal(count, HuggingFaceTokenizer.Load(folder.Directory).Encode(text, addSpecialTokens: false).Count);
        }
    }

    [Fact]
    public void Files_that_are_no_text_are_named()
    {
        foreach (var name in new[] { "tokenizer.json", "vocab.txt", "merges.txt", "tokenizer_config.json", "chat_template.jinja" })
        {
            using var folder = new TokenizerFolder(File(), "{}");
            System.IO.File.WriteAllBytes(Path.Combine(folder.Directory, name), [.. "{\"a"u8, 0xC3, 0x28, .. "\": 1}"u8]);
            Assert.Equal(
                [$"{name}: byte 3 is no UTF-8 (0xc3); expected text in UTF-8. Save the file as UTF-8, or download it again."],
                Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory)).Problems);
        }
    }

    [Theory]
    [InlineData("""{"tokenizer_class": 5}""", "vocab.txt: the file can't be used: 'tokenizer_class' of tokenizer_config.json is 5, expected a string")]
    [InlineData("""{"tokenizer_class": ["x"]}""", "vocab.txt: the file can't be used: 'tokenizer_class' of tokenizer_config.json is [\"x\"], expected a string")]
    [InlineData("""{"unk_token": 5}""", "vocab.txt: the file can't be used: ")]
    [InlineData("""{"unk_token": {"content": []}}""", "vocab.txt: the file can't be used: ")]
    [InlineData("""{"do_lower_case": "yes"}""", "vocab.txt: the file can't be used: ")]
    [InlineData("""{"added_tokens_decoder": {"5": {"a": 1, "a": 2}}}""", "vocab.txt: the file can't be used: ")]
    [InlineData("""{"added_tokens_decoder": "x"}""", "vocab.txt: the file can't be used: ")]
    [InlineData("""{"added_tokens_decoder": {"2147483647": {"content": "x"}}}""", "vocab.txt: 1 ids are above 16777215, ")]
    public void Settings_of_the_wrong_kind_are_told(string config, string problem)
    {
        using var folder = new TokenizerFolder(tokenizerJson: null, config);
        folder.Write("vocab.txt", "[UNK]\n[SEP]\n[CLS]\n[PAD]\n[MASK]\na\n");
        Assert.StartsWith(problem, Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory)).Problems[0]);
    }

    [Fact]
    public void Messages_show_the_start_of_long_values_and_the_first_of_many_problems()
    {
        var longText = new string('x', 100_000);
        foreach (var json in new[]
        {
            File(normalizer: $$"""{"type": "{{longText}}"}"""), File(normalizer: $$"""{"type": "NFC", "{{longText}}": 1}"""),
            File(model: $$"""{"type": "WordLevel", "unk_token": "{{longText}}", "vocab": {"{{longText}}y": 0} }"""),
            File(added: $$"""{"id": "{{longText}}", "content": 5}"""),
            File(preTokenizer: Split("[" + longText)), File(preTokenizer: Split("(?m" + longText[..9000])),
            File(added: Repeated("""{"id": 1, "content": "a", "x": 1}""", 10_000)),
        })
        {
            using var folder = new TokenizerFolder(json);
            Assert.InRange(Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory)).Message.Length, 1, 12_000);
        }
    }

    [Fact]
    public void Random_changes_of_a_tokenizer_give_a_tokenizer_or_an_exception_of_ours()
    {
        using var byteLevel = TokenizerFolder.ByteLevel();
        using var sentencePiece = TokenizerFolder.SentencePiece();
        string[] originals =
        [
            System.IO.File.ReadAllText(Path.Combine(byteLevel.Directory, "tokenizer.json")),
            System.IO.File.ReadAllText(Path.Combine(sentencePiece.Directory, "tokenizer.json")),
            File("""{"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"Regex": "a+"}, "content": "b"}, {"type": "Prepend", "prepend": "x"}]}""",
                """{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true}""", model:
                """{"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": [["?", 0], ["a", -1.5], ["▁", -2]]}"""),
        ];
        string[] values =
        [
            "null", "5", "-1", "2147483647", "1e999", "\"\"", "\"x\"", "[]", "{}", "[[]]", "[null]", "true", "{\"type\": \"NFC\"}",
            "[\"a\", \"b\", \"c\"]", "{\"a\": {}}", "\"Replace\"", "\"(\"", "\"Unigram\"", "\"WordPiece\"",
        ];
        var changes = from original in Gen.Elements(originals)
                      from place in Gen.Choose(0, int.MaxValue - 1)
                      from value in Gen.Elements(values)
                      select (original, place, value);
        Prop.ForAll(changes.ToArbitrary(), change =>
        {
            using var folder = new TokenizerFolder(Changed(change.original, change.place, change.value));
            try
            {
                var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
                tokenizer.Decode(tokenizer.Encode("a <s> hello ▁ä", addSpecialTokens: true), skipSpecialTokens: true);
            }
            catch (TokenizerException)
            {
            }
        }).Check(Fuzzing.Config(400));
    }

    /// <summary>The JSON with one value, counted through all levels, replaced by another one.</summary>
    private static string Changed(string json, int place, string value)
    {
        var root = JsonNode.Parse(json)!;
        var parents = new List<JsonNode>();
        void Collect(JsonNode? node)
        {
            foreach (var child in node switch { JsonObject members => members.Select(member => member.Value), JsonArray items => items, _ => [] })
            {
                if (child is not null)
                    parents.Add(child);
                Collect(child);
            }
        }

        Collect(root);
        // Without most of the 256 entries of bytes, which are all alike.
        var chosen = parents.Where(node => node is not JsonValue || node.Parent is not JsonObject { Count: > 200 }).ToArray() is var few
            ? few[place % few.Length]
            : root;
        chosen.ReplaceWith(JsonNode.Parse(value));
        return root.ToJsonString();
    }
}
