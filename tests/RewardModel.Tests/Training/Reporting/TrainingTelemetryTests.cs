using System.Diagnostics;
using System.Diagnostics.Metrics;
using RewardModel.Training;
using RewardModel.Training.Reporting;

namespace RewardModel.Tests.Training.Reporting;

/// <summary>Alone, because meters are those of the whole process.</summary>
[Collection(nameof(RunsAlone))]
public class TrainingTelemetryTests
{
    [Fact]
    public void A_run_is_measured_and_is_an_activity()
    {
        var sums = new Dictionary<string, double>();
        var newest = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == TrainingTelemetry.MeterName)
                self.EnableMeasurementEvents(instrument);
        };
        void Add(Instrument instrument, double value)
        {
            sums[instrument.Name] = sums.GetValueOrDefault(instrument.Name) + value;
            newest[instrument.Name] = value;
        }
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Add(instrument, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Add(instrument, value));
        listener.Start();
        var activities = new List<string>();
        using var activityListener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == TrainingTelemetry.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity => activities.Add(activity.OperationName),
        };
        ActivitySource.AddActivityListener(activityListener);

        using var model = TinyModel.Create();
        var lists = TinyModel.OrderTask(16, seed: 1);
        var steps = new List<StepReport>();
        var result = new Trainer(
            model, new TrainingOptions { Steps = 3, ListsPerStep = 4 }, lists[..12], lists[12..], progress: new Steps(steps)).Train();

        Assert.Equal(3, sums[TrainingTelemetry.StepCounter]);
        Assert.Equal(result.TokensSeen, sums[TrainingTelemetry.TokenCounter]);
        Assert.Equal(steps[^1].Loss, newest[TrainingTelemetry.LossGauge]);
        Assert.Equal(steps[^1].Accuracy, newest[TrainingTelemetry.AccuracyGauge]);
        Assert.Equal(steps[^1].LearningRate, newest[TrainingTelemetry.LearningRateGauge]);
        Assert.Equal(steps[^1].GradientNorm, newest[TrainingTelemetry.GradientNormGauge]);
        Assert.Equal(result.FinalEvaluation!.Metrics.Loss, newest[TrainingTelemetry.HeldOutLossGauge]);
        Assert.Equal(result.FinalEvaluation!.Metrics.Accuracy, newest[TrainingTelemetry.HeldOutAccuracyGauge]);
        Assert.Contains(TrainingTelemetry.TrainActivity, activities);
    }

    private sealed class Steps(List<StepReport> reports) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            if (value is StepReport step)
                reports.Add(step);
        }
    }
}
