using System.Net;
using System.Text.Json.Nodes;

namespace RewardModel.Tests.Server.Protocols;

public sealed class LlamaFactoryProtocolTests
{
    /// <summary>What src/llamafactory/train/ppo/ppo_utils.py posts, and what it reads without a look at the status.</summary>
    private static async Task<float[]> RewardsFromServerAsync(ProtocolServer server, params string[] messages)
    {
        var body = PythonJson.Dumps(new JsonObject { ["model"] = "model", ["messages"] = new JsonArray([.. messages]) });
        var (_, answer, response) = await server.PostAsync("/v1/score/evaluation", body);
        response.Dispose();
        return [.. answer["scores"]!.AsArray().Select(score => (float)score!)];
    }

    [Fact]
    public async Task Its_client_reads_the_rewards_of_whole_texts()
    {
        var scoring = new FakeScoring();
        await using var server = await ProtocolServer.StartAsync(scoring);
        string[] messages = ["<s>[INST] 你好 [/INST] Hello\u2028!</s>", "b"];

        Assert.Equal(messages.Select(FakeScoring.Hashed), await RewardsFromServerAsync(server, messages));

        var asked = Assert.Single(scoring.Requests);
        Assert.Null(asked.Model);
        Assert.Equal(messages, asked.Inputs.Select(input => Assert.Single(input.Text!.Answers)));
        Assert.All(asked.Inputs, input => Assert.True(input.Text!.IsWholeText));
    }

    [Fact]
    public async Task The_answer_has_the_members_of_its_server()
    {
        var scoring = new FakeScoring();
        await using var server = await ProtocolServer.StartAsync(scoring);
        var answer = await server.AnswerAsync("/v1/score/evaluation", """{"model": "other", "messages": ["a"], "max_length": 8, "user": 1}""");
        Assert.Equal(["id", "object", "model", "scores"], answer.Select(member => member.Key));
        Assert.Matches("^scoreval-[0-9a-f]{32}$", (string?)answer["id"]);
        Assert.Equal(("score.evaluation", "other"), ((string?)answer["object"], (string?)answer["model"]));
        Assert.Equal(("other", 8), (scoring.Requests.Single().Model, scoring.Requests.Single().MaxLength));
    }

    [Theory]
    [InlineData("""{"model": "m", "messages": []}""", "messages is empty; expected an array of strings, at least one.")]
    [InlineData("""{"messages": [{"role": "user"}], "max_length": 0}""",
        "messages[0] is an object; expected a string. max_length is '0'; expected a whole number of at least 1. "
        + "model is missing; expected a string.")]
    [InlineData("""{"model": "m", "messages": ["a"], "max_length": 1.5}""", "max_length is '1.5'; expected a whole number of at least 1.")]
    public async Task What_is_wrong_is_told_as_its_server_would(string body, string expected)
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring());
        var (status, answer) = await server.PostAsync("/v1/score/evaluation", body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(expected, (string?)answer["detail"]);
        Assert.Single(answer.AsObject());
    }
}
