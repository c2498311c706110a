using System.CommandLine;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;
using System.Text.Json;
using RewardModel.Checkpoints;
using RewardModel.Distributed;
using RewardModel.Jinja;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tokenizers;
using RewardModel.Training;
using RewardModel.Training.Runs;

namespace RewardModel.Cli;

/// <summary>The <c>reward-model</c> command: its sub-commands, and how trouble is told.</summary>
internal static class CommandLine
{
    /// <summary>The data or the model can't be used, or the run failed.</summary>
    private const int failure = 1;

    /// <summary>The command itself is wrong, as other programs tell it.</summary>
    private const int wrongUsage = 2;

    /// <summary>Ended by Ctrl-C, as shells tell it.</summary>
    private const int interrupted = 130;

    public static RootCommand Root(TextWriter output, TextWriter errors) =>
        new("Trains reward models on ranked answer lists, and scores answers with them.")
        {
            TrainCommand.Create(output, errors),
            RecipesCommand.Create(output),
            PlanCommand.Create(output),
            SweepCommand.Create(output, errors),
            WatchCommand.Create(output),
            ReportCommand.Create(output),
            EvaluateCommand.Create(output, errors),
            CompareCommand.Create(output, errors),
            ScoreCommand.Create(ScoreOutput.Rewards, output, errors),
            ScoreCommand.Create(ScoreOutput.Ranking, output, errors),
            ScoreCommand.Create(ScoreOutput.Best, output, errors),
            ServeCommand.Create(output, errors),
            ExportCommand.Create(output, errors),
            NormalizeCommand.Create(output, errors),
            AverageCommand.Create(output, errors),
            InspectCommand.Create(output),
            VerifyCommand.Create(output),
            CheckDataCommand.Create(output, errors),
            ConvertCommand.Create(output, errors),
            TokenizeCommand.Create(output, errors),
        };

    public static int Run(string[] args, TextWriter output, TextWriter errors)
    {
        var configuration = new InvocationConfiguration
        {
            Output = output,
            Error = errors,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        try
        {
            // A text that begins with @ is a text.
            var parsed = Root(output, errors).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Action is not ParseErrorAction)
                return parsed.Invoke(configuration);
            // The errors alone: a screenful of help before them would hide them.
            foreach (var error in parsed.Errors)
                errors.WriteLine($"error: {error.Message}");
            return wrongUsage;
        }
        catch (Exception e) when (e is UsageException or OptionsException or RunFileException)
        {
            errors.WriteLine($"error: {e.Message}");
            return wrongUsage;
        }
        catch (Exception e) when (TroubleOf(e) is { } trouble)
        {
            errors.WriteLine($"error: {trouble}");
            return failure;
        }
        catch (OperationCanceledException e)
        {
            errors.WriteLine(e.Message);
            return interrupted;
        }
    }

    /// <summary>
    /// What there is to say of trouble that its message explains. Null for what is a defect of ours: its stack trace is wanted.
    /// </summary>
    internal static string? TroubleOf(Exception exception) =>
        exception is CheckpointException or TokenizerException or ChatTemplateException or RankedDataException or RunDirectoryException
            or TrainingDivergedException or NotFiniteRewardException or ArgumentException or IOException or UnauthorizedAccessException or TorchUnavailableException
            or DistributedException or ExternalException
            ? Text(exception)
            : null;

    /// <summary>Without what .NET adds for programmers: the parameter's name, and the value again.</summary>
    private static string Text(Exception exception)
    {
        var text = exception.Message;
        if (exception is ArgumentException { ParamName: { } name })
            text = text.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal);
        if (exception is not ArgumentOutOfRangeException { ActualValue: { } value, ParamName: { } outOfRange })
            return text;
        // An argument that the library refuses has the name of its option.
        return $"--{JsonNamingPolicy.KebabCaseLower.ConvertName(outOfRange)} is {value}; {text.Split('\n')[0].TrimEnd('\r')}";
    }
}
