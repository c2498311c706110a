using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tokenizers;
using RewardModel.Training;
using RewardModel.Training.Data;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;
using TorchSharp;

namespace RewardModel.Cli;

/// <summary><c>reward-model train</c>: from ranked lists to a trained reward model in a directory.</summary>
internal static class TrainCommand
{
    public static Command Create(TextWriter output)
    {
        var defaults = new TrainingOptions();
        var data = CommonOptions.Data("Ranked lists to train on.");
        var evalData = CommonOptions.Value<FileInfo?>("--eval-data", "FILE", "Ranked lists to evaluate on.");
        var evalFraction = CommonOptions.Value<double?>(
            "--eval-fraction", "X",
            "Share of the prompts of --data that is held out for evaluation; 0 means no evaluation. Default 0.1, without --eval-data.");
        var backbone = CommonOptions.Value<DirectoryInfo?>("--backbone", "DIR", "Hugging Face checkpoint to start from.");
        var config = CommonOptions.Value<FileInfo?>("--config", "FILE", "Hugging Face config.json of a model to train from scratch.");
        var tokenizer = CommonOptions.Value<DirectoryInfo?>(
            "--tokenizer", "DIR", "Directory with a tokenizer, whose special tokens and chat template are taken with it. "
            + "Default: that of --backbone, with what its reward_model.json says, if it is a reward model. Not needed for tokenised data.");
        var outputDirectory = CommonOptions.Value<DirectoryInfo>(
            "--output", "DIR", "Directory for the trained model and the run's log and states.");
        outputDirectory.Required = true;
        var epochs = CommonOptions.Value<int?>("--epochs", "N", "Passes over the lists. Default 1.");
        var steps = CommonOptions.Value<int?>("--steps", "N", "Optimiser steps, in place of --epochs.");
        var learningRate = CommonOptions.Value<double?>(
            "--learning-rate", "X", "Highest learning rate. Default 1e-5 with --backbone, 5e-4 with --config.");
        var schedule = CommonOptions.Choice<ScheduleKind>("--schedule", "How the learning rate goes down after the warm-up.");
        var warmupSteps = CommonOptions.Value<int>("--warmup-steps", "N", "Steps over which the learning rate rises from 0.", 0);
        var finalRatio = CommonOptions.Value<double>(
            "--final-learning-rate-ratio", "X", "Share of the learning rate that is left at the end of cosine and linear.", 0);
        var weightDecay = CommonOptions.Value<double>(
            "--weight-decay", "X", "Decoupled weight decay, of matrices only.", defaults.Optimizer.WeightDecay);
        var decayAll = new Option<bool>("--decay-all") { Description = "Weight decay of every parameter, biases and norms too." };
        var beta2 = CommonOptions.Value<double>(
            "--beta2", "X", "Decay of AdamW's running mean of squared gradients.", defaults.Optimizer.Beta2);
        var maxGradNorm = CommonOptions.Value<double>(
            "--max-grad-norm", "X", "Gradients are scaled down to this norm; 0 = off.", defaults.MaxGradientNorm);
        var dropout = CommonOptions.Value<double>("--dropout", "X", "Rate of every dropout the architecture has; 0 = off.", 0);
        var listsPerStep = CommonOptions.Value<int>("--lists-per-step", "N", "Lists of one optimiser step.", defaults.ListsPerStep);
        var maxTokensPerBatch = CommonOptions.MaxTokensPerBatch();
        var maxLength = CommonOptions.Value<int?>(
            "--max-length", "N",
            "Most tokens of prompt and answer together: longer prompts are cut on the left. Default: what a reward model was saved "
            + "with, or what the model takes.");
        var encoding = CommonOptions.Choice<TextEncoding>(
            "--encoding",
            "Whether a text prompt and its answer are encoded as one text, as transformers sees them, or each by itself; encoders read two "
            + "texts in any case. A reward model goes on as it was saved.");
        var loss = CommonOptions.Value<string>("--loss", string.Join('|', RankingLoss.Names), "Ranking loss.", defaults.Loss);
        var lossNormalization = CommonOptions.Choice<LossNormalization>(
            "--loss-normalization", "Whether every list or every pair of a step weighs the same.");
        var seed = CommonOptions.Value<long>("--seed", "N", "Seed of weights, order, split and dropout.", 0);
        var evaluationInterval = CommonOptions.Value<int?>("--eval-every", "N", "Steps between evaluations. Default: a tenth of the run.");
        var saveInterval = CommonOptions.Value<int?>(
            "--save-every", "N", "Steps between saved states, to resume from. Default: a tenth of the run.");
        var patience = CommonOptions.Value<int>(
            "--early-stop", "N", "End after this many evaluations without a better accuracy; 0 = off.", 0);
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var precision = CommonOptions.Choice<Precision>(
            "--precision", "Type that matrix products are computed in, on a GPU attention too; all else is float32.");
        var checkpointing = new Option<bool>("--activation-checkpointing")
        {
            Description = "Keep of each layer only its input, and compute the layer again in the backward pass: "
                + "the same result in less memory and about a third more time.",
        };
        var resume = new Option<bool>("--resume") { Description = "Go on from the newest state in --output." };
        var onBadData = CommonOptions.OnBadData();

        var command = new Command("train", "Trains a reward model on ranked lists.")
        {
            data, evalData, evalFraction, backbone, config, tokenizer, outputDirectory, epochs, steps, learningRate, schedule, warmupSteps,
            finalRatio, weightDecay, decayAll, beta2, maxGradNorm, dropout, listsPerStep, maxTokensPerBatch, maxLength, encoding, loss,
            lossNormalization, seed, evaluationInterval, saveInterval, patience, precision, checkpointing, device, threads, resume,
            onBadData,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(backbone) is null == result.GetResult(config) is null)
                result.AddError("Give either --backbone DIR (start from a checkpoint) or --config FILE (train from scratch).");
            if (result.GetResult(evalData) is not null && result.GetResult(evalFraction) is not null)
                result.AddError("Give --eval-data or --eval-fraction, not both.");
            if (result.GetResult(epochs) is not null && result.GetResult(steps) is not null)
                result.AddError("Give --epochs or --steps, not both.");
        });
        command.SetAction(parsed =>
        {
            var options = new TrainingOptions
            {
                Epochs = parsed.GetValue(epochs) ?? 1,
                Steps = parsed.GetValue(steps),
                LearningRate = parsed.GetValue(learningRate) ?? (parsed.GetValue(backbone) is null ? 5e-4 : 1e-5),
                Schedule = parsed.GetValue(schedule),
                WarmupSteps = parsed.GetValue(warmupSteps),
                FinalLearningRateRatio = parsed.GetValue(finalRatio),
                Optimizer = new AdamWOptions
                {
                    Beta2 = parsed.GetValue(beta2),
                    WeightDecay = parsed.GetValue(weightDecay),
                    DecayAll = parsed.GetValue(decayAll),
                },
                MaxGradientNorm = parsed.GetValue(maxGradNorm),
                ListsPerStep = parsed.GetValue(listsPerStep),
                MaxTokensPerBatch = parsed.GetValue(maxTokensPerBatch),
                Precision = parsed.GetValue(precision),
                ActivationCheckpointing = parsed.GetValue(checkpointing),
                Loss = parsed.GetValue(loss)!,
                LossNormalization = parsed.GetValue(lossNormalization),
                Seed = parsed.GetValue(seed),
                EvaluationInterval = parsed.GetValue(evaluationInterval),
                SaveInterval = parsed.GetValue(saveInterval),
                EarlyStopPatience = parsed.GetValue(patience),
            };
            // Ctrl-C and a polite kill end the run after its current step, with its state saved; a second one ends it at once.
            using var stop = new CancellationTokenSource();
            void OnSignal(PosixSignalContext signal)
            {
                signal.Cancel = !stop.IsCancellationRequested;
                stop.Cancel();
            }
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
            Run(
                new Inputs(
                    parsed.GetValue(data)!.FullName, parsed.GetValue(evalData)?.FullName, parsed.GetValue(evalFraction) ?? 0.1,
                    parsed.GetValue(onBadData),
                    parsed.GetValue(backbone)?.FullName, parsed.GetValue(config)?.FullName, parsed.GetValue(tokenizer)?.FullName,
                    parsed.GetValue(maxLength), parsed.GetResult(encoding) is null ? null : parsed.GetValue(encoding),
                    parsed.GetValue(dropout), parsed.GetValue(outputDirectory)!.FullName,
                    parsed.GetValue(resume), parsed.GetValue(device)!, parsed.GetValue(threads)),
                options, output, stop.Token);
        });
        return command;
    }

    private static void Run(Inputs inputs, TrainingOptions options, TextWriter output, CancellationToken cancellation)
    {
        Threads.Set(inputs.Threads);
        var device = Devices.Named(inputs.Device);
        var logger = new LineLogger(output);
        var directory = new RunDirectory(inputs.Output);
        CheckOutput(inputs, directory);
        if (inputs.Resume && directory.NewestStep is null)
            logger.LogInformation("There is no saved state in '{Output}': the run begins at its first step", inputs.Output);

        using var model = Model(inputs, options.Seed);
        model.Transformer.to(device);
        logger.LogInformation(
            "{Model}: {Parameters:N0} parameters, {Head}, maximum length {MaxLength}, {Device}, {Threads} threads, "
            + "learning rate {LearningRate}, dropout {Dropout}",
            model.Transformer.Backbone.GetName(), model.Transformer.CheckpointParameters.Sum(pair => pair.Parameter.numel()),
            inputs.Backbone is null ? "all weights new" : model.Transformer.HasNewHead ? "head new" : "head of the checkpoint",
            model.Rule.MaxLength, device,
            torch.get_num_threads(), options.LearningRate, inputs.Dropout);
        var (trainLists, heldOutLists) = Lists(inputs, options.Seed, model, logger);

        using var log = new TrainingLog(directory.LogFile, inputs.Resume ? directory.NewestStep : null);
        var result = TrainingDisplay.Show(output, display =>
        {
            var progress = new Both(log, display);
            var trainer = new Trainer(model, options, trainLists, heldOutLists, directory, progress, logger);
            return trainer.Train(inputs.Resume, cancellation);
        });
        model.Save(inputs.Output);

        if (result.StoppedEarly)
            output.WriteLine($"Stopped after step {result.StepCount}: accuracy had not risen for {options.EarlyStopPatience} evaluations.");
        if (result.BestEvaluation is { } best)
            output.WriteLine($"Held-out lists, weights of step {best.Step}: {TrainingDisplay.Text(best.Metrics)}");
        output.WriteLine($"Model: {inputs.Output}");
        output.WriteLine($"Log:   {directory.LogFile}");
    }

    private static void CheckOutput(Inputs inputs, RunDirectory directory)
    {
        if (directory.NewestStep is not null)
        {
            if (inputs.Resume)
                return;
            throw new RunDirectoryException(
                $"'{inputs.Output}' holds a training run already. Add --resume to go on with it, or give another --output.");
        }
        // A run that ended before its first state leaves nothing to keep.
        if (Directory.Exists(inputs.Output)
            && Directory.EnumerateFileSystemEntries(inputs.Output).Any(entry => Path.GetFileName(entry) != RunDirectory.FolderName))
            throw new RunDirectoryException($"'{inputs.Output}' is not empty. Give a new --output, so that no file is overwritten.");
    }

    private static ScoringModel Model(Inputs inputs, long seed)
    {
        var tokenizer = inputs.Tokenizer is { } directory ? HuggingFaceTokenizer.Load(directory) : null;
        return inputs.Backbone is { } backbone
            ? ScoringModel.LoadForTraining(backbone, tokenizer, inputs.MaxLength, inputs.Dropout, seed, inputs.Encoding)
            : new ScoringModel(
                RewardTransformer.FromConfig(HuggingFaceConfig.ReadFile(inputs.Config!), inputs.Dropout, seed), tokenizer,
                inputs.MaxLength, inputs.Encoding ?? TextEncoding.Joint);
    }

    private static (IReadOnlyList<TokenizedList> Train, IReadOnlyList<TokenizedList> HeldOut) Lists(
        Inputs inputs, long seed, ScoringModel model, LineLogger logger)
    {
        var file = ListFile.Read(inputs.Data, inputs.OnBadData, logger);
        var (train, heldOut) = inputs.EvalData is { } evalData
            ? (file, ListFile.Read(evalData, inputs.OnBadData, logger))
            : PromptSplit.Of(file, inputs.EvalFraction, (ulong)seed);
        var shared = ListFile.Prompts(train).Intersect(ListFile.Prompts(heldOut)).Count();
        if (shared > 0)
            logger.LogWarning("{Count} prompts are both trained on and evaluated: the accuracy is that of known prompts", shared);
        return (
            ListFile.Tokenize(model, train, inputs.Data, logger),
            ListFile.Tokenize(model, heldOut, inputs.EvalData ?? "held-out lists", logger));
    }

    private sealed record Inputs(
        string Data, string? EvalData, double EvalFraction, BadData OnBadData, string? Backbone, string? Config, string? Tokenizer,
        int? MaxLength, TextEncoding? Encoding, double Dropout, string Output, bool Resume, string Device, int? Threads);

    private sealed class Both(IProgress<TrainingReport> first, IProgress<TrainingReport> second) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            first.Report(value);
            second.Report(value);
        }
    }
}
