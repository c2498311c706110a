using RewardModel.Tokenizers;
using static TorchSharp.torch;

namespace RlhfLoop;

/// <summary>Answers of a policy to prompts: K to each, in the order of the prompts.</summary>
/// <param name="Prompts">The prompts.</param>
/// <param name="Answers">For each prompt its K answers as text.</param>
/// <param name="Ids">Token ids of prompts and answers, [prompts x K, P + A]; padding after an answer's end.</param>
/// <param name="Mask">1 for each token of an answer, its end included, and 0 for the padding after it, [prompts x K, A].</param>
internal sealed record Samples(IReadOnlyList<string> Prompts, IReadOnlyList<IReadOnlyList<string>> Answers, Tensor Ids, Tensor Mask)
    : IDisposable
{
    public int AnswerLength => (int)Mask.shape[1];

    /// <summary>How many tokens the policy has generated.</summary>
    public long TokenCount => Mask.sum().to(int64).item<long>();

    public void Dispose()
    {
        Ids.Dispose();
        Mask.Dispose();
    }
}

/// <summary>Draws answers from a policy, and says how texts become its tokens.</summary>
/// <param name="tokenizer">Prompts have to have equally many tokens, as all of the task have; answers may end when they like.</param>
/// <param name="answerLength">A: the most tokens of an answer, its end included.</param>
/// <param name="seed">Of what is drawn.</param>
internal sealed class Sampling(HuggingFaceTokenizer tokenizer, int answerLength, ulong seed) : IDisposable
{
    private readonly int endId = tokenizer.EndOfSequenceId!.Value;
    private readonly int paddingId = tokenizer.PaddingId!.Value;
    private readonly Generator generator = new(seed);

    public void Dispose() => generator.Dispose();

    /// <summary>Draws K answers to each prompt, token by token from the policy's distribution as it is: with temperature 1.</summary>
    public Samples Draw(Policy policy, IReadOnlyList<string> prompts, int answersPerPrompt)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var cache = new KeyValueCache(policy.Sizes.Layers);
        var promptIds = PromptIds(prompts);
        var logits = policy.Logits(promptIds, cache).select(1, -1).repeat_interleave(answersPerPrompt, dim: 0);
        cache.Repeat(answersPerPrompt);

        var hasEnded = zeros(logits.shape[0], dtype: ScalarType.Bool);
        var (tokens, masks) = (new List<Tensor>(), new List<Tensor>());
        while (true)
        {
            masks.Add(hasEnded.logical_not());
            var next = multinomial(nn.functional.softmax(logits, dim: -1), 1, replacement: true, generator).squeeze(1);
            tokens.Add(next.masked_fill(hasEnded, paddingId));
            if (tokens.Count == answerLength)
                break;
            hasEnded = hasEnded.logical_or(next.eq(endId));
            logits = policy.Logits(tokens[^1].unsqueeze(1), cache).squeeze(1);
        }
        var answerIds = stack(tokens, dim: 1);
        return new Samples(
            prompts, [.. Texts(answerIds).Chunk(answersPerPrompt)],
            cat([promptIds.repeat_interleave(answersPerPrompt, dim: 0), answerIds], dim: 1).MoveToOuterDisposeScope(),
            stack(masks, dim: 1).to(float32).MoveToOuterDisposeScope());
    }

    /// <summary>Token ids of prompts, [N, P].</summary>
    public Tensor PromptIds(IReadOnlyList<string> prompts) =>
        Rows([.. prompts.Select(prompt => tokenizer.Encode(prompt, addSpecialTokens: false))]);

    /// <summary>Token ids of full answers that are given, with the end token, [N, A].</summary>
    public Tensor AnswerIds(IReadOnlyList<string> answers) =>
        Rows([.. answers.Select(answer => (IReadOnlyList<int>)[.. tokenizer.Encode(answer, addSpecialTokens: false), endId])]);

    private static Tensor Rows(IReadOnlyList<int>[] rows) =>
        tensor([.. rows.SelectMany(row => row).Select(id => (long)id)], [rows.Length, rows[0].Count]);

    private IEnumerable<string> Texts(Tensor ids) =>
        ids.data<long>().ToArray().Select(id => (int)id).Chunk(answerLength)
            .Select(row => tokenizer.Decode(row.TakeWhile(id => id != endId), skipSpecialTokens: false).Trim());
}
