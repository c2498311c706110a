using RewardModel.Lists;
using RewardModel.Training.Checks;
using static RewardModel.Training.Diagnosis.RunDiagnoses;

namespace RewardModel.Training.Diagnosis;

/// <summary>What of the check of its data makes a run worth less, and what is known of the model beside figures.</summary>
internal static class DataDiagnoses
{
    /// <summary>From this share of the held-out lists on, their accuracy is that of prompts which the model has seen.</summary>
    private const double largeLeak = 0.1;

    /// <summary>A share of all lists with which something is the rule rather than an exception.</summary>
    private const double manyCut = 0.25, manyIdentical = 0.1;

    public static IEnumerable<RunDiagnosis?> Of(RunFacts facts)
    {
        if (facts.Run?.PaddingProblem is { } problem)
            yield return new RunDiagnosis(
                DiagnosisId.HeadReadsPadding, DiagnosisSeverity.Warning, $"{char.ToUpperInvariant(problem[0])}{problem[1..]}");
        if (facts.Data is not { } data)
            yield break;
        yield return data.Split is { } split ? Leak(split) : null;
        if (data.CutLists is { Share: >= manyCut } cut)
            yield return new RunDiagnosis(
                DiagnosisId.Truncation, DiagnosisSeverity.Warning,
                $"{Some(cut, "lists")} lose tokens at the maximum length. Raise --max-length, or leave out what is long.");
        if (data.IdenticalAnswers is { Share: >= manyIdentical } identical)
            yield return new RunDiagnosis(
                DiagnosisId.IdenticalAnswers, DiagnosisSeverity.Warning,
                $"{Some(identical, "lists")} have answers with different scores that the model reads as the same: nothing can be "
                + "learned of them. Keep one of them, or raise --max-length where they are cut.");
    }

    private static RunDiagnosis? Leak(DataSplitReport split)
    {
        if (split.Leak.Count > 0)
            return new RunDiagnosis(
                DiagnosisId.Leak, split.Leak.Share >= largeLeak ? DiagnosisSeverity.Error : DiagnosisSeverity.Warning,
                $"{Some(split.Leak, "held-out lists")} {Counted.Verb(split.Leak.Count, "has", "have")} a prompt that is trained on, "
                + "too: the held-out accuracy is not that of new prompts. Divide the data by prompt.");
        var near = split.NearLeak is { Count: > 0 } ? split.NearLeak : split.LeakButForSpaceAndCase;
        return near is { Count: > 0 }
            ? new RunDiagnosis(
                DiagnosisId.Leak, DiagnosisSeverity.Warning,
                $"{Some(near, "held-out lists")} {Counted.Verb(near.Count, "has", "have")} a prompt nearly equal to one that is "
                + "trained on: the held-out accuracy flatters the model. Divide the data with --split-by near-duplicate.")
            : null;
    }

    private static string Some(DataCount count, string of) => Text($"{count.Count} of {count.Of} {of} ({ReportText.Percent(count.Share)})");
}
