namespace RewardModel.Training.Checks;

/// <summary>Which lists are nearly the same.</summary>
/// <param name="Clusters">For each list the number of its cluster.</param>
/// <param name="NormalizedOf">The hash of a list's prompt, or answers, but for white space and case.</param>
internal sealed record NearLists(int[] Clusters, Func<int, ulong> NormalizedOf);
