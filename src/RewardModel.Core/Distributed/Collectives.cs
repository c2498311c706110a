using RewardModel.Kernels;

namespace RewardModel.Distributed;

/// <summary>Where ranks come from, and how they end together.</summary>
public static class Collectives
{
    /// <summary>How long an operation may take where nothing else is said, from when a rank has come to it.</summary>
    public static TimeSpan DefaultLimit { get; } = TimeSpan.FromMinutes(10);

    /// <summary>How long another rank than the first leaves it to that one to tell what has happened to all of them alike.</summary>
    private static readonly TimeSpan firstRanksTurn = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The processes that a launcher has started with this one (mpirun, mpiexec or srun), connected by MPI; a single rank where this
    /// process was started by itself. Every one of the processes calls this, once. Dispose of it when all is done; what may fail before is
    /// done by <see cref="Run(ICollective, Action)"/>.
    /// </summary>
    /// <param name="limit">
    /// How long an operation may take, from when this rank has come to it: after that all ranks are ended, for one of them hangs. As long
    /// as what a single rank computes while the others wait, at least. <see cref="DefaultLimit"/> if null.
    /// </param>
    /// <param name="progressFolder">
    /// A folder that all ranks see, made if it is not there, in which each writes down how far it is (<c>rank-3</c>), so that the message
    /// then says which one hangs.
    /// </param>
    /// <param name="onGpus">
    /// Whether each rank computes on a GPU of its own, the one of its <see cref="ICollective.LocalRank"/>: then NCCL adds up what lies there, if
    /// every rank has it.
    /// </param>
    /// <exception cref="DistributedException">There is no MPI library, or it is another one than the launcher's.</exception>
    public static ICollective FromEnvironment(TimeSpan? limit = null, string? progressFolder = null, bool onGpus = false)
    {
        if (limit is { } given)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(given, TimeSpan.Zero, nameof(limit));
        if (Launcher.Of(Environment.GetEnvironmentVariable) is not { Size: > 1 } launcher)
            return SingleProcess.Instance;
        var mpi = Mpi.Open(launcher, Environment.GetEnvironmentVariable(Mpi.LibraryVariable));
        var ranks = new MpiCollective(mpi, launcher, limit ?? DefaultLimit, progressFolder);
        return onGpus ? OnGpus(ranks, limit ?? DefaultLimit) : ranks;
    }

    /// <summary>A rank's GPU, of those that its process sees: its own where a launcher shows it no other.</summary>
    internal static int GpuOf(ICollective ranks) => TorchSharp.torch.cuda.device_count() == 1 ? 0 : ranks.LocalRank;

    /// <summary>The same ranks with NCCL beside, where each has it.</summary>
    internal static ICollective OnGpus(ICollective ranks, TimeSpan limit)
    {
        TorchLibraries.Require();
        var hasNccl = NcclCollective.IsInstalled;
        return ranks.Gather([(byte)(hasNccl ? 1 : 0)], "whether all ranks have NCCL").All(flag => flag[0] == 1)
            ? new NcclCollective(ranks, GpuOf(ranks), limit, ownsRanks: true)
            : ranks;
    }

    /// <summary>
    /// Does what ranks do together. An exception on one of them ends all of them, for the others would wait for it; its message goes to the
    /// error stream. Where there is a single rank it is thrown.
    /// </summary>
    /// <param name="collective">The ranks.</param>
    /// <param name="body">What this rank does.</param>
    public static void Run(ICollective collective, Action body) => Run(collective, body, tell: _ => null);

    /// <inheritdoc cref="Run(ICollective, Action)"/>
    /// <param name="collective">The ranks.</param>
    /// <param name="body">What this rank does.</param>
    /// <param name="tell">What to say of an exception; null where its stack trace is wanted.</param>
    internal static void Run(ICollective collective, Action body, Func<Exception, string?> tell)
    {
        ArgumentNullException.ThrowIfNull(collective);
        ArgumentNullException.ThrowIfNull(body);
        try
        {
            body();
        }
        // Ranks that are cancelled are so together, and end as they like.
        catch (OperationCanceledException)
        {
            if (collective.Size > 1)
                collective.Gather([], "the end of a run that is cancelled");
            throw;
        }
        catch (Exception exception) when (collective.Size > 1)
        {
            // Exceptions of this library say all in their messages.
            var isOurs = exception.GetType().Namespace?.StartsWith(nameof(RewardModel), StringComparison.Ordinal) == true;
            // Where the first rank tells it, this process is ended meanwhile.
            if (collective.Rank > 0)
                using (var never = new ManualResetEvent(false))
                    never.WaitOne(firstRanksTurn);
            collective.Abort(tell(exception) ?? (isOurs ? exception.Message : exception.ToString()));
            throw;
        }
    }
}
