using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using RewardModel.Files;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training.Data;

namespace RewardModel.Training.Runs;

/// <summary>What a saved run depends on.</summary>
/// <param name="Options">The options that change the result of a step, as JSON.</param>
/// <param name="StepCount">Optimiser steps of the whole run.</param>
/// <param name="TrainLists">Digest of the token ids, token types and scores trained on, in their order.</param>
/// <param name="HeldOutLists">Digest of the token ids, token types and scores evaluated on.</param>
/// <param name="Model">Digest of the model's configuration and of its parameters' names, shapes and whether they are trained, with its adapters.</param>
/// <param name="Frozen">Digest of the parameters that are not trained, which no state holds; null where all are trained.</param>
/// <param name="Rule">The rule that the trained model is saved with; null where the run doesn't know it.</param>
/// <param name="TokenizerFiles">
/// Digest of the names and bytes of the tokenizer's files, which are saved with it too; null where the run doesn't know the rule.
/// </param>
/// <param name="Dropout">The model's dropout rate.</param>
/// <param name="Threads">Threads of the computation: sums depend on them.</param>
/// <param name="Device">Kind of device that computes: its sums are its own.</param>
/// <param name="FrozenWeights">Which weights are frozen and stored in fewer bits; null where none are.</param>
/// <param name="Ranks">Processes that train together: sums depend on them.</param>
internal sealed record RunFingerprint(
    JsonObject Options, int StepCount, string TrainLists, string HeldOutLists, string Model, string? Frozen, ScoringRule? Rule, string? TokenizerFiles,
    double Dropout, int Threads, string Device, FrozenWeights? FrozenWeights = null, int Ranks = 1)
{
    internal static RunFingerprint Of(
        JsonObject options, int stepCount, IReadOnlyList<TokenizedList> trainLists, IReadOnlyList<TokenizedList> heldOutLists,
        RewardTransformer model, ScoringModel? savedAs, IReadOnlyList<double>? sourceWeights = null, int ranks = 1) => new(
            options, stepCount, Digest(trainLists, sourceWeights), Digest(heldOutLists),
            DigestOfModel(model), DigestOfFrozen(model), savedAs?.Rule, savedAs is null ? null : DigestOfFiles(savedAs.Tokenizer?.Files ?? []),
            model.Dropout,
            TorchSharp.torch.get_num_threads(), model.Device.type.ToString(), model.FrozenWeights, ranks);

    /// <summary>A digest of all lists, those trained on and those held out: 32 hexadecimal digits.</summary>
    internal string DigestOfLists() => XxHash128.HashToUInt128(Encoding.UTF8.GetBytes($"{TrainLists} {HeldOutLists}")).ToString("x32");

    /// <summary>
    /// What makes a saved run another one, one sentence each. Rules and tokenizers are compared where both runs know theirs: a trainer that
    /// is given a transformer alone doesn't.
    /// </summary>
    internal IEnumerable<string> DifferencesOf(RunFingerprint saved)
    {
        foreach (var name in Options.Select(pair => pair.Key).Union(saved.Options.Select(pair => pair.Key)))
            if (!JsonNode.DeepEquals(Options[name], saved.Options[name]))
                yield return $"--{name} was {Text(saved.Options[name])} and is now {Text(Options[name])}";
        if (TrainLists != saved.TrainLists)
            yield return "the training lists are not the same";
        if (HeldOutLists != saved.HeldOutLists)
            yield return "the held-out lists are not the same";
        if (Model != saved.Model)
            yield return "the model's configuration or its parameters are not the same";
        // Digests are of what was stored, too.
        if (FrozenWeights != saved.FrozenWeights)
            yield return $"the frozen weights were stored as {Text(saved.FrozenWeights)} and are now stored as {Text(FrozenWeights)}";
        else if (Frozen != saved.Frozen)
            yield return "the frozen weights are not the same";
        if (Rule is not null && saved.Rule is not null)
        {
            if (Rule.SpecialTokens != saved.Rule.SpecialTokens)
                yield return "the special tokens around prompt and answer are not the same";
            if (Rule.MaxLength != saved.Rule.MaxLength)
                yield return $"the maximum length was {saved.Rule.MaxLength} and is now {Rule.MaxLength}";
            if (Rule.Encoding != saved.Rule.Encoding)
                yield return $"the encoding of prompt and answer was {saved.Rule.Encoding} and is now {Rule.Encoding}";
            if (Rule.Normalizer != saved.Rule.Normalizer)
                yield return "the normaliser is not the same";
            if (Rule.ChatTemplate != saved.Rule.ChatTemplate)
                yield return "the chat template is not the same";
        }
        if (TokenizerFiles is not null && saved.TokenizerFiles is not null && TokenizerFiles != saved.TokenizerFiles)
            yield return "the tokenizer's files are not the same";
        if (Dropout != saved.Dropout)
            yield return FormattableString.Invariant($"the dropout rate was {saved.Dropout} and is now {Dropout}");
        if (Device != saved.Device)
            yield return $"the device was {saved.Device} and is now {Device}";
    }

    /// <summary>What makes a model another one than the run's, one sentence each: its weights that are not trained, rule and tokenizer.</summary>
    internal IEnumerable<string> DifferencesOf(ScoringModel model) =>
        (this with
        {
            Model = DigestOfModel(model.Transformer),
            Frozen = DigestOfFrozen(model.Transformer),
            Rule = model.Rule,
            TokenizerFiles = DigestOfFiles(model.Tokenizer?.Files ?? []),
            FrozenWeights = model.Transformer.FrozenWeights,
        }).DifferencesOf(this);

    /// <summary>What may differ in a saved run, with what that means, one sentence each.</summary>
    internal IEnumerable<string> ChangesFrom(RunFingerprint saved)
    {
        if (StepCount != saved.StepCount)
            yield return $"The run had {Counted.Of(saved.StepCount, "step")} and now has {StepCount}: the remaining steps have the learning "
                + $"rates of a run of {Counted.Of(StepCount, "step")}";
        if (Ranks != saved.Ranks)
            yield return $"The run had {Counted.Of(saved.Ranks, "rank")} and now has {Ranks}: the last bits of sums may differ from those of a "
                + "run that was not interrupted";
        if (Threads != saved.Threads)
            yield return $"The run had {Counted.Of(saved.Threads, "thread")} and now has {Threads}: the last bits of sums may differ "
                + "from those of a run that was not interrupted";
    }

    private static string Text(FrozenWeights? weights) => (weights?.Storage ?? WeightStorage.Float32).ToString().ToLowerInvariant();

    private static string Text(JsonNode? value) => value?.ToJsonString() ?? "not set";

    private static string Digest(string text) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>The same for the same lists, in whatever form they are kept.</summary>
    private static string Digest(IReadOnlyList<TokenizedList> lists, IReadOnlyList<double>? sourceWeights = null)
    {
        var hash = new XxHash128();
        for (var i = 0; i < lists.Count; i++)
        {
            var content = lists.ContentOf(i);
            hash.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in content)));
            if (sourceWeights is not null)
                hash.Append(BitConverter.GetBytes(sourceWeights[lists.KeysOf(i).Source]));
        }
        return hash.GetCurrentHashAsUInt128().ToString("X32");
    }

    private static string DigestOfModel(RewardTransformer model) => Digest(string.Join(
        '\n',
        model.CheckpointParameters
            .Select(pair => $"{pair.Name} {string.Join('x', pair.Parameter.shape)}{(pair.Parameter.requires_grad ? "" : " frozen")}")
            .Concat(model.ModelAdapter?.Description ?? [])
            .Append(model.Config.Json.ToJsonString())));

    private static string? DigestOfFrozen(RewardTransformer model)
    {
        var frozen = model.CheckpointParameters.Where(pair => !pair.Parameter.requires_grad).ToArray();
        if (frozen.Length == 0)
            return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, parameter) in frozen)
        {
            hash.AppendData(BitConverter.GetBytes((int)parameter.numel()));
            if (model.DigestOfStored(name) is { } digest)
                hash.AppendData(Encoding.UTF8.GetBytes(digest));
            else if (model.Pending is { } pending && pending.Contains(name))
                AppendPending(hash, pending, name, parameter.numel());
            else
                AppendValues(hash, parameter);
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>Piece by piece: an embedding may have more bytes than a span.</summary>
    internal static void AppendValues(IncrementalHash hash, TorchSharp.torch.Tensor tensor, long pieceLength = 1 << 24)
    {
        using var whole = TorchSharp.torch.NewDisposeScope();
        var values = tensor.detach().view(-1);
        for (long first = 0; first < values.numel(); first += pieceLength)
        {
            using var scope = TorchSharp.torch.NewDisposeScope();
            hash.AppendData(values.narrow(0, first, Math.Min(pieceLength, values.numel() - first)).cpu().bytes);
        }
    }

    private static void AppendPending(IncrementalHash hash, PendingWeights pending, string name, long count, long pieceLength = 1 << 24)
    {
        for (long first = 0; first < count; first += pieceLength)
        {
            using var piece = TorchSharp.torch.empty(Math.Min(pieceLength, count - first));
            pending.Read(name, first, piece);
            hash.AppendData(piece.bytes);
        }
    }

    private static string DigestOfFiles(IReadOnlyList<string> paths)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var path in paths)
        {
            Append(hash, Encoding.UTF8.GetBytes(Path.GetFileName(path)));
            Append(hash, InputFile.ReadBytes(path, FileKind.Tokenizer));
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static void Append<T>(IncrementalHash hash, T[] values) where T : unmanaged
    {
        hash.AppendData(BitConverter.GetBytes(values.Length));
        hash.AppendData(MemoryMarshal.AsBytes<T>(values));
    }
}
