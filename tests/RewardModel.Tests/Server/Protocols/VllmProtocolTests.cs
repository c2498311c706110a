using System.Buffers.Binary;
using System.Net;
using System.Text.Json.Nodes;

namespace RewardModel.Tests.Server.Protocols;

public sealed class VllmProtocolTests : IAsyncLifetime
{
    private readonly FakeScoring scoring = new();
    private ProtocolServer server = null!;

    public async Task InitializeAsync() => server = await ProtocolServer.StartAsync(scoring);

    public async Task DisposeAsync() => await server.DisposeAsync();

    /// <summary>What verl's verl/experimental/reward_loop/reward_loop.py posts to vLLM and to SGLang, and what it reads.</summary>
    [Fact]
    public async Task The_client_of_verl_reads_the_reward_of_its_text()
    {
        const string text = "<|im_start|>user\nGrüße \U0001F600<|im_end|>\n";
        var (_, ofVllm, first) = await server.PostAsync("/classify", PythonJson.Dumps(
            new JsonObject { ["model"] = "tiny", ["input"] = text, ["activation"] = false }));
        var (_, ofSglang, second) = await server.PostAsync("/v1/embeddings", PythonJson.Dumps(
            new JsonObject { ["model"] = "tiny", ["input"] = text }));
        using (first)
        using (second)
        {
            Assert.Equal(FakeScoring.Hashed(text), (float)ofVllm["data"]!.AsArray()[^1]!["probs"]!.AsArray()[^1]!);
            Assert.Equal(FakeScoring.Hashed(text), (float)ofSglang["data"]!.AsArray()[^1]!["embedding"]!.AsArray()[^1]!);
        }
    }

    [Fact]
    public async Task Classes_have_the_members_of_vLLM()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/classify");
        request.Headers.Add("X-Request-Id", "mine");
        request.Content = new StringContent("""{"input": ["a", "bc"], "user": "u", "priority": 1}""", null, "application/json");
        using var response = await server.Client.SendAsync(request);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
        var created = (long)answer["created"]!;
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - created, 0, 60);
        Assert.Equal(
            $$$"""
            {"id":"classify-mine","object":"list","created":{{{created}}},"model":"tiny","data":[
            {"index":0,"label":"LABEL_0","probs":[{{{FakeScoring.Hashed("a"):R}}}],"num_classes":1},
            {"index":1,"label":"LABEL_0","probs":[{{{FakeScoring.Hashed("bc"):R}}}],"num_classes":1}],
            "usage":{"prompt_tokens":3,"total_tokens":3,"completion_tokens":0,"prompt_tokens_details":null}}
            """.Replace("\n", "", StringComparison.Ordinal),
            answer.ToJsonString());
    }

    [Theory]
    [InlineData("""[3, 1, 2]""", "ids 3 1 2")]
    [InlineData("""[[3, 1], [2]]""", "ids 3 1", "ids 2")]
    [InlineData("\"a\"", "a")]
    [InlineData("""["a", "b"]""", "a", "b")]
    public async Task Inputs_are_texts_or_token_ids(string input, params string[] read)
    {
        foreach (var (path, member) in new[] { ("/classify", "probs"), ("/pooling", "data"), ("/v1/embeddings", "embedding") })
        {
            var answer = await server.AnswerAsync(path, $$"""{"input": {{input}}}""");
            Assert.Equal(
                read.Select(FakeScoring.Hashed), answer["data"]!.AsArray().Select(item => (float)Assert.Single(item![member]!.AsArray())!));
        }
    }

    [Fact]
    public async Task A_conversation_is_scored_with_its_last_message_as_the_answer()
    {
        const string messages = """[{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]""";
        var answer = await server.AnswerAsync(
            "/classify", $$$"""{"messages": {{{messages}}}, "add_generation_prompt": false, "chat_template": null, "chat_template_kwargs": {}}""");
        var chat = scoring.Requests.Single().Inputs.Single().Text!.Chat!;
        Assert.Equal(["user", "assistant"], [chat.Prompt.Messages.Single().Role, chat.Answers.Single().Single().Role]);
        Assert.Equal(
            FakeScoring.Hashed(FakeScoring.TextOf(chat.Prompt.Messages.Concat(chat.Answers[0]))), (float)answer["data"]![0]!["probs"]![0]!);
    }

    [Fact]
    public async Task Pooled_rewards_may_be_in_base64()
    {
        var plain = await server.AnswerAsync("/pooling", """{"input": "a", "task": "classify", "encoding_format": "float"}""");
        Assert.Matches("^pool-[0-9a-f]{32}$", (string?)plain["id"]);
        Assert.Equal(
            $$"""[{"index":0,"object":"pooling","data":[{{FakeScoring.Hashed("a"):R}}]}]""", plain["data"]!.ToJsonString());
        foreach (var (path, member) in new[] { ("/pooling", "data"), ("/v1/embeddings", "embedding") })
        {
            var encoded = await server.AnswerAsync(path, """{"input": "a", "encoding_format": "base64"}""");
            Assert.Equal(
                FakeScoring.Hashed("a"),
                BinaryPrimitives.ReadSingleLittleEndian(Convert.FromBase64String((string)encoded["data"]![0]![member]!)));
        }
    }

    [Theory]
    [InlineData("", false)]
    [InlineData(""", "use_activation": false""", false)]
    [InlineData(""", "use_activation": null""", false)]
    [InlineData(""", "use_activation": true""", true)]
    [InlineData(""", "activation": true""", true)]
    [InlineData(""", "softmax": true""", true)]
    [InlineData(""", "softmax": true, "use_activation": false""", false)]
    public async Task Rewards_are_raw_unless_the_sigmoid_is_asked_for(string setting, bool isSigmoid)
    {
        scoring.RewardOf = _ => 1.5f;
        var expected = isSigmoid ? 0.81757448f : 1.5f;
        Assert.Equal(expected, (float)(await server.AnswerAsync("/classify", $$"""{"input": "a"{{setting}}}"""))["data"]![0]!["probs"]![0]!);
        Assert.Equal(
            expected,
            (float)(await server.AnswerAsync("/score", $$"""{"text_1": "a", "text_2": "b"{{setting}}}"""))["data"]![0]!["score"]!);
        Assert.Equal(
            expected,
            (float)(await server.AnswerAsync("/rerank", $$"""{"query": "a", "documents": ["b"]{{setting}}}"""))["results"]![0]!["relevance_score"]!);
    }

    [Theory]
    [InlineData("/score", "text_1", "text_2")]
    [InlineData("/v1/score", "data_1", "data_2")]
    [InlineData("/score", "queries", "documents")]
    [InlineData("/score", "queries", "items")]
    public async Task Answers_of_one_prompt_are_one_list(string path, string first, string second)
    {
        var answer = await server.AnswerAsync(path, $$"""{"{{first}}": "q ", "{{second}}": ["a", "bc"], "truncate_prompt_tokens": -1}""");
        Assert.Matches("^score-[0-9a-f]{32}$", (string?)answer["id"]);
        Assert.Equal(["id", "object", "created", "model", "data", "usage"], answer.Select(member => member.Key));
        Assert.Equal(
            $$$"""
            [{"index":0,"object":"score","score":{{{FakeScoring.Hashed("q a"):R}}}},{"index":1,"object":"score","score":{{{FakeScoring.Hashed("q bc"):R}}}}]
            """,
            answer["data"]!.ToJsonString());
        // Two bytes of the prompt for each of the answers.
        Assert.Equal(7, (int)answer["usage"]!["total_tokens"]!);
        Assert.Equal(["a", "bc"], Assert.Single(scoring.Requests.Single().Inputs).Text!.Answers);
        Assert.Null(scoring.Requests.Single().MaxLength);
    }

    [Fact]
    public async Task As_many_prompts_as_answers_are_pairs()
    {
        var answer = await server.AnswerAsync(
            "/score", """{"text_1": ["q", "r"], "text_2": ["a", "b"], "truncate_prompt_tokens": 5, "model": "other"}""");
        Assert.Equal(
            new[] { "qa", "rb" }.Select(FakeScoring.Hashed), answer["data"]!.AsArray().Select(item => (float)item!["score"]!));
        Assert.Equal((5, "other", "other"), (scoring.Requests.Single().MaxLength, scoring.Requests.Single().Model, (string?)answer["model"]));
    }

    [Theory]
    [InlineData("/rerank")]
    [InlineData("/v1/rerank")]
    [InlineData("/v2/rerank")]
    public async Task Reranking_gives_the_best_answers_first(string path)
    {
        scoring.RewardOf = text => text[^1] - 'a';
        var answer = await server.AnswerAsync(path, """{"query": "q", "documents": ["a", "c", "b", "c"], "top_n": 3}""");
        Assert.Matches("^rerank-[0-9a-f]{32}$", (string?)answer["id"]);
        answer.Remove("id");
        Assert.Equal(
            """
            {"model":"tiny","usage":{"prompt_tokens":8,"total_tokens":8},"results":[
            {"index":1,"document":{"text":"c","multi_modal":null},"relevance_score":2.0},
            {"index":3,"document":{"text":"c","multi_modal":null},"relevance_score":2.0},
            {"index":2,"document":{"text":"b","multi_modal":null},"relevance_score":1.0}]}
            """.Replace("\n", "", StringComparison.Ordinal),
            answer.ToJsonString());
        Assert.Equal(4, (await server.AnswerAsync(path, """{"query": "q", "documents": ["a", "c", "b", "c"]}"""))["results"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("/classify", "{}", "input is missing; expected a string, an array of strings or token ids, or \"messages\".")]
    [InlineData("/classify", """{"input": []}""", "input is empty; expected an array of strings, at least one.")]
    [InlineData("/classify", """{"input": [1, "a", -1, 1.5, 99999999999]}""",
        "input[1] is a string; expected a token id, a whole number of at least 0. "
        + "input[2] is '-1'; expected a token id, a whole number of at least 0. "
        + "input[3] is '1.5'; expected a token id, a whole number of at least 0. "
        + "input[4] is '99999999999'; expected a token id, a whole number of at least 0.")]
    [InlineData("/classify", """{"input": [[1], []]}""", "input[1] is empty; expected an array of token ids, at least one.")]
    [InlineData("/classify", """{"input": "a", "messages": []}""",
        "input and messages are given; expected one of them. messages is empty; expected an array of messages, at least one.")]
    [InlineData("/classify", """{"messages": [1, {}, {"role": ""}, {"role": "user"}]}""",
        "messages[0] is a number; expected a message such as {\"role\": \"user\", \"content\": \"...\"}. "
        + "messages[1].role is missing; expected who speaks, such as \"user\". "
        + "messages[2].role is empty; expected who speaks, such as \"user\". "
        + "messages[3].content is missing; expected what is said.")]
    [InlineData("/pooling", """{"input": "a", "encoding_format": "bytes", "task": "embed", "dimensions": 3, "endianness": "big"}""",
        "encoding_format is 'bytes'; expected \"float\" or \"base64\". "
        + "task is 'embed'; expected \"classify\": a reward is of a whole text. "
        + "dimensions can't be honoured: leave it out. "
        + "endianness can't be honoured: expected \"native\" or \"little\".")]
    [InlineData("/score", """{"text_1": ["a", "b"], "text_2": ["c"], "use_activation": 1}""",
        "text_1 and text_2 have 2 and 1 texts; expected one prompt, or as many prompts as answers. "
        + "use_activation is a number; expected true or false.")]
    [InlineData("/score", """{"text_1": "a"}""", "text_2 is missing; expected an array of strings.")]
    [InlineData("/score", """{"text_1": "a", "queries": "b", "text_2": [{"content": []}]}""",
        "text_1 and queries are given; expected one of them. text_2[0] is an object; expected a string.")]
    [InlineData("/rerank", """{"documents": [], "top_n": -1}""",
        "query is missing; expected a string. documents is empty; expected an array of strings, at least one. "
        + "top_n is '-1'; expected a whole number of at least 0.")]
    public async Task What_is_wrong_is_told_at_once_in_the_shape_of_vLLM(string path, string body, string expected)
    {
        var (status, answer) = await server.PostAsync(path, body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["message", "type", "param", "code"], answer["error"]!.AsObject().Select(member => member.Key));
        Assert.Equal(expected, (string?)answer["error"]!["message"]);
        Assert.Equal(("BadRequestError", 400), ((string?)answer["error"]!["type"], (int)answer["error"]!["code"]!));
        Assert.Empty(scoring.Requests);
    }

    [Fact]
    public async Task A_model_that_is_not_served_is_not_found()
    {
        var (status, answer) = await server.PostAsync("/classify", """{"model": "mine", "input": "a"}""");
        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Equal(
            """{"error":{"message":"There is no model 'mine'; expected one of tiny, other.","type":"NotFoundError","param":null,"code":404}}""",
            answer.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }
}
