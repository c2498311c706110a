using System.CommandLine;
using RewardModel.Data;
using RewardModel.Layouts;
using RewardModel.Reading;

namespace RewardModel.Cli;

/// <summary>The options that say which data are read, and how: the same of every command that reads any.</summary>
internal sealed class DataOptions
{
    private readonly bool areGrouped;
    private readonly Option<string[]> data;
    private readonly Option<string?> query = CommonOptions.Value<string?>(
        "--query", "SQL",
        "Rows to read in place of the files' own: a SELECT over them as the table data, such as \"SELECT question AS prompt, [good, bad] AS answers "
        + "FROM data\".");

    private readonly Option<string?> layout = CommonOptions.Value<string?>(
        "--layout", "NAME", "Layout of the rows (docs/layouts.md). Default: the first row shows it.");

    private readonly Option<string?> scoreFrom = CommonOptions.Value<string?>(
        "--score-from", "EXPRESSION", "Scores of answers, computed from numbers beside them, such as \"helpfulness + 0.5*correctness\".");

    private readonly Option<string?> groupBy = CommonOptions.Value<string?>(
        "--group-by", "COLUMN", "Column that says which group a row belongs to, such as its source. Default: no groups.");

    private readonly Option<BadData> onBadData = CommonOptions.OnBadData();

    /// <param name="description">What the data are for.</param>
    /// <param name="isRequired">Whether there has to be some.</param>
    /// <param name="areGrouped">Whether the groups of lists matter.</param>
    public DataOptions(string description, bool isRequired = true, bool areGrouped = false)
    {
        this.areGrouped = areGrouped;
        data = new Option<string[]>("--data")
        {
            Description = $"{description} A file of JSON, Parquet, CSV or TSV, plain, .gz or .zst, a folder, or a pattern in quotes; - reads standard "
            + "input. May be given several times.",
            Required = isRequired,
            HelpName = "PATH",
        };
    }

    /// <summary>The option that names the data.</summary>
    public Option<string[]> Data => data;

    /// <summary>All of them, in the order of the help.</summary>
    public IReadOnlyList<Option> All => [data, query, layout, scoreFrom, .. areGrouped ? [groupBy] : (Option[])[], onBadData];

    /// <summary>Gives a command these options, and what is wrong with them by itself.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in All)
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            try
            {
                if (result.GetValue(layout) is { } name)
                    DataLayout.Named(name, []);
                if (result.GetValue(scoreFrom) is { } expression)
                    _ = new ScoreExpression(expression);
            }
            catch (ArgumentException e)
            {
                result.AddError(e.Message);
            }
            // Only training has epochs.
            if (result.GetValue(data) is { } paths && DataSource.Weighted(new DataPaths(paths)) is { } weighted)
                result.AddError($"--data is '{weighted}': a weight has an effect in training only. Leave it out.");
        });
    }

    /// <summary>The files; null where none are given.</summary>
    public RankedListFiles? Of(ParseResult parsed) => parsed.GetValue(data) is { Length: > 0 } paths ? Of(parsed, new DataPaths(paths)) : null;

    /// <summary>Other files, read in the same way.</summary>
    public RankedListFiles Of(ParseResult parsed, DataPaths paths) => new(paths)
    {
        Tables = new DuckDbTables(),
        Query = parsed.GetValue(query),
        Layout = parsed.GetValue(layout),
        ScoreFrom = parsed.GetValue(scoreFrom),
        GroupBy = areGrouped ? parsed.GetValue(groupBy) : null,
        OnBadData = parsed.GetValue(onBadData),
    };
}
