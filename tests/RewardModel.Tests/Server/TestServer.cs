using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Server;
using RewardModel.Server.Hosting;
using RewardModel.Tests.Scoring;

namespace RewardModel.Tests.Server;

/// <summary>A server of a small model on a free port, with an endpoint that scores answers to a prompt.</summary>
internal sealed class TestServer : IAsyncDisposable, ILogger
{
    private TestServer() => SaveModel(Directory, "model", seed: 1);

    public TemporaryDirectory Directory { get; } = new();

    public RewardServer Server { get; private set; } = null!;

    public HttpClient Client { get; } = new(new SocketsHttpHandler
    {
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=localhost" },
    });

    /// <summary>What was logged.</summary>
    public ConcurrentQueue<string> Log { get; } = [];

    public static async Task<TestServer> StartAsync(
        Action<RewardServerOptions, TemporaryDirectory>? configure = null, Action<KestrelServerLimits>? limit = null)
    {
        var test = new TestServer();
        var options = new RewardServerOptions { Port = 0, Models = { new ServedModelOptions { Directories = { test.Directory["model"] } } } };
        configure?.Invoke(options, test.Directory);
        test.Server = await RewardServer.StartAsync(options, test, MapTest, limit);
        test.Client.BaseAddress = new Uri(test.Server.Address);
        return test;
    }

    public static void SaveModel(TemporaryDirectory directory, string name, long seed, int maxLength = 12)
    {
        using var model = new ScoringModel(TinyModel.Create(seed: seed), ScoringModelTests.Tokenizer(directory), maxLength);
        model.Save(directory[name]);
    }

    public static void MapTest(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/test", async (TestRequest request, IScoringService service, CancellationToken cancellationToken) =>
        {
            var list = RankedList.BestFirst(request.Prompt, request.Answers);
            var result = await service.ScoreAsync(new ScoringRequest(request.Model, [ScoringInput.Of(list)]), cancellationToken);
            return result.Lists[0].Answers.Select(answer => answer.Reward).ToArray();
        });
        endpoints.MapPost("/bytes", async (HttpContext context) =>
        {
            using var all = new MemoryStream();
            await context.Request.Body.CopyToAsync(all);
            return all.Length;
        });
        endpoints.MapGet("/fail", (HttpContext _) => throw new InvalidOperationException("a secret at /home/somebody"));
    }

    public async Task<float[]> ScoreAsync(string prompt, params string[] answers)
    {
        var response = await PostAsync(prompt, answers);
        Assert.Equal("", response.IsSuccessStatusCode ? "" : await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync<float[]>())!;
    }

    public Task<HttpResponseMessage> PostAsync(string prompt, params string[] answers) =>
        Client.PostAsJsonAsync("/test", new TestRequest(null, prompt, answers));

    /// <summary>Status, code and message of an error.</summary>
    public static async Task<(int Status, string Code, string Message)> ErrorOf(HttpResponseMessage response)
    {
        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(["message", "type", "code"], body["error"]!.AsObject().Select(member => member.Key));
        return ((int)response.StatusCode, (string)body["error"]!["code"]!, (string)body["error"]!["message"]!);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        Directory.Dispose();
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Log.Enqueue($"{logLevel}: {formatter(state, exception)}");
}

internal sealed record TestRequest(string? Model, string Prompt, string[] Answers);
