using System.CommandLine;
using System.Text.Json;
using RewardModel.Training.Runs;

namespace RewardModel.Cli;

/// <summary><c>reward-model verify</c>: whether the files of a model or of a run are as they were saved.</summary>
internal static class VerifyCommand
{
    private const int isDamaged = 1;

    private static readonly JsonSerializerOptions jsonOptions = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create(TextWriter output)
    {
        var directory = new Argument<string>("DIR") { Description = "Directory of a model, of an adapter, or of a training run." };
        var values = new Option<bool>("--values") { Description = "Read every weight, too, to find numbers that are not finite." };
        var json = CommonOptions.Json("Print everything as one JSON array.");
        var command = new Command(
            "verify", "Compares the files of a model or of a training run with the sizes and checksums that were saved with them.")
        {
            directory, values, json,
        };
        command.SetAction(parsed =>
        {
            var parts = SavedFiles.Verify(parsed.GetValue(directory)!, parsed.GetValue(values));
            if (parsed.GetValue(json))
                output.WriteLine(JsonSerializer.Serialize(parts, jsonOptions));
            else
                foreach (var part in parts)
                    output.WriteLine($"{part.Name}: {Text(part)}");
            return parts.All(part => part.Problems.Count == 0) ? 0 : isDamaged;
        });
        return command;
    }

    private static string Text(VerifiedPart part) => part switch
    {
        { Problems: [_, ..] } => $"damaged:{string.Concat(part.Problems.Select(problem => $"\n  {problem}."))}",
        { IsProven: true } => "as it was saved.",
        _ => "no problem found, but there are no checksums: it was not saved by this program, or by an earlier version.",
    };
}
