namespace RewardModel.Jinja;

/// <summary>
/// Python's <c>sorted</c>: equal items keep their order. By merging, since .NET's sorts wrap the exceptions of comparisons and may fail
/// where these contradict each other, as those of NaN do.
/// </summary>
internal static class StableSort
{
    /// <exception cref="RenderProblem">Two of the keys have no order.</exception>
    public static IReadOnlyList<T> Of<T>(IEnumerable<T> items, Func<T, object?> key, bool isDescending)
    {
        var sorted = items.Select(item => (Key: key(item), Item: item)).ToArray();
        RenderBudget.Allocate(sorted.Length, 5 * sizeof(long));
        var merged = new (object? Key, T Item)[sorted.Length];
        for (var width = 1; width < sorted.Length; width = (int)Math.Min(2L * width, sorted.Length))
        {
            for (var start = 0; start < sorted.Length; start += (int)Math.Min(2L * width, sorted.Length))
                Merge(start, Math.Min(start + width, sorted.Length), (int)Math.Min(start + 2L * width, sorted.Length));
            (sorted, merged) = (merged, sorted);
        }
        return sorted.Select(entry => entry.Item).ToList();

        void Merge(int start, int middle, int end)
        {
            for (int i = start, left = start, right = middle; i < end; i++)
                merged[i] = right == end || (left < middle && !IsLess(sorted[right].Key, sorted[left].Key))
                    ? sorted[left++]
                    : sorted[right++];
        }

        bool IsLess(object? first, object? second) =>
            isDescending ? Operators.Order("<", second, first) < 0 : Operators.Order("<", first, second) < 0;
    }
}
