using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Tokenizers;
using RewardModel.Tests.Training.Data;
using RewardModel.Tokenizers;
using static TorchSharp.torch;

namespace RewardModel.Tests.Scoring;

[Collection(nameof(RunsAlone))]
public class ScoringModelTests
{
    // Letters and <eos>; ids 0..26.
    private const string tokenizerJson = """
        {"version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null,
         "added_tokens": [{"id": 26, "content": "<eos>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
                           "special": true}],
         "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
         "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
         "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null, "end_of_word_suffix": null,
                   "fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "vocab": {VOCAB}, "merges": []}}
        """;

    [Fact]
    public void What_is_saved_is_what_transformers_expects()
    {
        using var directory = new TemporaryDirectory();
        using var model = new ScoringModel(TinyModel.Create("llama"), Tokenizer(directory), maxLength: 12);
        model.Save(directory["model"]);

        var config = JsonNode.Parse(File.ReadAllText(directory["model/config.json"]))!;
        Assert.Equal("""["LlamaForSequenceClassification"]""", config["architectures"]!.ToJsonString());
        Assert.Equal(1, (int)config["num_labels"]!);
        Assert.Equal("""{"0":"LABEL_0"}""", config["id2label"]!.ToJsonString());
        Assert.Equal("float32", (string)config["torch_dtype"]!);
        Assert.True(config.AsObject().ContainsKey("pad_token_id"));
        Assert.Null(config["pad_token_id"]);
        using var reader = CheckpointReader.Open(directory["model"]);
        Assert.Equal(model.Transformer.CheckpointParameters.Select(pair => pair.Name).Order(StringComparer.Ordinal), reader.Names);
        Assert.Equal([1, 24], reader.Entry("score.weight").Shape);
        Assert.Equal([TinyModel.VocabularySize, 24], reader.Entry("model.embed_tokens.weight").Shape);
        Assert.Equal(
            ["config.json", "model.safetensors", "reward_model.json", "reward_model_manifest.json", "tokenizer.json", "tokenizer_config.json"],
            Directory.EnumerateFiles(directory["model"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, "bfloat16", "BF16")]
    [InlineData(ScalarType.Float16, "float16", "F16")]
    public void Weights_can_be_saved_in_half_the_size(ScalarType type, string name, string expected)
    {
        using var directory = new TemporaryDirectory();
        using var model = new ScoringModel(TinyModel.Create("llama"));
        model.Save(directory.Path, type, maxShardBytes: 4000);
        Assert.Equal(name, (string)JsonNode.Parse(File.ReadAllText(directory["config.json"]))!["torch_dtype"]!);
        Assert.True(File.Exists(directory["model.safetensors.index.json"]));
        using (var reader = CheckpointReader.Open(directory.Path))
            Assert.All(reader.Names, tensor => Assert.Equal(expected, reader.Entry(tensor).Type.ToString()));
        using var loaded = ScoringModel.Load(directory.Path);
        foreach (var (saved, read) in model.Transformer.CheckpointParameters.Zip(loaded.Transformer.CheckpointParameters))
        {
            using var rounded = saved.Parameter.detach().to(type).to(ScalarType.Float32);
            Assert.Equal(rounded.bytes.ToArray(), read.Parameter.bytes.ToArray());
        }
    }

    [Fact]
    public void Weights_that_a_type_cannot_hold_are_told()
    {
        using var directory = new TemporaryDirectory();
        using var model = new ScoringModel(TinyModel.Create("llama"));
        using (no_grad())
        using (var large = full(1, 24, 65600))
            model.Transformer.CheckpointParameters.Single(pair => pair.Name == "score.weight").Parameter.copy_(large);
        Assert.Equal(
            "Float16 holds numbers up to 65504, and these tensors have larger ones: score.weight. Save them as BFloat16 or Float32.",
            Assert.Throws<ArgumentException>(() => model.Save(directory.Path, ScalarType.Float16)).Message);
        Assert.Equal(
            "The weights can't be saved as Int8; expected one of Float32, BFloat16, Float16.",
            Assert.Throws<ArgumentException>(() => model.Save(directory.Path, ScalarType.Int8)).Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory.Path));
    }

    [Fact]
    public void Loaded_again_it_scores_the_same_and_keeps_its_rule()
    {
        using var directory = new TemporaryDirectory();
        using var model = new ScoringModel(TinyModel.Create("gpt2"), Tokenizer(directory), maxLength: 12);
        model.Save(directory["model"]);
        using var loaded = ScoringModel.Load(directory["model"]);
        Assert.Equal(new ScoringRule(new SpecialTokenRule([], [], [26]), 12) { Encoding = TextEncoding.Joint }, loaded.Rule);
        Assert.Equal(model.Score("abcdefghijkl", "x", "yz"), loaded.Score("abcdefghijkl", "x", "yz"));
    }

    [Fact]
    public void An_encoder_reads_a_pair_of_texts_also_when_loaded_again()
    {
        using var directory = new TemporaryDirectory();
        using var model = Encoder(directory, maxLength: 6);
        var (lists, cut) = model.Tokenize([RankedList.BestFirst("a b c", "a", "b")]);
        Assert.Equal([[1, 4, 5, 2], [1, 4, 5, 2]], [lists[0].PromptOf(0), lists[0].PromptOf(1)]);
        Assert.Equal([[3, 2], [4, 2]], lists[0].AnswerIds);
        Assert.Equal(
            (1, new TruncationCount(new CutCount(1, 1, 2, 10), new CutCount(0, 2, 0, 4))), (lists[0].AnswerTokenType, cut));

        model.Save(directory["model"]);
        using var loaded = ScoringModel.Load(directory["model"]);
        Assert.Equal(
            new ScoringRule(new SpecialTokenRule([1], [2], [2], 1), 6)
            {
                Encoding = TextEncoding.Joint,
                ChatTemplate = "{% for m in messages %}{{ m.content }} {% endfor %}",
            },
            loaded.Rule);
        var rewards = model.Score("a b c", "a", "b");
        Assert.Equal(rewards, loaded.Score("a b c", "a", "b"));
        var withoutTypes = loaded.Truncate([lists[0] with { AnswerTokenType = 0 }]).Lists;
        Assert.Equal(rewards, new RewardScorer(loaded.Transformer).Score(withoutTypes)[0]);
    }

    [Fact]
    public void Long_prompts_are_cut_on_the_left_and_counted()
    {
        using var directory = new TemporaryDirectory();
        using var model = new ScoringModel(TinyModel.Create("gpt2"), Tokenizer(directory), maxLength: 6);
        var (lists, cut) = model.Tokenize([RankedList.BestFirst("abcdefgh", "xy", "z"), RankedList.BestFirst("a", "b")]);
        Assert.Equal(new TruncationCount(new CutCount(1, 2, 9, 17), new CutCount(0, 3, 0, 7)), cut);
        Assert.Equal([[5, 6, 7], [4, 5, 6, 7]], [lists[0].PromptOf(0), lists[0].PromptOf(1)]);
        Assert.Equal([[23, 24, 26], [25, 26]], lists[0].AnswerIds);
        Assert.Equal(model.Score("fgh", "xy"), model.Score("abcdefgh", "xy"));
        Assert.Equal(model.Score("efgh", "z"), model.Score("abcdefgh", "z"));
    }

    [Fact]
    public void Many_lists_are_tokenised_as_one_by_one_and_fail_as_the_first_that_fails()
    {
        using var directory = new TemporaryDirectory();
        using var model = new ScoringModel(TinyModel.Create("gpt2"), Tokenizer(directory), maxLength: 4);
        RankedList[] lists = [.. Enumerable.Range(0, 500).Select(i => RankedList.BestFirst("abc"[..(i % 4)], "xyz"[..(i % 3)], "z"))];
        var (batch, cut) = model.Tokenize(lists);
        var alone = lists.Select(list => model.Tokenize([list])).ToArray();
        Assert.Equal(alone.Select(one => Ids(one.Lists[0])), batch.Select(Ids));
        Assert.Equal(alone.Aggregate(default(TruncationCount), (sum, one) => sum + one.Cut), cut);
        Assert.True(cut.IsCut);

        var chat = new RankedChat(new Conversation([new ChatMessage("user", "a")]), [[new ChatMessage("assistant", "b")]]);
        foreach (var i in new[] { 400, 150, 300 })
            lists[i] = RankedList.OfChat(chat, [0], new SourceLine("lists.jsonl", i));
        Assert.StartsWith("lists.jsonl:150: ", Assert.Throws<TokenizerException>(() => model.Tokenize(lists)).Message);

        static string Ids(TokenizedList list) =>
            $"{string.Join(' ', list.PromptIds)} | {string.Join(" | ", list.AnswerIds.Select(ids => string.Join(' ', ids)))}";
    }

    [Fact]
    public void All_lists_that_the_template_rejects_are_named_in_one_error()
    {
        using var directory = new TemporaryDirectory();
        Tokenizer(directory);
        File.WriteAllText(directory["tokenizer/chat_template.jinja"], ListReadingTests.StrictTemplate);
        using var model = new ScoringModel(TinyModel.Create(), HuggingFaceTokenizer.Load(directory["tokenizer"]), maxLength: 12);
        RankedList ListOf(int line, string content) => RankedList.OfChat(
            new RankedChat(new Conversation([new ChatMessage("user", content)]), [[new ChatMessage("assistant", "b")]]), [0],
            new SourceLine("lists.jsonl", line));
        var results = model.TryTokenize([ListOf(1, "no"), ListOf(2, "a"), RankedList.BestFirst("a", "b"), ListOf(4, "no")]);
        Assert.Equal([false, true, true, false], results.Select(result => result.List is not null));
        Assert.Equal([true, false, false, true], results.Select(result => result.Rejection is not null));

        var message = Assert.Throws<TokenizerException>(() => model.Tokenize([ListOf(1, "no"), ListOf(2, "a"), ListOf(4, "no")])).Message;
        var lines = message.Split('\n');
        Assert.Equal("2 of 3 lists can't be read by the tokenizer or its chat template: 2 problems", lines[0]);
        Assert.StartsWith("- lists.jsonl:1: chat template, ", lines[1]);
        Assert.StartsWith("- lists.jsonl:4: chat template, ", lines[2]);
        Assert.Equal(3, lines.Length);
        Assert.StartsWith(
            "lists.jsonl:4: chat template, ", Assert.Throws<TokenizerException>(() => model.Tokenize([ListOf(4, "no")])).Message);

        var many = Assert.Throws<TokenizerException>(() => model.Tokenize([.. Enumerable.Range(1, 52).Select(line => ListOf(line, "no"))]));
        Assert.Equal(51, many.Problems.Count);
        Assert.Equal("and 2 more", many.Problems[50]);
    }

    [Fact]
    public void A_whole_text_is_read_with_its_special_tokens_and_those_of_the_rule_around_it()
    {
        using var directory = new TemporaryDirectory();
        using var model = new ScoringModel(TinyModel.Create(), Tokenizer(directory), maxLength: 5);
        RankedList Whole(string text) => new("", [text], [0]) { IsWholeText = true };
        int[] Ids(string text) => model.TryTokenize([Whole(text)]).Select(result => Assert.Single(result.List!.AnswerIds)).Single();
        Assert.Equal([0, 1, 26], Ids("ab"));
        Assert.Equal([0, 26, 1, 26], Ids("a<eos>b<eos>"));
        Assert.Equal([0, 1, 2, 3, 26], Ids("abcdef"));
        Assert.Equal([26], Ids(""));
        Assert.Equal(model.Score("", "ab"), model.Score((IReadOnlyList<RankedList>)[Whole("ab")])[0]);

        // Of an encoder it is the first text, with nothing to separate it from.
        using var others = new TemporaryDirectory();
        using var encoder = Encoder(others);
        var list = encoder.TryTokenize([Whole("a b")])[0].List!;
        Assert.Equal([[1], [3, 4, 2]], new[] { list.PromptIds, Assert.Single(list.AnswerIds) });
        Assert.Equal(0, list.AnswerTokenType);
        Assert.True(float.IsFinite(encoder.Score((IReadOnlyList<RankedList>)[Whole("a b")])[0][0]));
    }

    [Fact]
    public void The_padding_id_is_never_the_one_that_ends_answers()
    {
        using var directory = new TemporaryDirectory();
        var settings = TinyModel.Config("gpt2");
        settings["pad_token_id"] = 26;
        var transformer = RewardTransformer.FromConfig(HuggingFaceConfig.Parse(settings.ToJsonString(), "config.json"));
        using var model = new ScoringModel(transformer, Tokenizer(directory));
        model.Save(directory["model"]);
        Assert.Null(JsonNode.Parse(File.ReadAllText(directory["model/config.json"]))!["pad_token_id"]);
        Assert.StartsWith(
            "transformers can't score padded batches of the saved model: every special token that its tokenizer has may stand in a prompt or ",
            model.PaddingProblem);
    }

    [Fact]
    public void A_padding_id_that_is_no_number_is_replaced()
    {
        using var directory = new TemporaryDirectory();
        var settings = TinyModel.Config("gpt2");
        settings["pad_token_id"] = "<pad>";
        using var model = new ScoringModel(RewardTransformer.FromConfig(HuggingFaceConfig.Parse(settings.ToJsonString(), "config.json")));
        model.Save(directory["model"]);
        Assert.Equal(0, (int)JsonNode.Parse(File.ReadAllText(directory["model/config.json"]))!["pad_token_id"]!);
    }

    [Fact]
    public void Training_goes_on_with_the_rule_that_a_model_was_saved_with()
    {
        using var directory = new TemporaryDirectory();
        using (var model = new ScoringModel(TinyModel.Create("llama"), Tokenizer(directory), maxLength: 12))
            model.Save(directory["model"]);
        // As with a run on token ids that brought their own special tokens, normalised afterwards.
        var saved = ScoringRule.Read(directory["model"])! with
        {
            SpecialTokens = new SpecialTokenRule([3], [], [4]),
            Normalizer = new RewardNormalizer(2, 3),
        };
        saved.Write(directory["model"]);

        using var continued = ScoringModel.LoadForTraining(directory["model"]);
        Assert.Equal(saved with { Normalizer = RewardNormalizer.None }, continued.Rule);
        Assert.False(continued.Transformer.HasNewHead);
        using var shorter = ScoringModel.LoadForTraining(directory["model"], maxLength: 7);
        Assert.Equal(saved.SpecialTokens, shorter.Rule.SpecialTokens);
        Assert.Equal(7, shorter.Rule.MaxLength);

        var tokenizer = HuggingFaceTokenizer.Load(directory["tokenizer"]);
        using var other = ScoringModel.LoadForTraining(directory["model"], tokenizer);
        Assert.Equal(tokenizer.SpecialTokenRule, other.Rule.SpecialTokens);
        File.Delete(directory["model/reward_model.json"]);
        using var conventional = ScoringModel.LoadForTraining(directory["model"]);
        Assert.Equal(tokenizer.SpecialTokenRule, conventional.Rule.SpecialTokens);
    }

    /// <summary>"abab" is ▁ab ab for a tokenizer that puts ▁ before a text, and "ab" is ▁ab.</summary>
    [Fact]
    public void Texts_are_encoded_jointly_unless_a_model_says_otherwise_or_comes_from_an_older_version()
    {
        using var directory = new TemporaryDirectory();
        using var folder = TokenizerFolder.SentencePiece("""{"eos_token": "</s>", "add_bos_token": false}""");
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        RewardTransformer Transformer()
        {
            var config = TinyModel.Config("llama");
            config["vocab_size"] = tokenizer.VocabularySize;
            return RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), seed: 1);
        }
        void Expect(TextEncoding encoding, ScoringModel model)
        {
            Assert.Equal(encoding, model.Rule.Encoding);
            var list = model.Tokenize([RankedList.BestFirst("ab", "ab")]).Lists[0];
            Assert.Equal([encoding == TextEncoding.Joint ? 263 : 264, 2], list.AnswerIds[0]);
        }
        using (var joint = new ScoringModel(Transformer(), tokenizer))
        using (var separate = new ScoringModel(Transformer(), tokenizer, encoding: TextEncoding.Separate))
        {
            Expect(TextEncoding.Joint, joint);
            Expect(TextEncoding.Separate, separate);
            joint.Save(directory["joint"]);
            separate.Save(directory["separate"]);
        }
        string Saved(string name) => File.ReadAllText(directory[$"{name}/reward_model.json"]);
        Assert.Contains("\"encoding\": \"joint\"", Saved("joint"));
        Assert.Contains("\"encoding\": \"separate\"", Saved("separate"));
        using (var loaded = ScoringModel.Load(directory["joint"]))
            Expect(TextEncoding.Joint, loaded);
        using (var loaded = ScoringModel.Load(directory["separate"]))
            Expect(TextEncoding.Separate, loaded);
        using (var continued = ScoringModel.LoadForTraining(directory["separate"]))
            Expect(TextEncoding.Separate, continued);
        using (var continued = ScoringModel.LoadForTraining(directory["separate"], encoding: TextEncoding.Joint))
            Expect(TextEncoding.Joint, continued);

        var json = JsonNode.Parse(Saved("joint"))!;
        json["rule"]!.AsObject().Remove("encoding");
        File.WriteAllText(directory["joint/reward_model.json"], json.ToJsonString());
        using (var older = ScoringModel.Load(directory["joint"]))
            Expect(TextEncoding.Separate, older);
        File.Delete(directory["joint/reward_model.json"]);
        using (var others = ScoringModel.Load(directory["joint"]))
            Expect(TextEncoding.Joint, others);
        using (var conventional = ScoringModel.LoadForTraining(directory["joint"], encoding: TextEncoding.Separate))
            Expect(TextEncoding.Separate, conventional);
    }

    /// <summary>
    /// Answers of 1 to 14 characters to a prompt of 10, of which 9 tokens together fit the encoder, and 12 the others: some need no cut,
    /// some have their prompt cut, some lose it and their own end.
    /// </summary>
    [Theory]
    [InlineData("gpt2", "text")]
    [InlineData("llama", "text")]
    [InlineData("bert", "text")]
    [InlineData("gpt2", "chat")]
    [InlineData("llama", "chat")]
    [InlineData("bert", "chat")]
    [InlineData("gpt2", "ids")]
    [InlineData("llama", "ids")]
    [InlineData("bert", "ids")]
    public void An_answers_reward_does_not_depend_on_the_others_also_where_prompts_are_cut(string architecture, string data)
    {
        using var directory = new TemporaryDirectory();
        using var model = architecture == "bert" ? Encoder(directory) : new ScoringModel(
            TinyModel.Create(architecture), WithTemplate(directory, "{% for m in messages %}{{ m.content }}{% endfor %}"), maxLength: 12);
        string[] answers = ["a", "b", "ab", "ba", "abc", "abcabcabcabcab", "cabcabc", "a", "cab", "ccc"];
        float[] Rewards(params string[] some) => model.Scorer().Score(data switch
        {
            "text" => model.Tokenize([RankedList.BestFirst(Spaced("abcabccbac"), [.. some.Select(Spaced)])]).Lists,
            "chat" => model.Tokenize(
            [
                RankedList.OfChat(
                    new RankedChat(
                        new Conversation([new ChatMessage("user", Spaced("abcabccbac"))]),
                        [.. some.Select(answer => (IReadOnlyList<ChatMessage>)[new ChatMessage("assistant", Spaced(answer))])]),
                    RankedList.ScoresOfOrder(some.Length)),
            ]).Lists,
            _ => model.Truncate([new TokenizedList(Ids("abcabccbac"), [.. some.Select(Ids)], RankedList.ScoresOfOrder(some.Length))]).Lists,
        })[0];
        // The encoder's tokenizer takes words.
        string Spaced(string text) => architecture == "bert" ? string.Join(' ', text.AsEnumerable()) : text;
        int[] Ids(string text) => [.. text.Select(letter => letter - 'a' + (architecture == "bert" ? 3 : 0))];

        var together = Rewards(answers);
        Numbers.AssertEqualButForRounding([.. answers.SelectMany(answer => Rewards(answer))], together, Numbers.UnitsOfModels);
        // The cut matters: with the prompt that the longest answer leaves all would be near each other.
        Assert.True(together.Distinct().Count() >= answers.Length - 1);
    }

    [Fact]
    public void Parts_that_do_not_go_together_are_told()
    {
        using var directory = new TemporaryDirectory();
        var tokenizer = Tokenizer(directory);
        using var transformer = TinyModel.Create("llama");
        Assert.Equal(
            "The maximum length is 97; this Llama takes at most 96 tokens.",
            Assert.Throws<ArgumentException>(() => new ScoringModel(transformer, tokenizer, 97)).Message);
        var settings = TinyModel.Config("llama");
        settings["vocab_size"] = 26;
        using var small = RewardTransformer.FromConfig(HuggingFaceConfig.Parse(settings.ToJsonString(), "config.json"));
        Assert.Equal(
            "The tokenizer has 27 token ids; the model's vocabulary_size is 26. "
            + "Use the tokenizer that belongs to the model, or a config.json with a vocab_size of at least 27.",
            Assert.Throws<ArgumentException>(() => new ScoringModel(small, tokenizer)).Message);
        using var withoutTokenizer = new ScoringModel(transformer);
        Assert.Equal(
            "The model has no tokenizer, so it can't read text. "
            + "Provide lists of token ids (prompt_ids, answer_ids), or a tokenizer. (Parameter 'lists')",
            Assert.Throws<ArgumentException>(() => withoutTokenizer.Score("a", "b")).Message);
    }

    [Fact]
    public void A_directory_without_a_head_is_no_trained_reward_model()
    {
        using var directory = new TemporaryDirectory();
        using var model = new ScoringModel(TinyModel.Create("llama"));
        model.Save(directory.Path);
        using (var reader = CheckpointReader.Open(directory.Path))
            CheckpointWriter.Write(
                directory.Path,
                reader.Names.Where(name => name != "score.weight").Select(name => (name, reader.Read(name))).ToArray());
        Assert.Equal(
            $"{directory.Path}: tensor 'score.weight' is missing; expected the head of a trained reward model. Train it first.",
            Assert.Throws<CheckpointException>(() => ScoringModel.Load(directory.Path)).Message);
    }

    [Fact]
    public void The_chat_template_it_was_trained_with_is_saved_and_used_whatever_the_tokenizer_says_later()
    {
        using var directory = new TemporaryDirectory();
        Tokenizer(directory);
        File.WriteAllText(directory["tokenizer/chat_template.jinja"], "{% for m in messages %}{{ m.content }}x{% endfor %}");
        using var model = new ScoringModel(TinyModel.Create("llama"), HuggingFaceTokenizer.Load(directory["tokenizer"]), maxLength: 12);
        model.Save(directory["model"]);
        var rule = JsonNode.Parse(File.ReadAllText(directory["model/reward_model.json"]))!["rule"]!;
        Assert.Equal("{% for m in messages %}{{ m.content }}x{% endfor %}", (string)rule["chat_template"]!);

        File.WriteAllText(directory["model/chat_template.jinja"], "another");
        using var loaded = ScoringModel.Load(directory["model"]);
        Assert.Equal(model.Rule, loaded.Rule);
        var conversation = new Conversation([new ChatMessage("user", "ab")]);
        var rewards = loaded.Score(conversation, "c", "de");
        Assert.Equal(model.Score(conversation, "c", "de"), rewards);
        var (list, _) = loaded.Truncate([new TokenizedList([0, 1, 23], [[2, 23, 26], [3, 4, 23, 26]], [1, 0])]);
        Assert.Equal(new RewardScorer(loaded.Transformer).Score(list)[0], rewards);
    }

    [Fact]
    public void Rules_saved_before_there_were_chat_templates_have_none()
    {
        using var directory = new TemporaryDirectory();
        using var model = new ScoringModel(TinyModel.Create("llama"), Tokenizer(directory), maxLength: 12);
        model.Save(directory["model"]);
        var json = JsonNode.Parse(File.ReadAllText(directory["model/reward_model.json"]))!;
        Assert.True(json["rule"]!.AsObject().Remove("chat_template"));
        File.WriteAllText(directory["model/reward_model.json"], json.ToJsonString());
        using var loaded = ScoringModel.Load(directory["model"]);
        Assert.Null(loaded.Rule.ChatTemplate);
        Assert.Equal(
            "(in memory): messages, but the tokenizer has no chat template; expected chat_template.jinja, or \"chat_template\" in "
            + "tokenizer_config.json. Provide a tokenizer that has one, or the text as \"prompt\"",
            Assert.Throws<TokenizerException>(() => loaded.Score(new Conversation([new ChatMessage("user", "ab")]), "c")).Message);
    }

    [Fact]
    public void Texts_and_conversations_can_be_mixed()
    {
        using var directory = new TemporaryDirectory();
        Tokenizer(directory);
        File.WriteAllText(directory["tokenizer/chat_template.jinja"], "{% for m in messages %}{{ m.content }}x{% endfor %}");
        using var model = new ScoringModel(TinyModel.Create("llama"), HuggingFaceTokenizer.Load(directory["tokenizer"]), maxLength: 4);
        var chat = new RankedChat(new Conversation([new ChatMessage("user", "ab")]), [[new ChatMessage("assistant", "c")]]);
        var (lists, cut) = model.Tokenize([RankedList.BestFirst("ab", "c"), RankedList.OfChat(chat, [0])]);
        Assert.Equal([[0, 1], [23]], lists.Select(list => list.PromptOf(0)));
        Assert.Equal([[2, 26], [2, 23, 26]], lists.Select(list => list.AnswerIds[0]));
        Assert.Equal(new TruncationCount(new CutCount(1, 2, 2, 5), new CutCount(0, 2, 0, 5)), cut);
    }

    private static HuggingFaceTokenizer WithTemplate(TemporaryDirectory directory, string template)
    {
        Tokenizer(directory);
        File.WriteAllText(directory["tokenizer/chat_template.jinja"], template);
        return HuggingFaceTokenizer.Load(directory["tokenizer"]);
    }

    /// <summary>A BERT that reads the words a, b and c, 9 tokens of a pair.</summary>
    private static ScoringModel Encoder(TemporaryDirectory directory, int maxLength = 9)
    {
        Directory.CreateDirectory(directory["tokenizer"]);
        File.WriteAllText(
            directory["tokenizer/tokenizer.json"],
            """
            {"pre_tokenizer": {"type": "Whitespace"},
             "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": ["[SEP]", 2]},
             "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "b": 4, "c": 5}}}
            """);
        File.WriteAllText(directory["tokenizer/chat_template.jinja"], "{% for m in messages %}{{ m.content }} {% endfor %}");
        var config = HuggingFaceConfig.Parse(
            """
            {"model_type": "bert", "vocab_size": 6, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
             "num_attention_heads": 2, "max_position_embeddings": 9, "type_vocab_size": 2, "initializer_range": 0.2}
            """, "config.json");
        return new ScoringModel(RewardTransformer.FromConfig(config, 0, 1), HuggingFaceTokenizer.Load(directory["tokenizer"]), maxLength);
    }

    internal static HuggingFaceTokenizer Tokenizer(TemporaryDirectory directory)
    {
        var vocabulary = Enumerable.Range(0, 26).Select(i => $"\"{(char)('a' + i)}\": {i}").Append("\"<eos>\": 26");
        Directory.CreateDirectory(directory["tokenizer"]);
        File.WriteAllText(directory["tokenizer/tokenizer.json"], tokenizerJson.Replace("{VOCAB}", $"{{{string.Join(", ", vocabulary)}}}"));
        File.WriteAllText(directory["tokenizer/tokenizer_config.json"], """{"eos_token": "<eos>"}""");
        return HuggingFaceTokenizer.Load(directory["tokenizer"]);
    }
}
