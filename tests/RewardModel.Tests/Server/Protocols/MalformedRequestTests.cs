using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace RewardModel.Tests.Server.Protocols;

/// <summary>Bodies that are no JSON, or another one than they seem, at every endpoint: an error in its shape, without a trace of the server.</summary>
public sealed class MalformedRequestTests
{
    private static readonly string[] paths =
        ["/v1/rewards", "/get_reward", "/v1/score/evaluation", "/classify", "/pooling", "/v1/embeddings", "/score", "/v1/score", "/rerank"];

    public static TheoryData<byte[], string> Bodies => new()
    {
        { [], "The body is empty; expected a JSON object." },
        { " \r\n"u8.ToArray(), "The body is empty; expected a JSON object." },
        { "[]"u8.ToArray(), "The body is an array; expected an object." },
        { "\"a\""u8.ToArray(), "The body is a string; expected an object." },
        { "null"u8.ToArray(), "The body is null; expected an object." },
        { "{"u8.ToArray(), "The body is not JSON: " },
        { """{"query": ["a"""u8.ToArray(), "The body is not JSON: " },
        { """{"query": ["a"]} x"""u8.ToArray(), "The body is not JSON: " },
        { """{"query": ["a",]}"""u8.ToArray(), "The body is not JSON: " },
        { """{"query": ["a"],}"""u8.ToArray(), "The body is not JSON: " },
        { """{"query": [NaN]}"""u8.ToArray(), "The body is not JSON: " },
        { """{"query": [-Infinity]}"""u8.ToArray(), "The body is not JSON: " },
        { """{'query': ['a']}"""u8.ToArray(), "The body is not JSON: " },
        { """{"query": ["a"] /* b */}"""u8.ToArray(), "The body is not JSON: " },
        { "{\"query\": [\"a\tb\"]}"u8.ToArray(), "The body is not JSON: " },
        { """{"query": ["a"], "query": ["b"]}"""u8.ToArray(), "The body is not JSON: Duplicate property 'query' " },
        { """{"query": [], "qu\u0065ry": []}"""u8.ToArray(), "The body is not JSON: Duplicate property 'query' " },
        { [.. Encoding.UTF8.Preamble, .. """{"query": ["a"]}"""u8], "The body begins with a byte order mark; expected JSON in UTF-8 without one." },
        { [.. "{\"query\": [\""u8, 0xC3, 0x28, .. "\"]}"u8], "The body is not valid UTF-8; expected JSON in UTF-8." },
        { [.. "{\"query\": [\""u8, 0xED, 0xA0, 0x80, .. "\"]}"u8], "The body is not valid UTF-8; expected JSON in UTF-8." },
        { Encoding.Unicode.GetBytes("""{"query": ["a"]}"""), "The body is not JSON: " },
        { """{"query": ["\ud83d"]}"""u8.ToArray(), "The body has 1 escape such as \\ud800 of half a character" },
        { """{"\udc00": ["\ud83dx"]}"""u8.ToArray(), "The body has 2 escapes such as \\ud800 of half a character" },
        { Encoding.UTF8.GetBytes($$"""{"query": {{new string('[', 10_000)}}{{new string(']', 10_000)}}}"""), "The body is not JSON: The maximum configured depth of 64 " },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task They_are_told_what_they_are(byte[] body, string expected)
    {
        var scoring = new FakeScoring();
        await using var server = await ProtocolServer.StartAsync(scoring);
        foreach (var path in paths)
        {
            var (status, answer, response) = await server.PostAsync(path, body);
            response.Dispose();
            Assert.Equal(HttpStatusCode.BadRequest, status);
            var message = MessageOf(answer);
            Assert.StartsWith(expected, message);
            Assert.InRange(message.Length, 1, 400);
            Assert.DoesNotMatch(@"   at |\.cs:|System\.|Exception|LineNumber", message);
        }
        Assert.Empty(scoring.Requests);
    }

    [Theory]
    [InlineData(null, "The content type is missing; expected application/json.")]
    [InlineData("text/plain", "The content type is 'text/plain'; expected application/json.")]
    [InlineData("application/x-www-form-urlencoded", "The content type is 'application/x-www-form-urlencoded'; expected application/json.")]
    [InlineData("application/json; charset=utf-16", "The body's charset is 'utf-16'; expected utf-8.")]
    public async Task Another_type_is_refused(string? contentType, string expected)
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring());
        foreach (var path in paths)
        {
            var (status, answer, response) = await server.PostAsync(path, """{"query": ["a"]}"""u8.ToArray(), contentType);
            response.Dispose();
            Assert.Equal((HttpStatusCode.UnsupportedMediaType, expected), (status, MessageOf(answer)));
        }
    }

    [Fact]
    public async Task A_compressed_body_is_refused()
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring());
        using var content = new ByteArrayContent([0x1F, 0x8B]);
        content.Headers.ContentType = new("application/json");
        content.Headers.ContentEncoding.Add("gzip");
        using var response = await server.Client.PostAsync("/get_reward", content);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Equal(
            "The content encoding is 'gzip'; expected a body that is not compressed.",
            MessageOf(JsonNode.Parse(await response.Content.ReadAsStringAsync())!));
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=UTF-8")]
    [InlineData("application/json;charset=\"utf-8\"")]
    public async Task Json_may_say_that_it_is_UTF8(string contentType)
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring());
        var (status, _, response) = await server.PostAsync("/get_reward", """{"query": ["ä"]}"""u8.ToArray(), contentType);
        response.Dispose();
        Assert.Equal(HttpStatusCode.OK, status);
    }

    /// <summary>Each would be an object of its own: a body of some megabytes would be gigabytes.</summary>
    [Theory]
    [InlineData("/get_reward", """{"query": [1, 2, 3, 4]}""", "query")]
    [InlineData("/v1/score/evaluation", """{"model": "a", "messages": [1, 2, 3, 4]}""", "messages")]
    [InlineData("/classify", """{"input": [[1], [2], [3], []]}""", "input")]
    [InlineData("/classify", """{"input": ["", "", "", ""]}""", "input")]
    [InlineData("/score", """{"text_1": "a", "text_2": [1, 2, 3, 4]}""", "text_2")]
    [InlineData("/rerank", """{"query": "a", "documents": [1, 2, 3, 4]}""", "documents")]
    [InlineData("/v1/rewards", """{"inputs": [{}, {}, {}, {}]}""", "inputs")]
    [InlineData("/v1/rewards", """{"inputs": [{"prompt": "a", "answers": [1, 2, 3, 4]}]}""", "inputs[0].answers")]
    public async Task More_rows_than_a_request_may_have_are_not_read(string path, string body, string place)
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring { MaxRows = 3 });
        var (status, answer) = await server.PostAsync(path, body);
        Assert.Equal(
            (HttpStatusCode.RequestEntityTooLarge, $"{place} has 4 items; expected at most 3. Divide it into several requests."),
            (status, MessageOf(answer)));
        // Token ids are no rows.
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync("/classify", """{"input": [1, 2, 3, 4]}""")).Status);
    }

    [Fact]
    public async Task A_text_of_ten_megabytes_is_scored_or_too_large()
    {
        var text = new string('x', 10_000_000);
        var body = Encoding.UTF8.GetBytes($$"""{"query": ["{{text}}"], "messages": ["{{text}}"], "model": "tiny"}""");
        await using (var server = await ProtocolServer.StartAsync(new FakeScoring()))
        {
            var (status, answer, response) = await server.PostAsync("/get_reward", body);
            response.Dispose();
            Assert.Equal((HttpStatusCode.OK, FakeScoring.Hashed(text)), (status, (float)answer["rewards"]![0]!));
        }
        await using (var server = await ProtocolServer.StartAsync(new FakeScoring(), maxBodySize: 1_000_000))
        {
            // Kestrel answers when it reads the length, and closes the connection: the body has to wait for that.
            server.Client.DefaultRequestHeaders.ExpectContinue = true;
            var (status, answer, response) = await server.PostAsync("/v1/rewards", body);
            response.Dispose();
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
            Assert.Equal(
                "The body has more than 1000000 bytes, the most that this server takes; send fewer texts at once.", MessageOf(answer));
        }
    }

    private static string MessageOf(JsonNode answer) =>
        (string?)answer["detail"] ?? (string?)answer["error"]?["message"] ?? throw new InvalidOperationException(answer.ToJsonString());
}
