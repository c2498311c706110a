using RewardModel.Lists;
using RewardModel.Training.Reporting;
using static RewardModel.Training.Diagnosis.RunDiagnoses;

namespace RewardModel.Training.Diagnosis;

/// <summary>What the losses, accuracies and gradients of the steps show.</summary>
internal static class StepDiagnoses
{
    /// <summary>Fewer steps show no course.</summary>
    private const int fewestSteps = 20;

    /// <summary>
    /// A loss closer to ln 2 than this has no use: rewards of a pair that differ by d give ln 2 - d^2 / 8, so it stands for 57 % right
    /// pairs at best.
    /// </summary>
    private const double lossOfNoUse = 0.01;

    /// <summary>A training accuracy up to here may be chance: that of lists which are seen again and again is that of a few.</summary>
    private const double accuracyOfNoUse = 0.55;

    /// <summary>The mean loss has to be known this well, two standard errors, to say where it stays.</summary>
    private const double surenessOfStay = 0.05;

    /// <summary>
    /// By how much losses have to be above the start, absolutely and as a share of it: models that become sure of random labels rise by
    /// less.
    /// </summary>
    private const double leastRise = 0.15, leastRelativeRise = 0.2;

    /// <summary>
    /// The share of the steps of a window that are as high. Where losses of one list each scatter around the start, a third of them are,
    /// and one window in thousands has so many; single lists that are hard make no such window.
    /// </summary>
    private const double shareOfRise = 0.75;

    /// <summary>
    /// How many times the start the mean of a window is where losses explode, though others between them are low: hard lists among lists
    /// that are learned stay far below that.
    /// </summary>
    private const double explodingMean = 5;

    /// <summary>Steps of a window, at least.</summary>
    private const int windowLength = 20;

    /// <summary>
    /// An explosion is a gradient norm of so many times the usual one of the first steps, with so many times the loss of the start: a hard
    /// list among lists that are learned has a large gradient, too, but no such loss.
    /// </summary>
    private const double explodingNorm = 30, explodingLoss = 2;

    /// <summary>Single steps may be of bad lists: this many steps, and this share of all, are not.</summary>
    private const int fewestExplosions = 5;

    private const double shareOfExplosions = 0.01;

    public static IEnumerable<RunDiagnosis?> Of(RunFacts facts)
    {
        if (facts.End is { Reason: EndReason.Diverged } end)
        {
            yield return new RunDiagnosis(
                DiagnosisId.Diverged, DiagnosisSeverity.Error, $"The run ended after {Counted.Of(end.Step, "step")}: {end.Message}");
            yield break;
        }
        if (facts.Steps.Count >= fewestSteps)
            yield return TooHigh(facts) ?? Stuck(facts);
    }

    private static RunDiagnosis? Stuck(RunFacts facts)
    {
        if (facts.LogSigmoidLosses is not { } losses)
            return null;
        var third = losses.Length / 3;
        var (first, last) = (MeanEstimate.Of(losses.Take(third)), MeanEstimate.Of(losses.TakeLast(third)));
        var accuracy = MeanEstimate.Of(facts.Steps.TakeLast(third).Select(step => step.Accuracy)).Mean;
        return last.Mean >= Math.Log(2) - lossOfNoUse && 2 * last.StandardError <= surenessOfStay && accuracy <= accuracyOfNoUse
            ? new RunDiagnosis(
                DiagnosisId.LossStuck, DiagnosisSeverity.Error,
                Text($"The training loss stays at {last.Mean:F3} in the last third of {losses.Length} steps, with {accuracy:P1} right ")
                + Text($"pairs; it was {first.Mean:F3} in the first third, and ln 2 = 0.693 is that of equal rewards. See that the ")
                + Text($"scores are those of their answers, then try other learning rates than {Peak(facts):G3}, or train more layers."))
            : null;
    }

    private static RunDiagnosis? TooHigh(RunFacts facts)
    {
        // The first step's loss is that before its update; of few lists, it may be low by accident.
        var known = facts.LogSigmoidLosses is null ? 0 : Math.Log(2);
        var start = Math.Max(facts.Evaluations is [{ Step: 0 } initial, ..] ? initial.Metrics.Loss : facts.Steps[0].Loss, known);
        var high = start + Math.Max(leastRise, leastRelativeRise * start);
        var length = Math.Max(windowLength, facts.Steps.Count / 20);
        var worst = facts.Steps.Chunk(length)
            .Where(window => window.Length == length
                && (window.Count(step => step.Loss > high) >= shareOfRise * length
                    || window.Average(step => step.Loss) > explodingMean * start))
            .MaxBy(window => window.Average(step => step.Loss));
        if (worst is not null)
            return Rate(
                facts, Text($"The training loss rose above its start, {start:F3}: it is {worst.Average(step => step.Loss):F3} in the ")
                + Text($"mean of the steps {worst[0].Step} to {worst[^1].Step}"));
        double[] firstNorms = [.. facts.Steps.Take(Math.Max(5, facts.Steps.Count / 10)).Select(step => step.GradientNorm).Order()];
        var usual = firstNorms[firstNorms.Length / 2];
        StepReport[] explosions =
            [.. facts.Steps.Where(step => step.GradientNorm > explodingNorm * usual && step.Loss > explodingLoss * start)];
        return usual > 0 && explosions.Length >= Math.Max(fewestExplosions, shareOfExplosions * facts.Steps.Count)
            ? Rate(
                facts, Text($"The gradient norm explodes: it is more than {explodingNorm:F0} times that of the first steps, ")
                + Text($"{usual:G3}, in {Counted.Of(explosions.Length, "step")}, with a loss of up to ")
                + Text($"{explosions.Max(step => step.Loss):F3} (first in step {explosions[0].Step})"))
            : null;
    }

    private static RunDiagnosis Rate(RunFacts facts, string found) => new(
        DiagnosisId.LearningRateTooHigh, DiagnosisSeverity.Warning,
        found + Text($". Lower the learning rate, whose peak is {Peak(facts):G3}, or give it a warm-up."));

    private static double Peak(RunFacts facts) => facts.Steps.Max(step => step.LearningRate);
}
