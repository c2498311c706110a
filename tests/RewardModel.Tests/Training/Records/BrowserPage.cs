using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace RewardModel.Tests.Training.Records;

/// <summary>A page of a <see cref="Chromium"/>, and what it said of itself.</summary>
internal sealed class BrowserPage(Chromium browser, string sessionId)
{
    private readonly ConcurrentQueue<(string Method, JsonNode Parameters)> events = new();
    private TaskCompletionSource loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string SessionId => sessionId;

    /// <summary>Messages of the console, exceptions and what the browser complains of, such as what a policy forbids.</summary>
    public string[] Complaints =>
    [
        .. events.Where(item => item.Method is "Runtime.consoleAPICalled" or "Runtime.exceptionThrown" or "Log.entryAdded" or "Page.javascriptDialogOpening")
            .Select(item => $"{item.Method} {item.Parameters.ToJsonString()}"),
    ];

    /// <summary>The addresses that were asked for, that of the page first.</summary>
    public string[] Requests =>
        [.. events.Where(item => item.Method == "Network.requestWillBeSent").Select(item => (string)item.Parameters["request"]!["url"]!)];

    public void Add(string method, JsonNode parameters)
    {
        events.Enqueue((method, parameters));
        if (method == "Page.loadEventFired")
            loaded.TrySetResult();
    }

    public Task<JsonNode> Send(string method, JsonObject? parameters = null) => browser.Send(method, parameters, sessionId);

    public Task Resize(int width, int height) => Send("Emulation.setDeviceMetricsOverride", new JsonObject
    {
        ["width"] = width,
        ["height"] = height,
        ["deviceScaleFactor"] = 1,
        ["mobile"] = width < 600,
    });

    /// <summary>Loads an address, or a file.</summary>
    public async Task Load(string address)
    {
        loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Send("Page.navigate", new JsonObject { ["url"] = new Uri(address).AbsoluteUri });
        await loaded.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>The value of an expression of JavaScript, which may be a promise.</summary>
    public async Task<T> Evaluate<T>(string expression)
    {
        var result = await Send("Runtime.evaluate", new JsonObject
        {
            ["expression"] = expression,
            ["returnByValue"] = true,
            ["awaitPromise"] = true,
        });
        return result["exceptionDetails"] is { } details
            ? throw new InvalidOperationException(details.ToJsonString())
            : result["result"]!["value"]!.GetValue<T>();
    }

    /// <summary>Emulates media: <c>screen</c> or <c>print</c>, and a preferred colour scheme, <c>light</c> or <c>dark</c>.</summary>
    public Task Emulate(string media, string scheme) => Send("Emulation.setEmulatedMedia", new JsonObject
    {
        ["media"] = media,
        ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = scheme }),
    });

    /// <summary>The page from this height on as PNG.</summary>
    public async Task<byte[]> Screenshot(double y, double width, double height)
    {
        var result = await Send("Page.captureScreenshot", new JsonObject
        {
            ["captureBeyondViewport"] = true,
            ["clip"] = new JsonObject { ["x"] = 0, ["y"] = y, ["width"] = width, ["height"] = height, ["scale"] = 1 },
        });
        return Convert.FromBase64String((string)result["data"]!);
    }

    /// <summary>Moves the mouse, or presses or releases its left button there.</summary>
    /// <param name="type"><c>mouseMoved</c>, <c>mousePressed</c> or <c>mouseReleased</c>.</param>
    /// <param name="x">Pixels from the left.</param>
    /// <param name="y">Pixels from the top of the window.</param>
    /// <param name="clickCount">2 for the second click of a double one.</param>
    public Task Mouse(string type, double x, double y, int clickCount = 1) => Send("Input.dispatchMouseEvent", new JsonObject
    {
        ["type"] = type,
        ["x"] = x,
        ["y"] = y,
        ["button"] = type == "mouseMoved" ? "none" : "left",
        ["clickCount"] = type == "mouseMoved" ? 0 : clickCount,
    });

    /// <summary>Presses a key.</summary>
    public async Task Press(string key)
    {
        foreach (var type in new[] { "keyDown", "keyUp" })
            await Send("Input.dispatchKeyEvent", new JsonObject { ["type"] = type, ["key"] = key });
    }
}
