using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>
/// How the rows of a data set are laid out: by what they are recognised, and what ranked lists they hold. A row is a JSON object, or a row
/// of a table as one.
/// </summary>
/// <example>
/// <code>
/// var exams = new DataLayout(
///     "exams",
///     row => row.TryGetProperty("marks", out _),
///     row => new RankedList(
///         row.GetProperty("task").GetString()!,
///         [.. row.GetProperty("solutions").EnumerateArray().Select(solution => solution.GetString()!)],
///         [.. row.GetProperty("marks").EnumerateArray().Select(mark => mark.GetDouble())]));
/// </code>
/// </example>
public sealed partial class DataLayout
{
    private readonly Func<RowFields, bool> matches;
    private readonly Func<RowFields, RowReading> read;
    private readonly Func<JsonElement, bool>? matchesRow;
    private readonly Func<JsonElement, IEnumerable<RankedList>>? readRow;

    /// <summary>A layout of which every row is one list.</summary>
    /// <param name="name">What it is called, in messages and by <c>--layout</c>.</param>
    /// <param name="matches">Whether a row, a JSON object, is of this layout. The first row of a file decides for the file.</param>
    /// <param name="read">
    /// The list of a row. What is wrong with a row is told by an exception: its message goes beside file and row into the list of bad rows.
    /// </param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public DataLayout(string name, Func<JsonElement, bool> matches, Func<JsonElement, RankedList> read)
        : this(name, matches, Many(read))
    {
    }

    /// <summary>A layout of which a row may be any number of lists.</summary>
    /// <inheritdoc cref="DataLayout(string, Func{JsonElement, bool}, Func{JsonElement, RankedList})"/>
    public DataLayout(string name, Func<JsonElement, bool> matches, Func<JsonElement, IEnumerable<RankedList>> read)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(matches);
        ArgumentNullException.ThrowIfNull(read);
        (Name, Title) = (name, name);
        (matchesRow, readRow) = (matches, read);
        (this.matches, this.read) = (_ => false, _ => new RowReading());
    }

    /// <summary>A layout that is known.</summary>
    /// <param name="name">What it is called, in messages and by <c>--layout</c>.</param>
    /// <param name="title">What it is, in words.</param>
    /// <param name="keys">The keys that all of its rows have, be some of them null.</param>
    /// <param name="matches">Whether a row that has these keys is of this layout; null for yes.</param>
    /// <param name="read">What a row holds; what is wrong with it goes to the fields' problems.</param>
    internal DataLayout(
        string name, string title, IReadOnlyList<string> keys, Func<RowFields, bool>? matches, Func<RowFields, RowReading> read)
    {
        (Name, Title, Keys) = (name, title, keys);
        this.read = read;
        // Where one is null, its row should say which.
        this.matches = fields =>
            keys.All(fields.IsNamed) && (keys.Count == 0 || keys.Any(fields.Has)) && (matches is null || matches(fields));
    }

    /// <summary>What it is called, in messages and by <c>--layout</c>.</summary>
    public string Name { get; }

    /// <summary>What it is, in words.</summary>
    public string Title { get; }

    /// <summary>The keys that all of its rows have.</summary>
    internal IReadOnlyList<string> Keys { get; } = [];

    /// <summary>Other keys that it reads, of those that a table may have as columns.</summary>
    internal IReadOnlyList<string> OtherKeys { get; init; } = [];

    /// <summary>Keys that say nothing about order or text: they are ignored without a word.</summary>
    internal IReadOnlyCollection<string> Metadata { get; init; } = [];

    /// <summary>Whether a row is of this layout.</summary>
    internal bool Matches(JsonElement row, RowFields fields) => matchesRow?.Invoke(row) ?? matches(fields);

    /// <summary>What a row holds. What is wrong with it goes to the fields' problems.</summary>
    internal RowReading Read(JsonElement row, RowFields fields, SourceLine source)
    {
        if (readRow is null)
        {
            fields.Ignore(Metadata);
            return read(fields);
        }
        fields.Ignore(fields.Keys);
        try
        {
            RankedList[] lists = [.. readRow(row).Select(list => list with { Source = source })];
            return RowReading.OfMany(() => lists);
        }
        // Whatever the caller's function says of the row.
        catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
        {
            fields.Reject(e.Message);
            return new RowReading();
        }
    }

    private static Func<JsonElement, IEnumerable<RankedList>> Many(Func<JsonElement, RankedList> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        return row => [read(row)];
    }
}
