using System.Runtime.CompilerServices;

namespace RewardModel.Jinja;

/// <summary>
/// What one rendering may use: steps, memory, time, and levels of evaluation and of values. It belongs to the thread that renders, so that
/// operators, filters and values charge it wherever they work, and before they make anything. Without a rendering nothing is charged.
/// </summary>
internal sealed class RenderBudget
{
    /// <summary>A step evaluates a node of the template, looks at a few items, or at some 64 characters.</summary>
    public const int MaxSteps = 2_000_000;

    /// <summary>Deeper than any template.</summary>
    public const int MaxDepth = 400;

    /// <summary>Deeper than any message, whose JSON has at most 64 levels.</summary>
    public const int MaxValueDepth = 100;

    /// <summary>All that is made while rendering, without what becomes free again, besides a multiple of the conversation's size.</summary>
    public const long MaxBytes = 64L << 20;

    /// <summary>How often a conversation may be copied as a whole where that is more than <see cref="MaxBytes"/>.</summary>
    private const int MaxCopies = 16;

    private const int StepsBetweenLooks = 4096;

    private static readonly AsyncLocal<TimeSpan?> maxTimeOfTests = new();

    [ThreadStatic]
    private static RenderBudget? current;

    private readonly TimeSpan maxTime = MaxTime;
    private readonly TimeSpan startTime = ThreadTime.Now;
    private readonly long maxBytes;
    private long bytes;
    private int steps;
    private int nextLook = StepsBetweenLooks;
    private int depth;

    /// <summary>
    /// How long a thread may work on a rendering. Tests of the other limits, which a slow machine may reach later, set it for what they start.
    /// </summary>
    internal static TimeSpan MaxTime
    {
        get => maxTimeOfTests.Value ?? TimeSpan.FromSeconds(2);
        set => maxTimeOfTests.Value = value;
    }

    private RenderBudget(long dataBytes) => maxBytes = MaxBytes + MaxCopies * dataBytes;

    /// <summary>Starts charging what this thread does; disposing of the result ends it.</summary>
    /// <param name="dataBytes">The size of the conversation in bytes.</param>
    public static Rendering Start(long dataBytes)
    {
        current = new RenderBudget(dataBytes);
        return default;
    }

    /// <summary>Charges steps.</summary>
    /// <exception cref="RenderProblem">There are too many, or the time is over.</exception>
    public static void Spend(long count)
    {
        if (current is not { } budget)
            return;
        if (count > MaxSteps - budget.steps)
            throw new RenderProblem($"the template takes more than {MaxSteps} steps");
        budget.steps += (int)count;
        if (budget.steps < budget.nextLook)
            return;
        budget.nextLook = budget.steps + StepsBetweenLooks;
        if (ThreadTime.Now - budget.startTime > budget.maxTime)
            throw new RenderProblem($"the template takes longer than {budget.maxTime.TotalSeconds} seconds");
    }

    /// <summary>Charges looking at a text.</summary>
    public static void SpendOn(string text) => Spend(1 + text.Length / 64);

    /// <summary>Charges memory that is about to be taken: a number of parts of equal size in bytes.</summary>
    /// <exception cref="RenderProblem">It is more than is left.</exception>
    public static void Allocate(long count, long size)
    {
        if (current is not { } budget)
            return;
        if (count > (budget.maxBytes - budget.bytes) / size)
            throw new RenderProblem($"the template's values take more than {budget.maxBytes >> 20} MB");
        budget.bytes += count * size;
    }

    /// <summary>Counts a level of evaluation until the result is disposed of.</summary>
    /// <exception cref="RenderProblem">There are too many, or the thread's stack has no room for another one.</exception>
    public static Level Deeper()
    {
        CheckStack();
        if (current is { } budget && budget.depth++ >= MaxDepth)
        {
            budget.depth--;
            throw new RenderProblem($"more than {MaxDepth} levels of nesting or calls");
        }
        return default;
    }

    /// <summary>Checks that a value that is being made is not too deep; only such values are gone through recursively.</summary>
    public static int Checked(int valueDepth) => valueDepth <= MaxValueDepth
        ? valueDepth
        : throw new RenderProblem($"a value has more than {MaxValueDepth} levels of lists and dictionaries");

    /// <summary>Checks a recursion that is bounded, but perhaps not by as little as the thread's stack.</summary>
    public static void CheckStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new RenderProblem("more levels of nesting or calls than the thread's stack has room for");
    }

    /// <summary>A rendering.</summary>
    public readonly struct Rendering : IDisposable
    {
        public void Dispose() => current = null;
    }

    /// <summary>One level of evaluation.</summary>
    public readonly struct Level : IDisposable
    {
        public void Dispose()
        {
            if (current is { } budget)
                budget.depth--;
        }
    }
}
