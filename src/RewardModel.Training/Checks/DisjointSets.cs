namespace RewardModel.Training.Checks;

/// <summary>Sets of the numbers 0 to count - 1 that grow together (union-find): at first each number is a set of its own.</summary>
internal sealed class DisjointSets(int count)
{
    private readonly int[] parents = [.. Enumerable.Range(0, count)];

    /// <summary>The smallest number of the set that a number is in.</summary>
    public int Find(int number)
    {
        while (parents[number] != number)
            number = parents[number] = parents[parents[number]];
        return number;
    }

    /// <summary>Makes one set of those that two numbers are in.</summary>
    public void Union(int first, int second)
    {
        var (firstRoot, secondRoot) = (Find(first), Find(second));
        parents[Math.Max(firstRoot, secondRoot)] = Math.Min(firstRoot, secondRoot);
    }

    /// <summary>For each number its set, counted from 0 in the order of their smallest numbers.</summary>
    public int[] Ids()
    {
        var ids = new int[parents.Length];
        var next = 0;
        for (var i = 0; i < ids.Length; i++)
            ids[i] = Find(i) == i ? next++ : ids[Find(i)];
        return ids;
    }
}
