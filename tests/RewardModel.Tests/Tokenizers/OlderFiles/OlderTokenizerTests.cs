using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Tokenizers;
using RewardModel.Tokenizers.Normalizers;

namespace RewardModel.Tests.Tokenizers.OlderFiles;

public class OlderTokenizerTests
{
    private static readonly string[] texts = Goldens.Read("texts.json").Deserialize<string[]>()!;

    public static TheoryData<int> SentencePieceModels => [.. Enumerable.Range(0, Goldens.Read("sentencepiece.json").GetArrayLength())];

    [Theory]
    [MemberData(nameof(SentencePieceModels))]
    public void A_SentencePiece_model_has_the_ids_of_what_transformers_converts_it_into(int index)
    {
        var golden = Goldens.Read("sentencepiece.json")[index];
        using var folder = new TokenizerFolder(null);
        var config = JsonNode.Parse(golden.GetProperty("config").GetRawText())!;
        config["tokenizer_class"] = golden.GetProperty("class").GetString();
        folder.Write("tokenizer_config.json", config.ToJsonString());
        folder.Write("spiece.model", golden.GetProperty("model").GetBytesFromBase64());
        AssertIds(golden.GetProperty("ids").Deserialize<string[]>()!, HuggingFaceTokenizer.Load(folder.Directory));
    }

    [Theory]
    [InlineData("bert-uncased", null)]
    [InlineData("bert-cased", """{"do_lower_case": false, "tokenizer_class": "BertTokenizerFast"}""")]
    public void A_vocabulary_of_lines_is_BERTs(string name, string? config)
    {
        var golden = Goldens.Read($"{name}.json");
        using var folder = new TokenizerFolder(null, config);
        folder.Write("vocab.txt", string.Concat(Vocabulary(golden).OrderBy(entry => entry.Id).Select(entry => $"{entry.Token}\n")));
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        AssertIds(Ids(golden), tokenizer);
        Assert.Equal(new SpecialTokenRule([1], [2], [2], 1), tokenizer.SpecialTokenRule);
        Assert.Equal((3, 0), (tokenizer.PaddingId, tokenizer.UnknownId));
    }

    [Fact]
    public void A_vocabulary_with_merges_is_RoBERTas_by_its_class()
    {
        var golden = Goldens.Read("roberta.json");
        using var folder = new TokenizerFolder(
            null, """{"tokenizer_class": "RobertaTokenizer", "add_prefix_space": true, "bos_token": "<s>", "pad_token": "<pad>"}""");
        WriteMerges(folder, golden);
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        AssertIds(Ids(golden), tokenizer);
        Assert.Equal(new SpecialTokenRule([0], [2, 2], [2]), tokenizer.SpecialTokenRule);
    }

    [Fact]
    public void A_vocabulary_with_merges_is_Qwens_by_the_type_of_its_model()
    {
        var golden = Goldens.Read("qwen2.json");
        using var folder = new TokenizerFolder(null, """{"eos_token": "</s>", "additional_special_tokens": ["<s>"]}""");
        folder.Write("config.json", """{"model_type": "qwen2"}""");
        WriteMerges(folder, golden);
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        // Qwen's normalises, which that golden's tokenizer doesn't.
        Assert.Equal(new SpecialTokenRule([], [], [1]), tokenizer.SpecialTokenRule);
        AssertIds(Ids(golden), tokenizer, except: text => UnicodeNormalizer.Nfc.Normalize(text) != text);
    }

    [Fact]
    public void A_vocabulary_with_merges_is_otherwise_GPT2s()
    {
        using var folder = new TokenizerFolder(null, """{"add_bos_token": true}""");
        folder.Write("vocab.json", """{"a": 0, "b": 1, "Ġ": 2, "Ġa": 3, "<|endoftext|>": 4, "<tool>": 5}""");
        folder.Write("merges.txt", "#version: 0.2\nĠ a\n");
        folder.Write("added_tokens.json", """{"<x>": 6}""");
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        Assert.Equal([4, 0, 3, 6, 4], tokenizer.Encode("a a<x><|endoftext|>", addSpecialTokens: true));
        Assert.Equal((4, 4, 4), (tokenizer.BeginningOfSequenceId, tokenizer.EndOfSequenceId, tokenizer.UnknownId));
        Assert.Equal(new SpecialTokenRule([4], [], [4]), tokenizer.SpecialTokenRule);
        Assert.Equal(
            ["added_tokens.json", "merges.txt", "tokenizer_config.json", "vocab.json"],
            tokenizer.Files.Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Added_tokens_are_those_of_the_configuration()
    {
        using var folder = new TokenizerFolder(
            null,
            """
            {"tokenizer_class": "GPT2Tokenizer", "eos_token": {"content": "</s>"},
             "added_tokens_decoder": {
               "2": {"content": "</s>", "special": true, "rstrip": true}, "7": {"content": "b", "single_word": true}}}
            """);
        folder.Write("vocab.json", """{"a": 0, "b": 7, "</s>": 2, "Ġ": 3}""");
        folder.Write("merges.txt", "");
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        Assert.Equal([0, 7, 3, 7, 2, 0], tokenizer.Encode("ab b</s>  a", addSpecialTokens: false));
    }

    [SharedTheory("data/tokenizers")]
    [InlineData("gpt2", "vocab.json", "merges.txt")]
    [InlineData("llama2", "tokenizer.model")]
    public void The_older_files_of_a_real_tokenizer_have_the_ids_of_its_tokenizer_json(string name, params string[] files)
    {
        var source = Shared.PathOf($"data/tokenizers/{name}");
        using var folder = new TokenizerFolder(null, File.ReadAllText(Path.Combine(source, "tokenizer_config.json")));
        foreach (var file in files)
            folder.Write(file, File.ReadAllBytes(Path.Combine(source, file)));
        var (older, today) = (HuggingFaceTokenizer.Load(folder.Directory), HuggingFaceTokenizer.Load(source));
        using var goldens = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(source, "goldens.json")));
        var differences =
            from golden in goldens.RootElement.EnumerateArray()
            let text = golden.GetProperty("text").GetString()!
            where !older.Encode(text, true).SequenceEqual(golden.GetProperty("ids_with_special").Deserialize<int[]>()!)
            select text;
        Assert.Empty(differences);
        Assert.Equal(today.SpecialTokenRule, older.SpecialTokenRule);
        Assert.Equal(today.VocabularySize, older.VocabularySize);
    }

    [Fact]
    public void A_class_that_is_not_known_is_an_error()
    {
        using var folder = new TokenizerFolder(null, """{"tokenizer_class": "MPNetTokenizer"}""");
        folder.Write("vocab.txt", "[UNK]\n");
        Assert.Equal(
            $"{folder.Directory}: vocab.txt: the tokenizer class 'MPNetTokenizer' is not supported without a tokenizer.json; supported are "
            + "AlbertTokenizer, BertTokenizer, DebertaV2Tokenizer, DistilBertTokenizer, ElectraTokenizer, GPT2Tokenizer, LlamaTokenizer, "
            + "Qwen2Tokenizer, RobertaTokenizer, T5Tokenizer, XLMRobertaTokenizer; "
            + "save it with transformers' fast tokenizers to get a tokenizer.json",
            Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory)).Message);
    }

    [Theory]
    [InlineData(
        "vocab.txt", "a\n", """{"do_basic_tokenize": false}""", "'do_basic_tokenize' is false, which is not supported; expected true")]
    [InlineData("vocab.txt", "[UNK]\n[CLS]\n", null, "the vocabulary has no special token '[SEP]'")]
    [InlineData("tokenizer.model", "", null, "it has no pieces")]
    [InlineData("tokenizer.model", "\u000A\u007F", null, "a field should have 127 bytes, but only 0 are present")]
    public void A_file_that_can_not_be_used_is_an_error(string file, string content, string? config, string expected)
    {
        using var folder = new TokenizerFolder(null, config);
        folder.Write(file, content);
        Assert.Equal(
            $"{folder.Directory}: {file}: the file can't be used: {expected}",
            Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory)).Message);
    }

    private static void AssertIds(string[] expected, HuggingFaceTokenizer tokenizer, Func<string, bool>? except = null)
    {
        Assert.Equal(texts.Length, expected.Length);
        string[] differences =
        [
            .. from pair in texts.Zip(expected)
               where except is null || !except(pair.First)
               let found = string.Join(' ', tokenizer.Encode(pair.First, addSpecialTokens: false))
               where found != pair.Second
               select $"{JsonSerializer.Serialize(pair.First)}: expected '{pair.Second}', found '{found}'",
        ];
        Assert.True(differences.Length == 0, string.Join("\n", differences));
    }

    private static string[] Ids(JsonElement golden) =>
        [.. golden.GetProperty("cases").EnumerateArray().Select(item => item.GetProperty("ids").GetString()!)];

    private static IEnumerable<(string Token, int Id)> Vocabulary(JsonElement golden) =>
        golden.GetProperty("tokenizer").GetProperty("model").GetProperty("vocab").EnumerateObject()
            .Select(entry => (entry.Name, entry.Value.GetInt32()));

    private static void WriteMerges(TokenizerFolder folder, JsonElement golden)
    {
        var model = golden.GetProperty("tokenizer").GetProperty("model");
        folder.Write("vocab.json", model.GetProperty("vocab").GetRawText());
        var merges = model.GetProperty("merges").EnumerateArray().Select(merge => $"{merge[0].GetString()} {merge[1].GetString()}\n");
        folder.Write("merges.txt", "#version: 0.2\n" + string.Concat(merges));
    }
}
