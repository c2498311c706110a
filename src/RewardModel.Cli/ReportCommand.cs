using System.CommandLine;
using System.Text;
using RewardModel.Training.Records;

namespace RewardModel.Cli;

/// <summary><c>reward-model report</c>: what is on record of a run, for other programs.</summary>
internal static class ReportCommand
{
    public static Command Create(TextWriter output)
    {
        var directory = new Argument<string>("DIR") { Description = "Output directory of a run, which may be going on." };
        var csv = CommonOptions.Value<string>("--csv", "FILE", "Write steps and evaluations as CSV, one row per step.");
        csv.Required = true;
        var command = new Command("report", "Writes what is on record of a run: its steps and evaluations.") { directory, csv };
        command.SetAction(parsed =>
        {
            var record = RunRecords.Read(parsed.GetValue(directory)!);
            var file = parsed.GetValue(csv)!;
            using (var text = new StreamWriter(file, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)))
                RunTable.Write(record, text);
            output.WriteLine($"CSV: {file}");
            return 0;
        });
        return command;
    }
}
