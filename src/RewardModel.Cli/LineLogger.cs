using Microsoft.Extensions.Logging;

namespace RewardModel.Cli;

/// <summary>Writes what the library logs as plain lines.</summary>
/// <param name="write">Writes a line.</param>
/// <param name="least">What is less important is left out.</param>
internal sealed class LineLogger(Action<string> write, LogLevel least = LogLevel.Information) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            write(logLevel >= LogLevel.Warning ? $"warning: {formatter(state, exception)}" : formatter(state, exception));
    }
}
