namespace RewardModel.Training.Planning;

/// <summary>Ranked lists of one size, and how a run takes them.</summary>
/// <param name="ListCount">Lists of an epoch.</param>
/// <param name="AnswerCount">Answers of a list.</param>
/// <param name="PromptTokens">Tokens of its prompt.</param>
/// <param name="AnswerTokens">Tokens of each answer.</param>
/// <param name="ListsPerStep">Lists of an optimiser step, of all ranks together.</param>
/// <param name="Epochs">Passes over the lists.</param>
internal sealed record WorkloadShape(
    long ListCount, int AnswerCount, int PromptTokens, int AnswerTokens, int ListsPerStep, int Epochs = 1)
{
    /// <summary>Optimiser steps of the run.</summary>
    public long StepCount => Epochs * ((ListCount + ListsPerStep - 1) / ListsPerStep);

    /// <summary>Tokens of a list as it is packed: of a causal model its prompt once.</summary>
    public long TokensPerList(bool isCausal) => TokensOf(AnswerCount, isCausal);

    /// <summary>
    /// Queries x keys that attention compares for one list. A causal token sees those before it and itself: a prompt P (P + 1) / 2, and
    /// each answer A P + A (A + 1) / 2; an encoder's all of its sequence.
    /// </summary>
    public long PairsPerList(bool isCausal) => PairsOf(AnswerCount, isCausal);

    /// <summary>Which of the values can't be, one sentence each without a full stop.</summary>
    public IEnumerable<string> Problems()
    {
        if (ListCount < 1)
            yield return $"--lists is {ListCount}; expected at least 1";
        if (AnswerCount < 1)
            yield return $"--answers is {AnswerCount}; expected at least 1";
        if (PromptTokens < 0)
            yield return $"--prompt-tokens is {PromptTokens}; expected 0 or more";
        if (AnswerTokens < 1)
            yield return $"--answer-tokens is {AnswerTokens}; expected at least 1";
        if (ListsPerStep < 1)
            yield return $"--lists-per-step is {ListsPerStep}; expected at least 1";
        if (Epochs < 1)
            yield return $"--epochs is {Epochs}; expected at least 1";
        // Lists of a step times their answers are counted in 31 bits.
        foreach (var (name, value, most) in new (string, long, long)[]
        {
            ("--lists", ListCount, 1_000_000_000_000), ("--answers", AnswerCount, 1000), ("--prompt-tokens", PromptTokens, 1_000_000),
            ("--answer-tokens", AnswerTokens, 1_000_000), ("--lists-per-step", ListsPerStep, 1_000_000), ("--epochs", Epochs, 1_000_000),
        })
            if (value > most)
                yield return $"{name} is {value}; expected at most {most}";
    }

    /// <summary>
    /// The micro-batches of the rank that has most lists: whole lists up to a count of tokens, or, of a list that is longer, answers with
    /// its prompt, after a forward pass of all of them (<c>StepGradients</c>).
    /// </summary>
    /// <param name="rankCount">Ranks that share a step's lists as evenly as lists can be.</param>
    /// <param name="maxTokens">Most tokens of a micro-batch; a single answer with its prompt is never divided.</param>
    /// <param name="isCausal">Whether answers share their prompt.</param>
    public RankBatches BatchesOf(int rankCount, long maxTokens, bool isCausal)
    {
        var lists = (ListsPerStep + rankCount - 1) / rankCount;
        var ofList = TokensPerList(isCausal);
        if (ofList <= maxTokens)
        {
            var together = (int)Math.Min(lists, maxTokens / ofList);
            return new RankBatches(
                lists, (lists + together - 1) / together, lists * ofList, lists * PairsPerList(isCausal), Batch(AnswerCount, together),
                AreListsDivided: false);
        }
        var perAnswer = isCausal ? AnswerTokens : PromptTokens + AnswerTokens;
        var answers = (int)Math.Clamp((maxTokens - (isCausal ? PromptTokens : 0)) / perAnswer, 1, AnswerCount);
        var parts = (AnswerCount + answers - 1) / answers;
        var rest = AnswerCount - (parts - 1) * answers;
        return new RankBatches(
            lists, lists * parts, lists * ((parts - 1) * TokensOf(answers, isCausal) + TokensOf(rest, isCausal)),
            lists * ((parts - 1) * PairsOf(answers, isCausal) + PairsOf(rest, isCausal)), Batch(answers, 1), parts > 1);

        MicroBatch Batch(int answers, long count) => new(
            count * TokensOf(answers, isCausal), count * PairsOf(answers, isCausal),
            count * answers * ((long)PromptTokens + AnswerTokens) * ((long)PromptTokens + AnswerTokens));
    }

    private long TokensOf(int answers, bool isCausal) => (isCausal ? 1L : answers) * PromptTokens + (long)answers * AnswerTokens;

    private long PairsOf(int answers, bool isCausal)
    {
        long prompt = PromptTokens, answer = AnswerTokens;
        return isCausal
            ? prompt * (prompt + 1) / 2 + answers * (answer * prompt + answer * (answer + 1) / 2)
            : answers * (prompt + answer) * (prompt + answer);
    }
}

/// <summary>What goes through a model at once.</summary>
/// <param name="Tokens">Tokens that are computed.</param>
/// <param name="Pairs">Queries x keys that attention compares.</param>
/// <param name="AllPairs">Queries x keys of all sequences, each with its own prompt and without a mask.</param>
internal readonly record struct MicroBatch(long Tokens, long Pairs, long AllPairs);

/// <summary>What one rank computes in a step.</summary>
/// <param name="ListCount">Its lists.</param>
/// <param name="Count">Its micro-batches.</param>
/// <param name="Tokens">Tokens of all of them.</param>
/// <param name="Pairs">Queries x keys of all of them.</param>
/// <param name="Largest">The largest one.</param>
/// <param name="AreListsDivided">Whether a list is scored first and then goes through in parts.</param>
internal sealed record RankBatches(int ListCount, int Count, long Tokens, long Pairs, MicroBatch Largest, bool AreListsDivided);
