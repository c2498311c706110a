namespace RewardModel.Tests.Training.Records;

/// <summary>A fact that needs a browser. Where no Chromium is installed it is skipped, saying so.</summary>
internal sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = Chromium.SkipReason!;
}

/// <summary>A theory that needs a browser.</summary>
internal sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public BrowserTheoryAttribute() => Skip = Chromium.SkipReason!;
}

/// <summary>One browser for the tests of a class.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    /// <summary>Null where none is installed: then no test runs.</summary>
    internal Chromium Browser { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (Chromium.Program is not null)
            Browser = await Chromium.Start();
    }

    public async Task DisposeAsync()
    {
        if (Chromium.Program is not null)
            await Browser.DisposeAsync();
    }
}
