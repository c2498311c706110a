using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RewardModel.Server.Protocols;

/// <summary>One request to an endpoint of a protocol.</summary>
/// <param name="Http">Where it came from.</param>
/// <param name="Request">Its body.</param>
internal sealed record ProtocolCall(HttpContext Http, RequestMembers Request)
{
    public IScoringService Service { get; } = Http.RequestServices.GetRequiredService<IScoringService>();

    /// <summary>When it was answered, in seconds since 1970.</summary>
    public long Created { get; } = (Http.RequestServices.GetService<TimeProvider>() ?? TimeProvider.System).GetUtcNow().ToUnixTimeSeconds();

    /// <summary>An identifier of the response: the client's own where it sends the header X-Request-Id.</summary>
    public string Id(string prefix)
    {
        const int length = 32;
        var given = Http.Request.Headers["X-Request-Id"].ToString();
        return $"{prefix}-{(given.Length > 0 ? given : RandomNumberGenerator.GetHexString(length, lowercase: true))}";
    }

    /// <summary>Scores what the request has been found to ask for.</summary>
    /// <exception cref="RequestException">The request is wrong, or can't be answered.</exception>
    public Task<ScoringResult> ScoreAsync(string? model, IReadOnlyList<ScoringInput> inputs, int? maxLength)
    {
        Request.ThrowIfWrong();
        return Service.ScoreAsync(new ScoringRequest(model, inputs, maxLength), Http.RequestAborted);
    }
}
