using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using RewardModel.Server;

namespace RewardModel.Tests.Server.Protocols;

public sealed class OpenRlhfProtocolTests
{
    /// <summary>What the client of OpenRLHF sends and reads, as its openrlhf/utils/agent.py does for one sample.</summary>
    private sealed class OpenRlhfClient(ProtocolServer server, int serverCount = 1)
    {
        public async Task<(JsonNode? Reward, JsonNode? Score, JsonObject Logs)> RewardAsync(string query, string prompt, JsonNode? label)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, serverCount).Select(async i =>
            {
                // The queries are shared out to the servers, one each.
                var body = PythonJson.Dumps(new JsonObject
                {
                    ["query"] = i == 0 ? new JsonArray(query) : [],
                    ["prompts"] = i == 0 ? new JsonArray(prompt) : [],
                    ["labels"] = i == 0 ? new JsonArray(label?.DeepClone()) : [],
                });
                var (status, answer, response) = await server.PostAsync("/get_reward", body);
                response.Dispose();
                Assert.Equal(HttpStatusCode.OK, status);
                return answer;
            }));
            return (answers[0]["rewards"], answers[0]["scores"] ?? answers[0]["rewards"], answers[0]["extra_logs"]!.AsObject());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Its_client_reads_the_reward_of_the_whole_text(int serverCount)
    {
        var scoring = new FakeScoring();
        await using var server = await ProtocolServer.StartAsync(scoring);
        const string query = "<|user|>Größer: 3 oder 5? \U0001F914<|assistant|>5\n<|end|>";

        var (reward, score, logs) = await new OpenRlhfClient(server, serverCount).RewardAsync(query, "<|user|>Größer", "5");

        var expected = $"[{FakeScoring.Hashed(query):R}]";
        Assert.Equal(expected, reward!.ToJsonString());
        Assert.Equal(expected, score!.ToJsonString());
        Assert.Equal($$"""{"dummy_scores":{{expected}}}""", logs.ToJsonString());
        var asked = Assert.Single(scoring.Requests);
        var list = Assert.Single(asked.Inputs).Text!;
        Assert.Equal(("", query, true, null, null), (list.Prompt, Assert.Single(list.Answers), list.IsWholeText, asked.Model, asked.MaxLength));
    }

    /// <summary>Before prompts and labels were sent, and the batch came at once.</summary>
    [Fact]
    public async Task An_older_client_gets_a_reward_for_each_query()
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring());
        var answer = await server.AnswerAsync("/get_reward", """{"query": ["a", "b", ""]}""");
        Assert.Equal(["rewards", "scores", "extra_logs"], answer.Select(member => member.Key));
        Assert.Equal(
            new[] { "a", "b", "" }.Select(FakeScoring.Hashed), answer["rewards"]!.AsArray().Select(reward => (float)reward!));
    }

    /// <summary>torch.tensor([1]) would be one of integers.</summary>
    [Theory]
    [InlineData(1, "1.0")]
    [InlineData(-0f, "-0.0")]
    [InlineData(0.1f, "0.1")]
    [InlineData(16777217f, "16777216.0")]
    [InlineData(1e-10f, "1E-10")]
    [InlineData(float.MaxValue, "3.4028235E+38")]
    public async Task Rewards_are_written_as_decimals_that_are_read_as_the_same_float(float reward, string expected)
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring { RewardOf = _ => reward });
        var answer = await server.AnswerAsync("/get_reward", """{"query": ["a"]}""");
        Assert.Equal($"[{expected}]", answer["rewards"]!.ToJsonString());
        Assert.Equal(BitConverter.SingleToInt32Bits(reward), BitConverter.SingleToInt32Bits(float.Parse(expected, System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Theory]
    [InlineData("""{"queries": ["a"]}""", "query is missing; expected an array of strings.")]
    [InlineData("""{"query": "a"}""", "query is a string; expected an array of strings.")]
    [InlineData("""{"query": ["a", 1, null, ["b"]]}""",
        "query[1] is a number; expected a string. query[2] is null; expected a string. query[3] is an array; expected a string.")]
    public async Task What_is_wrong_is_told_as_its_server_would(string body, string expected)
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring());
        var (status, answer) = await server.PostAsync("/get_reward", body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal($$"""{"detail":"{{expected}}"}""", answer.ToJsonString());
    }

    [Fact]
    public async Task Too_many_requests_are_told_with_the_time_to_wait()
    {
        var scoring = new FakeScoring
        {
            Before = (_, _) => throw new RequestException(429, "queue_full", "300 requests are waiting.") { RetryAfterSeconds = 7 },
        };
        await using var server = await ProtocolServer.StartAsync(scoring);
        var (status, answer, response) = await server.PostAsync("/get_reward", Encoding.UTF8.GetBytes("""{"query": ["a"]}"""));
        using var _ = response;
        Assert.Equal((HttpStatusCode.TooManyRequests, "300 requests are waiting."), (status, (string?)answer["detail"]));
        Assert.Equal("7", Assert.Single(response.Headers.GetValues("Retry-After")));
    }

    [Fact]
    public async Task An_error_of_the_server_tells_nothing_of_it()
    {
        var scoring = new FakeScoring { Before = (_, _) => throw new InvalidOperationException("in /secret/path") };
        await using var server = await ProtocolServer.StartAsync(scoring);
        var (status, answer) = await server.PostAsync("/get_reward", """{"query": ["a"]}""");
        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.Equal("""{"detail":"The server failed; its log says why."}""", answer.ToJsonString());
    }
}
