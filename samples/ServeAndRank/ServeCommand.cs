using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using RewardModel.Client;
using RewardModel.Server;

namespace ServeAndRank;

/// <summary>An application that serves a model, beside an endpoint of its own.</summary>
internal static class ServeCommand
{
    public static async Task RunAsync(string modelDirectory, int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var address = $"http://127.0.0.1:{port}";
        builder.WebHost.UseUrls(address);
        builder.Services.AddRewardServer(options => options.Models.Add(new ServedModelOptions { Directories = { modelDirectory } }));
        // The endpoint below asks this application itself: so there is one copy of the model in memory, and its answers are computed in the
        // same batches as those of all other requests. AddRewardModel would load a second copy, which competes for the processor.
        builder.Services.AddRewardClient(options => options.BaseAddress = new Uri(address));
        await using var app = builder.Build();
        app.MapRewardModel();
        app.MapPost("/best", BestAsync);
        await app.RunAsync();
    }

    /// <summary>The best of the answers, with its reward.</summary>
    private static async Task<IResult> BestAsync(Question question, RewardClient client, CancellationToken cancellationToken)
    {
        try
        {
            return Results.Ok((await client.RankAsync(question.Prompt, question.Answers, cancellationToken))[0]);
        }
        catch (ArgumentException e)
        {
            return Results.BadRequest(e.Message);
        }
        catch (RewardServiceException e)
        {
            // Busy (429) for longer than the client tries, say: whoever asks is told the same.
            return Results.Text(e.Message, statusCode: (int?)e.Status ?? StatusCodes.Status502BadGateway);
        }
    }

    private sealed record Question(string Prompt, IReadOnlyList<string> Answers);
}
