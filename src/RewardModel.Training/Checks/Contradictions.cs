using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>
/// What lists of one prompt say against each other: A is better than B in one and worse in another; or A better than B, B than C and C than A.
/// </summary>
internal sealed class Contradictions
{
    private readonly Tally pairs = new();
    private readonly Tally cycles = new();
    private long comparedAgain;
    private long answersAgain;

    private Contradictions()
    {
    }

    /// <summary>Pairs of answers in both orders, of those that more than one list of a prompt compares.</summary>
    public DataCount Pairs => pairs.Of(comparedAgain);

    /// <summary>
    /// Answers in circles of three and more, of those that more than one list of a prompt has; pairs in both orders are left out of them.
    /// </summary>
    public DataCount Cycles => cycles.Of(answersAgain);

    public static Contradictions In(CheckedLists lists)
    {
        var found = new Contradictions();
        foreach (var ofPrompt in lists.ByPrompt())
            if (ofPrompt.Count > 1)
                found.Look(lists, ofPrompt);
        return found;
    }

    private void Look(CheckedLists lists, ArraySegment<int> ofPrompt)
    {
        // One list is an order: an answer that is in no other can't be part of a contradiction.
        var listsWith = new Dictionary<ulong, (int Count, int Last)>();
        foreach (var list in ofPrompt)
            foreach (var answer in lists.AnswersOf(list))
                if (!listsWith.TryGetValue(answer.Hash, out var with) || with.Last != list)
                    listsWith[answer.Hash] = (with.Count + 1, list);
        var numbers = listsWith.Where(answer => answer.Value.Count > 1).Select((answer, i) => (answer.Key, i))
            .ToDictionary(pair => pair.Key, pair => pair.i);
        answersAgain += numbers.Count;
        if (numbers.Count < 2)
            return;

        var edges = new Dictionary<(int Better, int Worse), (int List, int Count)>();
        foreach (var list in ofPrompt)
            foreach (var better in lists.AnswersOf(list))
                foreach (var worse in lists.AnswersOf(list))
                    if (better.Score > worse.Score && better.Hash != worse.Hash
                        && numbers.TryGetValue(better.Hash, out var from) && numbers.TryGetValue(worse.Hash, out var to))
                        edges[(from, to)] = edges.TryGetValue((from, to), out var edge) ? (edge.List, edge.Count + 1) : (list, 1);

        var ways = new List<int>[numbers.Count];
        var sourceOf = new SourceLine[numbers.Count];
        foreach (var ((from, to), (list, count)) in edges)
            if (edges.TryGetValue((to, from), out var opposite))
            {
                // Once of the two directions.
                if (from < to)
                {
                    comparedAgain++;
                    pairs.Add(lists.SourceOf(Math.Max(list, opposite.List)));
                }
            }
            else
            {
                comparedAgain += count > 1 ? 1 : 0;
                (ways[from] ??= []).Add(to);
                sourceOf[from] = lists.SourceOf(list);
            }
        foreach (var component in StrongComponents(ways))
            if (component.Count > 1)
                foreach (var answer in component)
                    cycles.Add(sourceOf[answer]);
    }

    /// <summary>The strongly connected components of a graph (Tarjan, 1972), without recursion.</summary>
    private static List<List<int>> StrongComponents(List<int>?[] ways)
    {
        var components = new List<List<int>>();
        var (order, lowest, isOpen) = (new int[ways.Length], new int[ways.Length], new bool[ways.Length]);
        var (open, path, next) = (new Stack<int>(), new Stack<(int Node, int Way)>(), 0);
        for (var start = 0; start < ways.Length; start++)
        {
            if (order[start] > 0)
                continue;
            path.Push((start, 0));
            while (path.TryPop(out var step))
            {
                var (node, way) = step;
                if (way == 0)
                {
                    order[node] = lowest[node] = ++next;
                    open.Push(node);
                    isOpen[node] = true;
                }
                else
                    lowest[node] = Math.Min(lowest[node], LowestOf(ways[node]![way - 1]));
                if (ways[node] is { } targets && way < targets.Count)
                {
                    path.Push((node, way + 1));
                    if (order[targets[way]] == 0)
                        path.Push((targets[way], 0));
                }
                else if (lowest[node] == order[node])
                    components.Add(Close(node));
            }
        }
        return components;

        int LowestOf(int node) => isOpen[node] ? lowest[node] : int.MaxValue;

        List<int> Close(int root)
        {
            var component = new List<int>();
            do
            {
                component.Add(open.Pop());
                isOpen[component[^1]] = false;
            }
            while (component[^1] != root);
            return component;
        }
    }
}
