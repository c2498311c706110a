using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace RewardModel.Tests.Server.Protocols;

/// <summary>The document says what the endpoints do: its examples are answered, and the answers are what it says they are.</summary>
public sealed class OpenApiTests
{
    [Theory]
    [InlineData("")]
    [InlineData("/reward-model")]
    public async Task Every_endpoint_is_in_it(string prefix)
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring(), prefix);
        var document = await DocumentAsync(server, prefix);
        var expected = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(endpoint => endpoint.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods
                .Select(method => $"{method.ToLowerInvariant()} /{endpoint.RoutePattern.RawText!.TrimStart('/')}"))
            .Where(endpoint => !endpoint.Contains("/openapi/") && !endpoint.Contains("/health/"));
        var found = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(method => $"{method.Key} {path.Key}"));
        Assert.Equal(expected.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        Assert.Equal(12, found.Count());
    }

    [Fact]
    public async Task Every_endpoint_says_what_it_is_and_what_can_go_wrong()
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring());
        var document = await DocumentAsync(server, "");
        Assert.All(Operations(document), operation =>
        {
            Assert.EndsWith(".", (string?)operation.Description["summary"], StringComparison.Ordinal);
            string[] statuses = operation.Method == "get" ? ["200"] : ["200", "400", "404", "413", "415", "429", "500", "503", "504"];
            Assert.Equal(statuses, operation.Description["responses"]!.AsObject().Select(response => response.Key).Order());
        });
        Assert.Equal(12, Operations(document).Select(operation => (string?)operation.Description["operationId"]).Distinct().Count());
    }

    [Fact]
    public async Task Examples_are_answered_as_it_says_and_so_are_wrong_requests()
    {
        await using var server = await ProtocolServer.StartAsync(
            new FakeScoring { IsEnsemble = true, Models = [new("my-reward-model", "llama", 96, true, 2, DateTimeOffset.UnixEpoch)] });
        var document = await DocumentAsync(server, "");
        foreach (var (path, method, description) in Operations(document))
        {
            var answered = SchemaOf(description["responses"]!["200"]!);
            if (method == "get")
            {
                AssertValid(JsonNode.Parse(await server.Client.GetStringAsync(path)), answered, path);
                continue;
            }
            var example = description["requestBody"]!["content"]!["application/json"]!["example"]!;
            AssertValid(example, SchemaOf(description["requestBody"]!), path);
            AssertValid(await server.AnswerAsync(path, example.ToJsonString()), answered, path);
            var (_, error) = await server.PostAsync(path, "{}");
            AssertValid(error, SchemaOf(description["responses"]!["400"]!), path);
        }
    }

    /// <summary>The check above can fail.</summary>
    [Fact]
    public void What_is_not_as_the_schema_says_is_found()
    {
        var schema = JsonNode.Parse("""
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}}}
            """)!;
        AssertValid(JsonNode.Parse("""{"a": ["b", 1]}"""), schema, "");
        foreach (var wrong in new[] { "[]", "{}", """{"a": 1}""", """{"a": [1.5]}""", """{"a": [], "b": 1}""" })
            Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertValid(JsonNode.Parse(wrong), schema, ""));
    }

    private static async Task<JsonObject> DocumentAsync(ProtocolServer server, string prefix) =>
        JsonNode.Parse(await server.Client.GetStringAsync($"{prefix}/openapi/v1.json"))!.AsObject();

    private static IEnumerable<(string Path, string Method, JsonNode Description)> Operations(JsonObject document) =>
        document["paths"]!.AsObject().SelectMany(
            path => path.Value!.AsObject().Select(method => (path.Key, method.Key, method.Value!)));

    private static JsonNode SchemaOf(JsonNode described) => described["content"]!["application/json"]!["schema"]!;

    /// <summary>The part of JSON Schema that the document uses; members that it doesn't name are wrong, too.</summary>
    private static void AssertValid(JsonNode? value, JsonNode schema, string place)
    {
        if (schema["anyOf"] is JsonArray choices)
        {
            Assert.True(choices.Any(choice => IsValid(value, choice!)), $"{place}: {value?.ToJsonString()} is none of {choices.ToJsonString()}");
            return;
        }
        string[] types = schema["type"] switch
        {
            JsonArray several => [.. several.Select(type => (string)type!)],
            { } one => [(string)one!],
            null => [],
        };
        var kind = value?.GetValueKind() ?? JsonValueKind.Null;
        Assert.True(types.Length == 0 || types.Any(type => IsOfType(value, kind, type)), $"{place}: {kind} is not {string.Join(", ", types)}");
        if (value is JsonObject members && schema["properties"] is JsonObject known)
        {
            Assert.All(schema["required"]?.AsArray() ?? [], name => Assert.True(members.ContainsKey((string)name!), $"{place}.{name}"));
            foreach (var (name, member) in members)
            {
                Assert.True(known.ContainsKey(name), $"{place}.{name} is not described");
                AssertValid(member, known[name]!, $"{place}.{name}");
            }
        }
        if (value is JsonArray items && schema["items"] is { } item)
            Assert.All(items, inner => AssertValid(inner, item, $"{place}[]"));
    }

    private static bool IsValid(JsonNode? value, JsonNode schema)
    {
        try
        {
            AssertValid(value, schema, "");
            return true;
        }
        catch (Xunit.Sdk.XunitException)
        {
            return false;
        }
    }

    private static bool IsOfType(JsonNode? value, JsonValueKind kind, string type) => type switch
    {
        "object" => kind == JsonValueKind.Object,
        "array" => kind == JsonValueKind.Array,
        "string" => kind == JsonValueKind.String,
        "number" => kind == JsonValueKind.Number,
        "integer" => kind == JsonValueKind.Number && value!.AsValue().TryGetValue<long>(out _),
        "boolean" => kind is JsonValueKind.True or JsonValueKind.False,
        "null" => kind == JsonValueKind.Null,
        _ => throw new ArgumentException($"type {type}", nameof(type)),
    };
}
