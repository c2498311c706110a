using System.CommandLine;
using System.Text;
using RewardModel.Files;
using RewardModel.Training.Records;
using RewardModel.Training.Runs;

namespace RewardModel.Cli;

/// <summary><c>reward-model report</c>: the report of a run, from what is on record of it, and its steps for other programs.</summary>
internal static class ReportCommand
{
    public static Command Create(TextWriter output)
    {
        var directory = new Argument<string>("DIR") { Description = "Output directory of a run, which may be going on." };
        var target = CommonOptions.Value<string?>("--output", "FILE", "Where to write the report. Default: DIR/report.html.").Or("-o");
        var csv = CommonOptions.Value<string?>("--csv", "FILE", "Write steps and evaluations as CSV as well, one row per step.");
        var command = new Command("report", "Writes the report of a run again, from what is on record of it.") { directory, target, csv };
        command.SetAction(parsed =>
        {
            var run = parsed.GetValue(directory)!;
            CommonOptions.CheckFolder("--output", parsed.GetValue(target));
            CommonOptions.CheckFolder("--csv", parsed.GetValue(csv));
            var record = RunRecords.Read(run);
            var report = parsed.GetValue(target) ?? new RunDirectory(run).ReportFile;
            PendingFile.WriteText(report, HtmlReport.Of(record));
            output.WriteLine($"Report: {report}");
            if (parsed.GetValue(csv) is not { } file)
                return;
            using var table = new PendingFile(file);
            using (var text = new StreamWriter(table.Content, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true))
                RunTable.Write(record, text);
            table.Commit();
            output.WriteLine($"CSV:    {file}");
        });
        return command;
    }
}
