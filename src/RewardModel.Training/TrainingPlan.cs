using System.Diagnostics;
using Microsoft.Extensions.Logging;
using RewardModel.Distributed;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training.Checks;
using RewardModel.Training.Distributed;
using static TorchSharp.torch;

namespace RewardModel.Training;

/// <summary>The result of a dry run: see <see cref="TrainingRun.Plan"/>.</summary>
public sealed record TrainingPlan
{
    /// <summary>Number of training lists, those excluded that the loss does not apply to, mostly for want of a pair.</summary>
    public required int TrainListCount { get; init; }

    /// <summary>Number of held-out lists.</summary>
    public required int HeldOutListCount { get; init; }

    /// <summary>Number of answers in the training lists.</summary>
    public required long AnswerCount { get; init; }

    /// <summary>Number of ordered pairs in the training lists.</summary>
    public required long PairCount { get; init; }

    /// <summary>Tokens per epoch, a shared prompt counted once.</summary>
    public required long TokensPerEpoch { get; init; }

    /// <summary>Optimiser steps per epoch; of the first one, where steps are counted in tokens.</summary>
    public required int StepsPerEpoch { get; init; }

    /// <summary>Optimiser steps of the whole run.</summary>
    public required int StepCount { get; init; }

    /// <summary>Peak learning rate.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Number of parameters.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Number of trainable parameters.</summary>
    public required long TrainedParameterCount { get; init; }

    /// <summary>The optimiser.</summary>
    public required OptimizerKind Optimizer { get; init; }

    /// <summary>Estimated memory for the largest batch.</summary>
    public required TrainingMemory Memory { get; init; }

    /// <summary>Whether activation checkpointing is used.</summary>
    public required bool ActivationCheckpointing { get; init; }

    /// <summary>
    /// Estimated time of all steps, evaluations not counted: at the measured speed of one batch, or, where the model was not loaded, at that
    /// of its layers' matrix products, which are most of a large model's time.
    /// </summary>
    public required TimeSpan Time { get; init; }

    /// <summary>Whether the model fits in this machine's memory, so that it was loaded.</summary>
    public required bool IsModelLoaded { get; init; }

    /// <summary>Estimated peak memory, in bytes.</summary>
    public long MemoryBytes =>
        ActivationCheckpointing ? Memory.Total - Memory.Activations + Memory.CheckpointedActivations : Memory.Total;

    /// <summary>What the check of the data found.</summary>
    public DataReport? Data { get; init; }

    internal static TrainingPlan Of(
        ScoringModel model, TrainingOptions options, IReadOnlyList<TokenizedList> trainLists, IReadOnlyList<TokenizedList> heldOutLists,
        IReadOnlyList<double>? sourceWeights, DataReport? data, Device? deviceOfShapes, ILogger logger)
    {
        var trainer = new Trainer(
            model.Transformer, model, options, trainLists, heldOutLists, sourceWeights, directory: null, progress: null, logger);
        var transformer = model.Transformer;
        Trainer.ChooseTrained(transformer, options);
        var lists = trainer.Lists;
        var sharesPrompts = transformer.Backbone.IsCausal;
        var tokensPerEpoch = lists.TokensPerEpoch;
        var longest = lists.Longest();
        var batches = TokenBudget.Batches(longest, options.MaxTokensPerBatch, sharesPrompts)
            .Select(batch => batch.Select(index => longest[index]).ToArray()).ToArray();
        var secondsPerToken = deviceOfShapes is null
            ? Measure(transformer, trainer.Loss, options, batches[0], sharesPrompts)
            : ProductTime.SecondsPerToken(transformer, options.Precision, options.ActivationCheckpointing, deviceOfShapes);
        var tokens = tokensPerEpoch * (double)trainer.StepCount / lists.StepsPerEpoch;
        return new TrainingPlan
        {
            TrainListCount = lists.Train.Count,
            HeldOutListCount = heldOutLists.Count,
            Data = data,
            AnswerCount = lists.AnswerCount,
            PairCount = lists.PairCount,
            TokensPerEpoch = tokensPerEpoch,
            StepsPerEpoch = lists.StepsPerEpoch,
            StepCount = trainer.StepCount,
            LearningRate = trainer.LearningRate,
            ParameterCount = transformer.parameters().Sum(parameter => parameter.numel()),
            TrainedParameterCount = transformer.TrainedParameters.Sum(pair => pair.Parameter.numel()),
            Optimizer = options.Optimizer,
            Memory = batches.SelectMany(batch => InParts(batch, options, sharesPrompts))
                .Select(part => TrainingMemory.Estimate(transformer, part, options.RewardPositions == RewardPositions.All, options.Optimizer)).MaxBy(memory => memory.Total)! with
            {
                Averages = options.Ema is null ? 0 : 4 * transformer.TrainedParameters.Sum(pair => pair.Parameter.numel()),
            },
            ActivationCheckpointing = options.ActivationCheckpointing,
            Time = TimeSpan.FromSeconds(tokens * secondsPerToken),
            IsModelLoaded = deviceOfShapes is null,
        };
    }

    /// <summary>What goes through the model at once: a batch, or answers of a list that is too long.</summary>
    private static IEnumerable<IReadOnlyList<TokenizedList>> InParts(TokenizedList[] batch, TrainingOptions options, bool sharesPrompts) =>
        batch is [var list]
            ? TokenBudget.SplitAnswers(list, options.MaxTokensPerBatch, sharesPrompts).Select(part => new[] { part })
            : [batch];

    /// <summary>Seconds that a token of a batch takes in the forward and backward pass, after one that pays for what every process needs once.</summary>
    private static double Measure(
        RewardTransformer model, RankingLoss loss, TrainingOptions options, TokenizedList[] batch, bool sharesPrompts)
    {
        using var trained = new TrainedWeights(model, SingleProcess.Instance);
        var gradients = new StepGradients(model, trained, loss, options);
        var precision = model.Precision;
        model.Precision = options.Precision;
        model.train();
        gradients.Add([batch[^1]], step: 0, () => 0);
        var clock = Stopwatch.StartNew();
        gradients.Add(batch, step: 0, () => 0);
        var seconds = clock.Elapsed.TotalSeconds;
        model.zero_grad();
        model.Precision = precision;
        return seconds / batch.Sum(list => PackedSequences.CountTokens(list, sharesPrompts));
    }
}
