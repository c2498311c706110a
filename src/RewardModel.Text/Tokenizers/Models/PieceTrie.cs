namespace RewardModel.Tokenizers.Models;

/// <summary>Finds the pieces that a text starts with.</summary>
internal sealed class PieceTrie
{
    /// <summary>The node that every search starts at.</summary>
    public const int Root = 0;

    private const int NoId = -1;

    private readonly Dictionary<(int Node, char Unit), int> children = [];
    private readonly List<int> ids = [NoId];

    public void Add(string piece, int id)
    {
        var node = Root;
        foreach (var unit in piece)
        {
            if (!children.TryGetValue((node, unit), out var child))
            {
                children[(node, unit)] = child = ids.Count;
                ids.Add(NoId);
            }
            node = child;
        }
        ids[node] = id;
    }

    public bool TryGetChild(int node, char unit, out int child) => children.TryGetValue((node, unit), out child);

    /// <summary>Whether a piece ends at a node, and its id.</summary>
    public bool TryGetId(int node, out int id) => (id = ids[node]) != NoId;
}
