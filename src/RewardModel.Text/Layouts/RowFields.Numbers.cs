using System.Globalization;
using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Layouts;

internal sealed partial class RowFields
{
    /// <summary>A finite number, which tables may have as text.</summary>
    public double Score(string key)
    {
        if (Field(key) is not { } element)
            return 0;
        if (NumberOf(element) is { } number)
            return number;
        problems.Add($"{Quoted(key)} is {ShownText(element)}, expected a finite number");
        return 0;
    }

    /// <summary>A finite number; null where it is absent or no number, as the <c>N/A</c> of an answer that was not rated.</summary>
    public double? ScoreOrNone(string key)
    {
        usedKeys.Add(key);
        return Has(key) ? NumberOf(fields[key]) : null;
    }

    /// <summary>An array of such numbers.</summary>
    public double?[] ScoresOrNone(string key) => Items(key, "numbers", (element, _) => NumberOf(element));

    /// <summary>An array of labels: true, false, a number from 0 to 1, or null where there is none.</summary>
    public double?[] Labels(string key) => Items(key, "labels", LabelOf);

    private double? LabelOf(JsonElement element, string name)
    {
        if (element.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return element.GetBoolean() ? 1 : 0;
        if (element.ValueKind == JsonValueKind.Null)
            return null;
        if (OwnNumberOf(element) is >= 0 and <= 1 and var number)
            return number;
        problems.Add($"{name} is {ShownText(element)}, expected true, false, a number from 0 to 1, or null");
        return null;
    }

    /// <summary>An integer of a range, which tables may have as text.</summary>
    public int Integer(string key, int min, int max)
    {
        if (Field(key) is not { } element)
            return min;
        if (NumberOf(element) is { } number && double.IsInteger(number) && number >= min && number <= max)
            return (int)number;
        problems.Add($"{Quoted(key)} is {ShownText(element)}, expected {IntegersOf(min, max)}");
        return min;
    }

    /// <summary>The score that stands for a rank: an integer, the lower the better, which tables may have as text.</summary>
    /// <param name="key">The field.</param>
    /// <param name="best">The lowest rank that there is.</param>
    public double ScoreOfRank(string key, int best = 1)
    {
        if (Field(key) is not { } element)
            return 0;
        if (NumberOf(element) is { } rank && double.IsInteger(rank) && rank >= best)
            return 0 - rank;
        problems.Add($"{Quoted(key)} is {ShownText(element)}, expected an integer from {best} (the best)");
        return 0;
    }

    /// <summary>What <see cref="ScoreFrom"/> makes of the numbers of this object.</summary>
    /// <param name="numberOf">Numbers that stand elsewhere, by their names; null for a name that is none.</param>
    public double ComputedScore(Func<string, double?>? numberOf = null)
    {
        if (ScoreFrom is null)
            throw new InvalidOperationException("There is no expression to compute scores by.");
        var score = ScoreFrom.Of(name => (Has(name) ? Score(name) : numberOf?.Invoke(name)) ?? Missing(name));
        if (!double.IsFinite(score) && problems.Count == 0)
            problems.Add($"'{ScoreFrom.Text}' is {score} here, expected a finite number");
        return score;

        double Missing(string name)
        {
            problems.Add($"{Quoted(name)} is missing, which '{ScoreFrom.Text}' needs");
            return 0;
        }
    }

    /// <summary>
    /// A score per answer: from attributes where an expression says how, from "scores", from "ranks" (rank r is score -r), or else from the order
    /// of the answers.
    /// </summary>
    /// <param name="answersKey">The field that has the answers.</param>
    /// <param name="attributes">Those of each answer; null where there are none.</param>
    public double[] Scores(string answersKey, IReadOnlyDictionary<string, double>[]? attributes)
    {
        if (Has("scores") && Has("ranks"))
            problems.Add("\"scores\" and \"ranks\" are both given, expected at most one of them");
        var scores = AreComputed ? attributes is null ? null : Array.ConvertAll(attributes, ofAnswer => ComputedScore(NumberIn(ofAnswer)))
            : Has("scores") ? Items("scores", "numbers", ScoreOf)
            : Has("ranks") ? Items("ranks", "integers", (element, name) => -RankOf(element, name))
            : null;
        if (!fields.TryGetValue(answersKey, out var answers) || answers.ValueKind != JsonValueKind.Array)
            return [];
        var answerCount = answers.GetArrayLength();
        if (scores is not null && !AreComputed && scores.Length != answerCount)
            problems.Add($"{Count(scores.Length, Has("scores") ? "score" : "rank")} for {Count(answerCount, "answer")}");
        return scores ?? RankedList.ScoresOfOrder(answerCount);
    }

    /// <summary>Numbers of an answer by their names, for <see cref="ComputedScore"/>.</summary>
    public static Func<string, double?>? NumberIn(IReadOnlyDictionary<string, double>? attributes) =>
        attributes is null ? null : name => attributes.TryGetValue(name, out var value) ? value : null;

    /// <summary>The scores of a pair, from "score_chosen" and "score_rejected" where they are given.</summary>
    public double[] PairScores()
    {
        if (!Has("score_chosen") && !Has("score_rejected"))
            return RankedList.ScoresOfOrder(2);
        var problemCount = problems.Count;
        double[] scores =
        [
            .. new[] { "score_chosen", "score_rejected" }.Select(key => Field(key) is { } element ? ScoreOf(element, Quoted(key)) : 0),
        ];
        if (problems.Count == problemCount && scores[0] < scores[1])
            problems.Add(
                $"\"score_chosen\" is {Shown(fields["score_chosen"])} and \"score_rejected\" is {Shown(fields["score_rejected"])}, "
                + "expected the chosen answer to have the higher score, or the same");
        return scores;
    }

    /// <summary>Whether the scores are made of an order: of that in which the answers are given, or of ranks.</summary>
    public bool ScoresAreOrder => !Has("scores") && !Has("score_chosen") && !AreComputed;

    /// <summary>Whether the scores of a list are computed from attributes; which answer of a pair is better is given.</summary>
    private bool AreComputed => ScoreFrom is not null && Has(attributesKey) && !IsToScore && !Has("chosen") && !Has("rejected");

    /// <summary>By how much the rewards of the line's pairs should be apart; null where it doesn't say.</summary>
    public double? Margin() => Number("margin", ListNotes.IsMargin, "a finite number, 0 or more");

    /// <summary>What the line's loss is multiplied with.</summary>
    public double Weight() => Number("weight", ListNotes.IsWeight, "a finite number above 0") ?? 1;

    /// <summary>A number that need not be there.</summary>
    private double? Number(string key, Func<double, bool> isValid, string expected)
    {
        if (!Has(key) || Field(key) is not { } element)
            return null;
        if (OwnNumberOf(element) is { } number && isValid(number))
            return number;
        problems.Add($"{Quoted(key)} is {Shown(element)}, expected {expected}");
        return null;
    }

    private double ScoreOf(JsonElement element, string name)
    {
        if (OwnNumberOf(element) is { } number)
            return number;
        problems.Add($"{name} is {Shown(element)}, expected a finite number");
        return 0;
    }

    private double RankOf(JsonElement element, string name)
    {
        if (element.ValueKind == JsonValueKind.Number && element.GetDouble() is >= 1 and var rank && double.IsInteger(rank))
            return rank;
        problems.Add($"{name} is {Shown(element)}, expected an integer from 1 (the best)");
        return 0;
    }

    /// <summary>A number of this library's own layout, which is text in a table alone.</summary>
    private double? OwnNumberOf(JsonElement element) =>
        element.ValueKind == JsonValueKind.Number || Source.IsRow ? NumberOf(element) : null;

    private static double? NumberOf(JsonElement element)
    {
        var number = double.NaN;
        if (element.ValueKind == JsonValueKind.Number)
            number = element.GetDouble();
        else if (element.ValueKind == JsonValueKind.String
            && double.TryParse(element.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed))
            number = parsed;
        return double.IsFinite(number) ? number : null;
    }

    private static string IntegersOf(int min, int max) => max == min + 1 ? $"{min} or {max}" : $"an integer from {min} to {max}";

    /// <summary>A value for a message that expects a number: also of a string what it says, when it is short.</summary>
    private static string ShownText(JsonElement element) =>
        element.ValueKind == JsonValueKind.String && element.GetString() is { Length: <= 20 } text ? $"'{text}'" : Shown(element);
}
