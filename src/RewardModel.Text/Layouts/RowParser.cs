using System.Text.Json;
using System.Text.Unicode;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>Reads the rows of one file, of which the first that is of a known layout decides how the others are read.</summary>
/// <param name="settings">How rows are read.</param>
internal sealed class RowParser(RowSettings settings)
{
    private const int MaxProblemsShown = 5;

    // What the file's rows are read by, and the row that decided it.
    private DataLayout? layout = settings.Layout;
    private SourceLine decidedBy;

    /// <summary>Reads a row.</summary>
    /// <param name="utf8">A JSON object.</param>
    /// <param name="source">Where it is.</param>
    public ParsedRow Parse(ReadOnlyMemory<byte> utf8, SourceLine source)
    {
        if (!Utf8.IsValid(utf8.Span))
            return Bad(source, "not UTF-8");
        try
        {
            using var document = JsonDocument.Parse(utf8);
            var root = document.RootElement;
            return Parse(root, source) with
            {
                Row = settings.AreToScore && root.ValueKind == JsonValueKind.Object ? root.Clone() : null,
            };
        }
        catch (JsonException exception)
        {
            return Bad(source, InvalidJson(exception, source));
        }
    }

    /// <summary>Where JSON is wrong: an item of an array may have several lines.</summary>
    internal static string InvalidJson(JsonException exception, SourceLine source) =>
        $"invalid JSON at byte {exception.BytePositionInLine + 1}"
        + (exception.LineNumber > 0 ? $" of line {source.Line + exception.LineNumber}" : "");

    private ParsedRow Parse(JsonElement root, SourceLine source)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return Bad(
                source,
                $"{RowFields.NameOf(root)}, expected an object such as {{\"prompt\": \"...\", \"answers\": [\"best\", \"worst\"]}}");

        if (source.IsRow)
            root = NullMembers.Without(root);
        var fields = new RowFields(root, source, settings.ScoreFrom)
        {
            IsToScore = settings.AreToScore,
            MayBeWhole = settings.MayBeWhole,
        };
        var group = settings.GroupBy is { } column ? GroupOf(fields, column) : null;
        var rowLayout = LayoutOf(root, fields);
        var reading = rowLayout.Read(root, fields, source);
        // What is scored has no loss.
        var (margin, weight) = settings.AreToScore ? (null, 1) : (fields.Margin(), fields.Weight());
        if (fields.Problems.Count > 0)
            return Bad(source, Join(fields.Problems));
        // Where no answer is rated, there are none.
        var attributes = reading.Attributes?.Any(ofAnswer => ofAnswer.Count > 0) == true ? reading.Attributes : null;
        RankedList[] lists = reading.Lists is null
            ? []
            : [.. reading.Lists().Select(list => list with
            {
                Margin = margin ?? list.Margin,
                Weight = weight * list.Weight,
                Group = group ?? list.Group,
                Attributes = attributes ?? list.Attributes,
                IsUnscored = reading.IsUnscored,
            })];
        // A row is given back with its rewards.
        if (settings.AreToScore && reading.Lists is not null && lists.Length != 1)
            return Bad(source, $"{Counted.Of(lists.Length, "list")}, expected one to score; make a row of each (reward-model convert)");
        return new ParsedRow(source)
        {
            Lists = lists,
            TokenizedList = reading.TokenizedList is null
                ? null
                : reading.TokenizedList() with
                {
                    ScoresAreOrder = fields.ScoresAreOrder,
                    Margin = margin,
                    Weight = weight,
                    Group = group,
                    Attributes = attributes,
                },
            Whole = reading.Whole,
            IsPart = reading.IsPart,
            IsSingle = reading.IsSingle,
            IgnoredKeys = fields.UnusedKeys,
            PromptEnd = reading.PromptEnd,
            HadRepeatedPrompt = reading.HadRepeatedPrompt,
            LeftOutAnswerCount = reading.LeftOutAnswerCount,
            Layout = rowLayout,
        };
    }

    private static string? GroupOf(RowFields fields, string column)
    {
        var group = fields.Label(column);
        if (group is null)
            fields.Reject(
                $"\"{column}\" is {(fields.Has(column) ? "neither text nor a number" : "missing")}, expected what the row belongs to (--group-by)");
        return group;
    }

    /// <summary>The layout of a row: that of the rows before it, whose messages say what is wrong with a row that is of no other one.</summary>
    private DataLayout LayoutOf(JsonElement root, RowFields fields)
    {
        if (layout is not null && (layout == settings.Layout || (layout != DataLayout.Own && layout.Matches(root, fields))
            || (layout == DataLayout.Own && OwnLayout.IsOwn(fields))))
            return layout;
        var found = settings.Layouts.Concat(DataLayout.Known).First(known => known.Matches(root, fields));
        if (layout is null)
        {
            // A row that is of no layout may be a bad one of the layout that the next rows show.
            if (found != DataLayout.Own || OwnLayout.IsOwn(fields))
                (layout, decidedBy) = (found, fields.Source);
            return found;
        }
        if (found != DataLayout.Own)
            fields.Reject(
                $"looks like {found.Title} (--layout {found.Name}), expected {layout.Title} as in {decidedBy.Place}: a file has one layout");
        return found == DataLayout.Own ? layout : found;
    }

    private static ParsedRow Bad(SourceLine source, string problem) => new(source) { Problem = problem };

    private static string Join(IReadOnlyList<string> problems) =>
        string.Join("; ", problems.Take(MaxProblemsShown))
        + (problems.Count > MaxProblemsShown ? $"; and {problems.Count - MaxProblemsShown} more" : "");
}
