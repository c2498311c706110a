namespace RewardModel.Distributed;

/// <summary>
/// Processes that were started together can't work together: the libraries for that are missing, don't fit or have failed.
/// </summary>
public sealed class DistributedException : Exception
{
    internal DistributedException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}
