using Microsoft.Extensions.Logging;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Training.Data;

namespace RewardModel.Training.Checks;

/// <summary>Reads data and checks them, divided as training would divide them.</summary>
/// <param name="logger">Told what is left out, ignored, replaced or cut.</param>
internal sealed class DataCheckRun(ILogger logger)
{
    private readonly List<ListKeys> keys = [];
    private readonly List<ulong> groups = [];

    /// <summary>The model whose tokenizer and rule are used; null: only texts are checked.</summary>
    public ScoringModel? Model { get; init; }

    /// <summary>Fraction that is held out of the data, where there are no data for evaluation.</summary>
    public double EvaluationFraction { get; init; }

    /// <summary>Decides which part is held out.</summary>
    public ulong SplitSeed { get; init; }

    /// <summary>What is held out as a whole.</summary>
    public SplitBy SplitBy { get; init; }

    /// <summary>Most linear models that are trained at a time.</summary>
    public int MaxThreads { get; init; } = Environment.ProcessorCount;

    /// <summary>Checks files.</summary>
    /// <param name="data">Those of training.</param>
    /// <param name="evaluationData">Those of evaluation; null: a part of the others.</param>
    /// <exception cref="RankedDataException">Files can't be read, or have bad rows, which are errors.</exception>
    public DataReport Check(RankedListFiles data, RankedListFiles? evaluationData)
    {
        var check = new DataCheck((Model is null ? new DataCheckSettings() : DataCheckSettings.For(Model)) with { MaxThreads = MaxThreads });
        Read(data, check, isOfEvalData: false);
        var trainCount = keys.Count;
        if (evaluationData is not null)
            Read(evaluationData, check, isOfEvalData: true);
        var isHeldOut = new bool[keys.Count];
        if (evaluationData is not null)
            isHeldOut.AsSpan(trainCount).Fill(true);
        else if (PromptSplit.Of(
            SplitBy, keys.Count, index => keys[index], index => groups[index], check.NearDuplicateClusters, EvaluationFraction, SplitSeed) is { } sides)
            foreach (var index in sides.Eval)
                isHeldOut[index] = true;
        return check.Report(isHeldOut);
    }

    private void Read(RankedListFiles files, DataCheck check, bool isOfEvalData)
    {
        if (Model is not null)
        {
            using var _ = new ListReading(Model, logger) { KeepsLists = false, Seen = (list, ids, cut) => Add(list, ids, cut) }.Read(files);
            return;
        }
        using var rows = files.Open();
        foreach (var row in rows.Read())
        {
            if (row.TokenizedList is { } ids)
                Add(null, ids, default);
            foreach (var list in row.Lists)
                Add(list, null, default);
        }
        if (files.OnBadData == BadData.Error && rows.BadLines.Count > 0)
            throw RankedDataException.Of(rows.BadLines);
        DataLog.LogRows(DataNotes.Of(files.Name, rows.Summary([], []), rows.ListCount), logger);
        DataLog.CheckAnyIsLeft(files.Name, rows.ListCount, 0);

        void Add(RankedList? list, TokenizedList? ids, TruncationCount cut)
        {
            keys.Add(list is null ? ListKeys.Of(ids!) : ListKeys.Of(list));
            var group = list is null ? ids!.Group : list.Group;
            groups.Add(group is null ? 0 : ListKeys.OfGroup(group));
            if (list is null)
                check.Add(ids!, cut);
            else
                check.Add(list, ids, cut, isOfEvalData);
        }
    }
}
