using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Server;
using RewardModel.Server.Hosting;

namespace RewardModel.Tests.Server;

public class RewardServerTests
{
    [Fact]
    public async Task It_scores_and_tells_its_health()
    {
        await using var test = await TestServer.StartAsync();
        using var model = ScoringModel.Load(test.Directory["model"]);
        Assert.Equal(model.Score("ab", "c", "d"), await test.ScoreAsync("ab", "c", "d"));
        Assert.Equal("""{"status":"live"}""", await test.Client.GetStringAsync("/health/live"));
        using var ready = await test.Client.GetAsync("/health/ready");
        var health = JsonNode.Parse(await ready.Content.ReadAsStringAsync())!;
        Assert.Equal((200, "ready", "model", "llama"), (
            (int)ready.StatusCode, (string)health["status"]!, (string)health["models"]![0]!["name"]!, (string)health["models"]![0]!["architecture"]!));
        Assert.False(ready.Headers.Contains("Server"));
    }

    [Fact]
    public async Task Many_clients_get_the_rewards_of_the_model()
    {
        await using var test = await TestServer.StartAsync();
        using var model = ScoringModel.Load(test.Directory["model"]);
        await Parallel.ForAsync(0, 320, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, _) =>
        {
            string[] answers = [.. Enumerable.Range(0, 1 + i % 4).Select(k => $"{(char)('a' + (i + k) % 26)}{new string('b', i % 5)}")];
            var prompt = new string((char)('a' + i % 7), i % 6);
            foreach (var (expected, found) in model.Score(prompt, answers).Zip(await test.ScoreAsync(prompt, answers)))
                Assert.Equal(expected, found, 1e-6 * Math.Max(1, Math.Abs(expected)));
        });
    }

    [Fact]
    public async Task Errors_are_JSON_and_tell_nothing_of_the_inside()
    {
        await using var test = await TestServer.StartAsync();
        Assert.Equal((404, "not_found", "There is no such path."), await TestServer.ErrorOf(await test.Client.GetAsync("/none")));
        Assert.Equal((405, "method_not_allowed"), await TestServer.ErrorOf(await test.Client.GetAsync("/test")) is var (status, code, _) ? (status, code) : default);
        Assert.Equal(415, (await TestServer.ErrorOf(await test.Client.PostAsync("/test", new StringContent("a")))).Status);
        Assert.Equal(
            400, (await TestServer.ErrorOf(await test.Client.PostAsync("/test", new StringContent("{", Encoding.UTF8, "application/json")))).Status);
        Assert.Equal(
            (404, "model_not_found", "There is no model 'x'; expected 'model'."),
            await TestServer.ErrorOf(await test.Client.PostAsJsonAsync("/test", new TestRequest("x", "a", ["b"]))));
        Assert.Equal((500, "internal_error", "The server failed. Its log says why."), await TestServer.ErrorOf(await test.Client.GetAsync("/fail")));
        Assert.Contains("Error: A request failed.", test.Log);
    }

    [Fact]
    public async Task Requests_need_a_key_where_there_are_keys_but_health_does_not()
    {
        await using var test = await TestServer.StartAsync((options, directory) =>
        {
            File.WriteAllText(directory["keys"], "# of the team\nfrom-file\n\n  spaced  \n");
            options.ApiKeys.Add("first");
            options.ApiKeyFile = directory["keys"];
            options.MetricsNeedApiKey = true;
        });
        async Task<int> StatusOf(string path, string? header = null, string? value = null)
        {
            using var request = new HttpRequestMessage(path == "/test" ? HttpMethod.Post : HttpMethod.Get, path);
            if (path == "/test")
                request.Content = JsonContent.Create(new TestRequest(null, "a", ["b"]));
            if (header is not null)
                request.Headers.TryAddWithoutValidation(header, value);
            return (int)(await test.Client.SendAsync(request)).StatusCode;
        }
        foreach (var key in new[] { "first", "from-file", "spaced" })
            Assert.Equal(
                (200, 200, 200),
                (await StatusOf("/test", "Authorization", $"Bearer {key}"), await StatusOf("/test", "Authorization", $"bearer {key}"),
                    await StatusOf("/test", "X-API-Key", key)));
        (string?, string?)[] without =
        [
            (null, null), ("Authorization", "Bearer firs"), ("Authorization", "Bearer "), ("Authorization", "first"),
            ("X-API-Key", "# of the team"), ("X-API-Key", "first ,first"),
        ];
        foreach (var (header, value) in without)
            Assert.Equal(401, await StatusOf("/test", header, value));
        Assert.Equal((200, 200), (await StatusOf("/health/live"), await StatusOf("/health/ready")));
        Assert.Equal((401, 200), (await StatusOf("/metrics"), await StatusOf("/metrics", "X-API-Key", "first")));
        using var refused = await test.PostAsync("a", "b");
        Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.ToString());
        Assert.Equal(
            (401, "invalid_api_key", "The request has no valid key; expected the header Authorization: Bearer KEY, or X-API-Key: KEY."),
            await TestServer.ErrorOf(refused));
    }

    /// <summary>Without any, everybody could use the models.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("# of the team\n\n  \n")]
    public async Task A_file_of_keys_has_a_key(string text)
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["model"]);
        File.WriteAllText(directory["keys"], text);
        var options = new RewardServerOptions
        {
            Port = 0,
            Models = { new ServedModelOptions { Directories = { directory["model"] } } },
            ApiKeys = { "other" },
            ApiKeyFile = directory["keys"],
        };
        Assert.Equal(
            $"ApiKeyFile is '{directory["keys"]}', which has no key; expected a file of keys, one a line.",
            (await Assert.ThrowsAsync<ArgumentException>(() => RewardServer.StartAsync(options, NullLogger.Instance))).Message);
    }

    [Fact]
    public async Task A_key_has_so_many_requests_a_minute()
    {
        await using var test = await TestServer.StartAsync((options, _) =>
        {
            options.RequestsPerMinutePerKey = 3;
            options.ApiKeys.Add("a");
            options.ApiKeys.Add("b");
        });
        async Task<HttpResponseMessage> SendAsync(string key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/test") { Content = JsonContent.Create(new TestRequest(null, "a", ["b"])) };
            request.Headers.Add("X-API-Key", key);
            return await test.Client.SendAsync(request);
        }
        for (var i = 0; i < 3; i++)
            Assert.Equal(HttpStatusCode.OK, (await SendAsync("a")).StatusCode);
        using var refused = await SendAsync("a");
        var (status, code, message) = await TestServer.ErrorOf(refused);
        Assert.Equal((429, "rate_limited"), (status, code));
        Assert.StartsWith("There were more than 3 requests in a minute. Try again in ", message);
        // One comes back every twenty seconds.
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 20);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("b")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await test.Client.GetAsync("/health/ready")).StatusCode);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task TLS_is_by_PEM_files(SslProtocols protocol)
    {
        string? thumbprint = null;
        await using var test = await TestServer.StartAsync((options, directory) =>
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
                .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            thumbprint = certificate.Thumbprint;
            File.WriteAllText(options.TlsCertificateFile = directory["certificate.pem"], certificate.ExportCertificatePem());
            File.WriteAllText(options.TlsKeyFile = directory["key.pem"], key.ExportPkcs8PrivateKeyPem());
        });
        Assert.StartsWith("https://127.0.0.1:", test.Server.Address);
        Assert.Single(await test.ScoreAsync("a", "b"));
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(test.Server.Address).Port);
        await using var stream = new SslStream(socket.GetStream(), false, (_, certificate, _, _) => certificate!.GetCertHashString() == thumbprint);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = protocol });
        Assert.Equal(protocol, stream.SslProtocol);
    }

    [Fact]
    public async Task Files_that_are_no_certificate_are_refused()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["model"]);
        File.WriteAllText(directory["a.pem"], "no certificate");
        var options = new RewardServerOptions
        {
            Models = { new ServedModelOptions { Directories = { directory["model"] } } },
            TlsCertificateFile = directory["a.pem"],
            TlsKeyFile = directory["a.pem"],
        };
        Assert.StartsWith(
            $"'{directory["a.pem"]}' and '{directory["a.pem"]}' can't be used for TLS (",
            (await Assert.ThrowsAsync<ArgumentException>(() => RewardServer.StartAsync(options, NullLogger.Instance))).Message);
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused_before_it_is_sent()
    {
        await using var test = await TestServer.StartAsync((options, _) => options.MaxRequestBytes = 100_000);
        // By its announced length: nothing of it is sent.
        var start = Stopwatch.GetTimestamp();
        Assert.StartsWith("HTTP/1.1 413", await RawAsync(test, "POST /test HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n"));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 10);
        // In pieces of unknown number, each of 10,000 bytes: the server reads as many as it takes.
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, test.Client.BaseAddress!.Port);
        var stream = socket.GetStream();
        await stream.WriteAsync("POST /bytes HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray());
        var piece = Encoding.ASCII.GetBytes($"2710\r\n{new string('x', 10_000)}\r\n");
        var sent = 0;
        try
        {
            for (; sent < 100_000_000; sent += 10_000)
                await stream.WriteAsync(piece);
        }
        catch (IOException)
        {
            // The server has closed the connection.
        }
        Assert.InRange(sent, 90_000, 50_000_000);
        // One that is within the limit is read whole, in pieces or not.
        Assert.Equal("100000", await (await test.Client.PostAsync("/bytes", new ByteArrayContent(new byte[100_000]))).Content.ReadAsStringAsync());
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/bytes") { Content = new ByteArrayContent(new byte[100_001]) };
        chunked.Headers.TransferEncodingChunked = true;
        Assert.Equal((413, "too_large"), await TestServer.ErrorOf(await test.Client.SendAsync(chunked)) is var (status, code, _) ? (status, code) : default);
    }

    [Fact]
    public async Task Many_large_bodies_at_once_are_refused()
    {
        await using var test = await TestServer.StartAsync((options, _) => options.MaxRequestBytes = 1000);
        // Eight that are not sent to their end.
        var sockets = Enumerable.Range(0, 8).Select(_ => new TcpClient()).ToArray();
        foreach (var socket in sockets)
        {
            await socket.ConnectAsync(IPAddress.Loopback, test.Client.BaseAddress!.Port);
            await socket.GetStream().WriteAsync("POST /bytes HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"u8.ToArray());
            await socket.GetStream().WriteAsync(new byte[999]);
        }
        HttpResponseMessage refused;
        var start = Stopwatch.GetTimestamp();
        while ((refused = await test.Client.PostAsync("/bytes", new ByteArrayContent(new byte[10]))).IsSuccessStatusCode)
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20), "it is not refused");
        Assert.Equal((429, "queue_full"), await TestServer.ErrorOf(refused) is var (status, code, _) ? (status, code) : default);
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/bytes") { Content = new ByteArrayContent(new byte[10]) };
        chunked.Headers.TransferEncodingChunked = true;
        Assert.Equal(429, (await TestServer.ErrorOf(await test.Client.SendAsync(chunked))).Status);
        // What was refused has taken nothing, however often.
        for (var i = 0; i < 20; i++)
            Assert.Equal(429, (int)(await test.Client.PostAsync("/bytes", new ByteArrayContent(new byte[1000]))).StatusCode);
        foreach (var socket in sockets)
            socket.Dispose();
        start = Stopwatch.GetTimestamp();
        while (!(await test.Client.PostAsync("/bytes", new ByteArrayContent(new byte[1000]))).IsSuccessStatusCode)
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(10), "the bytes are not given back");
    }

    /// <summary>They would keep all others away without sending anything.</summary>
    [Fact]
    public async Task Bodies_that_are_announced_and_do_not_come_take_no_room()
    {
        await using var test = await TestServer.StartAsync((options, _) => options.MaxRequestBytes = 1000);
        var sockets = Enumerable.Range(0, 20).Select(_ => new TcpClient()).ToArray();
        foreach (var socket in sockets)
        {
            await socket.ConnectAsync(IPAddress.Loopback, test.Client.BaseAddress!.Port);
            await socket.GetStream().WriteAsync(
                "POST /bytes HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n"u8.ToArray());
            // Its body is being read.
            using var reader = new StreamReader(socket.GetStream(), leaveOpen: true);
            Assert.Equal("HTTP/1.1 100 Continue", await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)));
        }
        Assert.Equal(HttpStatusCode.OK, (await test.Client.PostAsync("/bytes", new ByteArrayContent(new byte[1000]))).StatusCode);
        foreach (var socket in sockets)
            socket.Dispose();
    }

    [Fact]
    public async Task A_body_that_is_not_read_in_time_ends_its_request()
    {
        await using var test = await TestServer.StartAsync(
            (options, _) => options.RequestTimeout = TimeSpan.FromSeconds(0.3), limits => limits.MinRequestBodyDataRate = null);
        Assert.Equal(
            "HTTP/1.1 408 Request Timeout",
            await RawAsync(test, "POST /v1/rewards HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"));
    }

    [Fact]
    public async Task A_client_that_sends_next_to_nothing_is_cut_off()
    {
        await using var test = await TestServer.StartAsync(limit: limits =>
        {
            Assert.Equal((240, 5.0), (limits.MinRequestBodyDataRate!.BytesPerSecond, limits.MinRequestBodyDataRate.GracePeriod.TotalSeconds));
            limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(1.1));
        });
        Assert.StartsWith("HTTP/1.1 408", await RawAsync(test, "POST /bytes HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n1"));
        Assert.Single(await test.ScoreAsync("a", "b"));
    }

    [Fact]
    public async Task A_request_of_many_headers_is_refused()
    {
        await using var test = await TestServer.StartAsync();
        var headers = string.Concat(Enumerable.Range(0, 65).Select(i => $"X-{i}: 1\r\n"));
        Assert.StartsWith("HTTP/1.1 431", await RawAsync(test, $"GET /health/live HTTP/1.1\r\nHost: a\r\n{headers}\r\n"));
    }

    [Fact]
    public async Task When_it_stops_it_answers_what_it_has_and_refuses_the_rest()
    {
        // The window is what the last request takes: longer than all that is asked meanwhile.
        await using var test = await TestServer.StartAsync((options, _) => options.BatchWindow = TimeSpan.FromSeconds(4));
        Assert.Equal(HttpStatusCode.OK, (await test.Client.GetAsync("/health/ready")).StatusCode);
        var last = test.ScoreAsync("ab", "c");
        while (test.Server.Models.All[0].Queue.Waiting().Lists == 0)
            await Task.Delay(5);
        var stopped = test.Server.StopAsync();
        using var ready = await test.Client.GetAsync("/health/ready");
        Assert.Equal((503, "draining"), ((int)ready.StatusCode, (string)JsonNode.Parse(await ready.Content.ReadAsStringAsync())!["status"]!));
        using var refused = await test.PostAsync("a", "b");
        Assert.Equal((503, "shutting_down"), await TestServer.ErrorOf(refused) is var (status, code, _) ? (status, code) : default);
        Assert.True(refused.Headers.ConnectionClose);
        Assert.False(stopped.IsCompleted);
        Assert.Single(await last);
        await stopped.WaitAsync(TimeSpan.FromSeconds(10));
        await Assert.ThrowsAsync<HttpRequestException>(() => test.Client.GetAsync("/health/live"));
    }

    [Fact]
    public async Task What_is_not_answered_in_time_when_it_stops_is_refused()
    {
        await using var test = await TestServer.StartAsync(
            (options, _) => (options.BatchWindow, options.DrainTimeout) = (TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(0.1)));
        var last = test.PostAsync("ab", "c");
        while (test.Server.Models.All[0].Queue.Waiting().Lists == 0)
            await Task.Delay(5);
        await test.Server.StopAsync().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal((503, "shutting_down"), await TestServer.ErrorOf(await last) is var (status, code, _) ? (status, code) : default);
        Assert.Contains("Warning: Requests were not answered within 0.1 s, and are refused now.", test.Log);
    }

    [Fact]
    public async Task A_client_that_goes_takes_its_request_out_of_the_queue()
    {
        await using var test = await TestServer.StartAsync((options, _) => options.BatchWindow = TimeSpan.FromMinutes(10));
        using var gone = new CancellationTokenSource();
        var request = test.Client.PostAsJsonAsync("/test", new TestRequest(null, "a", ["b"]), gone.Token);
        while (test.Server.Models.All[0].Queue.Waiting().Lists == 0)
            await Task.Delay(5);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        var start = Stopwatch.GetTimestamp();
        while (test.Server.Models.All[0].Queue.Waiting().Lists > 0)
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(10), "it stays");
            await Task.Delay(5);
        }
    }

    [Fact]
    public async Task Files_that_have_changed_are_loaded_again_when_they_are_whole()
    {
        await using var test = await TestServer.StartAsync((options, _) =>
            (options.ReloadOnChange, options.ReloadPollInterval) = (true, TimeSpan.FromSeconds(0.1)));
        var before = await test.ScoreAsync("ab", "c");
        File.WriteAllText(test.Directory["model/model.safetensors"], "half");
        await UntilAsync(() => test.Log.Any(line => line.StartsWith("Error: Model 'model' can't be loaded again, so the old one goes on: ", StringComparison.Ordinal)));
        Assert.Equal(before, await test.ScoreAsync("ab", "c"));
        // It is not tried again and again.
        var errorCount = test.Log.Count;
        await Task.Delay(500);
        Assert.Equal(errorCount, test.Log.Count);
        TestServer.SaveModel(test.Directory, "model", seed: 2);
        await UntilAsync(() => test.Log.Contains("Information: Model 'model' was loaded again."));
        using var model = ScoringModel.Load(test.Directory["model"]);
        Assert.Equal(model.Score("ab", "c"), await test.ScoreAsync("ab", "c"));
        Assert.NotEqual(before, model.Score("ab", "c"));
        await Task.Delay(300);
        Assert.Equal(errorCount + 1, test.Log.Count);

        static async Task UntilAsync(Func<bool> condition)
        {
            var start = Stopwatch.GetTimestamp();
            while (!condition())
            {
                Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20), "it does not happen");
                await Task.Delay(20);
            }
        }
    }

    [Fact]
    public async Task Models_that_can_not_be_loaded_end_it()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["model"]);
        var options = new RewardServerOptions { Port = 0, Models = { new ServedModelOptions { Directories = { directory["model"] } } } };
        Assert.Equal(
            directory["model"], (await Assert.ThrowsAsync<CheckpointException>(() => RewardServer.StartAsync(options, NullLogger.Instance))).FilePath);
    }

    [Fact]
    public async Task It_warns_when_everybody_can_use_it()
    {
        await using (var test = await TestServer.StartAsync((options, _) => options.Host = "0.0.0.0"))
            Assert.Equal(["Warning: Everybody who reaches 0.0.0.0 can use the models: there are no API keys."], test.Log);
        await using (var test = await TestServer.StartAsync((options, _) =>
        {
            options.Host = "0.0.0.0";
            options.ApiKeys.Add("a");
        }))
            Assert.Empty(test.Log);
    }

    [Fact]
    public async Task An_application_hosts_it_beside_paths_of_its_own()
    {
        using var directory = new TemporaryDirectory();
        TestServer.SaveModel(directory, "model", seed: 1);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddRewardServer(options =>
        {
            options.Models.Add(new ServedModelOptions { Directories = { directory["model"] } });
            options.ApiKeys.Add("key");
            options.MaxRequestBytes = 1000;
        });
        await using var application = builder.Build();
        application.MapRewardModel("/rewards", TestServer.MapTest);
        application.MapGet("/own", () => "own");
        await application.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(application.Urls.First()) };
        Assert.Equal("own", await client.GetStringAsync("/own"));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/rewards/health/ready")).StatusCode);
        Assert.Equal(401, (await TestServer.ErrorOf(await client.PostAsJsonAsync("/rewards/test", new TestRequest(null, "ab", ["c"])))).Status);
        client.DefaultRequestHeaders.Add("X-API-Key", "key");
        using var model = ScoringModel.Load(directory["model"]);
        var response = await client.PostAsJsonAsync("/rewards/test", new TestRequest(null, "ab", ["c"]));
        Assert.Equal(model.Score("ab", "c"), await response.Content.ReadFromJsonAsync<float[]>());
        Assert.Equal(413, (await TestServer.ErrorOf(await client.PostAsync("/rewards/bytes", new ByteArrayContent(new byte[1001])))).Status);
        Assert.Equal(500, (await TestServer.ErrorOf(await client.GetAsync("/rewards/fail"))).Status);
        await application.StopAsync();
    }

    [Fact]
    public async Task An_application_does_not_start_with_wrong_options_or_without_the_services()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        Assert.Throws<InvalidOperationException>(() => builder.Build().MapRewardModel());
        builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddRewardServer();
        await using var application = builder.Build();
        Assert.Equal(
            ["Models is empty; expected at least one model."], (await Assert.ThrowsAsync<OptionsValidationException>(() => application.StartAsync())).Failures);
        Assert.Throws<ArgumentNullException>("services", () => ((IServiceCollection)null!).AddRewardServer());
        Assert.Throws<ArgumentNullException>("endpoints", () => ((WebApplication)null!).MapRewardModel());
        Assert.Throws<ArgumentNullException>("prefix", () => application.MapRewardModel(null!));
    }

    /// <summary>What comes back on a connection of its own until it is closed, or to the end of the headers.</summary>
    private static async Task<string> RawAsync(TestServer test, string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, test.Client.BaseAddress!.Port);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(socket.GetStream());
        return await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)) ?? "";
    }
}
