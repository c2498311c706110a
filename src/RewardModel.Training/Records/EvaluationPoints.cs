using RewardModel.Training.Reporting;

namespace RewardModel.Training.Records;

/// <summary>The evaluations of a run that its curves show: all of them, or every so many, the best one and the last one.</summary>
internal sealed class EvaluationPoints
{
    /// <summary>More of them can't be told apart.</summary>
    private const int most = 400;

    public EvaluationPoints(IReadOnlyList<EvaluationReport> all)
    {
        var best = all.LastOrDefault(evaluation => evaluation.IsBest);
        Every = all.Count <= most ? 1 : (all.Count - 1) / most + 1;
        Shown = [.. all.Where((evaluation, i) => i % Every == 0 || i == all.Count - 1 || evaluation == best)];
        BestIndex = best is null ? null : Shown.ToList().IndexOf(best);
    }

    /// <summary>Those that are shown.</summary>
    public IReadOnlyList<EvaluationReport> Shown { get; }

    /// <summary>Which of them is the best; null where none is.</summary>
    public int? BestIndex { get; }

    /// <summary>Every how many evaluations one is shown.</summary>
    public int Every { get; }
}
