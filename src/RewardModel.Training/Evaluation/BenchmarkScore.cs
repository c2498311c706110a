namespace RewardModel.Training.Evaluation;

/// <summary>The score of a published benchmark, computed as it says.</summary>
/// <param name="Name">Such as <c>RewardBench</c>.</param>
/// <param name="Score">The score, from 0 to 1.</param>
/// <param name="Sections">Its sections.</param>
/// <param name="MissingSubsets">
/// Subsets that the benchmark has and the data don't: the score is then not comparable with published ones.
/// </param>
public sealed record BenchmarkScore(
    string Name, double Score, IReadOnlyList<BenchmarkSection> Sections, IReadOnlyList<string> MissingSubsets);

/// <summary>A section of a benchmark.</summary>
/// <param name="Name">Such as <c>Chat Hard</c>.</param>
/// <param name="Score">Its score, from 0 to 1.</param>
/// <param name="Weight">What it is weighted with in the benchmark's score.</param>
/// <param name="Subsets">The accuracies of its subsets, by the benchmark's own rule.</param>
public sealed record BenchmarkSection(string Name, double Score, double Weight, IReadOnlyList<BenchmarkSubset> Subsets);

/// <summary>A subset of a benchmark.</summary>
/// <param name="Name">Such as <c>alpacaeval-easy</c>.</param>
/// <param name="ListCount">Lists of it in the data.</param>
/// <param name="Score">Its score, from 0 to 1.</param>
public sealed record BenchmarkSubset(string Name, int ListCount, double Score);
