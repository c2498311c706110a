using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using RewardModel.Training.Records;

namespace RewardModel.Tests.Training.Records;

public sealed class ReportServerTests : IDisposable
{
    private readonly HttpClient client = new();

    public void Dispose() => client.Dispose();

    [Fact]
    public async Task It_serves_the_report_and_its_version()
    {
        await using var served = new Served(() => SampleRecord.Full(30), () => "v1");
        Assert.Equal("127.0.0.1", new Uri(served.Address).Host);
        using var response = await client.GetAsync(served.Address);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(
            ["text/html; charset=utf-8", "no-store", "nosniff", "DENY", "no-referrer", "same-origin"],
            new[] { "Content-Type", "Cache-Control", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Resource-Policy" }
                .Select(name => string.Join(' ', response.Headers.Concat(response.Content.Headers).Single(header => header.Key == name).Value)));
        Assert.Equal(HtmlReport.Of(SampleRecord.Full(30), "v1"), await response.Content.ReadAsStringAsync());
        Assert.Equal("v1", await client.GetStringAsync(served.Address + "version"));
    }

    [Fact]
    public async Task HEAD_has_the_length_and_no_content()
    {
        await using var served = new Served(() => SampleRecord.Empty, () => "v1");
        using var response = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, served.Address));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Encoding.UTF8.GetByteCount(HtmlReport.Of(SampleRecord.Empty, "v1")), response.Content.Headers.ContentLength);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    [InlineData("PATCH")]
    public async Task Other_methods_are_refused(string method)
    {
        await using var served = new Served(() => SampleRecord.Empty, () => "v1");
        using var response = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), served.Address));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(["GET", "HEAD"], response.Content.Headers.Allow);
    }

    [Theory]
    [InlineData("/index.html")]
    [InlineData("/training/log.jsonl")]
    [InlineData("/../../etc/passwd")]
    [InlineData("/%2e%2e/secret")]
    [InlineData("/version/")]
    [InlineData("/?a=b")]
    [InlineData("//")]
    public async Task Other_paths_are_refused(string path)
    {
        await using var served = new Served(() => SampleRecord.Empty, () => "v1");
        // As it is written: HttpClient would put it right first.
        Assert.StartsWith("HTTP/1.1 404", await Ask(served.Address, $"GET {path} HTTP/1.1\r\nHost: {new Uri(served.Address).Authority}\r\nConnection: close\r\n\r\n"));
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:PORT")]
    [InlineData("127.0.0.1.evil.example:PORT")]
    [InlineData("127.0.0.1:1")]
    [InlineData("[::1]:PORT")]
    public async Task Other_hosts_are_refused(string host)
    {
        var isRead = false;
        await using var served = new Served(() =>
        {
            isRead = true;
            return SampleRecord.Empty;
        }, () => "v1");
        host = host.Replace("PORT", $"{new Uri(served.Address).Port}", StringComparison.Ordinal);
        var answer = await Ask(served.Address, $"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        // HttpListener itself refuses those that differ in more than the port, with another status.
        Assert.Matches("^HTTP/1.1 (400|403|404)", answer);
        Assert.DoesNotContain("nothing yet", answer);
        Assert.False(isRead);
    }

    [Fact]
    public async Task It_listens_on_this_machine_alone()
    {
        await using var served = new Served(() => SampleRecord.Empty, () => "v1");
        var endpoint = Assert.Single(
            IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners(), endpoint => endpoint.Port == new Uri(served.Address).Port);
        Assert.Equal(IPAddress.Loopback, endpoint.Address);
    }

    [Fact]
    public async Task A_run_is_read_again_only_when_its_version_is_another_one()
    {
        var (count, version) = (0, "v1");
        await using var served = new Served(() => SampleRecord.Empty with { Name = $"reading {++count}" }, () => version);
        Assert.Contains("reading 1", await client.GetStringAsync(served.Address));
        Assert.Contains("reading 1", await client.GetStringAsync(served.Address));
        version = "v2";
        Assert.Contains("reading 2", await client.GetStringAsync(served.Address));
        Assert.Equal(2, count);
    }

    [Fact]
    public async Task A_run_that_cannot_be_read_is_told_and_read_later()
    {
        var isBroken = true;
        await using var served = new Served(() => isBroken ? throw new IOException("half a line") : SampleRecord.Empty, () => "v1");
        using var response = await client.GetAsync(served.Address);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("The run can't be read now: half a line\n", await response.Content.ReadAsStringAsync());
        isBroken = false;
        Assert.Contains("nothing yet", await client.GetStringAsync(served.Address));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told()
    {
        await using var served = new Served(() => SampleRecord.Empty, () => "v1");
        var port = new Uri(served.Address).Port;
        var error = Assert.Throws<IOException>(() => new ReportServer(() => SampleRecord.Empty, () => "v1", port));
        Assert.Matches($@"^Port {port} can't be listened on \(.*\); give another --port, or none for any that is free\.$", error.Message);
    }

    [Fact]
    public void A_directory_has_another_version_when_a_file_is_written()
    {
        using var directory = new TemporaryDirectory();
        Assert.Equal("none", DirectoryVersion.Of(directory["missing"]));
        var versions = new List<string> { DirectoryVersion.Of(directory.Path) };
        Directory.CreateDirectory(directory["training"]);
        foreach (var file in new[] { "a", "training/log.jsonl", "training/log.jsonl" })
        {
            File.AppendAllText(directory[file], "{}\n");
            versions.Add(DirectoryVersion.Of(directory.Path));
        }
        File.Delete(directory["a"]);
        versions.Add(DirectoryVersion.Of(directory.Path));
        Assert.Equal(versions.Distinct(), versions);
        Assert.Equal(versions[^1], DirectoryVersion.Of(directory.Path));
    }

    private static async Task<string> Ask(string address, string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(address).Port);
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        return await new StreamReader(stream).ReadToEndAsync();
    }

    /// <summary>A server that serves until it is disposed of.</summary>
    internal sealed class Served : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly ReportServer server;
        private readonly Task serving;

        public Served(Func<RunRecord> read, Func<string> version)
        {
            server = new ReportServer(read, version);
            serving = server.Serve(stop.Token);
        }

        public string Address => server.Address;

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await serving.WaitAsync(TimeSpan.FromSeconds(20));
            server.Dispose();
            stop.Dispose();
        }
    }
}
