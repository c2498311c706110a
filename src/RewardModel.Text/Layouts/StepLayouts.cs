using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>Solutions whose steps are labelled, which process supervision trains on.</summary>
internal static class StepLayouts
{
    /// <summary>What ends a step of Math-Shepherd, in the text that is scored.</summary>
    private const string mathShepherdTag = "ки";

    private static readonly string[] stepKeys = ["steps", "completions"];

    /// <summary>A prompt, the steps of a solution and a label for each: this library's own, and TRL's stepwise supervision.</summary>
    public static readonly DataLayout Stepwise = new(
        "stepwise", "steps of a solution with their labels", ["prompt"], IsStepwise, ReadStepwise)
    {
        OtherKeys = ["steps", "completions", "labels", "separator", "system", "tools"],
    };

    /// <summary>Math-Shepherd: a solution with a tag behind each step, and the same text with the steps' labels in the tags' places.</summary>
    public static readonly DataLayout MathShepherd = new(
        "math-shepherd", "Math-Shepherd: solutions with a tag behind each step", ["input", "label"],
        fields => fields.AreTexts("input", "label") && fields.Contains("input", mathShepherdTag), ReadMathShepherd)
    {
        Metadata = ["task"],
    };

    /// <summary>PRM800K: at each step several completions with ratings, of which one was gone on with.</summary>
    public static readonly DataLayout Prm800K = new(
        "prm800k", "PRM800K: rated completions of each step", ["question", "label"],
        fields => fields.IsObjectWith("question", "problem") && fields.IsObjectWith("label", "steps"), ReadPrm800K)
    {
        Metadata =
        [
            "labeler", "timestamp", "generation", "is_quality_control_question", "is_initial_screening_question",
        ],
    };

    private static bool IsStepwise(RowFields fields) =>
        stepKeys.Any(fields.IsArrayOfTexts)
        // Completions without labels may as well be answers that stand by themselves.
        && (fields.IsArray("labels") || (fields.IsToScore && fields.Has("steps") && !fields.Has("scores")));

    private static RowReading ReadStepwise(RowFields fields)
    {
        var key = fields.OnlyOf(stepKeys);
        var steps = fields.NonEmptyTexts(key);
        var separator = fields.Has("separator") ? fields.Text("separator") : "\n";
        double?[] labels = [.. steps.Select(_ => (double?)0)];
        if (fields.IsToScore)
            fields.Ignore("labels");
        else if (fields.Labels("labels") is var given && given.Length == steps.Length)
            labels = given;
        else
            fields.Reject("labels", $"has {Counted.Of(given.Length, "label")} for {Counted.Of(steps.Length, "step")}, expected one for each");
        RejectNone(fields, labels, "labels");
        if (fields.IsArray("prompt"))
        {
            var conversation = OwnLayout.ConversationOf(fields, fields.Messages("prompt"));
            return RowReading.Of(() => RankedList.OfSteps("", steps, labels, separator, fields.Source).AnswersTo(conversation));
        }
        fields.RejectSystem();
        fields.RejectTools();
        var prompt = fields.Text("prompt");
        return RowReading.Of(() => RankedList.OfSteps(prompt, steps, labels, separator, fields.Source));
    }

    private static RowReading ReadMathShepherd(RowFields fields)
    {
        const string firstStep = "Step 1:";
        string input = fields.Text("input"), label = fields.Text("label");
        var start = input.IndexOf(firstStep, StringComparison.Ordinal);
        if (start < 0)
            fields.Reject("input", $"has no '{firstStep}', expected a question and the steps of its solution");
        var (steps, labels) = (new List<string>(), new List<double?>());
        var lastEnd = Math.Max(0, start);
        // In the label's text each tag is one character.
        var shift = 0;
        foreach (var end in StepEnds.In(input, mathShepherdTag))
        {
            var place = end - mathShepherdTag.Length - shift;
            shift += mathShepherdTag.Length - 1;
            if (end <= start)
                continue;
            var sign = place < label.Length ? label[place] : ' ';
            if (sign is not ('+' or '-'))
            {
                fields.Reject("label", $"has no + or - where step {steps.Count + 1} of \"input\" ends, expected the same text with them");
                break;
            }
            steps.Add(input[lastEnd..end]);
            labels.Add(sign == '+' ? 1 : 0);
            lastEnd = end;
        }
        if (steps.Count == 0 && start >= 0 && fields.Problems.Count == 0)
            fields.Reject("input", $"has no {mathShepherdTag} behind '{firstStep}', expected one behind each step");
        return RowReading.Of(() => RankedList.OfSteps(input[..start], steps, labels, separator: "", fields.Source));
    }

    private static RowReading ReadPrm800K(RowFields fields)
    {
        var prompt = fields.Object("question").Text("problem");
        var label = fields.Object("label");
        label.Ignore("total_time", "finish_reason");
        fields.Ignore("question");
        var lists = new List<(string[] Steps, double?[] Labels)>();
        var (texts, labels) = (new List<string>(), new List<double?>());
        foreach (var step in label.Objects("steps"))
        {
            var completions = step.HasItems("completions") ? step.Objects("completions") : [];
            var chosen = step.Has("chosen_completion") && completions.Length > 0
                ? step.Integer("chosen_completion", 0, completions.Length - 1) : (int?)null;
            var found = Array.ConvertAll(completions, completion =>
            {
                completion.Ignore("flagged");
                // -1, 0 and 1: wrong, neither right nor wrong, right.
                return (Text: completion.NonEmptyText("text"), Label: completion.ScoreOrNone("rating") is { } rating ? (double?)((rating + 1) / 2) : null);
            });
            // What was not gone on with ends there; the steps before it are of the solution that was.
            for (var c = 0; c < found.Length; c++)
                if (c != chosen && found[c].Label is not null)
                    lists.Add(([.. texts, found[c].Text], [.. texts.Select(_ => (double?)null), found[c].Label]));
            var next = chosen is { } index ? found[index]
                : step.IsObjectWith("human_completion", "text") ? (step.Object("human_completion").NonEmptyText("text"), 1)
                : default((string, double?)?);
            step.Ignore("human_completion");
            if (next is not var (text, its))
                break;
            texts.Add(text);
            labels.Add(its);
        }
        if (labels.Exists(known => known is not null))
            lists.Insert(0, ([.. texts], [.. labels]));
        if (lists.Exists(list => list.Labels.Any(rating => rating is < 0 or > 1)))
            fields.Reject("a \"rating\" is not -1, 0 or 1, expected one of these");
        return RowReading.OfMany(() => lists.Select(list => RankedList.OfSteps(prompt, list.Steps, list.Labels, "\n", fields.Source)));
    }

    private static void RejectNone(RowFields fields, double?[] labels, string key)
    {
        if (labels.Length > 0 && !labels.Any(label => label is not null))
            fields.Reject(key, "has no label that is not null, expected one at least");
    }
}
