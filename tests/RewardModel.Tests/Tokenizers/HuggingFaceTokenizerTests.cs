using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using RewardModel.Chat;
using RewardModel.Jinja;
using RewardModel.Lists;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers;

public class HuggingFaceTokenizerTests
{
    private const string Config = """{"bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": null, "unk_token": "!"}""";

    [Theory]
    [InlineData("", "")]
    [InlineData("hello", "259")]
    [InlineData("hello world", "259 261 114 108 100")]
    [InlineData("hell", "258")]
    [InlineData("hel", "256 108")]
    [InlineData(" w w", "260 260")]
    [InlineData("  w", "32 260")]
    [InlineData("é", "195 169")]
    [InlineData("\U0001F600", "240 159 152 128")]
    [InlineData("<s>hello</s>", "262 259 263")]
    [InlineData("he<tool>ll", "256 264 257")]
    public void Byte_level_merges_are_applied_between_added_tokens(string text, string expected)
    {
        using var folder = TokenizerFolder.ByteLevel();
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        Assert.Equal(expected, Join(tokenizer.Encode(text, addSpecialTokens: false)));
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false), skipSpecialTokens: false));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("ab", "264")]
    [InlineData("ab ab", "264 264")]
    [InlineData("aab", "262 263")]
    [InlineData(" a", "259 262")]
    [InlineData("c", "259 102")]
    [InlineData("é\U0001F600b", "259 198 172 243 162 155 131 261")]
    [InlineData("a</s>a", "262 2 262")]
    [InlineData("a\n", "262 13")]
    public void Characters_that_a_SentencePiece_vocabulary_lacks_become_their_bytes(string text, string expected)
    {
        using var folder = TokenizerFolder.SentencePiece();
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        Assert.Equal(expected, Join(tokenizer.Encode(text, addSpecialTokens: false)));
        Assert.Equal($"1 {expected}".TrimEnd(), Join(tokenizer.Encode(text, addSpecialTokens: true)));
    }

    [Fact]
    public void Decoding_SentencePiece_ids_joins_bytes_and_takes_one_space_off_the_start()
    {
        using var folder = TokenizerFolder.SentencePiece();
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        Assert.Equal("<s> ab aé</s>", tokenizer.Decode([1, 264, 262, 198, 172, 2], skipSpecialTokens: false));
        Assert.Equal("ab aé", tokenizer.Decode([1, 264, 262, 198, 172, 2], skipSpecialTokens: true));
        Assert.Equal("\uFFFD\uFFFDa", tokenizer.Decode([243, 162, 260], skipSpecialTokens: true));
    }

    [Fact]
    public void Plain_text_has_no_special_tokens_but_other_added_ones()
    {
        using var folder = TokenizerFolder.ByteLevel();
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        Assert.Equal("262 264", Join(tokenizer.Tokenizer.EncodeToIds("<s><tool>")));
        Assert.Equal("60 115 62 264", Join(tokenizer.PlainTextTokenizer.EncodeToIds("<s><tool>")));
    }

    [Fact]
    public void Plain_text_has_no_special_tokens_though_the_model_has_them_as_words()
    {
        using var folder = new TokenizerFolder(
            """
            {"added_tokens": [{"id": 1, "content": "</s>", "special": true}], "pre_tokenizer": {"type": "WhitespaceSplit"},
             "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["</s>", 0], ["a", -1]]}}
            """);
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        Assert.Equal("2 1", Join(tokenizer.Tokenizer.EncodeToIds("a </s>")));
        Assert.Equal("2 0", Join(tokenizer.PlainTextTokenizer.EncodeToIds("a </s>")));
    }

    [Fact]
    public void A_known_word_is_not_merged_when_merges_are_ignored()
    {
        using var merging = TokenizerFolder.ByteLevel();
        using var ignoring = TokenizerFolder.ByteLevel(modelOptions: "\"ignore_merges\": true,");
        foreach (var folder in new[] { merging, ignoring })
            folder.Replace("\"Ġwo\": 261}", "\"Ġwo\": 261, \"Ġworld\": 265}");
        Assert.Equal("261 114 108 100", Join(HuggingFaceTokenizer.Load(merging.Directory).Encode(" world", false)));
        Assert.Equal("265", Join(HuggingFaceTokenizer.Load(ignoring.Directory).Encode(" world", false)));
        Assert.Equal("261 114 108 100 115", Join(HuggingFaceTokenizer.Load(ignoring.Directory).Encode(" worlds", false)));
    }

    [Fact]
    public void Special_tokens_are_those_of_the_configuration()
    {
        using var folder = TokenizerFolder.ByteLevel(Config);
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        Assert.Equal(
            (262, 263, null, 33),
            (tokenizer.BeginningOfSequenceId, tokenizer.EndOfSequenceId, tokenizer.PaddingId, tokenizer.UnknownId));
        Assert.Equal(265, tokenizer.VocabularySize);
    }

    [Fact]
    public void Without_a_configuration_the_special_tokens_map_is_read()
    {
        using var folder = TokenizerFolder.ByteLevel();
        File.WriteAllText(Path.Combine(folder.Directory, "special_tokens_map.json"), Config);
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        Assert.Equal((262, 263), (tokenizer.BeginningOfSequenceId, tokenizer.EndOfSequenceId));
    }

    [Fact]
    public void Files_are_the_tokenizer_files_that_are_there()
    {
        using var folder = TokenizerFolder.ByteLevel(Config);
        foreach (var name in new[] { "merges.txt", "chat_template.jinja", "config.json", "model.safetensors" })
            File.WriteAllText(Path.Combine(folder.Directory, name), "{}");
        Assert.Equal(
            ["tokenizer.json", "tokenizer_config.json", "merges.txt", "chat_template.jinja"],
            HuggingFaceTokenizer.Load(folder.Directory).Files.Select(path => Path.GetRelativePath(folder.Directory, path)));
    }

    [Fact]
    public void Lone_surrogates_are_encoded_as_replacement_characters()
    {
        using var folder = TokenizerFolder.ByteLevel();
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        Assert.Equal("97 239 191 189 98", Join(tokenizer.Encode("a\uD83Db", addSpecialTokens: false)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("llama3")]
    [InlineData("falcon")]
    public void Every_text_comes_back_from_its_byte_level_ids(string? golden)
    {
        using var folder = golden is null
            ? TokenizerFolder.ByteLevel()
            : new TokenizerFolder(Goldens.Read($"{golden}.json").GetProperty("tokenizer").GetRawText());
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        var units = Gen.Frequency<char>(
            (6, Gen.Elements([.. "helo w\n\t'1<s>"])),
            (1, Gen.Choose(0, char.MaxValue).Select(unit => (char)unit)),
            (1, Gen.Elements('\uD83D', '\uDE00', '\uFFFD', '\u00AD')));
        var texts = units.ListOf().Select(list => string.Concat(list)).ToArbitrary();
        Prop.ForAll(texts, text =>
        {
            var ids = tokenizer.Encode(text, addSpecialTokens: false);
            return tokenizer.Decode(ids, skipSpecialTokens: false) == Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Fact]
    public void A_megabyte_of_one_letter_takes_seconds_and_not_hours()
    {
        using var sentencePiece = TokenizerFolder.SentencePiece();
        var ids = HuggingFaceTokenizer.Load(sentencePiece.Directory).Encode(new string('a', 1 << 20), addSpecialTokens: false);
        Assert.Equal((1 << 20, 262, 260, 260), (ids.Count, ids[0], ids[1], ids[^1]));

        using var byteLevel = TokenizerFolder.ByteLevel();
        Assert.Equal(
            Enumerable.Repeat(257, 1 << 19),
            HuggingFaceTokenizer.Load(byteLevel.Directory).Encode(new string('l', 1 << 20), addSpecialTokens: false));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(null)]
    public void A_batch_has_the_ids_that_its_texts_have_one_by_one(int? maxThreads)
    {
        using var folder = TokenizerFolder.SentencePiece();
        var texts = Enumerable.Range(0, 2000).Select(i => $"ab w{i % 97} \uD83D {i}").ToArray();
        var one = HuggingFaceTokenizer.Load(folder.Directory);
        var shared = HuggingFaceTokenizer.Load(folder.Directory);
        foreach (var addSpecialTokens in new[] { false, true })
            Assert.Equal(
                texts.Select(text => one.Encode(text, addSpecialTokens)), shared.EncodeBatch(texts, addSpecialTokens, maxThreads));
        var template = new ChatTemplate("{% for message in messages %}<s>{{ message.content }}{% endfor %}");
        RenderedText[] renderings =
        [
            .. texts.Select(text => template.Render(
                new Conversation([new ChatMessage("user", $"{text}<s>")]), addGenerationPrompt: false, one.SpecialTokens)),
        ];
        Assert.Equal(renderings.Select(one.Encode), shared.EncodeBatch(renderings, maxThreads));
    }

    [Fact]
    public void A_batch_fails_as_its_first_text_that_can_not_be_encoded()
    {
        using var folder = new TokenizerFolder("""{"model": {"type": "Unigram", "unk_id": null, "vocab": [["a", -1], ["b", -2]]}}""");
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        var texts = Enumerable.Range(0, 500).Select(i => i % 100 == 99 ? $"ab{(char)('c' + i / 100)}" : "ab").ToArray();
        var alone = Assert.Throws<TokenizerException>(() => tokenizer.Encode(texts[99], addSpecialTokens: false));
        var inBatch = Assert.Throws<TokenizerException>(() => tokenizer.EncodeBatch(texts, addSpecialTokens: false, maxThreads: 4));
        Assert.Contains("stands for 'c'", alone.Message);
        Assert.Equal(alone.Message, inBatch.Message);
    }

    [Fact]
    public void A_batch_needs_a_thread()
    {
        using var folder = TokenizerFolder.ByteLevel();
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.EncodeBatch(["a"], addSpecialTokens: false, maxThreads: 0));
        Assert.Equal("expected at least 1 thread (Parameter 'maxThreads')\nActual value was 0.", error.Message);
    }

    [Fact]
    public void An_id_outside_of_the_vocabulary_can_not_be_decoded()
    {
        using var folder = TokenizerFolder.ByteLevel();
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        var error = Assert.Throws<TokenizerException>(() => tokenizer.Decode([104, 265, -1, 265], skipSpecialTokens: true));
        Assert.Equal(
            $"{folder.Directory}: 2 problems\n- the id 265 is not in the vocabulary\n- the id -1 is not in the vocabulary", error.Message);
    }

    [SharedFact("data/models/stories260K")]
    public void The_ids_of_stories260K_are_those_of_its_golden()
    {
        var directory = Shared.PathOf("data/models/stories260K");
        var tokenizer = HuggingFaceTokenizer.Load(directory);
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory, "golden.json")));
        var cases = golden.RootElement.GetProperty("cases").EnumerateArray().ToArray();
        Assert.NotEmpty(cases);
        Assert.All(cases, item => Assert.Equal(
            item.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()),
            tokenizer.Encode(item.GetProperty("text").GetString()!, addSpecialTokens: true)));
    }

    private static string Join(IEnumerable<int> ids) => string.Join(' ', ids);
}
