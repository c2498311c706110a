using RewardModel.Training.Reporting;

namespace RewardModel.Training.Records;

/// <summary>How a run was started, on what, and when.</summary>
internal static class RunSummary
{
    /// <summary>Writes it.</summary>
    public static void Write(Html html, RunRecord record, RunReport run)
    {
        if (run.Command is not null)
            using (html.Open("pre", ("class", "command")))
                html.Element("code", run.Command);
        WriteFacts(html, Facts(record, run));
        if (run.Options.Count == 0)
            return;
        html.Element("h3", "Options that differ from their defaults");
        WriteFacts(html, run.Options.Select(option => (option.Key, (string?)option.Value)));
    }

    /// <summary>Facts below each other; those that are null are left out.</summary>
    public static void WriteFacts(Html html, IEnumerable<(string Name, string? Fact)> facts, string? kind = null)
    {
        using var _ = html.Open("dl", ("class", kind is null ? "facts" : $"facts {kind}"));
        foreach (var (name, fact) in facts)
            if (fact is not null)
                using (html.Open("div"))
                {
                    html.Element("dt", name);
                    html.Element("dd", fact, ("dir", "auto"));
                }
    }

    private static IEnumerable<(string Name, string? Fact)> Facts(RunRecord record, RunReport run) =>
    [
        ("model", run.Model),
        ("parameters", $"{NumberText.Count(run.ParameterCount)}, of which {NumberText.Count(run.TrainedParameterCount)} are trained"),
        ("training lists", NumberText.Count(run.ListCount)),
        ("held-out lists", NumberText.Count(run.HeldOutListCount)),
        ("digest of the data", run.DataDigest),
        ("device", run.Device),
        ("version", run.Version),
        ("libraries", run.Libraries),
        ("began", record.StartTime is { } start ? NumberText.Time(start) : null),
        (record.IsFinished ? "ended" : "last heard of", record.LastTime is { } last ? NumberText.Time(last) : null),
        ("time", record is { StartTime: { } from, LastTime: { } to } ? NumberText.Duration(to - from) : null),
        ("steps", NumberText.Count(run.StepCount)),
        ("tokens trained on", record.Steps.Count > 0 ? NumberText.Count(record.Steps[^1].TokensSeen) : null),
        ("resumed after step", record.ResumedAfter.Count > 0 ? string.Join(", ", record.ResumedAfter.Select(step => NumberText.Count(step))) : null),
    ];
}
