namespace RewardModel.Layouts;

public sealed partial class DataLayout
{
    /// <summary>The layouts that are recognised, in the order in which rows are compared with them.</summary>
    public static IReadOnlyList<DataLayout> Known { get; } =
    [
        // The layout of this library is the last: it is what a row is taken for that is of no other.
        new("lists", "ranked lists", _ => true, OwnLayout.Read),
    ];

    /// <summary>What rows are read by that are of no layout: its messages say what is expected.</summary>
    internal static DataLayout Own => Known[^1];

    /// <summary>The layout of a name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="more">Layouts of the caller.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    internal static DataLayout Named(string name, IReadOnlyList<DataLayout> more) =>
        more.Concat(Known).FirstOrDefault(layout => layout.Name == name)
        ?? throw new ArgumentException(
            $"There is no layout '{name}'; expected one of {string.Join(", ", more.Concat(Known).Select(layout => layout.Name))}.");
}
