using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RewardModel.Training.Records;

/// <summary>
/// Serves the report of a running training to browsers of this machine, and nothing else: the page at <c>/</c>, and at <c>/version</c> what
/// tells its state from later ones, which the page asks for.
/// </summary>
internal sealed class ReportServer : IDisposable
{
    private readonly Func<RunRecord> read;
    private readonly Func<string> version;
    private readonly HttpListener listener;
    private readonly SemaphoreSlim reading = new(1);
    private readonly string[] hosts;
    private (string Version, string Page)? newest;

    /// <summary>Listens.</summary>
    /// <param name="read">Reads what is on record.</param>
    /// <param name="version">Another text whenever that may have changed.</param>
    /// <param name="port">The port; 0 for any that is free.</param>
    /// <exception cref="IOException">The port can't be listened on.</exception>
    public ReportServer(Func<RunRecord> read, Func<string> version, int port = 0)
    {
        (this.read, this.version) = (read, version);
        (listener, var found) = Listen(port);
        Address = $"http://127.0.0.1:{found}/";
        hosts = [$"127.0.0.1:{found}", $"localhost:{found}"];
    }

    /// <summary>Where the report is.</summary>
    public string Address { get; }

    /// <summary>Serves until it is cancelled.</summary>
    public async Task Serve(CancellationToken cancellation)
    {
        using var _ = cancellation.Register(listener.Stop);
        var answers = new List<Task>();
        while (!cancellation.IsCancellationRequested)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or InvalidOperationException
                && cancellation.IsCancellationRequested)
            {
                break;
            }
            answers.RemoveAll(answer => answer.IsCompleted);
            answers.Add(Answer(context));
        }
        await Task.WhenAll(answers);
    }

    /// <summary>Stops listening.</summary>
    public void Dispose()
    {
        listener.Close();
        reading.Dispose();
    }

    /// <summary>HttpListener takes no port 0, so a free one is looked for; another program may take it first.</summary>
    private static (HttpListener Listener, int Port) Listen(int port)
    {
        const int mostTries = 10;
        for (var tries = 1; ; tries++)
        {
            var tried = port > 0 ? port : FreePort();
            var listener = new HttpListener();
            listener.Prefixes.Add($"http://127.0.0.1:{tried}/");
            try
            {
                listener.Start();
                return (listener, tried);
            }
            catch (HttpListenerException exception)
            {
                listener.Close();
                if (port > 0 || tries == mostTries)
                    throw new IOException(
                        $"Port {tried} can't be listened on ({exception.Message}); give another --port, or none for any that is free.", exception);
            }
        }
    }

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    private async Task Answer(HttpListenerContext context)
    {
        var (status, type, text) = await AnswerTo(context.Request);
        var response = context.Response;
        try
        {
            response.StatusCode = (int)status;
            response.ContentType = $"{type}; charset=utf-8";
            response.Headers["Cache-Control"] = "no-store";
            response.Headers["X-Content-Type-Options"] = "nosniff";
            response.Headers["X-Frame-Options"] = "DENY";
            response.Headers["Referrer-Policy"] = "no-referrer";
            response.Headers["Cross-Origin-Resource-Policy"] = "same-origin";
            if (status == HttpStatusCode.MethodNotAllowed)
                response.Headers["Allow"] = "GET, HEAD";
            var bytes = Encoding.UTF8.GetBytes(text);
            response.ContentLength64 = bytes.Length;
            if (context.Request.HttpMethod != "HEAD")
                await response.OutputStream.WriteAsync(bytes);
            response.Close();
        }
        catch (Exception exception) when (exception is HttpListenerException or IOException or ObjectDisposedException)
        {
            // The browser has gone, or the server has.
            response.Abort();
        }
    }

    private async Task<(HttpStatusCode Status, string Type, string Text)> AnswerTo(HttpListenerRequest request)
    {
        // A page of another site can have its own name mean this machine, and would then read what we answer.
        if (!hosts.Contains(request.UserHostName, StringComparer.OrdinalIgnoreCase))
            return (HttpStatusCode.Forbidden, "text/plain", $"The host is '{request.UserHostName}'; expected {hosts[0]}.\n");
        if (request.HttpMethod is not ("GET" or "HEAD"))
            return (HttpStatusCode.MethodNotAllowed, "text/plain", $"The method is {request.HttpMethod}; expected GET or HEAD.\n");
        try
        {
            return request.RawUrl switch
            {
                "/" => (HttpStatusCode.OK, "text/html", await Page()),
                "/version" => (HttpStatusCode.OK, "text/plain", version()),
                _ => (HttpStatusCode.NotFound, "text/plain", "There is nothing here; the report is at /.\n"),
            };
        }
        // Whatever it is, the next state of the run may be readable: the server goes on, and says what it was.
        catch (Exception exception)
        {
            return (HttpStatusCode.ServiceUnavailable, "text/plain", $"The run can't be read now: {exception.Message}\n");
        }
    }

    private async Task<string> Page()
    {
        await reading.WaitAsync();
        try
        {
            // Asked for first: what changes while the run is read has another version, and is read again.
            var current = version();
            if (newest?.Version != current)
                newest = (current, HtmlReport.Of(read(), current));
            return newest.Value.Page;
        }
        finally
        {
            reading.Release();
        }
    }
}
