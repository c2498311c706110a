using System.CommandLine;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;
using RewardModel.Checkpoints;
using RewardModel.Jinja;
using RewardModel.Reading;
using RewardModel.Tokenizers;
using RewardModel.Training;
using RewardModel.Training.Runs;

namespace RewardModel.Cli;

/// <summary>The <c>reward-model</c> command: its sub-commands, and how trouble is told.</summary>
internal static class CommandLine
{
    /// <summary>
    /// The command is wrong, or its data or model can't be used. System.CommandLine's own exit status for wrong options, too.
    /// </summary>
    private const int failure = 1;

    /// <summary>Ended by Ctrl-C, as shells tell it.</summary>
    private const int interrupted = 130;

    public static RootCommand Root(TextWriter output, TextWriter errors) =>
        new("Trains reward models on ranked answer lists, and scores answers with them.")
        {
            TrainCommand.Create(output),
            EvaluateCommand.Create(output, errors),
            ScoreCommand.Create(output, errors),
            InspectCommand.Create(output),
            TokenizeCommand.Create(output),
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
            var parsed = Root(output, errors).Parse(args);
            // The errors alone: a screenful of help before them would hide them.
            if (parsed.Action is ParseErrorAction action)
                action.ShowHelp = false;
            return parsed.Invoke(configuration);
        }
        // Trouble that its message explains. Anything else is a defect of ours, and its stack trace is wanted.
        catch (Exception e) when (e is CheckpointException or TokenizerException or ChatTemplateException or RankedDataException
            or RunDirectoryException or TrainingDivergedException or ArgumentException or IOException or UnauthorizedAccessException
            or TorchUnavailableException
            or ExternalException)
        {
            errors.WriteLine($"error: {e.Message}");
            return failure;
        }
        catch (OperationCanceledException)
        {
            errors.WriteLine("Stopped. Its state is saved: run the same command with --resume to go on.");
            return interrupted;
        }
    }
}
