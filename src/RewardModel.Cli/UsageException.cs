namespace RewardModel.Cli;

/// <summary>Options that don't go together.</summary>
internal sealed class UsageException(string message) : Exception(message);
