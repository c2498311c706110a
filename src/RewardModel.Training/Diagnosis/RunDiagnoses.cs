using System.Globalization;
using Microsoft.Extensions.Logging;

namespace RewardModel.Training.Diagnosis;

/// <summary>
/// Says what is wrong with a run and its model, and what to try: docs/diagnosis.md describes every diagnosis. Thresholds are set so that a
/// healthy run is told nothing but notes, at the price that a slight ailment stays unnoticed.
/// </summary>
internal static class RunDiagnoses
{
    /// <summary>What is wrong, the worst first.</summary>
    public static IReadOnlyList<RunDiagnosis> Of(RunFacts facts)
    {
        RunDiagnosis?[] found =
        [
            .. StepDiagnoses.Of(facts), .. EvaluationDiagnoses.Of(facts), .. ModelDiagnoses.Of(facts), .. DataDiagnoses.Of(facts),
        ];
        var order = DiagnosisId.All.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
        return
        [
            .. found.OfType<RunDiagnosis>().OrderByDescending(diagnosis => diagnosis.Severity).ThenBy(diagnosis => order[diagnosis.Id]),
        ];
    }

    /// <summary>Tells of them in a log: notes as information, all else as warnings.</summary>
    public static void Log(IReadOnlyList<RunDiagnosis> diagnoses, ILogger logger)
    {
        foreach (var diagnosis in diagnoses)
            logger.Log(
                diagnosis.Severity == DiagnosisSeverity.Note ? LogLevel.Information : LogLevel.Warning, "{Diagnosis} ({Id})",
                diagnosis.Sentence, diagnosis.Id);
    }

    /// <summary>A sentence, whose numbers are the same in all languages.</summary>
    public static string Text(FormattableString sentence) => sentence.ToString(CultureInfo.InvariantCulture);
}
