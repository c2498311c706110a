namespace RewardModel.Fuzz.Targets;

/// <summary>All targets.</summary>
internal static class KnownTargets
{
    /// <summary>The targets, in the order in which they run.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        .. CheckpointTargets.All, .. TokenizerTargets.All, .. ChatTargets.All, .. DataTargets.All, .. RunTargets.All, .. ServerTargets.All,
    ];

    /// <summary>The target of a name.</summary>
    public static FuzzTarget Named(string name) => All.FirstOrDefault(target => target.Name == name)
        ?? throw new ArgumentException($"There is no target '{name}'; expected one of: {string.Join(", ", All.Select(target => target.Name))}.");
}
