using RewardModel.Lists;
using RewardModel.Training.Metrics;
using RewardModel.Training.Reporting;
using static RewardModel.Training.Diagnosis.RunDiagnoses;

namespace RewardModel.Training.Diagnosis;

/// <summary>What the evaluations of a run show, one after the other, and the figures of the weights that are kept.</summary>
internal static class EvaluationDiagnoses
{
    /// <summary>
    /// Prompts from which on an accuracy that may be chance is no matter of too few of them: the interval is 0.1 to each side.
    /// </summary>
    private const int enoughPrompts = 100;

    /// <summary>A standard deviation of rewards so small, beside rewards of about 1 or their mean, is float32's rounding.</summary>
    private const double equalDeviation = 1e-4;

    /// <summary>Half the width of an interval in which most differences between models lie.</summary>
    private const double wideInterval = 0.05;

    /// <summary>Fewer evaluations show no course.</summary>
    private const int fewestEvaluations = 4;

    /// <summary>
    /// By how much the held-out loss has to rise from its minimum, absolutely and as a share of it: less is usual where a model goes on to
    /// be surer of itself, while its accuracy still rises.
    /// </summary>
    private const double leastRise = 0.05, leastRelativeRise = 0.1;

    /// <summary>How many times the scatter of the losses a rise or a fall has to be.</summary>
    private const double scattersOfChange = 3;

    /// <summary>
    /// What the held-out loss falls by, at least, to be seen to fall, and what it falls by, at most, where a model learns too slowly: from
    /// that of equal rewards, 0.1 is what an accuracy of about 70 % is worth.
    /// </summary>
    private const double leastFall = 0.005, smallFall = 0.1;

    /// <summary>A model whose loss starts further below ln 2, that of equal rewards, has learned the task before.</summary>
    private const double learnedBefore = 0.05;

    /// <summary>
    /// The share of the fall of the first half of the updates that the second half has where nothing flattens: where a model learns what it
    /// can, most is learned at first.
    /// </summary>
    private const double steadyFall = 0.6;

    /// <summary>
    /// By how many times the scatter it has to be more: of losses that scatter by 1 the compared difference of slopes does by about 4.
    /// </summary>
    private const double scattersOfSlope = 8;

    /// <summary>
    /// Differences of rewards of a few units are all that a log-sigmoid loss asks for; a mean or deviation of this size has another reason.
    /// </summary>
    private const double largeReward = 20;

    /// <summary>By how much such rewards have to have grown since the evaluation in the middle of the run.</summary>
    private const double growth = 1.3;

    public static IEnumerable<RunDiagnosis?> Of(RunFacts facts)
    {
        if (facts.Metrics is { } metrics)
        {
            yield return RewardsEqual(metrics);
            yield return Chance(metrics);
            yield return SmallTestSet(metrics);
        }
        yield return InitialWeights(facts);
        yield return Overfitting(facts) ?? TooSlow(facts);
        yield return RewardsGrow(facts.OfSteps);
    }

    private static RunDiagnosis? RewardsEqual(RankingMetrics metrics) =>
        metrics.AnswerCount > 1 && metrics.RewardStandardDeviation <= equalDeviation * Math.Max(1, Math.Abs(metrics.RewardMean))
            ? new RunDiagnosis(
                DiagnosisId.RewardsEqual, DiagnosisSeverity.Error,
                Text($"All {metrics.AnswerCount} held-out answers have the reward {metrics.RewardMean:G4} (standard deviation ")
                + Text($"{metrics.RewardStandardDeviation:G2}): the model tells no answers apart. See that answers are not cut to the ")
                + "same tokens, and that the weights were loaded; then raise the learning rate.")
            : null;

    private static RunDiagnosis? Chance(RankingMetrics metrics) => metrics switch
    {
        { AccuracyHigh: < 0.5 } => new RunDiagnosis(
            DiagnosisId.AccuracyBelowChance, DiagnosisSeverity.Error,
            Text($"The held-out accuracy of {metrics.Accuracy:F3} is below chance: its 95 % interval, {metrics.AccuracyLow:F3} to ")
            + Text($"{metrics.AccuracyHigh:F3} for {Counted.Of(metrics.PromptCount, "prompt")}, lies below 0.5. See that higher ")
            + "scores are those of better answers, in the training data and in the held-out ones."),
        { AccuracyLow: <= 0.5, AccuracyHigh: >= 0.5 } => new RunDiagnosis(
            DiagnosisId.AccuracyNearChance, metrics.PromptCount >= enoughPrompts ? DiagnosisSeverity.Error : DiagnosisSeverity.Warning,
            Text($"The held-out accuracy of {metrics.Accuracy:F3} can't be told from chance: its 95 % interval, ")
            + Text($"{metrics.AccuracyLow:F3} to {metrics.AccuracyHigh:F3} for {Counted.Of(metrics.PromptCount, "prompt")}, contains 0.5. ")
            + (metrics.PromptCount >= enoughPrompts
                ? "See that the scores are those of their answers; train on more lists, or with another learning rate."
                : "More held-out prompts make it narrower.")),
        _ => null,
    };

    private static RunDiagnosis? SmallTestSet(RankingMetrics metrics)
    {
        var half = (metrics.AccuracyHigh - metrics.AccuracyLow) / 2;
        return half > wideInterval
            ? new RunDiagnosis(
                DiagnosisId.SmallTestSet, DiagnosisSeverity.Note,
                Text($"The held-out accuracy of {metrics.Accuracy:F3} is known to {half:F3} only, as there are ")
                + Text($"{Counted.Of(metrics.PromptCount, "prompt")}: ")
                + "models that are less far apart can't be compared. Hold out more prompts.")
            : null;
    }

    private static RunDiagnosis? InitialWeights(RunFacts facts)
    {
        var last = Math.Max(facts.Steps is [.., var step] ? step.Step : 0, facts.Evaluations is [.., var evaluation] ? evaluation.Step : 0);
        return facts.Kept is { Step: 0 } && last > 0
            ? new RunDiagnosis(
                DiagnosisId.InitialWeights, DiagnosisSeverity.Warning,
                $"No evaluation in {Counted.Of(last, "step")} was better than the one before the first step: the model still has its "
                + "initial weights. Train longer, with another learning rate, or with more lists.")
            : null;
    }

    private static RunDiagnosis? Overfitting(RunFacts facts)
    {
        EvaluationReport[] evaluations = [.. facts.OfSteps.Where(evaluation => double.IsFinite(evaluation.Metrics.Loss))];
        if (evaluations.Length < fewestEvaluations)
            return null;
        double[] losses = [.. evaluations.Select(evaluation => evaluation.Metrics.Loss)];
        var lowest = Array.IndexOf(losses, losses.Min());
        // Not the last one alone: it may be off.
        double[] later = losses[(lowest + 1)..];
        if (later.Length < 2)
            return null;
        var rise = Math.Min(later[^1], later[^2]) - losses[lowest];
        if (rise < Math.Max(leastRise, leastRelativeRise * losses[lowest]) || rise < scattersOfChange * Scatter(losses)
            || !TrainingFalls(facts, evaluations[lowest].Step, losses[lowest]))
            return null;
        var kept = facts.Kept is { } best ? $", and the weights of step {best.Step} are kept" : "";
        return new RunDiagnosis(
            DiagnosisId.Overfitting, DiagnosisSeverity.Warning,
            Text($"The held-out loss was lowest after step {evaluations[lowest].Step}, {losses[lowest]:F3}, and rises since, to ")
            + Text($"{losses[^1]:F3} after step {evaluations[^1].Step}, while the training loss falls: the model learns its lists by ")
            + Text($"heart{kept}. Train on more lists or for fewer ")
            + "epochs, stop early (--early-stop, --best-by loss), or use --weight-decay or --dropout.");
    }

    /// <summary>
    /// How far losses are off a smooth curve, as a standard deviation: from their differences from the mean of both neighbours, which have
    /// 3/2 of the variance of one loss and, where they are normal, a mean absolute value of sqrt(2 / pi) deviations.
    /// </summary>
    private static double Scatter(double[] losses) =>
        Enumerable.Range(1, losses.Length - 2).Average(i => Math.Abs(losses[i] - (losses[i - 1] + losses[i + 1]) / 2))
        / Math.Sqrt(1.5 * 2 / Math.PI);

    /// <summary>Whether the training loss falls since a step, or is far below the held-out loss of then.</summary>
    private static bool TrainingFalls(RunFacts facts, int step, double heldOutLoss)
    {
        double[] before = [.. facts.Steps.Where(taken => taken.Step <= step).Select(taken => taken.Loss)];
        double[] after = [.. facts.Steps.Where(taken => taken.Step > step).Select(taken => taken.Loss)];
        var (then, now) = (MeanEstimate.Of(before.TakeLast(before.Length / 2)), MeanEstimate.Of(after.TakeLast(after.Length / 2)));
        return then.Mean - now.Mean > 2 * then.ErrorOfDifference(now) || now.Mean + 2 * now.StandardError < heldOutLoss - leastRise;
    }

    /// <summary>
    /// As long as weights are far from where they go, the loss falls in proportion to the sum of the learning rates, whatever their
    /// schedule: a rate that is high enough gets to where this ends. The held-out loss shows it, which is of the same lists each time.
    /// </summary>
    private static RunDiagnosis? TooSlow(RunFacts facts)
    {
        EvaluationReport[] evaluations = [.. facts.OfSteps.Where(evaluation => double.IsFinite(evaluation.Metrics.Loss))];
        if (evaluations.Length < fewestEvaluations || facts.Kept?.Metrics is not { AccuracyLow: > 0.5 })
            return null;
        if (facts.LogSigmoidLosses is not { Length: > 0 } || evaluations[0] is not { Step: 0, Metrics.Loss: var start }
            || start < Math.Log(2) - learnedBefore)
            return null;
        var sums = new Dictionary<int, double> { [0] = 0 };
        var sum = 0.0;
        foreach (var step in facts.Steps)
            sums[step.Step] = sum += step.LearningRate;
        double[] losses = [.. evaluations.Select(evaluation => evaluation.Metrics.Loss)];
        double[] shares = [.. evaluations.Select(evaluation => sums.GetValueOrDefault(evaluation.Step) / sum)];
        // Of the updates' halves, at the mean of three evaluations.
        var middle = Math.Clamp(Array.FindIndex(shares, value => value >= 0.5), 1, losses.Length - 2);
        var (loss, share) = (losses[(middle - 1)..(middle + 2)].Average(), shares[(middle - 1)..(middle + 2)].Average());
        var (first, second) = ((losses[0] - loss) / share, (loss - losses[^1]) / (1 - share));
        var fall = losses[0] - losses[^1];
        return share is > 0.25 and < 0.75
            && fall >= Math.Max(leastFall, scattersOfChange * Scatter(losses)) && fall <= smallFall
            && second - steadyFall * first >= scattersOfSlope * Scatter(losses)
            && losses[^1] - losses.Min() <= Scatter(losses)
            ? new RunDiagnosis(
                DiagnosisId.LearningRateTooLow, DiagnosisSeverity.Warning,
                Text($"The held-out loss falls steadily, and by {fall:F3} only, to {losses[^1]:F3} after ")
                + Text($"{Counted.Of(evaluations[^1].Step, "step")}: the model has not learned what it could. Raise the learning ")
                + Text($"rate, whose peak is {facts.Steps.Max(step => step.LearningRate):G3}, or train longer."))
            : null;
    }

    private static RunDiagnosis? RewardsGrow(IReadOnlyList<EvaluationReport> evaluations)
    {
        if (evaluations.Count < fewestEvaluations)
            return null;
        static double Size(EvaluationReport evaluation) =>
            Math.Max(Math.Abs(evaluation.Metrics.RewardMean), evaluation.Metrics.RewardStandardDeviation);
        var (middle, last) = (evaluations[evaluations.Count / 2], evaluations[^1]);
        return Size(last) > largeReward && Size(last) > growth * Size(middle) && Size(last) > Size(evaluations[^2])
            ? new RunDiagnosis(
                DiagnosisId.RewardsGrow, DiagnosisSeverity.Warning,
                Text($"Rewards grow without bound: their mean is {last.Metrics.RewardMean:F1} and their standard deviation ")
                + Text($"{last.Metrics.RewardStandardDeviation:F1} after step {last.Step}; they were {middle.Metrics.RewardMean:F1} ")
                + Text($"and {middle.Metrics.RewardStandardDeviation:F1} after step {middle.Step}. Use --centering 0.01 or ")
                + "--reward-l2, a higher --weight-decay, or --normalize held-out for users that need a scale.")
            : null;
    }
}
