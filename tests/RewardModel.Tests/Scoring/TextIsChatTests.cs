using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Tokenizers;
using RewardModel.Tokenizers;
using RewardModel.Training;

namespace RewardModel.Tests.Scoring;

/// <summary>A model that was trained on conversations takes plain text for a message of the user.</summary>
public sealed class TextIsChatTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly TokenizerFolder tokenizer = TokenizerFolder.ByteLevel(
        """{"chat_template": "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"}""");

    public void Dispose()
    {
        directory.Dispose();
        tokenizer.Dispose();
    }

    [Fact]
    public void Of_a_model_trained_on_conversations_text_is_scored_through_the_template_and_raw_where_that_is_asked_for()
    {
        using var model = Trained(list => list.AsChat());
        Assert.True(model.Rule.TextIsChat);
        var conversation = new Conversation([new ChatMessage("user", "hello")]);
        var chat = model.Score(conversation, "hell", "l");
        Assert.Equal(chat, model.Score("hello", "hell", "l"));
        Assert.Equal(chat, model.Score([RankedList.BestFirst("hello", "hell", "l")])[0]);
        model.ReadsTextAsChat = false;
        var raw = model.Score("hello", "hell", "l");
        Assert.NotEqual(chat, raw);
        Assert.Equal(raw, model.Scorer().Score(model.Tokenize([RankedList.BestFirst("hello", "hell", "l")]).Lists)[0]);
        Assert.Equal(chat, model.Score(conversation, "hell", "l"));

        model.Save(directory["model"]);
        using var loaded = ScoringModel.Load(directory["model"]);
        Assert.Equal(chat, loaded.Score("hello", "hell", "l"));
        Assert.Equal("[user]PROMPT[assistant]ANSWER", ModelInspection.Of(directory["model"]).Example);
    }

    [Fact]
    public void Of_a_model_trained_on_text_text_is_text()
    {
        using var model = Trained(list => list);
        Assert.False(model.Rule.TextIsChat);
        Assert.Equal(
            model.Scorer().Score(model.Tokenize([RankedList.BestFirst("hello", "hell", "l")]).Lists)[0], model.Score("hello", "hell", "l"));
        model.Save(directory["model"]);
        Assert.Equal("PROMPTANSWER", ModelInspection.Of(directory["model"]).Example);
    }

    [Fact]
    public void Of_a_model_trained_on_both_text_is_text()
    {
        var count = 0;
        using var model = Trained(list => count++ == 0 ? list.AsChat() : list);
        Assert.False(model.Rule.TextIsChat);
    }

    [Fact]
    public void A_file_that_says_nothing_means_text()
    {
        using var model = Trained(list => list.AsChat());
        model.Save(directory["model"]);
        var file = directory["model/reward_model.json"];
        var json = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(file))!;
        Assert.True(json["rule"]!.AsObject().Remove("text_is_chat"));
        File.WriteAllText(file, json.ToJsonString());
        using var loaded = ScoringModel.Load(directory["model"]);
        Assert.False(loaded.ReadsTextAsChat);
    }

    private ScoringModel Trained(Func<RankedList, RankedList> kind)
    {
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        var model = new ScoringModel(
            RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json")),
            HuggingFaceTokenizer.Load(tokenizer.Directory));
        RankedList[] lists = [RankedList.BestFirst("hello", "he", "l"), RankedList.BestFirst("hell", "hello", "l")];
        new Trainer(model, new TrainingOptions { Steps = 1 }, model.Tokenize([.. lists.Select(kind)]).Lists, []).Train();
        model.Transformer.eval();
        return model;
    }
}
