using System.Text.Json;
using Microsoft.Extensions.Logging;
using RewardModel.Layouts;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tokenizers;

namespace RewardModel.Training.Data;

/// <summary>A line of a file with its rewards.</summary>
/// <param name="Row">The line as JSON; null where it is no JSON object.</param>
/// <param name="Answers">
/// The answers as text, those to messages as JSON; none where the line is left out or its answers are token ids.
/// </param>
/// <param name="Rewards">One for each answer; none where the line is left out.</param>
/// <param name="Deviations">Of each answer the standard deviation of several models' rewards; null for one model.</param>
/// <param name="Outputs">Of each answer the outputs that its reward is a sum of; null where it is one of its own.</param>
/// <param name="IsSingle">Whether the line is one answer by itself, and not a list that may have several.</param>
/// <param name="Problem">Why the line is left out; null where it is not.</param>
internal sealed record ScoredLine(
    JsonElement? Row, IReadOnlyList<string> Answers, IReadOnlyList<float> Rewards, IReadOnlyList<float>? Deviations,
    IReadOnlyList<float[]>? Outputs, bool IsSingle, string? Problem)
{
    /// <summary>The answers with the rewards within them, where these were asked for.</summary>
    public IReadOnlyList<ProcessReward>? Within { get; init; }

    /// <summary>Answers that are in no file.</summary>
    public static ScoredLine Of(RewardEnsemble ensemble, TokenizedList list, IReadOnlyList<string> answers, int maxTokensPerBatch)
    {
        var (rewards, outputs) = ensemble.ScoreWithOutputs([list], maxTokensPerBatch);
        return new ScoredLine(
            null, answers, MeansOf(rewards[0]), DeviationsOf(ensemble, rewards[0]), outputs?[0], IsSingle: false, Problem: null);
    }

    public static float[] MeansOf(EnsembleReward[] rewards) => [.. rewards.Select(reward => reward.Mean)];

    public static float[]? DeviationsOf(RewardEnsemble ensemble, EnsembleReward[] rewards) =>
        ensemble.Members.Count > 1 ? [.. rewards.Select(reward => reward.StandardDeviation)] : null;
}

/// <summary>Scores the lines of a file in their order, some hundreds at a time: a file of any length takes the same memory.</summary>
/// <param name="files">The files, which say what to do with rows that can't be scored.</param>
/// <param name="logger">Told what is left out, replaced or cut.</param>
internal sealed class LineScoring(RankedListFiles files, ILogger logger) : IDisposable
{
    private readonly RankedLines lines = files.Open(areToScore: true);
    private readonly List<BadLine> rejected = [];
    private TruncationCount cut;

    /// <summary>Reads the file for the first time, so that its bad lines are told before anything is computed. A pipe can't be.</summary>
    /// <exception cref="RankedDataException">It has bad lines, which are errors: all are named. Or no others.</exception>
    public void Check()
    {
        if (!lines.CanReadAgain)
            return;
        foreach (var _ in lines.Read())
        {
        }
        Tell();
    }

    /// <summary>Scores the lines while they are enumerated, once.</summary>
    /// <param name="ensemble">The first member's tokenizer and rule are used.</param>
    /// <param name="maxTokensPerBatch">Most tokens that are computed at once.</param>
    /// <param name="within">What scores answers within themselves; null: they have one reward each.</param>
    /// <exception cref="RankedDataException">
    /// Lines can't be scored, and that is an error: all are named. Lines before them may have been given already.
    /// </exception>
    public IEnumerable<ScoredLine> Score(RewardEnsemble ensemble, int maxTokensPerBatch, ProcessScoring? within = null)
    {
        var model = ensemble.Members[0];
        foreach (var group in lines.Read().Chunk(ScoringModel.GroupSize))
        {
            var tokenized = Tokenize(group, model, within);
            // What is an error in any case is not computed further, but read on for other lines like it.
            if (files.OnBadData == BadData.Error && lines.BadLines.Count + rejected.Count > 0)
                continue;
            if (within is not null)
            {
                var withRewards = new Queue<ProcessReward[]>(within.Score(
                    [.. tokenized.Where(line => line.Problem is null).Select(line => (line.Text, line.Encoded))], maxTokensPerBatch));
                foreach (var ((_, _, problem), line) in tokenized.Zip(group))
                {
                    var rewards = problem is null ? withRewards.Dequeue() : [];
                    yield return new ScoredLine(
                        line.Row, problem is null ? line.List?.Answers ?? [] : [], [.. rewards.Select(answer => answer.Reward)], null, null,
                        line.IsSingle, problem)
                    {
                        Within = rewards,
                    };
                }
                continue;
            }
            var (rewardsOfAll, outputsOfAll) = ensemble.ScoreWithOutputs(
                [.. tokenized.Where(line => line.Problem is null).Select(line => line.Encoded[0].List)], maxTokensPerBatch);
            var next = 0;
            foreach (var ((_, _, problem), line) in tokenized.Zip(group))
            {
                var rewards = problem is null ? rewardsOfAll[next] : [];
                var outputs = problem is null ? outputsOfAll?[next] : null;
                if (problem is null)
                    next++;
                yield return new ScoredLine(
                    line.Row, problem is null ? line.List?.Answers ?? [] : [], ScoredLine.MeansOf(rewards),
                    ScoredLine.DeviationsOf(ensemble, rewards), outputs, line.IsSingle, problem);
            }
        }
        if (!lines.CanReadAgain)
            Tell();
        if (files.OnBadData == BadData.Error && rejected.Count > 0)
            throw RankedDataException.Of(rejected);
        DataLog.LogLeftOut(rejected, logger);
        DataLog.LogCut(cut, files.Name, model.Rule.MaxLength, logger);
        DataLog.CheckAnyIsLeft(files.Name, lines.ListCount - rejected.Count, 0);
    }

    public void Dispose() => lines.Dispose();

    /// <summary>
    /// What is computed of each row: of its list, of which there is more than one where its answers are divided into steps. Rows of token ids
    /// have no text.
    /// </summary>
    private (RankedList? Text, IReadOnlyList<(TokenizedList List, bool IsCut)> Encoded, string? Problem)[] Tokenize(
        ParsedRow[] group, ScoringModel model, ProcessScoring? within)
    {
        (ParsedRow Row, RankedList Text)[] texts =
        [
            .. group.Where(line => line.List is not null).Zip(
                model.ToScore([.. group.Select(line => line.List).OfType<RankedList>()]), (line, text) => (line, text)),
        ];
        var parts = Array.ConvertAll(texts, text => PartsOf(text.Text, within));
        RankedList[] all = [.. parts.SelectMany(list => list.Parts)];
        var results = new Queue<(TokenizedList? List, TruncationCount Cut, TokenizerException? Rejection)>(
            all.Length == 0 ? [] : model.TryTokenize(all));
        var ofTexts = new Queue<(RankedList?, IReadOnlyList<(TokenizedList, bool)>, string?)>(texts.Zip(parts, (text, list) =>
        {
            var rejection = list.Rejection;
            var encoded = new List<(TokenizedList, bool)>();
            foreach (var _ in list.Parts)
            {
                var result = results.Dequeue();
                cut += result.Cut;
                rejection ??= result.Rejection;
                if (result.List is not null)
                    encoded.Add((result.List, result.Cut.Answers.Cut > 0));
            }
            return rejection is null
                ? ((RankedList?)text.Text, (IReadOnlyList<(TokenizedList, bool)>)encoded, (string?)null)
                : (null, [], Rejected(DataLog.BadLineOf(text.Row.List!, rejection)));
        }));
        var (ids, idsCut) = model.Truncate([.. group.Select(line => line.TokenizedList).OfType<TokenizedList>()]);
        cut += idsCut;
        var ofIds = new Queue<TokenizedList>(ids);
        return
        [
            .. group.Select(line => line.List is not null ? ofTexts.Dequeue()
                : line.TokenizedList is null ? (null, [], line.Problem)
                : ofIds.Dequeue() is var list && within is { DividesText: true }
                    ? (null, [], Rejected(new BadLine(line.Source, "token ids, in which no steps can be found; expected text")))
                : ((RankedList?)null, (IReadOnlyList<(TokenizedList, bool)>)[(list, false)], (string?)null)),
        ];
    }

    private static (IReadOnlyList<RankedList> Parts, TokenizerException? Rejection) PartsOf(RankedList list, ProcessScoring? within)
    {
        try
        {
            return (within?.PartsOf(list) ?? [list], null);
        }
        catch (TokenizerException rejection)
        {
            return ([], rejection);
        }
    }

    private string Rejected(BadLine line)
    {
        rejected.Add(line);
        return line.Reason;
    }

    /// <summary>Keys without a meaning are given back with the line, so they are no mistake.</summary>
    private void Tell()
    {
        if (files.OnBadData == BadData.Error && lines.BadLines.Count > 0)
            throw RankedDataException.Of(lines.BadLines);
        DataLog.LogRows(
            DataNotes.Of(files.Name, lines.Summary([], []) with { IgnoredKeys = new Dictionary<string, int>() }, lines.ListCount), logger);
        DataLog.CheckAnyIsLeft(files.Name, lines.ListCount, 0);
    }
}
