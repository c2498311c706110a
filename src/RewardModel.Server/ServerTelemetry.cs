using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace RewardModel.Server;

/// <summary>The meter of a server; docs/telemetry.md describes it. Nothing is measured unless somebody listens.</summary>
internal sealed class ServerTelemetry : IDisposable
{
    public const string MeterName = "RewardModel.Server";

    public const string QueuedLists = "reward_model.server.queue.lists";
    public const string QueuedTokens = "reward_model.server.queue.tokens";
    public const string CachedPrompts = "reward_model.server.prompt_cache.prompts";
    public const string CachedBytes = "reward_model.server.prompt_cache.size";
    public const string QueueWait = "reward_model.server.queue.wait";
    public const string BatchLists = "reward_model.server.batch.lists";
    public const string BatchTokens = "reward_model.server.batch.tokens";
    public const string RequestDuration = "reward_model.server.request.duration";
    public const string RejectedRequests = "reward_model.server.request.rejected";
    public const string Reloads = "reward_model.server.reloads";

    public const string ModelTag = "reward_model.model";

    /// <summary>OpenTelemetry's own name of it.</summary>
    public const string ErrorTag = "error.type";

    private readonly Meter meter = new(MeterName, typeof(ServerTelemetry).Assembly.GetName().Version!.ToString(3));
    private readonly ConcurrentDictionary<string, (Func<(int Lists, long Tokens)> Waiting, Func<(int Prompts, long Bytes)> Cached)> models = [];
    private readonly Histogram<double> waits, durations;
    private readonly Histogram<long> lists, tokens;
    private readonly Counter<long> rejections, reloads;

    public ServerTelemetry()
    {
        double[] seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180];
        waits = meter.CreateHistogram(
            QueueWait, "s", "How long a list waited before its batch was computed.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = seconds });
        lists = meter.CreateHistogram(
            BatchLists, "{list}", "Lists of one batch.",
            advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] });
        tokens = meter.CreateHistogram(
            BatchTokens, "{token}", "Tokens of one batch, a shared prompt counted once.",
            advice: new InstrumentAdvice<long>
            {
                HistogramBucketBoundaries = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536],
            });
        durations = meter.CreateHistogram(
            RequestDuration, "s", "Duration of one request, from its lists to their rewards.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = seconds });
        rejections = meter.CreateCounter<long>(RejectedRequests, "{request}", "Requests that were not answered with rewards.");
        // One instrument for all models: exporters take a second one of the same name for a mistake.
        meter.CreateObservableUpDownCounter(
            QueuedLists, () => models.Select(model => Of(model.Value.Waiting().Lists, model.Key)), "{list}", "Lists that wait to be computed.");
        meter.CreateObservableUpDownCounter(
            QueuedTokens, () => models.Select(model => Of(model.Value.Waiting().Tokens, model.Key)), "{token}",
            "Tokens that wait to be computed.");
        meter.CreateObservableUpDownCounter(
            CachedPrompts, () => models.Select(model => Of(model.Value.Cached().Prompts, model.Key)), "{prompt}",
            "Prompts that there are keys and values of.");
        meter.CreateObservableUpDownCounter(
            CachedBytes, () => models.Select(model => Of(model.Value.Cached().Bytes, model.Key)), "By", "Keys and values of prompts.");
        reloads = meter.CreateCounter<long>(Reloads, "{reload}", "Models that were loaded again, or could not be.");
    }

    /// <summary>From now on it is told what waits for a model, and what it has cached.</summary>
    /// <param name="model">The model.</param>
    /// <param name="waiting">Counts the lists and tokens that wait for it.</param>
    /// <param name="cached">Counts the prompts in its cache, and their bytes.</param>
    public void Observe(string model, Func<(int Lists, long Tokens)> waiting, Func<(int Prompts, long Bytes)> cached) =>
        models[model] = (waiting, cached);

    /// <summary>A batch is about to be computed.</summary>
    /// <param name="model">The model.</param>
    /// <param name="listCount">Lists in it.</param>
    /// <param name="tokenCount">Tokens in it.</param>
    public void Batch(string model, int listCount, long tokenCount)
    {
        lists.Record(listCount, Of(model));
        tokens.Record(tokenCount, Of(model));
    }

    /// <summary>A list has been waiting.</summary>
    public void Waited(string model, TimeSpan time) => waits.Record(time.TotalSeconds, Of(model));

    /// <summary>A request has its rewards, or an error.</summary>
    /// <param name="model">The model; null where none was found.</param>
    /// <param name="start">When it began, a <see cref="Stopwatch"/>'s timestamp.</param>
    /// <param name="error">What went wrong; null where nothing did.</param>
    public void Request(string? model, long start, string? error)
    {
        var tags = new TagList();
        if (model is not null)
            tags.Add(Of(model));
        if (error is not null)
        {
            tags.Add(ErrorTag, error);
            rejections.Add(1, tags);
        }
        durations.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, tags);
    }

    /// <summary>A request was refused before a model saw it.</summary>
    public void Rejected(string error) => rejections.Add(1, new KeyValuePair<string, object?>(ErrorTag, error));

    /// <summary>A model was loaded again, or could not be.</summary>
    public void Reloaded(string model, bool isLoaded)
    {
        var tags = new TagList { Of(model) };
        if (!isLoaded)
            tags.Add(ErrorTag, "load_failed");
        reloads.Add(1, tags);
    }

    public void Dispose() => meter.Dispose();

    private static Measurement<long> Of(long value, string model) => new(value, Of(model));

    private static KeyValuePair<string, object?> Of(string model) => new(ModelTag, model);
}
