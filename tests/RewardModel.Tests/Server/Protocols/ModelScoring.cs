using RewardModel.Scoring;
using RewardModel.Server;

namespace RewardModel.Tests.Server.Protocols;

/// <summary>A model that scores one request at a time: the rewards that protocols are compared with.</summary>
internal sealed class ModelScoring(ScoringModel model) : IScoringService
{
    public IReadOnlyList<ServedModelInfo> Models { get; } =
        [new("model", "llama", model.Rule.MaxLength, model.Rule.ChatTemplate is not null, 1, DateTimeOffset.UnixEpoch)];

    public int MaxRows => 8192;

    public Task<ScoringResult> ScoreAsync(ScoringRequest request, CancellationToken cancellationToken) => Task.FromResult(new ScoringResult(
        Models[0].Name,
        [.. request.Inputs.Select(input =>
        {
            var list = input.TokenIds ?? model.Tokenize(model.ToScore([input.Text!])).Lists[0];
            var rewards = model.Scorer().Score([list])[0];
            return new ScoredInput(
                list.PromptIds.Length, [.. rewards.Zip(list.AnswerIds, (reward, ids) => new ScoredAnswer(reward, null, ids.Length, false))]);
        })]));
}
