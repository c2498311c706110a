using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RewardModel.Server;
using RewardModel.Server.Protocols;

namespace RewardModel.Tests.Server.Protocols;

/// <summary>The protocols on Kestrel, at a free port of this machine.</summary>
internal sealed class ProtocolServer : IAsyncDisposable
{
    private readonly WebApplication application;

    private ProtocolServer(WebApplication application) => this.application = application;

    public HttpClient Client { get; } = new();

    public IServiceProvider Services => application.Services;

    public Uri Address { get; private set; } = null!;

    public static async Task<ProtocolServer> StartAsync(
        IScoringService scoring, string prefix = "", long? maxBodySize = null, RequestDelegate? before = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(options => options.Limits.MaxRequestBodySize = maxBodySize ?? options.Limits.MaxRequestBodySize);
        builder.Logging.ClearProviders();
        builder.Services.AddRouting().AddSingleton(scoring).AddProtocols();
        var server = new ProtocolServer(builder.Build());
        if (before is not null)
            server.application.Use(async (context, next) =>
            {
                await before(context);
                if (!context.Response.HasStarted)
                    await next(context);
            });
        server.application.UseRouting();
        server.application.MapProtocols(prefix);
        // Another part of the server's, which clients wait for.
        server.application.MapGet($"{prefix}/health/ready", () => Results.Text("""{"status": "ready"}""", "application/json"))
            .ExcludeFromDescription();
        await server.application.StartAsync();
        server.Address = new Uri(
            server.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());
        server.Client.BaseAddress = server.Address;
        return server;
    }

    /// <summary>Posts bytes as they are.</summary>
    public async Task<(HttpStatusCode Status, JsonNode Body, HttpResponseMessage Response)> PostAsync(
        string path, byte[] body, string? contentType = "application/json")
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType);
        var response = await Client.PostAsync(path, content);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!, response);
    }

    public async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(string path, string body)
    {
        var (status, answer, response) = await PostAsync(path, Encoding.UTF8.GetBytes(body));
        response.Dispose();
        return (status, answer);
    }

    /// <summary>The answer to a request that is right.</summary>
    public async Task<JsonObject> AnswerAsync(string path, string body)
    {
        var (status, answer) = await PostAsync(path, body);
        Assert.True(status == HttpStatusCode.OK, answer.ToJsonString());
        return answer.AsObject();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await application.DisposeAsync();
    }
}
