using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Tokenizers;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Scoring;

public sealed class PaddingTokenTests
{
    private const int End = 263;

    /// <summary>What a tokenizer names, more special tokens from id 265 on, the template, and the token that pads.</summary>
    [Theory]
    [InlineData("", "<pad>", "", null)]
    [InlineData("\"pad_token\": \"<own>\",", "<pad> <own>", "", "<own>")]
    [InlineData("\"pad_token\": \"</s>\",", "<other> <|pad|>", "", "<|pad|>")]
    [InlineData("", "<|image_pad|> [PADDING]", "", "[PADDING]")]
    [InlineData("", "<|finetune_right_pad_id|> <unk>", "", "<|finetune_right_pad_id|>")]
    [InlineData("\"unk_token\": \"<unk>\",", "<unk> <unused0>", "", "<unk>")]
    [InlineData("\"unk_token\": \"</s>\",", "<|im_start|> <|reserved_special_token_0|>", "", "<|reserved_special_token_0|>")]
    [InlineData("\"unk_token\": \"</s>\", \"sep_token\": \"<a>\",", "<a> <b>", "", "<b>")]
    [InlineData("\"pad_token\": \"<|end|>\",", "<|end|> <unused0>", "{{ x }}<|end|>", "<unused0>")]
    [InlineData("\"pad_token\": \"<|end|>\",", "<|end|>", "{{ x }}<|end|>", "<|end|>")]
    [InlineData("\"pad_token\": \"<s>\",", "", "", "none")]
    [InlineData("\"pad_token\": \"</s>\",", "", "", "none")]
    public void The_token_is_one_that_stands_in_no_prompt_and_no_answer(string named, string special, string template, string? expected)
    {
        using var folder = Folder(named, special);
        if (template.Length > 0)
            folder.Write("chat_template.jinja", template);
        using var model = Model(folder, padding: null);
        Check(model, expected ?? "<pad>");
    }

    [Fact]
    public void Of_special_tokens_the_one_that_the_configuration_names_comes_first()
    {
        using var folder = Folder("", "<a> <b> <pad>");
        using var model = Model(folder, padding: 266);
        Check(model, "<b>");
    }

    [Fact]
    public void Without_a_token_behind_the_answers_it_is_not_that_of_unknown_characters()
    {
        using var folder = Folder("\"unk_token\": \"<unk>\", \"pad_token\": \"<unk>\",", "<unk>", end: false);
        using var model = Model(folder, padding: null);
        Assert.Empty(model.Rule.SpecialTokens.AfterAnswer);
        Check(model, "</s>");
    }

    [Fact]
    public void Saved_again_the_files_stay_and_rule_and_rewards_are_the_same()
    {
        using var directory = new TemporaryDirectory();
        using var folder = Folder("\"pad_token\": \"</s>\",", "<unk>");
        folder.Write("special_tokens_map.json", """{"eos_token": "</s>", "pad_token": "</s>"}""");
        using var model = Model(folder, padding: End);
        model.Save(directory["first"]);
        using var loaded = ScoringModel.Load(directory["first"]);
        loaded.Save(directory["second"]);
        Assert.Equal(model.Rule, loaded.Rule);
        Assert.Equal(265, loaded.Tokenizer!.PaddingId);
        Assert.Equal(model.Score("hello", "a", "wo</s>"), loaded.Score("hello", "a", "wo</s>"));
        foreach (var file in Directory.EnumerateFiles(directory["first"]))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(directory[$"second/{Path.GetFileName(file)}"]));
    }

    [Fact]
    public void A_model_of_before_whose_files_disagree_is_loaded_and_put_right_when_saved()
    {
        using var directory = new TemporaryDirectory();
        using var folder = Folder("\"pad_token\": \"</s>\",", "<unk>");
        using var model = Model(folder, padding: End);
        model.Save(directory["old"]);
        File.Copy(
            Path.Combine(folder.Directory, "tokenizer_config.json"), directory["old/tokenizer_config.json"], overwrite: true);
        using var loaded = ScoringModel.Load(directory["old"]);
        Assert.Equal(End, loaded.Tokenizer!.PaddingId);
        Assert.Equal(model.Score("hello", "a", "b"), loaded.Score("hello", "a", "b"));
        Check(loaded, "<unk>");
    }

    [Fact]
    public void RoBERTa_counts_positions_from_its_id_so_the_tokenizer_takes_that_one()
    {
        using var directory = new TemporaryDirectory();
        using var folder = new TokenizerFolder(
            """
            {"added_tokens": [{"id": 1, "content": "<pad>", "special": true}, {"id": 4, "content": "<other>", "special": true}],
             "pre_tokenizer": {"type": "Whitespace"},
             "post_processor": {"type": "RobertaProcessing", "cls": ["<s>", 0], "sep": ["</s>", 2]},
             "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<other>": 4, "a": 5}}}
            """, """{"pad_token": "<other>"}""");
        var config = JsonNode.Parse(
            """
            {"model_type": "roberta", "vocab_size": 6, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
             "num_attention_heads": 2, "max_position_embeddings": 20, "type_vocab_size": 1, "pad_token_id": 1}
            """)!;
        using var model = new ScoringModel(
            RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json")),
            HuggingFaceTokenizer.Load(folder.Directory));
        Assert.Null(model.PaddingProblem);
        model.Save(directory.Path);
        Assert.Equal(1, (int)Json(directory["config.json"])["pad_token_id"]!);
        Assert.Equal("<pad>", (string)Json(directory["tokenizer_config.json"])["pad_token"]!);
    }

    private static void Check(ScoringModel model, string expected)
    {
        using var directory = new TemporaryDirectory();
        model.Save(directory.Path);
        var id = (int?)Json(directory["config.json"])["pad_token_id"];
        if (expected == "none")
        {
            Assert.Null(id);
            Assert.StartsWith("transformers can't score padded batches of the saved model", model.PaddingProblem);
            foreach (var file in model.Tokenizer!.Files)
                Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(directory[Path.GetFileName(file)]));
            return;
        }
        Assert.Null(model.PaddingProblem);
        Assert.Equal(expected, (string?)Json(directory["tokenizer_config.json"])["pad_token"]);
        Assert.Equal(id, HuggingFaceTokenizer.Load(directory.Path).PaddingId);
        Assert.DoesNotContain(id!.Value, model.Rule.SpecialTokens.AfterAnswer);
    }

    private static JsonNode Json(string path) => JsonNode.Parse(File.ReadAllText(path))!;

    private static TokenizerFolder Folder(string named, string special, bool end = true)
    {
        var ending = end ? "\"eos_token\": \"</s>\"," : "";
        var folder = TokenizerFolder.ByteLevel($$"""{ {{named}} {{ending}} "bos_token": "<s>", "add_bos_token": true}""");
        var added = special.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select((token, i) =>
            $$""", {"id": {{265 + i}}, "content": "{{token}}", "special": true}""");
        folder.Replace("\"normalized\": true, \"special\": false}", "\"normalized\": true, \"special\": false}" + string.Concat(added));
        return folder;
    }

    private static ScoringModel Model(TokenizerFolder folder, int? padding)
    {
        var settings = TinyModel.Config("llama");
        (settings["vocab_size"], settings["pad_token_id"]) = (280, padding);
        return new ScoringModel(
            RewardTransformer.FromConfig(HuggingFaceConfig.Parse(settings.ToJsonString(), "config.json")),
            HuggingFaceTokenizer.Load(folder.Directory));
    }
}
