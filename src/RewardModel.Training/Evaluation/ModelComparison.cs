using System.Text.Json;
using RewardModel.Training.Metrics;

namespace RewardModel.Training.Evaluation;

/// <summary>Two or more models on the same lists.</summary>
public sealed record ModelComparison
{
    /// <summary>The models, in the order in which they were given.</summary>
    public required IReadOnlyList<ComparedModel> Models { get; init; }

    /// <summary>Every two of them, each beside those after it.</summary>
    public required IReadOnlyList<ModelDifference> Differences { get; init; }

    /// <summary>Who wins where, by what lists and pairs differ in; tables of one row are left out.</summary>
    public required IReadOnlyList<ComparisonTable> Tables { get; init; }

    /// <summary>Pairs that models put into different orders, those first on which they are most sure of it.</summary>
    public required IReadOnlyList<ModelDisagreement> Disagreements { get; init; }

    /// <summary>Lists that are left out, as one of the models can't read them.</summary>
    public required int LeftOutListCount { get; init; }

    /// <summary>The comparison as JSON, its members in snake_case.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, EvaluationJson.Options);
}

/// <summary>A model that is compared.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Metrics">Its figures; the ends of the accuracy's interval are those of the bootstrap.</param>
public sealed record ComparedModel(string Name, RankingMetrics Metrics);

/// <summary>How much better one model is than another on the same pairs.</summary>
/// <param name="First">The one.</param>
/// <param name="Second">The other.</param>
/// <param name="Difference">The accuracy of the first less that of the second.</param>
/// <param name="Low">The lower end of its 95 % interval, by the paired bootstrap over prompts.</param>
/// <param name="High">The upper end.</param>
/// <param name="Probability">
/// The two-sided p-value: how often a difference as large would be seen between models that are equally good. Not corrected for comparing
/// several models.
/// </param>
/// <param name="FirstOnlyCount">Pairs that only the first one puts right.</param>
/// <param name="SecondOnlyCount">Pairs that only the second one puts right.</param>
/// <param name="Agreement">The share of pairs that both put into the same order.</param>
public sealed record ModelDifference(
    string First, string Second, double Difference, double Low, double High, double Probability, long FirstOnlyCount, long SecondOnlyCount,
    double Agreement);

/// <summary>The models on pairs or lists that differ in one respect.</summary>
/// <param name="By">In which, as <see cref="AccuracyTable.By"/>.</param>
/// <param name="Rows">One for each of those.</param>
public sealed record ComparisonTable(string By, IReadOnlyList<ComparisonRow> Rows);

/// <summary>The models on some of the pairs.</summary>
/// <param name="Name">Which pairs.</param>
/// <param name="PairCount">How many they are.</param>
/// <param name="Accuracies">The accuracy of each model.</param>
/// <param name="Wins">For each model how many pairs it puts right that each of the models puts wrong: row beats column.</param>
/// <param name="Winner">
/// The model with the best accuracy, if the interval of its difference from every other one is above 0; null where none is.
/// </param>
public sealed record ComparisonRow(
    string Name, long PairCount, IReadOnlyList<double> Accuracies, IReadOnlyList<IReadOnlyList<long>> Wins, string? Winner);

/// <summary>A pair that models put into different orders.</summary>
/// <param name="Pair">The pair, as the first model reads it, with its rewards.</param>
/// <param name="Rewards">For each model the rewards of the better and of the worse answer.</param>
public sealed record ModelDisagreement(ShownPair Pair, IReadOnlyList<ComparedRewards> Rewards);

/// <summary>The rewards of a pair by one model.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Better">That of the answer with the higher score.</param>
/// <param name="Worse">That of the other one.</param>
public sealed record ComparedRewards(string Model, float Better, float Worse);
