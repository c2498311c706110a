using System.CommandLine;
using RewardModel.Data;
using RewardModel.Files;
using RewardModel.Layouts;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Training.Data;

namespace RewardModel.Cli;

/// <summary><c>reward-model convert</c>: data in any layout as ranked lists of this library's own.</summary>
internal static class ConvertCommand
{
    private const string parquetEnding = ".parquet";

    public static Command Create(TextWriter output, TextWriter errors)
    {
        var data = new DataOptions("Ranked lists to convert.", areGrouped: true);
        var to = new Option<string>("--output", "-o")
        {
            Description = $"File to write: Parquet if its name ends with {parquetEnding}, else JSON lines; - is the standard output.",
            Required = true,
            HelpName = "FILE",
        };
        var command = new Command("convert", "Writes data of any layout as ranked lists, in JSON lines or Parquet.");
        data.AddTo(command);
        command.Options.Add(to);
        command.SetAction(parsed =>
        {
            var logger = new LineLogger(errors.WriteLine);
            var path = parsed.GetValue(to)!;
            var files = data.Of(parsed)!;
            if (path != DataPath.StandardInput && File.Exists(path))
                throw new UsageException($"--output is '{path}', which exists; expected a file that doesn't.");
            using var rows = files.Open();
            var lists = rows.Read().SelectMany(JsonOf);
            // Where bad rows are errors, no file is written.
            void Check()
            {
                if (files.OnBadData == BadData.Error && rows.BadLines.Count > 0)
                    throw RankedDataException.Of(rows.BadLines);
            }
            if (path == DataPath.StandardInput)
                WriteLines(output, lists, Check);
            else if (path.EndsWith(parquetEnding, StringComparison.OrdinalIgnoreCase))
                WriteParquet(path, lists, Check);
            else
                WriteFile(path, lists, Check);
            DataLog.LogRows(DataNotes.Of(files.Name, rows.Summary([], []), rows.ListCount), logger);
            DataLog.CheckAnyIsLeft(files.Name, rows.ListCount, 0);
            if (path != DataPath.StandardInput)
                output.WriteLine($"{Counted.Of(rows.ListCount, "list")}: {path}");
        });
        return command;
    }

    private static IEnumerable<string> JsonOf(ParsedRow row) =>
        row.TokenizedList is { } ids ? [OwnRow.Of(ids)] : row.Lists.Select(OwnRow.Of);

    private static void WriteLines(TextWriter output, IEnumerable<string> lists, Action check)
    {
        foreach (var list in lists)
            output.WriteLine(list);
        check();
    }

    private static void WriteFile(string path, IEnumerable<string> lists, Action check)
    {
        using var file = new PendingFile(path);
        using (var writer = new StreamWriter(file.Content, leaveOpen: true) { NewLine = "\n" })
            WriteLines(writer, lists, check);
        file.Commit();
    }

    private static void WriteParquet(string path, IEnumerable<string> lists, Action check)
    {
        using var file = new ParquetFile();
        foreach (var list in lists)
            file.Add(list);
        check();
        file.Write(path);
    }
}
