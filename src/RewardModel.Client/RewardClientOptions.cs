namespace RewardModel.Client;

/// <summary>How a <see cref="RewardClient"/> calls its server; can be bound to a section of an application's configuration.</summary>
public sealed class RewardClientOptions
{
    /// <summary>
    /// Where the server is, with the prefix of its paths if it has one: <c>http://localhost:5000</c>. Null: that of the
    /// HttpClient; with <c>AddRewardClient</c> it has to be said.
    /// </summary>
    public Uri? BaseAddress { get; set; }

    /// <summary>Which of the server's models scores. Null, the default: its default one.</summary>
    public string? Model { get; set; }

    /// <summary>Sent as a bearer token. Null, the default: none.</summary>
    public string? ApiKey { get; set; }

    /// <summary>How long to wait for the response to a request, each try by itself; three minutes unless set.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(3);

    /// <summary>
    /// How many times a request is sent again when the server is busy (429), away (502 to 504) or can't be reached; 5 unless set. Before
    /// the first time it waits half a second, twice as long before every further one, up to 30 seconds and at random up to a half less; or
    /// as long as the server says.
    /// </summary>
    public int MaxRetries { get; set; } = 5;

    /// <summary>Most answers of a request, where lists are scored; 256 unless set. A list is never divided.</summary>
    public int MaxRowsPerRequest { get; set; } = 256;

    /// <summary>Most requests under way at once, where lists are scored; 4 unless set.</summary>
    public int MaxConcurrentRequests { get; set; } = 4;

    /// <summary>What is wrong with them.</summary>
    internal IEnumerable<string> Problems()
    {
        if (BaseAddress is not null && !(BaseAddress.IsAbsoluteUri && BaseAddress.Scheme is ("http" or "https")))
            yield return $"{nameof(BaseAddress)} is '{BaseAddress}'; expected an address such as http://localhost:5000.";
        if (Timeout <= TimeSpan.Zero)
            yield return $"{nameof(Timeout)} is {Timeout}; expected a time above 0.";
        if (MaxRetries < 0)
            yield return $"{nameof(MaxRetries)} is {MaxRetries}; expected at least 0.";
        if (MaxRowsPerRequest < 1)
            yield return $"{nameof(MaxRowsPerRequest)} is {MaxRowsPerRequest}; expected at least 1.";
        if (MaxConcurrentRequests < 1)
            yield return $"{nameof(MaxConcurrentRequests)} is {MaxConcurrentRequests}; expected at least 1.";
    }
}
