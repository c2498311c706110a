using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using RewardModel.Fuzz.Mutation;
using RewardModel.Fuzz.Seeds;
using RewardModel.Server;
using RewardModel.Server.Protocols;

namespace RewardModel.Fuzz.Targets;

/// <summary>Bodies of requests, in the shapes of all protocols.</summary>
internal static class ServerTargets
{
    private const int MaxRows = 200;

    private static readonly ProtocolOperation[] operations =
        [RewardsProtocol.Operation, OpenRlhfProtocol.Operation, LlamaFactoryProtocol.Operation, .. VllmProtocol.Operations];

    private static readonly string[] bodies = [.. operations.Select(operation => operation.Example!), .. ServerSeeds.Bodies];

    private static readonly ServiceProvider services =
        new ServiceCollection().AddSingleton<IScoringService>(new ConstantScoring(MaxRows)).BuildServiceProvider();

    /// <summary>The targets.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("request", SeedText.Of(bodies), new MixedMutation(new JsonMutation([.. SeedText.WordsOf(bodies), .. ServerSeeds.Words])), Answer,
            typeof(RequestException)),
    ];

    private static void Answer(byte[] input, string folder)
    {
        // Escaped halves of characters are replaced where they stand.
        using var document = RequestBody.Parse([.. input]);
        foreach (var operation in operations)
            try
            {
                var context = new DefaultHttpContext { RequestServices = services };
                var call = new ProtocolCall(context, new RequestMembers(document.RootElement, MaxRows));
                operation.Answer(call).GetAwaiter().GetResult().ToJsonString();
            }
            catch (RequestException problem)
            {
                operation.Errors.Body(problem).ToJsonString();
            }
    }

    /// <summary>Gives every answer a reward, and none of them a thought.</summary>
    private sealed class ConstantScoring(int maxRows) : IScoringService
    {
        public IReadOnlyList<ServedModelInfo> Models { get; } = [new("model", "llama", 64, true, 1, DateTimeOffset.UnixEpoch)];

        public int MaxRows => maxRows;

        public Task<ScoringResult> ScoreAsync(ScoringRequest request, CancellationToken cancellationToken) => Task.FromResult(new ScoringResult(
            request.Model ?? "model",
            [
                .. request.Inputs.Select(input => new ScoredInput(3, [
                    .. Enumerable.Range(0, input.Text?.Answers.Count ?? input.TokenIds!.AnswerIds.Count).Select(k => new ScoredAnswer(k, 0.5f, 2, k == 1)),
                ])),
            ]));
    }
}
