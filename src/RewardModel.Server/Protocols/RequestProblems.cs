namespace RewardModel.Server.Protocols;

/// <summary>What is wrong with a request: the first problems in words, of the others their number, as a request may have millions.</summary>
internal sealed class RequestProblems
{
    private const int mostShown = 20;

    private readonly List<string> shown = [];
    private int count;

    /// <summary>Adds a problem, which is put into words only where it is shown.</summary>
    public void Add(Func<string> problem)
    {
        if (count++ < mostShown)
            shown.Add(problem());
    }

    /// <summary>All of them; null where there are none.</summary>
    public string? Text => count == 0 ? null
        : string.Join(" ", shown.Select(problem => problem.EndsWith('?') ? problem : $"{problem}."))
            + (count > mostShown ? $" And {count - mostShown} more." : "");
}
