using System.CommandLine;
using Microsoft.Extensions.Logging;
using RewardModel.Server;
using RewardModel.Server.Hosting;

namespace RewardModel.Cli;

/// <summary><c>reward-model serve</c>: models over HTTP.</summary>
internal static class ServeCommand
{
    private const string keysVariable = "REWARD_MODEL_API_KEYS";

    public static Command Create(TextWriter output, TextWriter errors)
    {
        var defaults = new RewardServerOptions();
        var models = new Option<string[]>("--model", "-m")
        {
            Description = "A model to serve; give it once for each. Without a name it has that of its directory; several directories are "
                + "an ensemble. The first model answers requests that name none.",
            Required = true,
            HelpName = "[NAME=]DIR[,DIR...]",
        };
        var baseModel = CommonOptions.BaseModel();
        var host = CommonOptions.Value(
            "--host", "ADDRESS", "IP address to listen on; 0.0.0.0: all of this machine's.", defaults.Host);
        var port = CommonOptions.Value("--port", "N", "Port to listen on. 0: any that is free.", defaults.Port);
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var maxTokensPerBatch = CommonOptions.Value<int?>(
            "--max-tokens-per-batch", "N",
            "Maximum number of tokens that are computed at once, a shared prompt counted once. Default: 2048, or 8192 on a GPU.");
        var batchWindow = CommonOptions.Value(
            "--batch-window-ms", "MS",
            "How long the first request waits for others to be computed with.", defaults.BatchWindow.TotalMilliseconds);
        var maxQueuedTokens = CommonOptions.Value(
            "--max-queued-tokens", "N",
            "Most tokens that wait for a model; requests beyond are refused (status 429).", defaults.MaxQueuedTokens);
        var maxRows = CommonOptions.Value("--max-rows", "N", "Most answers of a request.", defaults.MaxRowsPerRequest);
        var maxRequest = CommonOptions.Value("--max-request-mb", "MIB", "Largest body of a request.", defaults.MaxRequestBytes / (1 << 20));
        var requestTimeout = CommonOptions.Value(
            "--request-timeout", "S", "How long a request may take.", defaults.RequestTimeout.TotalSeconds);
        var drainTimeout = CommonOptions.Value(
            "--drain-timeout", "S",
            "How long requests that have begun are still answered when the server is to end.", defaults.DrainTimeout.TotalSeconds);
        var keyFile = CommonOptions.Value<string?>(
            "--api-key-file", "FILE",
            $"File of keys, one a line, one of which requests need. Keys may also stand in {keysVariable}, separated by commas.");
        var rate = CommonOptions.Value<int?>(
            "--rate-limit", "N", "Most requests a minute of one key, or of one address where there are no keys.");
        var certificate = CommonOptions.Value<string?>("--tls-certificate", "FILE", "PEM file of a certificate: HTTPS. Default: HTTP.");
        var key = CommonOptions.Value<string?>("--tls-key", "FILE", "PEM file of the certificate's private key.");
        var promptCache = CommonOptions.Value(
            "--prompt-cache-mb", "MIB",
            "Memory of each model for the keys and values of prompts that may come again. 0: none.", defaults.PromptCacheBytes / (1 << 20));
        var batchInvariant = CommonOptions.BatchInvariant();
        var reload = new Option<bool>("--reload-on-change")
        {
            Description = "Load a model again when its files have changed. SIGHUP loads all of them again.",
        };
        var raw = CommonOptions.Raw();
        var quiet = CommonOptions.Quiet();
        var command = new Command("serve", "Serves reward models over HTTP.")
        {
            models, baseModel, host, port, device, threads, maxTokensPerBatch, batchWindow, maxQueuedTokens, maxRows, maxRequest,
            requestTimeout, drainTimeout, keyFile, rate, certificate, key, promptCache, batchInvariant, reload, raw, quiet,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            Threads.Set(parsed.GetValue(threads));
            var options = new RewardServerOptions
            {
                Host = parsed.GetValue(host)!,
                Port = parsed.GetValue(port),
                MaxTokensPerBatch = parsed.GetValue(maxTokensPerBatch),
                BatchWindow = Time(parsed.GetValue(batchWindow) / 1000),
                MaxQueuedTokens = parsed.GetValue(maxQueuedTokens),
                MaxRowsPerRequest = parsed.GetValue(maxRows),
                MaxRequestBytes = parsed.GetValue(maxRequest) << 20,
                RequestTimeout = Time(parsed.GetValue(requestTimeout)),
                DrainTimeout = Time(parsed.GetValue(drainTimeout)),
                ApiKeyFile = parsed.GetValue(keyFile),
                RequestsPerMinutePerKey = parsed.GetValue(rate),
                TlsCertificateFile = parsed.GetValue(certificate),
                TlsKeyFile = parsed.GetValue(key),
                PromptCacheBytes = parsed.GetValue(promptCache) << 20,
                IsBatchInvariant = parsed.GetValue(batchInvariant),
                ReloadOnChange = parsed.GetValue(reload),
            };
            foreach (var text in parsed.GetValue(models)!)
                options.Models.Add(ModelOf(text, parsed.GetValue(baseModel), parsed.GetValue(device)!, parsed.GetValue(raw)));
            foreach (var apiKey in (Environment.GetEnvironmentVariable(keysVariable) ?? "").Split(
                ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                options.ApiKeys.Add(apiKey);
            var logger = new LineLogger(errors.WriteLine, parsed.GetValue(quiet) ? LogLevel.Warning : LogLevel.Information);
            await RewardServer.RunAsync(options, logger, Tell, cancellationToken);
            return 0;
        });
        return command;

        void Tell(RewardServer server)
        {
            output.WriteLine($"{server.Address} (Ctrl-C ends it): {string.Join(", ", server.Models.Models.Select(Text))}");
            output.Flush();
        }
    }

    /// <summary>A model as the command line has it: <c>DIR</c>, <c>NAME=DIR</c> or <c>NAME=DIR,DIR</c>.</summary>
    internal static ServedModelOptions ModelOf(string text, string? baseModel, string device, bool raw)
    {
        // A directory that is there is no name and another directory, whatever characters it has.
        var (name, directories) = Directory.Exists(text) ? ("", [text])
            : text.Split('=', 2) is [var before, var after] ? (before, after.Split(','))
            : ("", text.Split(','));
        var model = new ServedModelOptions { Name = name, BaseDirectory = baseModel, Device = device, ReadsTextAsIs = raw };
        foreach (var directory in directories)
            model.Directories.Add(directory);
        return model;
    }

    /// <summary>Seconds, of which the options' check refuses what is no time.</summary>
    private static TimeSpan Time(double seconds) => Math.Abs(seconds) < 1e9 ? TimeSpan.FromSeconds(seconds) : TimeSpan.MaxValue;

    private static string Text(ServedModelInfo model) =>
        model.MemberCount > 1
            ? $"{model.Name} ({model.Architecture}, {model.MemberCount} members)" : $"{model.Name} ({model.Architecture})";
}
