using System.Diagnostics;
using System.Diagnostics.Metrics;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Scoring;

/// <summary>The names and numbers of docs/telemetry.md. Alone, because others' scoring would be counted, too.</summary>
[Collection(nameof(RunsAlone))]
public sealed class ScoringTelemetryTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public ScoringTelemetryTests()
    {
        using var model = new ScoringModel(TinyModel.Create("gpt2"), ScoringModelTests.Tokenizer(directory), maxLength: 12);
        model.Save(directory["model"]);
    }

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Batches_are_measured()
    {
        using var model = ScoringModel.Load(directory["model"]);
        var measured = new List<(string Name, string? Unit, double Value, string Tags)>();
        void Add<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state) where T : struct =>
            measured.Add((instrument.Name, instrument.Unit, Convert.ToDouble(value), string.Join(' ', tags.ToArray())));
        using (var listener = new MeterListener())
        {
            listener.InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Name == "RewardModel.Scoring")
                    listening.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<long>(Add);
            listener.SetMeasurementEventCallback<double>(Add);
            listener.Start();
            // "abc" once, and x<eos>, yz<eos>.
            model.Score("abc", "x", "yz");
        }
        model.Score("abc", "x", "yz");
        Assert.Equal(
            [
                ("reward_model.scoring.answers", "{answer}", 2, "[reward_model.device, cpu]"),
                ("reward_model.scoring.tokens", "{token}", 8, "[reward_model.device, cpu]"),
                ("reward_model.scoring.cached_tokens", "{token}", 0, "[reward_model.device, cpu]"),
            ],
            measured.Take(3));
        var duration = Assert.Single(measured.Skip(3));
        Assert.Equal(
            ("reward_model.scoring.batch.duration", "s", "[reward_model.device, cpu]"), (duration.Name, duration.Unit, duration.Tags));
        Assert.InRange(duration.Value, 1e-6, 60);
    }

    [Fact]
    public void A_batch_that_nobody_measures_takes_no_time() => Assert.Equal(0, ScoringTelemetry.StartBatch());

    [Fact]
    public void Activities_say_what_was_done_and_what_failed()
    {
        var activities = new List<Activity>();
        using (var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "RewardModel",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activities.Add,
        })
        {
            ActivitySource.AddActivityListener(listener);
            using var model = ScoringModel.Load(directory["model"]);
            model.Score("abc", "x", "yz");
            Assert.Throws<TokenizerException>(() => model.Score(new Conversation([new ChatMessage("user", "a")]), "b"));
            using var cancelled = new CancellationTokenSource();
            cancelled.Cancel();
            Assert.ThrowsAny<OperationCanceledException>(() => model.Score(ScoringModelTextTests.Lists(2), null, cancelled.Token));
        }
        using (ScoringModel.Load(directory["model"]))
        {
        }
        Assert.Equal(
            [
                "reward_model.load Unset [reward_model.device, cpu] [reward_model.architecture, gpt2]",
                "reward_model.tokenize Unset [reward_model.lists, 1]",
                "reward_model.score Unset [reward_model.device, cpu] [reward_model.lists, 1] [reward_model.answers, 2]",
                "reward_model.tokenize Error [reward_model.lists, 1]",
                "reward_model.tokenize Unset [reward_model.lists, 2]",
            ],
            activities.Select(activity => $"{activity.OperationName} {activity.Status} {string.Join(' ', activity.TagObjects)}"));
        Assert.Equal("exception", Assert.Single(activities[3].Events).Name);
    }

    [Fact]
    public void The_documentation_has_every_name()
    {
        var documentation = File.ReadAllText(Path.Combine(Shared.RepositoryRoot, "docs", "telemetry.md"));
        var names = typeof(ScoringTelemetry).GetFields().Where(field => field.IsLiteral)
            .Select(field => (string)field.GetRawConstantValue()!);
        Assert.All(names.Append("{answer}").Append("{token}"), name => Assert.Contains($"`{name}`", documentation));
    }
}
