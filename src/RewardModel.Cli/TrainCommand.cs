using System.CommandLine;
using Microsoft.Extensions.Logging;
using RewardModel.Checkpoints;
using RewardModel.Ranking;
using RewardModel.Tokenization;
using RewardModel.Training;
using RewardModel.Training.Data;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;

namespace RewardModel.Cli;

/// <summary><c>reward-model train</c>: from ranked lists to a trained reward model in a directory.</summary>
internal static class TrainCommand
{
    public static Command Create(TextWriter output)
    {
        var data = CommonOptions.Data("Ranked lists to train on.");
        var evalData = new Option<FileInfo?>("--eval-data") { Description = "Ranked lists to evaluate on.", HelpName = "FILE" };
        var evalFraction = new Option<double?>("--eval-fraction") { Description = "Share of the prompts of --data that is held out for evaluation; 0 means no evaluation. Default 0.1, without --eval-data.", HelpName = "X" };
        var backbone = new Option<DirectoryInfo?>("--backbone") { Description = "Hugging Face checkpoint to start from.", HelpName = "DIR" };
        var config = new Option<FileInfo?>("--config") { Description = "Hugging Face config.json of a model to train from scratch.", HelpName = "FILE" };
        var tokenizer = new Option<DirectoryInfo?>("--tokenizer") { Description = "Directory with tokenizer.json. Default: that of --backbone. Not needed for tokenised data.", HelpName = "DIR" };
        var outputDirectory = new Option<DirectoryInfo>("--output") { Description = "Directory for the trained model and the run's log and states.", Required = true, HelpName = "DIR" };
        var epochs = new Option<int?>("--epochs") { Description = "Passes over the lists. Default 1.", HelpName = "N" };
        var steps = new Option<int?>("--steps") { Description = "Optimiser steps, in place of --epochs.", HelpName = "N" };
        var learningRate = new Option<double?>("--learning-rate") { Description = "Highest learning rate. Default 1e-5 with --backbone, 5e-4 with --config.", HelpName = "X" };
        var schedule = CommonOptions.Choice<ScheduleKind>("--schedule", "How the learning rate goes down after the warm-up.");
        var warmupSteps = new Option<int>("--warmup-steps") { Description = "Steps over which the learning rate rises from 0.", HelpName = "N", DefaultValueFactory = _ => 0 };
        var finalRatio = new Option<double>("--final-learning-rate-ratio") { Description = "Share of the learning rate that is left at the end of cosine and linear.", HelpName = "X", DefaultValueFactory = _ => 0 };
        var weightDecay = new Option<double>("--weight-decay") { Description = "Decoupled weight decay, of matrices only.", HelpName = "X", DefaultValueFactory = _ => new AdamWOptions().WeightDecay };
        var decayAll = new Option<bool>("--decay-all") { Description = "Weight decay of every parameter, biases and norms too." };
        var beta2 = new Option<double>("--beta2") { Description = "Decay of AdamW's running mean of squared gradients.", HelpName = "X", DefaultValueFactory = _ => new AdamWOptions().Beta2 };
        var maxGradNorm = new Option<double>("--max-grad-norm") { Description = "Gradients are scaled down to this norm; 0 = off.", HelpName = "X", DefaultValueFactory = _ => new TrainingOptions().MaxGradientNorm };
        var dropout = new Option<double>("--dropout") { Description = "Rate of every dropout the architecture has; 0 = off.", HelpName = "X", DefaultValueFactory = _ => 0 };
        var listsPerStep = new Option<int>("--lists-per-step") { Description = "Lists of one optimiser step.", HelpName = "N", DefaultValueFactory = _ => new TrainingOptions().ListsPerStep };
        var maxTokensPerBatch = CommonOptions.MaxTokensPerBatch();
        var maxLength = new Option<int?>("--max-length") { Description = "Most tokens of prompt and answer together: longer prompts are cut on the left. Default: what the model takes.", HelpName = "N" };
        var loss = new Option<string>("--loss") { Description = "Ranking loss.", HelpName = string.Join('|', RankingLoss.Names), DefaultValueFactory = _ => new TrainingOptions().Loss };
        var lossNormalization = CommonOptions.Choice<LossNormalization>("--loss-normalization", "Whether every list or every pair of a step weighs the same.");
        var seed = new Option<long>("--seed") { Description = "Seed of weights, order, split and dropout.", HelpName = "N", DefaultValueFactory = _ => 0 };
        var evaluationInterval = new Option<int?>("--eval-every") { Description = "Steps between evaluations. Default: a tenth of the run.", HelpName = "N" };
        var saveInterval = new Option<int?>("--save-every") { Description = "Steps between saved states, to resume from. Default: a tenth of the run.", HelpName = "N" };
        var patience = new Option<int>("--early-stop") { Description = "End after this many evaluations without a better accuracy; 0 = off.", HelpName = "N", DefaultValueFactory = _ => 0 };
        var threads = CommonOptions.Threads();
        var resume = new Option<bool>("--resume") { Description = "Go on from the newest state in --output." };
        var onBadData = CommonOptions.OnBadData();

        var command = new Command("train", "Trains a reward model on ranked lists.")
        {
            data, evalData, evalFraction, backbone, config, tokenizer, outputDirectory, epochs, steps, learningRate, schedule, warmupSteps, finalRatio,
            weightDecay, decayAll, beta2, maxGradNorm, dropout, listsPerStep, maxTokensPerBatch, maxLength, loss, lossNormalization, seed,
            evaluationInterval, saveInterval, patience, threads, resume, onBadData,
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
        command.SetAction((parsed, cancellation) =>
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
                Loss = parsed.GetValue(loss)!,
                LossNormalization = parsed.GetValue(lossNormalization),
                Seed = parsed.GetValue(seed),
                EvaluationInterval = parsed.GetValue(evaluationInterval),
                SaveInterval = parsed.GetValue(saveInterval),
                EarlyStopPatience = parsed.GetValue(patience),
            };
            Run(
                new Inputs(
                    parsed.GetValue(data)!.FullName, parsed.GetValue(evalData)?.FullName, parsed.GetValue(evalFraction) ?? 0.1, parsed.GetValue(onBadData),
                    parsed.GetValue(backbone)?.FullName, parsed.GetValue(config)?.FullName, parsed.GetValue(tokenizer)?.FullName,
                    parsed.GetValue(maxLength), parsed.GetValue(dropout), parsed.GetValue(outputDirectory)!.FullName, parsed.GetValue(resume),
                    parsed.GetValue(threads)),
                options, output, cancellation);
            return Task.FromResult(0);
        });
        return command;
    }

    private static void Run(Inputs inputs, TrainingOptions options, TextWriter output, CancellationToken cancellation)
    {
        Threads.Set(inputs.Threads);
        var logger = new LineLogger(output);
        var directory = new RunDirectory(inputs.Output);
        CheckOutput(inputs, directory);

        using var model = new ScoringModel(Transformer(inputs, options.Seed), Tokenizer(inputs), inputs.MaxLength);
        logger.LogInformation(
            "{Model}: {Parameters:N0} parameters, {Head}, maximum length {MaxLength}, {Threads} threads, learning rate {LearningRate}, dropout {Dropout}",
            model.Transformer.Backbone.GetName(), model.Transformer.CheckpointParameters.Sum(pair => pair.Parameter.numel()),
            inputs.Backbone is null ? "all weights new" : model.Transformer.HasNewHead ? "head new" : "head of the checkpoint", model.Rule.MaxLength,
            TorchSharp.torch.get_num_threads(), options.LearningRate, inputs.Dropout);
        var (trainLists, heldOutLists) = Lists(inputs, options.Seed, model, logger);

        using var log = new TrainingLog(directory.LogFile, inputs.Resume ? directory.NewestStep : null);
        var result = TrainingDisplay.Show(output, display =>
            new Trainer(model.Transformer, options, trainLists, heldOutLists, directory, new Both(log, display), logger).Train(inputs.Resume, cancellation));
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
        if (inputs.Resume)
            return;
        if (directory.HasRun)
            throw new RunDirectoryException($"'{inputs.Output}' holds a training run already. Add --resume to go on with it, or give another --output.");
        if (Directory.Exists(inputs.Output) && Directory.EnumerateFileSystemEntries(inputs.Output).Any())
            throw new RunDirectoryException($"'{inputs.Output}' is not empty. Give a new --output, so that no file is overwritten.");
    }

    private static RewardTransformer Transformer(Inputs inputs, long seed) => inputs.Backbone is { } backbone
        ? RewardTransformer.Load(backbone, inputs.Dropout, seed)
        : RewardTransformer.FromConfig(HuggingFaceConfig.ReadFile(inputs.Config!), inputs.Dropout, seed);

    private static HuggingFaceTokenizer? Tokenizer(Inputs inputs) => inputs switch
    {
        { Tokenizer: { } directory } => HuggingFaceTokenizer.Load(directory),
        { Backbone: { } directory } when HuggingFaceTokenizer.IsIn(directory) => HuggingFaceTokenizer.Load(directory),
        _ => null,
    };

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
        return (ListFile.Tokenize(model, train, inputs.Data, logger), ListFile.Tokenize(model, heldOut, inputs.EvalData ?? "held-out lists", logger));
    }

    private sealed record Inputs(
        string Data, string? EvalData, double EvalFraction, BadData OnBadData, string? Backbone, string? Config, string? Tokenizer, int? MaxLength,
        double Dropout, string Output, bool Resume, int? Threads);

    private sealed class Both(IProgress<TrainingReport> first, IProgress<TrainingReport> second) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            first.Report(value);
            second.Report(value);
        }
    }
}
