using System.Collections.Concurrent;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Server;

namespace RewardModel.Tests.Server;

/// <summary>
/// A model whose rewards are told by <see cref="RewardOf"/>, that remembers what it computed, and that can be held up. It throws where it
/// reads the id <see cref="Poison"/>, and as one whose rewards are not finite where it reads <see cref="NotANumber"/>.
/// </summary>
internal sealed class FakeModel : IBatchModel, IDisposable
{
    public const int Poison = 1_000, NotANumber = 1_001;

    private readonly ManualResetEventSlim isOpen = new(true);
    private readonly SemaphoreSlim begun = new(0);
    private int userCount;

    public bool SharesPrompts => true;

    /// <summary>The lists of each batch.</summary>
    public ConcurrentQueue<IReadOnlyList<TokenizedList>> Batches { get; } = [];

    /// <summary>How long a batch takes.</summary>
    public TimeSpan Duration { get; set; }

    public int UserCount => Volatile.Read(ref userCount);

    public static float RewardOf(int[] prompt, int[] answer) => prompt.Sum() * 7 + answer.Select((id, i) => id * (i + 1)).Sum();

    public static float[][] RewardsOf(IEnumerable<TokenizedList> lists) =>
        [.. lists.Select(list => list.AnswerIds.Select((answer, k) => RewardOf(list.PromptOf(k), answer)).ToArray())];

    /// <summary>From now on batches wait until it is opened.</summary>
    public void Close() => isOpen.Reset();

    public void Open() => isOpen.Set();

    /// <summary>Waits until the next batch has begun.</summary>
    public Task BegunAsync() => begun.WaitAsync().WaitAsync(TimeSpan.FromSeconds(30));

    public EnsembleReward[][] Compute(IReadOnlyList<TokenizedList> lists)
    {
        Batches.Enqueue(lists);
        begun.Release();
        isOpen.Wait();
        if (Duration > TimeSpan.Zero)
            Thread.Sleep(Duration);
        if (lists.Any(list => list.AnswerIds.Any(answer => answer.Contains(Poison))))
            throw new InvalidOperationException("poison");
        if (lists.Any(list => list.AnswerIds.Any(answer => answer.Contains(NotANumber))))
            throw new NotFiniteRewardException(float.NaN, 1, "a list", "the model");
        return
        [
            .. lists.Select(list => list.AnswerIds.Select(
                (answer, k) => new EnsembleReward(RewardOf(list.PromptOf(k), answer), 0.5f)).ToArray()),
        ];
    }

    /// <summary>How often it was told to forget.</summary>
    public int ReleaseCount { get; private set; }

    public void ReleaseMemory() => ReleaseCount++;

    public bool TryAcquire()
    {
        Interlocked.Increment(ref userCount);
        return true;
    }

    public void Release() => Interlocked.Decrement(ref userCount);

    public void Dispose()
    {
        isOpen.Dispose();
        begun.Dispose();
    }
}
