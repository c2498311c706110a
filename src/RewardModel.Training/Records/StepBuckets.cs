using RewardModel.Training.Reporting;

namespace RewardModel.Training.Records;

/// <summary>How the steps of a run are divided, so that a report of any number of them stays small: into runs of steps of one length.</summary>
internal sealed class StepBuckets
{
    /// <summary>Most of them: five curves of four numbers in three bytes each are then 500 kB, 650 kB in the file.</summary>
    private const int most = 8192;

    private StepBuckets(int first, int last)
    {
        (First, Last) = (first, last);
        Size = (last - first) / most + 1;
        Count = (last - first) / Size + 1;
    }

    /// <summary>The first step.</summary>
    public int First { get; }

    /// <summary>The last one.</summary>
    public int Last { get; }

    /// <summary>How many steps a bucket has.</summary>
    public int Size { get; }

    /// <summary>How many buckets there are.</summary>
    public int Count { get; }

    /// <summary>The buckets of these steps; null without steps.</summary>
    public static StepBuckets? Of(IReadOnlyList<StepReport> steps) =>
        steps.Count == 0 ? null : new StepBuckets(steps.Min(step => step.Step), steps.Max(step => step.Step));

    /// <summary>The bucket of a step.</summary>
    public int BucketOf(int step) => (step - First) / Size;

    /// <summary>The step in the middle of neighbouring buckets.</summary>
    /// <param name="bucket">The first one.</param>
    /// <param name="count">How many they are.</param>
    public double MiddleOf(int bucket, int count = 1) => First + bucket * (double)Size + (Math.Min(count * Size, Last - First + 1 - bucket * Size) - 1) / 2.0;
}
