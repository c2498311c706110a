using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using RewardModel.Adapters;
using RewardModel.Data;
using RewardModel.Distributed;
using RewardModel.Ranking;
using RewardModel.Tokenizers;
using RewardModel.Training;
using RewardModel.Training.Data;
using RewardModel.Training.Optimization;
using RewardModel.Training.Recipes;
using RewardModel.Training.Runs;

namespace RewardModel.Cli;

/// <summary><c>reward-model train</c>: from ranked lists to a trained reward model in a directory.</summary>
internal static class TrainCommand
{
    private const string resumeName = "--resume";

    private static readonly TrainingInputs inputs = new() { Tables = new DuckDbTables() };

    public static Command Create(TextWriter output, TextWriter errors)
    {
        var defaults = new TrainingOptions();
        // Every one of them is a member of TrainingRunOptions, by its name.
        var data = new DataOptions(
            "Ranked lists to train on. PATH=X: an epoch has each list X times on average.", isRequired: false, areGrouped: true);
        Option[] options =
        [
            .. data.All,
            new Option<string[]>("--eval-data")
            {
                Description = "Ranked lists to evaluate on, given and read as --data. May be given several times.",
                HelpName = "PATH",
            },
            CommonOptions.Value<double?>(
                "--eval-fraction", "X",
                "Fraction of the prompts of --data to hold out for evaluation; 0 means no evaluation. Default 0.1, without --eval-data."),
            CommonOptions.Value<long?>("--split-seed", "N", "Seed of the choice of held-out prompts. Default: --seed."),
            CommonOptions.Choice<SplitBy>(
                "--split-by", "What is held out as a whole: prompts, groups of --group-by, or prompts that are nearly the same."),
            CommonOptions.Value<int?>("--max-lists-per-prompt", "N", "Maximum number of lists of one prompt to train on. Default: all."),
            CommonOptions.Value<string?>(
                "--cache", "DIR", "Keep the tokenised lists in DIR, so that a second run on the same data starts at once. Default: no cache."),
            CommonOptions.Value<string?>(
                "--backbone", "DIR", "Hugging Face checkpoint to start from, or adapter in PEFT's format to train further."),
            CommonOptions.Value<string?>(
                "--base-model", "DIR", "Base model of --backbone, where that is an adapter. Default: what its adapter_config.json says."),
            CommonOptions.OutputWeights(),
            CommonOptions.Value<string?>("--config", "FILE", "Hugging Face config.json of a model to train from scratch."),
            CommonOptions.Value<string?>(
                "--tokenizer", "DIR", "Directory with a tokenizer, whose special tokens and chat template are taken with it. "
                + "Default: that of --backbone, with what its reward_model.json says, if it is a reward model. Not needed for token ids."),
            CommonOptions.Value<string?>("--output", "DIR", "Directory for the trained model and the run's log and states.").Or("-o"),
            CommonOptions.Value<string?>(
                "--normalize", "none|held-out|held-out-best|reference:FILE",
                "Which answers give the trained model's rewards their scale: all held-out ones have mean 0 and standard deviation 1, or the best "
                + "ones of held-out lists mean 0, or those of a file. Default none: raw rewards."),
            new Option<bool>("--tensorboard")
            {
                Description = "Write steps and evaluations for TensorBoard as well, into training/tensorboard of the output directory.",
            },
            CommonOptions.Value<int?>("--epochs", "N", "Passes over the lists. Default 1."),
            CommonOptions.Value<int?>("--steps", "N", "Optimiser steps, in place of --epochs."),
            CommonOptions.Value<double?>(
                "--learning-rate", "X", "Peak learning rate. Default 1e-5 with --backbone, 1e-4 with adapters, 5e-4 with --config.").Or("--lr"),
            CommonOptions.Value<double?>("--head-learning-rate", "X", "Peak learning rate of the head. Default: that of everything."),
            CommonOptions.Value<double?>(
                "--layer-decay", "X",
                "Learning rate of a layer, as a fraction of that of the layer above it; the head has the full rate. Default 1."),
            CommonOptions.Choice<ScheduleKind>(
                "--schedule", "Learning-rate schedule after the warm-up; wsd is constant until its cooldown in the last steps."),
            CommonOptions.Value<int?>("--warmup-steps", "N", "Warm-up steps, over which the learning rate rises from 0. Default 0."),
            CommonOptions.Value<double?>("--warmup-ratio", "X", "Warm-up steps as a fraction of the run, in place of --warmup-steps."),
            CommonOptions.Value<double?>(
                "--final-learning-rate-ratio", "X",
                "Final learning rate of cosine, linear and wsd, as a fraction of the peak. Default 0."),
            CommonOptions.Value<int?>("--cooldown-steps", "N", "Last steps of wsd, in which the rate goes down. Default: a tenth of the run."),
            CommonOptions.Choice<OptimizerKind>(
                "--optimizer", "Optimiser: AdamW, AdamW with moments of 8 bits, or Adafactor, which keeps next to nothing."),
            CommonOptions.Value("--weight-decay", "X", "Decoupled weight decay, of matrices only.", defaults.WeightDecay),
            new Option<bool>("--decay-all") { Description = "Weight decay of every parameter, biases and norms too." },
            CommonOptions.Value<double?>("--beta1", "X", "Decay of AdamW's running mean of gradients. Default 0.9."),
            CommonOptions.Value<double?>("--beta2", "X", "Decay of AdamW's running mean of squared gradients. Default 0.999."),
            CommonOptions.Value<double?>("--epsilon", "X", "Added to the square root of AdamW's second moment. Default 1e-8."),
            CommonOptions.Value("--max-grad-norm", "X", "Clip gradients to this global norm; 0 = off.", defaults.MaxGradientNorm),
            CommonOptions.Value("--dropout", "X", "Dropout rate of the whole architecture; 0 = off.", 0.0),
            CommonOptions.Value<int?>("--lists-per-step", "N", "Lists per optimiser step. Default 32."),
            CommonOptions.Value<int?>(
                "--tokens-per-step", "N",
                "Tokens per optimiser step, in place of --lists-per-step: lists are taken until they have as many, a shared prompt counted once."),
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
            new Option<bool>("--freeze-embeddings") { Description = "Train everything but the embeddings." },
            CommonOptions.Value<int?>(
                "--lora-rank", "N", "Train low-rank adapters (LoRA) of this rank and the head; everything else is frozen. Default: no adapters."),
            CommonOptions.Value<double?>("--lora-alpha", "X", "Scale of adapters, over the rank. Default: twice the rank."),
            CommonOptions.Value<double?>("--lora-dropout", "X", "Dropout rate of what adapters take. Default 0."),
            CommonOptions.Value<string?>(
                "--lora-targets", "attention|all-linear|NAMES",
                "Layers that get an adapter: NAMES such as q_proj,v_proj are the ends of their names. Default attention."),
            new Option<bool>("--lora-rank-stabilized") { Description = "Divide the scale by the root of the rank instead of the rank (rsLoRA)." },
            CommonOptions.Choice<LoraBias>("--lora-bias", "Biases to train as well."),
            CommonOptions.Value<string?>(
                "--lora-modules-to-save", "NAMES", "Modules to train in full beside the head, such as embed_tokens. Default: none."),
            CommonOptions.FrozenWeights(
                "How frozen weights are stored: in fewer bits they take less memory and are rounded. The model is saved with the original ones."),
            CommonOptions.Value(
                "--loss", $"{string.Join('|', RankingLoss.Names)}|none", "Ranking loss; none trains by --pointwise alone.", defaults.Loss),
            CommonOptions.Value<string?>(
                "--margin", "none|X|column|score-difference*X|llama2-small|llama2-large",
                "By how much the rewards of a pair should be apart, in log-sigmoid and hinge: a number, the lists' own margin, a multiple of the "
                + "score difference, or steps of it. Default: none, 1 for hinge."),
            CommonOptions.Value(
                "--label-smoothing", "X", "Share of pairs whose labels are taken to be wrong, in log-sigmoid; 0 = off.", defaults.LabelSmoothing),
            CommonOptions.Choice<TieHandling>(
                "--ties", "Whether answers with equal scores make no pair, or one whose rewards should be equal, in log-sigmoid."),
            CommonOptions.Choice<RewardPositions>(
                "--reward-positions", "Compare rewards at the last token, or at all tokens from where answers differ, in log-sigmoid."),
            CommonOptions.Choice<LossNormalization>("--loss-normalization", "Whether every list or every pair of a step weighs the same."),
            CommonOptions.Choice<PointwiseLoss>(
                "--pointwise", "Loss of every answer by itself, for scores that mean the same in every list."),
            CommonOptions.Value<double?>("--pointwise-weight", "X", "What the pointwise loss is multiplied with. Default 1."),
            CommonOptions.Value(
                "--centering", "X", "Coefficient of the mean of (r_better + r_worse)^2 over pairs, added to the loss; 0 = off.", defaults.Centering),
            CommonOptions.Value(
                "--reward-l2", "X", "Coefficient of the mean of r^2 / 2 over answers, added to the loss; 0 = off.", defaults.RewardL2),
            CommonOptions.Value("--seed", "N", "Seed of weights, order, split and dropout.", defaults.Seed),
            CommonOptions.Value<int?>(
                "--seeds", "N",
                "Train N models with the seeds from --seed on, one after the other, into directories seed-S of --output: an ensemble. Held-out "
                + "prompts are the same for all."),
            CommonOptions.Value<int?>("--eval-every", "N", "Steps between evaluations. Default: a tenth of the run."),
            CommonOptions.Value<double?>(
                "--ema", "X",
                "Evaluate and keep an exponential moving average of the weights, of this decay, such as 0.999. Default: the weights themselves."),
            CommonOptions.Value<int?>(
                "--average-last", "N",
                "At the end, evaluate the average of the weights of the last N evaluations, and keep it if it is better, by --best-by."),
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
            CommonOptions.Choice<Sharding>(
                "--shard",
                "What ranks that a launcher (mpirun, srun) has started divide among them: what the optimiser keeps, gradients as well, weights as "
                + "well, which includes --activation-checkpointing."),
            new Option<bool>("--offload-optimizer")
            {
                Description = "Keep what the optimiser keeps in the CPU's memory, and do its work there; with --shard, also of one process.",
            },
            CommonOptions.Device(),
            CommonOptions.Threads(),
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
        var recipe = CommonOptions.Value<string?>(
            "--recipe", "NAME", "Start from the settings of a published recipe (see 'reward-model recipes'); the run file and the other "
            + "options replace them.");
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Report data, steps, memory and time without training.",
        };
        var hangMinutes = CommonOptions.Value(
            "--hang-minutes", "N", "End all ranks when one has waited this long for another.", Collectives.DefaultLimit.TotalMinutes);
        var quiet = CommonOptions.Quiet();
        var verbose = CommonOptions.Verbose();
        var command = new Command("train", "Trains a reward model on ranked lists and saves it in a directory.") { runFile };
        foreach (var option in options)
            command.Options.Add(option);
        foreach (var option in new Option[] { recipe, resume, dryRun, hangMinutes, quiet, verbose })
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
            var all = Options(parsed.GetValue(recipe), parsed.GetValue(runFile), given, isResumed) with { Resume = isResumed };
            var display = new TrainingDisplay(errors, parsed.GetValue(quiet), parsed.GetValue(verbose));
            var hangLimit = HangLimitOf(parsed.GetValue(hangMinutes));
            using var ranks = Collectives.FromEnvironment(
                hangLimit, Path.Combine(all.Output, RunDirectory.FolderName, "ranks"),
                onGpus: all.Device.StartsWith("cuda", StringComparison.Ordinal));
            if (ranks.Size > 1)
                RunTogether(all, parsed.GetValue(dryRun), CommandText.Of(parsed), ranks, display, output);
            else if (parsed.GetValue(dryRun))
                output.WriteLine(Plan(all, display));
            else if (all.Seeds is null)
                Run(all, CommandText.Of(parsed), ranks, display, output);
            else
                RunSeeds(all, CommandText.Of(parsed), display, output);
        });
        return command;
    }

    private static TimeSpan HangLimitOf(double minutes) => minutes is > 0 and <= 100_000
        ? TimeSpan.FromMinutes(minutes)
        : throw new UsageException(FormattableString.Invariant($"--hang-minutes is {minutes}; expected a number above 0, up to 100000."));

    /// <summary>
    /// What is given on the command line, else what the run file says, else the recipe, else what the run that is resumed was started with.
    /// </summary>
    private static TrainingRunOptions Options(string? recipe, string? runFile, JsonObject given, bool isResumed)
    {
        var all = recipe is null ? [] : SettingsOf(recipe);
        // One of two options that exclude each other replaces the other.
        string[][] either =
        [
            ["epochs", "steps"], ["backbone", "config"], ["eval-data", "eval-fraction"], ["warmup-steps", "warmup-ratio"],
            ["lists-per-step", "tokens-per-step"],
        ];
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
        if (runFile is not null)
            Override(RunFile<TrainingRunOptions>.Read(runFile));
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

    private static JsonObject SettingsOf(string recipe)
    {
        try
        {
            return TrainingRecipe.Named(recipe).Settings;
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message);
        }
    }

    private static string Plan(TrainingRunOptions options, TrainingDisplay display) => options.Seeds is { } count
        ? $"{Text(display.Show(progress => new EnsembleRun(options, display.Logger, inputs).Plan(progress)))}\n"
            + $"{"seeds",-12}{count}, one after the other: each of them as above"
        : Text(display.Show(progress => new TrainingRun(options, display.Logger, inputs).Plan(progress)));

    private static void RunSeeds(TrainingRunOptions options, string command, TrainingDisplay display, TextWriter output)
    {
        var run = new EnsembleRun(options, display.Logger, inputs) { Command = command };
        var result = display.ShowUntilStopped(
            run.Run, () => File.Exists(new RunDirectory(options.Output).OptionsFile));
        foreach (var (seed, trained) in result.Seeds.Zip(result.Results))
            if (trained.BestEvaluation is { } best)
                output.WriteLine($"Seed {seed}, held-out lists, {MetricsText.WeightsOf(best)}: {MetricsText.Of(best.Metrics)}");
        if (result.Metrics.Count > 0)
            output.WriteLine($"Over {result.Seeds.Count} seeds, mean ± standard deviation: {MetricsText.Of(result.Metrics)}");
        foreach (var directory in result.Directories)
            output.WriteLine($"Model: {directory}");
    }

    private static void RunTogether(
        TrainingRunOptions options, bool isDryRun, string command, ICollective ranks, TrainingDisplay display, TextWriter output)
    {
        try
        {
            Collectives.Run(
                ranks,
                () =>
                {
                    if (isDryRun || options.Seeds is not null)
                        throw new UsageException(
                            $"A launcher has started {ranks.Size} ranks, which train one model together; --dry-run and --seeds are for one "
                            + "process. Start it without the launcher.");
                    Run(options, command, ranks, display, output);
                },
                CommandLine.TroubleOf);
        }
        catch (OperationCanceledException) when (ranks.Rank > 0)
        {
            // The first rank tells it, and its exit code.
        }
    }

    private static void Run(
        TrainingRunOptions options, string command, ICollective ranks, TrainingDisplay display, TextWriter output)
    {
        var run = new TrainingRun(options, display.Logger, inputs, ranks) { Command = command };
        if (ranks.Rank > 0)
        {
            TrainingDisplay.UntilStopped(stop => run.Run(cancellation: stop));
            return;
        }
        var result = display.ShowUntilStopped(run.Run, () => new RunDirectory(options.Output).NewestStep is not null);
        if (result.StoppedEarly)
            output.WriteLine(
                $"Stopped after step {result.StepCount}: no evaluation had been better for {options.EarlyStopPatience} evaluations.");
        if (result.BestEvaluation is { } best)
            output.WriteLine($"Held-out lists, {MetricsText.WeightsOf(best)}: {MetricsText.Of(best.Metrics)}");
        output.WriteLine($"Model:  {options.Output}");
        output.WriteLine($"Report: {new RunDirectory(options.Output).ReportFile}");
        output.WriteLine($"Log:    {new RunDirectory(options.Output).LogFile}");
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
                + $"{OptionText.NameOf(plan.Optimizer)} {Size(plan.Memory.Moments)}, {(plan.Memory.Averages > 0 ? $"average {Size(plan.Memory.Averages)}, " : "")}"
                + "the rest activations"),
            ("time", $"about {Sizes.Time(plan.Time)} on this machine, evaluations not counted"
                + (plan.IsModelLoaded ? "" : "; the model doesn't fit in its memory, so these are the matrix products of its layers alone")),
        ];
        return string.Join('\n', lines.Select(line => $"{line.Name,-12}{line.Value}")) + (plan.Data is { } data ? $"\n\n{data.ToText()}" : "");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
