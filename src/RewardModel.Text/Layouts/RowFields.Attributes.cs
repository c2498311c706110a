using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Layouts;

internal sealed partial class RowFields
{
    private const string attributesKey = "attributes";

    /// <summary>
    /// The attributes of each of a list's answers, an object of numbers for each; null where the row has none, or is to be scored only.
    /// </summary>
    public IReadOnlyDictionary<string, double>[]? AttributesOfAnswers(int answerCount)
    {
        if (!HasAttributes())
            return null;
        var problemCount = problems.Count;
        var attributes = Items(attributesKey, "objects of numbers", AttributesOf);
        if (problems.Count == problemCount && attributes.Length != answerCount)
            problems.Add(
                $"{Quoted(attributesKey)} has objects for {Counted.Of(attributes.Length, "answer")}, expected {Counted.Of(answerCount, "answer")}");
        return problems.Count == problemCount ? attributes : null;
    }

    /// <summary>The attributes of the only answer of a row; null likewise.</summary>
    public IReadOnlyDictionary<string, double>? AttributesOfAnswer() =>
        HasAttributes() ? AttributesOf(fields[attributesKey], Quoted(attributesKey)) : null;

    /// <summary>Fields of the row that are attributes of its only answer: finite numbers, those that are null left out; null likewise.</summary>
    public IReadOnlyDictionary<string, double>? AttributesIn(params IReadOnlyList<string> keys)
    {
        Ignore(keys);
        var attributes = keys.Where(key => Has(key) && !IsToScore).ToDictionary(key => key, Score);
        return attributes.Count > 0 ? attributes : null;
    }

    private bool HasAttributes()
    {
        usedKeys.Add(attributesKey);
        return Has(attributesKey) && !IsToScore;
    }

    private Dictionary<string, double> AttributesOf(JsonElement element, string name)
    {
        var attributes = new Dictionary<string, double>();
        if (element.ValueKind == JsonValueKind.Null)
            return attributes;
        if (element.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"{name} is {NameOf(element)}, expected an object of numbers, such as {{\"helpfulness\": 3}}");
            return attributes;
        }
        foreach (var property in element.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Null)
                continue;
            if (OwnNumberOf(property.Value) is not { } number)
                problems.Add($"{name}.\"{property.Name}\" is {Shown(property.Value)}, expected a finite number, or null where the answer was not rated by it");
            else if (!attributes.TryAdd(property.Name, number))
                problems.Add($"{name}.\"{property.Name}\" is given twice");
        }
        return attributes;
    }
}
