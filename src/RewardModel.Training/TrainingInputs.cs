using RewardModel.Layouts;
using RewardModel.Reading;
using RewardModel.Training.Data;

namespace RewardModel.Training;

/// <summary>What a run reads its lists with, or from, that can't be written in a run file.</summary>
public sealed record TrainingInputs
{
    /// <summary>
    /// What reads tables and queries: <c>new DuckDbTables()</c> of the package RewardModel.Data. Null (default): files of JSON alone are read.
    /// </summary>
    public ITableReader? Tables { get; init; }

    /// <summary>Layouts of your own, which rows are compared with before those that are known.</summary>
    public IReadOnlyList<DataLayout> Layouts { get; init; } = [];

    /// <summary>The lists to train on, in place of <see cref="TrainingRunOptions.Data"/>. Null (default): those of the files.</summary>
    public IRankedListSource? Data { get; init; }

    /// <summary>
    /// The lists to evaluate on, in place of <see cref="TrainingRunOptions.EvaluationData"/>. Null (default): those of the files, or held-out ones.
    /// </summary>
    public IRankedListSource? EvaluationData { get; init; }

    /// <exception cref="OptionsException">The options name data as well, or no data at all.</exception>
    internal void Check(TrainingRunOptions options)
    {
        if ((Data is null) == (options.Data.Count == 0))
            throw new OptionsException(
                Data is null
                    ? "There is nothing to train on: --data is empty; expected files, or a source of lists in TrainingInputs.Data."
                    : $"--data is '{options.Data}', and TrainingInputs.Data is a source of lists as well; expected one of them.");
        if (EvaluationData is not null && (options.EvaluationData is not null || options.EvaluationFraction is not null))
            throw new OptionsException(
                "TrainingInputs.EvaluationData is a source of lists beside --eval-data or --eval-fraction; expected one of them.");
        if (EvaluationData is not null && options.SplitBy != SplitBy.Prompt)
            throw new OptionsException(
                $"{TrainingOptions.NameOf(nameof(options.SplitBy))} is {options.SplitBy}, and TrainingInputs.EvaluationData gives the held-out lists; "
                + "expected one of them.");
        if (options.Layout is { } layout)
            CheckLayout(layout);
        string[] ofFiles =
        [
            .. new (string Name, object? Value)[]
            {
                (nameof(options.Query), options.Query), (nameof(options.Layout), options.Layout), (nameof(options.ScoreFrom), options.ScoreFrom),
                (nameof(options.GroupBy), options.GroupBy), (nameof(options.Cache), options.Cache),
            }.Where(option => option.Value is not null).Select(option => TrainingOptions.NameOf(option.Name)),
        ];
        if (Data is not null && ofFiles.Length > 0)
            throw new OptionsException(
                $"{string.Join(", ", ofFiles)}: of files, and TrainingInputs.Data is a source of lists; expected none of these. A list in code has its "
                + "scores and its group already.");
    }

    private void CheckLayout(string name)
    {
        try
        {
            DataLayout.Named(name, Layouts);
        }
        catch (ArgumentException e)
        {
            throw new OptionsException(e.Message);
        }
    }
}
