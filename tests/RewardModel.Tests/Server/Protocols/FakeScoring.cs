using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Text;
using RewardModel.Lists;
using RewardModel.Server;

namespace RewardModel.Tests.Server.Protocols;

/// <summary>
/// Rewards that depend on the text that is read, whether it is whole or comes as prompt and answer, or on the token ids. A token is a byte.
/// </summary>
internal sealed class FakeScoring : IScoringService
{
    public const int MaxLength = 1 << 20;

    public IReadOnlyList<ServedModelInfo> Models { get; init; } =
    [
        new("tiny", "llama", MaxLength, true, 1, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000)),
        new("other", "gpt2", 96, false, 3, DateTimeOffset.FromUnixTimeSeconds(1_700_000_001)),
    ];

    public int MaxRows { get; init; } = 8192;

    /// <summary>What was asked for.</summary>
    public ConcurrentQueue<ScoringRequest> Requests { get; } = [];

    /// <summary>The reward of a text.</summary>
    public Func<string, float> RewardOf { get; set; } = Hashed;

    /// <summary>What happens instead of scoring, by the number of the request from 1.</summary>
    public Func<int, CancellationToken, Task> Before { get; set; } = (_, _) => Task.CompletedTask;

    public bool IsEnsemble { get; init; }

    public static float Hashed(string text) => (float)(XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(text)) / (double)ulong.MaxValue * 8 - 4);

    public static string TextOf(IEnumerable<int> tokenIds) => $"ids {string.Join(' ', tokenIds)}";

    public static string TextOf(IEnumerable<ChatMessage> messages) => string.Concat(messages.Select(message => message.Json.GetRawText()));

    public async Task<ScoringResult> ScoreAsync(ScoringRequest request, CancellationToken cancellationToken)
    {
        Assert.NotEmpty(request.Inputs);
        Requests.Enqueue(request);
        await Before(Requests.Count, cancellationToken);
        var model = request.Model ?? Models[0].Name;
        if (Models.All(other => other.Name != model))
            throw new RequestException(404, "model_not_found", $"There is no model '{model}'; expected one of tiny, other.");
        return new ScoringResult(model, [.. request.Inputs.Select(input => Scored(input, request.MaxLength ?? MaxLength))]);
    }

    private ScoredInput Scored(ScoringInput input, int maxLength)
    {
        var (prompt, answers) = input switch
        {
            { TokenIds: { } list } => (TextOf(list.PromptIds), list.AnswerIds.Select(ids => TextOf(list.PromptIds.Concat(ids)))),
            { Text.Chat: { } chat } => (
                TextOf(chat.Prompt.Messages), chat.Answers.Select(answer => TextOf(chat.Prompt.Messages.Concat(answer)))),
            _ => (input.Text!.Prompt, input.Text.Answers.Select(answer => input.Text.Prompt + answer)),
        };
        var promptLength = Encoding.UTF8.GetByteCount(prompt);
        return new ScoredInput(promptLength, [.. answers.Select(text =>
        {
            var length = Encoding.UTF8.GetByteCount(text);
            return new ScoredAnswer(RewardOf(text), IsEnsemble ? 0.25f : null, length - promptLength, length > maxLength);
        })]);
    }
}
