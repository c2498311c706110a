using RewardModel.Training.Evaluation;
using RewardModel.Training.Metrics;
using static RewardModel.Training.Diagnosis.RunDiagnoses;

namespace RewardModel.Training.Diagnosis;

/// <summary>What the evaluation of a model in full shows.</summary>
internal static class ModelDiagnoses
{
    private const string chance = "chance";
    private const string byTruncation = "truncation";
    private const string cutRow = "cut";

    /// <summary>Where something that understands nothing is right so often, the data are easy, and no model can be much better.</summary>
    private const double easyData = 0.95;

    /// <summary>How much more often than in the data the model has to prefer the longer answer, or the shorter one.</summary>
    private const double lengthExcess = 0.05;

    public static IEnumerable<RunDiagnosis?> Of(RunFacts facts)
    {
        if (facts.Evaluation is not { } evaluation)
            yield break;
        yield return Baseline(evaluation);
        yield return Length(evaluation.Length);
        yield return Truncation(evaluation.Tables.FirstOrDefault(table => table.By == byTruncation));
    }

    /// <summary>Beside the best of those that understand nothing; chance itself is told of by the accuracy's interval.</summary>
    private static RunDiagnosis? Baseline(RewardEvaluation evaluation)
    {
        var others = evaluation.Baselines.Where(baseline => baseline.Name != chance);
        if (others.MaxBy(baseline => baseline.Accuracy) is not { Accuracy: > 0.5 } best)
            return null;
        var accuracy = best.Accuracy + best.Difference;
        var interval = Text($"{best.DifferenceLow:F3} to {best.DifferenceHigh:F3}");
        return best switch
        {
            { DifferenceHigh: < 0 } => new RunDiagnosis(
                DiagnosisId.WorseThanBaseline, DiagnosisSeverity.Error,
                Text($"The accuracy of {accuracy:F3} is below the {best.Accuracy:F3} of {BaselineName.InWords(best.Name)}, which understands nothing: the ")
                + Text($"difference of {best.Difference:F3} has the 95 % interval {interval}. Train longer, with another learning ")
                + "rate, or with more lists."),
            { DifferenceLow: <= 0 } => new RunDiagnosis(
                DiagnosisId.IntervalWiderThanDifference,
                best.Accuracy >= easyData ? DiagnosisSeverity.Note : DiagnosisSeverity.Warning,
                Text($"The accuracy of {accuracy:F3} can't be told from the {best.Accuracy:F3} of {BaselineName.InWords(best.Name)}, which understands ")
                + Text($"nothing: the difference of {best.Difference:F3} has the 95 % interval {interval}, which contains 0. ")
                + (best.Accuracy >= easyData
                    ? "The data are too easy to show what the model is worth: evaluate on others as well."
                    : "Evaluate on more prompts, and train on lists whose better answer is not given away by that.")),
            _ => null,
        };
    }

    private static RunDiagnosis? Length(LengthBias? length) => length switch
    {
        { BetterIsShorter: { AccuracyHigh: < 0.5 } row } when length.LongerIsPreferred - length.LongerIsBetter > lengthExcess =>
            OfLength(length.LongerIsPreferred, length.LongerIsBetter, row, "longer", "shorter"),
        { BetterIsLonger: { AccuracyHigh: < 0.5 } row } when length.LongerIsBetter - length.LongerIsPreferred > lengthExcess =>
            OfLength(1 - length.LongerIsPreferred, 1 - length.LongerIsBetter, row, "shorter", "longer"),
        _ => null,
    };

    private static RunDiagnosis OfLength(double preferred, double better, AccuracyRow row, string which, string other) => new(
        DiagnosisId.LengthBias, DiagnosisSeverity.Warning,
        Text($"The model prefers the {which} answer in {preferred:P1} of the pairs, which is the better one in {better:P1}; where the ")
        + Text($"{other} one is better, it is right in {row.Accuracy:P1} of {row.PairCount} pairs. Train on more pairs whose better ")
        + Text($"answer is the {other} one, or of ")
        + "similar lengths.");

    private static RunDiagnosis? Truncation(AccuracyTable? table)
    {
        var cut = table?.Rows.FirstOrDefault(row => row.Name == cutRow);
        var whole = table?.Rows.FirstOrDefault(row => row.Name != cutRow);
        return cut is not null && whole is not null && cut.AccuracyHigh < whole.AccuracyLow
            ? new RunDiagnosis(
                DiagnosisId.Truncation, DiagnosisSeverity.Warning,
                Text($"The accuracy is {cut.Accuracy:F3} on {cut.ListCount} lists that are cut at the maximum length and ")
                + Text($"{whole.Accuracy:F3} on the ")
                + "others: what decides is cut off. Raise --max-length.")
            : null;
    }
}
