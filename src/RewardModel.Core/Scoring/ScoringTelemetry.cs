using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace RewardModel.Scoring;

/// <summary>
/// The meter and the activities of scoring; docs/telemetry.md describes them. Nothing is measured and no activity is made unless somebody
/// listens.
/// </summary>
internal static class ScoringTelemetry
{
    public const string MeterName = "RewardModel.Scoring";
    public const string ActivitySourceName = "RewardModel";

    public const string AnswerCounter = "reward_model.scoring.answers";
    public const string TokenCounter = "reward_model.scoring.tokens";
    public const string KnownTokenCounter = "reward_model.scoring.cached_tokens";
    public const string BatchDuration = "reward_model.scoring.batch.duration";

    public const string LoadActivity = "reward_model.load";
    public const string TokenizeActivity = "reward_model.tokenize";
    public const string ScoreActivity = "reward_model.score";

    public const string DeviceTag = "reward_model.device";
    public const string ArchitectureTag = "reward_model.architecture";
    public const string ListTag = "reward_model.lists";
    public const string AnswerTag = "reward_model.answers";

    private static readonly string version = typeof(ScoringTelemetry).Assembly.GetName().Version!.ToString(3);
    private static readonly ActivitySource activities = new(ActivitySourceName, version);
    private static readonly Meter meter = new(MeterName, version);

    private static readonly Counter<long> answers = meter.CreateCounter<long>(AnswerCounter, "{answer}", "Answers that were scored.");

    private static readonly Counter<long> tokens = meter.CreateCounter<long>(
        TokenCounter, "{token}", "Tokens that were computed, a shared prompt counted once.");

    private static readonly Counter<long> knownTokens = meter.CreateCounter<long>(
        KnownTokenCounter, "{token}", "Tokens of prompts that were not computed, because a prompt cache had their keys and values.");

    private static readonly Histogram<double> durations = meter.CreateHistogram(
        BatchDuration, "s", "Duration of one batch, from its token ids to its rewards.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
        });

    /// <summary>When a batch starts; 0 when nobody wants to know.</summary>
    public static long StartBatch() => durations.Enabled ? Stopwatch.GetTimestamp() : 0;

    /// <summary>A batch has its rewards.</summary>
    /// <param name="start">From <see cref="StartBatch"/>.</param>
    /// <param name="answerCount">Answers in the batch.</param>
    /// <param name="tokenCount">Tokens in the batch.</param>
    /// <param name="knownTokenCount">Tokens that a prompt cache knew.</param>
    /// <param name="device">The type of device that computed it.</param>
    public static void EndBatch(long start, int answerCount, int tokenCount, int knownTokenCount, TorchSharp.DeviceType device)
    {
        if (!answers.Enabled && !tokens.Enabled && !knownTokens.Enabled && start == 0)
            return;
        var tag = new KeyValuePair<string, object?>(DeviceTag, NameOf(device));
        answers.Add(answerCount, tag);
        tokens.Add(tokenCount, tag);
        knownTokens.Add(knownTokenCount, tag);
        if (start != 0)
            durations.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, tag);
    }

    /// <summary>An activity, to be disposed of at its end; null when nobody listens.</summary>
    public static Activity? Start(string name) => activities.StartActivity(name);

    /// <summary>Does something inside an activity, which tells when it fails.</summary>
    public static T Within<T>(Activity? activity, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (Failed(activity, e))
        {
            throw;
        }
    }

    /// <summary>The device's name as tags have it: <c>cpu</c>, <c>cuda</c>.</summary>
    public static string NameOf(TorchSharp.DeviceType device) => device switch
    {
        TorchSharp.DeviceType.CPU => "cpu",
        TorchSharp.DeviceType.CUDA => "cuda",
        _ => device.ToString().ToLowerInvariant(),
    };

    /// <summary>Always false: for a filter, which runs before the stack is unwound and the activity ends.</summary>
    private static bool Failed(Activity? activity, Exception exception)
    {
        if (exception is not OperationCanceledException)
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message).AddException(exception);
        return false;
    }
}
