using System.Globalization;
using System.Text.Json;
using RewardModel.Jinja;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>
/// An object of a tokenizer's JSON file. Reading a member marks it as known; <see cref="RejectUnread"/> then finds the ones that this
/// library doesn't know. Whatever is wrong is added to the list of problems, with the member's path, and a harmless value returned.
/// </summary>
/// <param name="file">The file's name.</param>
/// <param name="path">The members that lead to this object, separated by dots; empty for the file's outermost object.</param>
/// <param name="element">The object.</param>
/// <param name="problems">Where problems are added.</param>
internal sealed class JsonComponent(string file, string path, JsonElement element, List<string> problems)
{
    private const int MaxStepCount = 1000;

    /// <summary>What is wrong more often is wrong with the whole file.</summary>
    private const int MaxProblemCount = 100;

    private readonly HashSet<string> read = [];

    public void AddProblem(string problem)
    {
        if (problems.Count < MaxProblemCount)
            problems.Add(path.Length == 0 ? $"{file}: {problem}" : $"{file}: {path}: {problem}");
        else if (problems.Count == MaxProblemCount)
            problems.Add($"{file}: and more");
    }

    /// <summary>One problem for many cases, of which the first three are named.</summary>
    /// <param name="format">The problem, with {0} for the number of cases and {1} for the names.</param>
    /// <param name="cases">The cases; for none there is no problem.</param>
    public void AddProblemOfSome(string format, IReadOnlyList<string> cases)
    {
        var names = string.Join(", ", cases.Take(3).Select(Excerpt.Of)) + (cases.Count > 3 ? ", ..." : "");
        if (cases.Count > 0)
            AddProblem(string.Format(CultureInfo.InvariantCulture, format, cases.Count, names));
    }

    public void RejectUnread()
    {
        foreach (var member in element.EnumerateObject())
            if (!read.Contains(member.Name))
                AddProblem($"the option '{Excerpt.Of(member.Name)}' is not supported");
    }

    public void RejectType(string type, params ReadOnlySpan<string> supported) =>
        AddProblem($"the type '{Excerpt.Of(type)}' is not supported; supported are {string.Join(", ", supported)}");

    /// <summary>A member whose value makes no difference here.</summary>
    public void Ignore(string name) => read.Add(name);

    public JsonElement? Member(string name)
    {
        read.Add(name);
        return element.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? member : null;
    }

    public bool Has(string name) => element.TryGetProperty(name, out _);

    public string? OptionalText(string name)
    {
        if (Member(name) is not { } member)
            return null;
        if (member.ValueKind == JsonValueKind.String)
            return member.GetString();
        AddProblem($"'{name}' is {Excerpt.Of(member.GetRawText())}, expected a string");
        return null;
    }

    public string Text(string name)
    {
        if (Member(name) is null)
            AddProblem($"'{name}' is missing, expected a string");
        return OptionalText(name) ?? "";
    }

    /// <summary>A string of one character.</summary>
    public char Character(string name)
    {
        var text = Text(name);
        if (text.Length == 1)
            return text[0];
        AddProblem($"'{name}' is '{Excerpt.Of(text)}', expected one character");
        return default;
    }

    public bool? OptionalFlag(string name)
    {
        if (Member(name) is not { } member)
            return null;
        if (member.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return member.GetBoolean();
        AddProblem($"'{name}' is {Excerpt.Of(member.GetRawText())}, expected true or false");
        return null;
    }

    public int Number(string name)
    {
        if (Member(name) is { ValueKind: JsonValueKind.Number } member && member.TryGetInt32(out var number) && number >= 0)
            return number;
        AddProblem($"'{name}' is {Excerpt.Of(Member(name)?.GetRawText() ?? "missing")}, expected an integer from 0 on");
        return 0;
    }

    /// <summary>The id of a list of a token and its id.</summary>
    public int TokenAndId(string name)
    {
        if (Member(name) is { ValueKind: JsonValueKind.Array } member && member.GetArrayLength() == 2
            && member[1].ValueKind == JsonValueKind.Number && member[1].TryGetInt32(out var id) && id >= 0)
            return id;
        AddProblem($"'{name}' is {Excerpt.Of(Member(name)?.GetRawText() ?? "missing")}, expected a token and its id");
        return 0;
    }

    public int? OptionalNumber(string name) => Member(name) is null ? null : Number(name);

    /// <summary>A list of integers from 0 on; empty where it is missing.</summary>
    public IReadOnlyList<int> Numbers(string name)
    {
        if (Member(name) is not { } member)
            return [];
        var numbers = new List<int>();
        if (member.ValueKind == JsonValueKind.Array)
            foreach (var item in member.EnumerateArray())
                if (item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var number) && number >= 0)
                    numbers.Add(number);
        if (member.ValueKind == JsonValueKind.Array && numbers.Count == member.GetArrayLength())
            return numbers;
        AddProblem($"'{name}' is {Excerpt.Of(member.GetRawText())}, expected a list of integers from 0 on");
        return [];
    }

    public JsonComponent? Component(string name)
    {
        if (Member(name) is not { } member)
            return null;
        if (member.ValueKind == JsonValueKind.Object)
            return new JsonComponent(file, PathOf(name), member, problems);
        AddProblem($"'{name}' is a {member.ValueKind}, expected an object");
        return null;
    }

    /// <summary>The steps of a sequence, of which no published tokenizer has more than some dozens; empty where it is missing.</summary>
    public IEnumerable<JsonComponent> Steps(string name)
    {
        if (Member(name) is not { ValueKind: JsonValueKind.Array } member || member.GetArrayLength() <= MaxStepCount)
            return Components(name);
        AddProblem($"'{name}' has {member.GetArrayLength()} items, expected at most {MaxStepCount}");
        return [];
    }

    /// <summary>The objects of a list, made as they are read, since they may be millions; empty where it is missing.</summary>
    public IEnumerable<JsonComponent> Components(string name)
    {
        if (Member(name) is not { } member)
            return [];
        if (member.ValueKind != JsonValueKind.Array || member.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Object))
        {
            AddProblem($"'{name}' is not a list of objects");
            return [];
        }
        return member.EnumerateArray().Select((item, i) => new JsonComponent(file, $"{PathOf(name)}[{i}]", item, problems));
    }

    private string PathOf(string name) => path.Length == 0 ? name : $"{path}.{name}";
}
