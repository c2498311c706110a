using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RewardModel.Tests.Training.Records;

/// <summary>An installed Chromium without a window, driven through its DevTools protocol: all that a report needs of a browser.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

    private readonly Process process;
    private readonly TemporaryDirectory profile;
    private readonly ClientWebSocket socket;
    private readonly Task reading;
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim sending = new(1);
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode>> answers = new();
    private readonly ConcurrentDictionary<string, BrowserPage> pages = new();
    private int lastId;

    private Chromium(Process process, TemporaryDirectory profile, ClientWebSocket socket)
    {
        (this.process, this.profile, this.socket) = (process, profile, socket);
        reading = Read();
    }

    /// <summary>The program; null where none is installed.</summary>
    public static string? Program { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .SelectMany(directory => names.Select(name => Path.Combine(directory, name))).FirstOrDefault(File.Exists);

    public static string? SkipReason => Program is null ? "no chromium or google-chrome is on the PATH" : null;

    public static async Task<Chromium> Start()
    {
        var profile = new TemporaryDirectory();
        var process = Process.Start(new ProcessStartInfo(Program!,
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--remote-debugging-port=0", $"--user-data-dir={profile.Path}", "about:blank",
        ])
        {
            RedirectStandardError = true,
        })!;
        const string announcement = "DevTools listening on ";
        string? line;
        do
            line = await process.StandardError.ReadLineAsync() ?? throw new InvalidOperationException($"'{Program}' ended before it listened.");
        while (!line.StartsWith(announcement, StringComparison.Ordinal));
        // What else it writes must not fill the pipe.
        _ = process.StandardError.ReadToEndAsync();
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri(line[announcement.Length..]), CancellationToken.None);
        return new Chromium(process, profile, socket);
    }

    /// <summary>A new page, of this size.</summary>
    public async Task<BrowserPage> Open(int width = 1400, int height = 900)
    {
        var target = await Send("Target.createTarget", new JsonObject { ["url"] = "about:blank" });
        var attached = await Send("Target.attachToTarget", new JsonObject { ["targetId"] = (string)target["targetId"]!, ["flatten"] = true });
        var page = new BrowserPage(this, (string)attached["sessionId"]!);
        pages[page.SessionId] = page;
        foreach (var domain in new[] { "Page", "Runtime", "Log", "Network" })
            await page.Send($"{domain}.enable");
        await page.Resize(width, height);
        return page;
    }

    public async Task<JsonNode> Send(string method, JsonObject? parameters = null, string? sessionId = null)
    {
        var id = Interlocked.Increment(ref lastId);
        var answer = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        answers[id] = answer;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] };
        if (sessionId is not null)
            message["sessionId"] = sessionId;
        await sending.WaitAsync();
        try
        {
            await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        }
        finally
        {
            sending.Release();
        }
        return await answer.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await reading;
        socket.Dispose();
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        stopping.Dispose();
        sending.Dispose();
        try
        {
            profile.Dispose();
        }
        catch (IOException)
        {
            // A process of the browser that ends a little later still writes there.
        }
    }

    private async Task Read()
    {
        var buffer = new byte[1 << 16];
        using var message = new MemoryStream();
        try
        {
            while (true)
            {
                var received = await socket.ReceiveAsync(buffer, stopping.Token);
                message.Write(buffer, 0, received.Count);
                if (!received.EndOfMessage)
                    continue;
                Handle(JsonNode.Parse(message.ToArray())!);
                message.SetLength(0);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException)
        {
            foreach (var answer in answers.Values)
                answer.TrySetException(exception);
        }
    }

    private void Handle(JsonNode message)
    {
        if (message["id"] is { } id)
        {
            if (!answers.TryRemove((int)id, out var answer))
                return;
            if (message["error"] is { } error)
                answer.SetException(new InvalidOperationException(error.ToJsonString()));
            else
                answer.SetResult(message["result"]!);
        }
        else if (message["sessionId"] is { } session && pages.TryGetValue((string)session!, out var page))
            page.Add((string)message["method"]!, message["params"]!);
    }
}
