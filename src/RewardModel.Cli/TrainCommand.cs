using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using RewardModel.Ranking;
using RewardModel.Tokenizers;
using RewardModel.Training;
using RewardModel.Training.Optimization;
using RewardModel.Training.Runs;

namespace RewardModel.Cli;

/// <summary><c>reward-model train</c>: from ranked lists to a trained reward model in a directory.</summary>
internal static class TrainCommand
{
    private const string resumeName = "--resume";

    public static Command Create(TextWriter output, TextWriter errors)
    {
        var defaults = new TrainingOptions();
        // Every one of them is a member of TrainingRunOptions, by its name.
        Option[] options =
        [
            CommonOptions.Data("Ranked lists to train on.", required: false),
            CommonOptions.Value<string?>("--eval-data", "FILE", "Ranked lists to evaluate on."),
            CommonOptions.Value<double?>(
                "--eval-fraction", "X",
                "Fraction of the prompts of --data to hold out for evaluation; 0 means no evaluation. Default 0.1, without --eval-data."),
            CommonOptions.Value<string?>("--backbone", "DIR", "Hugging Face checkpoint to start from."),
            CommonOptions.Value<string?>("--config", "FILE", "Hugging Face config.json of a model to train from scratch."),
            CommonOptions.Value<string?>(
                "--tokenizer", "DIR", "Directory with a tokenizer, whose special tokens and chat template are taken with it. "
                + "Default: that of --backbone, with what its reward_model.json says, if it is a reward model. Not needed for token ids."),
            CommonOptions.Value<string?>("--output", "DIR", "Directory for the trained model and the run's log and states.").Or("-o"),
            CommonOptions.Value<int?>("--epochs", "N", "Passes over the lists. Default 1."),
            CommonOptions.Value<int?>("--steps", "N", "Optimiser steps, in place of --epochs."),
            CommonOptions.Value<double?>(
                "--learning-rate", "X", "Peak learning rate. Default 1e-5 with --backbone, 5e-4 with --config.").Or("--lr"),
            CommonOptions.Choice<ScheduleKind>("--schedule", "Learning-rate schedule after the warm-up."),
            CommonOptions.Value("--warmup-steps", "N", "Warm-up steps, over which the learning rate rises from 0.", defaults.WarmupSteps),
            CommonOptions.Value(
                "--final-learning-rate-ratio", "X", "Final learning rate of cosine and linear, as a fraction of the peak.",
                defaults.FinalLearningRateRatio),
            CommonOptions.Value("--weight-decay", "X", "Decoupled weight decay, of matrices only.", defaults.WeightDecay),
            new Option<bool>("--decay-all") { Description = "Weight decay of every parameter, biases and norms too." },
            CommonOptions.Value("--beta1", "X", "Decay of AdamW's running mean of gradients.", defaults.Beta1),
            CommonOptions.Value("--beta2", "X", "Decay of AdamW's running mean of squared gradients.", defaults.Beta2),
            CommonOptions.Value("--epsilon", "X", "Added to the square root of AdamW's second moment.", defaults.Epsilon),
            CommonOptions.Value("--max-grad-norm", "X", "Clip gradients to this global norm; 0 = off.", defaults.MaxGradientNorm),
            CommonOptions.Value("--dropout", "X", "Dropout rate of the whole architecture; 0 = off.", 0.0),
            CommonOptions.Value("--lists-per-step", "N", "Lists per optimiser step.", defaults.ListsPerStep),
            CommonOptions.MaxTokensPerBatch(),
            CommonOptions.Value<int?>(
                "--max-length", "N",
                "Most tokens of prompt and answer together: longer prompts are cut on the left. Default: what a reward model was saved "
                + "with, or what the model takes."),
            CommonOptions.Choice<TextEncoding>(
                "--encoding",
                "Whether a text prompt and its answer are encoded as one text, as transformers sees them, or each by itself; encoders read "
                + "two texts in any case. A saved reward model keeps its mode."),
            CommonOptions.Value<int?>(
                "--unfrozen-layers", "N", "Train only the last N layers and the head; the rest is frozen. Default: train everything."),
            CommonOptions.FrozenWeights(
                "How frozen weights are stored: in fewer bits they take less memory and are rounded. The model is saved with the original ones."),
            CommonOptions.Value("--loss", string.Join('|', RankingLoss.Names), "Ranking loss.", defaults.Loss),
            CommonOptions.Value(
                "--margin-scale", "X", "Margin of a pair in the log-sigmoid loss: this times its score difference; 0 = off.",
                defaults.MarginScale),
            CommonOptions.Choice<LossNormalization>("--loss-normalization", "Whether every list or every pair of a step weighs the same."),
            CommonOptions.Value("--seed", "N", "Seed of weights, order, split and dropout.", defaults.Seed),
            CommonOptions.Value<int?>("--eval-every", "N", "Steps between evaluations. Default: a tenth of the run."),
            CommonOptions.Choice<BestBy>(
                "--best-by", "Which evaluated weights the model ends with: of equal accuracies, those of the lower loss."),
            CommonOptions.Value<int?>("--save-every", "N", "Steps between saved states, to resume from. Default: a tenth of the run."),
            CommonOptions.Value(
                "--early-stop", "N", "Stop after this many evaluations without an improvement; 0 = off.", defaults.EarlyStopPatience),
            CommonOptions.Choice<Precision>(
                "--precision", "Type that matrix products are computed in, on a GPU attention too; all else is float32."),
            new Option<bool>("--activation-checkpointing")
            {
                Description = "Keep only the input of each layer and recompute the layer in the backward pass: "
                    + "less memory, more time, the same result.",
            },
            CommonOptions.Device(),
            CommonOptions.Threads(),
            CommonOptions.OnBadData(),
        ];
        var runFile = new Argument<string?>("RUN.yaml")
        {
            Description = "Options as lines such as 'epochs: 2', named as here without dashes. The command line takes precedence.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var resume = new Option<string?>(resumeName)
        {
            Description = "Continue from the newest state, if there is one. With DIR instead of --output, all options are those "
                + "that the run in DIR was started with, unless others are given here.",
            HelpName = "DIR",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Report data, steps, memory and time without training.",
        };
        var quiet = CommonOptions.Quiet();
        var verbose = CommonOptions.Verbose();
        var command = new Command("train", "Trains a reward model on ranked lists and saves it in a directory.") { runFile };
        foreach (var option in options)
            command.Options.Add(option);
        foreach (var option in new Option[] { resume, dryRun, quiet, verbose })
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetResult(resumeName) is null || result.GetValue(resume) is null || result.GetResult("--output") is null)
                return;
            result.AddError("Give --resume DIR, or --resume and --output DIR, not both.");
        });
        command.SetAction(parsed =>
        {
            var given = new JsonObject(options
                .Where(option => parsed.GetResult(option) is { Implicit: false })
                .Select(option => KeyValuePair.Create(
                    option.Name.TrimStart('-'), RunFile<TrainingRunOptions>.ToNode(parsed.GetRequiredValue<object>(option.Name)))));
            var isResumed = parsed.GetResult(resume) is not null;
            if (parsed.GetValue(resume) is { } directory)
                given["output"] = directory;
            var all = Options(given, parsed.GetValue(runFile), isResumed) with { Resume = isResumed };
            var display = new TrainingDisplay(errors, parsed.GetValue(quiet), parsed.GetValue(verbose));
            if (parsed.GetValue(dryRun))
                output.WriteLine(Text(display.Show(progress => new TrainingRun(all, display.Logger).Plan(progress))));
            else
                Run(all, display, output);
        });
        return command;
    }

    /// <summary>What is given on the command line, else what the run file says, else what the run that is resumed was started with.</summary>
    private static TrainingRunOptions Options(JsonObject given, string? runFile, bool isResumed)
    {
        var all = runFile is null ? [] : RunFile<TrainingRunOptions>.Read(runFile);
        // One of two options that exclude each other replaces the other.
        string[][] either = [["epochs", "steps"], ["backbone", "config"], ["eval-data", "eval-fraction"]];
        void Override(JsonObject by)
        {
            foreach (var (name, value) in by)
            {
                foreach (var other in either.Where(names => names.Contains(name)).SelectMany(names => names).Where(other => other != name))
                    if (!by.ContainsKey(other))
                        all.Remove(other);
                all[name] = value?.DeepClone();
            }
        }
        Override(given);
        if (isResumed && all["output"]?.GetValue<string>() is { } output && new RunDirectory(output).OptionsFile is var started
            && File.Exists(started))
        {
            var later = all;
            all = RunFile<TrainingRunOptions>.Read(started);
            // Written with all options that have a value; the steps count.
            if (all.ContainsKey("steps"))
                all.Remove("epochs");
            Override(later);
        }
        if (all.ContainsKey("epochs") && all.ContainsKey("steps"))
            throw new UsageException("Give --epochs or --steps, not both.");
        string[] missing = [.. new[] { "data", "output" }.Where(name => !all.ContainsKey(name)).Select(name => $"--{name}")];
        return missing.Length == 0
            ? RunFile<TrainingRunOptions>.ToOptions(all)
            : throw new UsageException($"{string.Join(" and ", missing)} {(missing.Length == 1 ? "is" : "are")} missing.");
    }

    private static void Run(TrainingRunOptions options, TrainingDisplay display, TextWriter output)
    {
        // Ctrl-C and a polite kill end the run after its current step, with its state saved; a second one ends it at once.
        using var stop = new CancellationTokenSource();
        void OnSignal(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            if (!stop.IsCancellationRequested)
                display.Say("Stopping after this step; its state will be saved. Press Ctrl-C again to stop at once, without that.");
            stop.Cancel();
        }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        var run = new TrainingRun(options, display.Logger);
        TrainingResult result;
        try
        {
            result = display.Show(progress => run.Run(progress, stop.Token));
        }
        catch (OperationCanceledException stopped)
        {
            throw new OperationCanceledException(
                new RunDirectory(options.Output).NewestStep is null
                    ? "Stopped before training began; there is no state to continue from."
                    : "Stopped. The state is saved: continue with --resume.",
                stopped);
        }

        if (result.StoppedEarly)
            output.WriteLine(
                $"Stopped after step {result.StepCount}: no evaluation had been better for {options.EarlyStopPatience} evaluations.");
        if (result.BestEvaluation is { } best)
            output.WriteLine($"Held-out lists, weights of step {best.Step}: {MetricsText.Of(best.Metrics)}");
        output.WriteLine($"Model: {options.Output}");
        output.WriteLine($"Log:   {new RunDirectory(options.Output).LogFile}");
    }

    private static string Text(TrainingPlan plan)
    {
        static string Size(long bytes) => Sizes.Bytes(bytes);
        (string Name, string Value)[] lines =
        [
            ("lists", Invariant($"{plan.TrainListCount:N0} to train on, {plan.HeldOutListCount:N0} held out")),
            ("answers", Invariant($"{plan.AnswerCount:N0}, {plan.PairCount:N0} pairs")),
            ("tokens", Invariant($"{plan.TokensPerEpoch:N0} an epoch, a shared prompt counted once")),
            ("steps", Invariant($"{plan.StepCount:N0}, {plan.StepsPerEpoch:N0} an epoch, learning rate {plan.LearningRate}")),
            ("parameters", Invariant($"{plan.ParameterCount:N0}, {plan.TrainedParameterCount:N0} of them trained")),
            ("memory", $"about {Size(plan.MemoryBytes)}: weights {Size(plan.Memory.Weights)}, gradients {Size(plan.Memory.Gradients)}, "
                + $"AdamW {Size(plan.Memory.Moments)}, the rest activations"),
            ("time", $"about {Sizes.Time(plan.Time)} on this machine, evaluations not counted"),
        ];
        return string.Join('\n', lines.Select(line => $"{line.Name,-12}{line.Value}"));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
