namespace RewardModel.Training.Checks;

/// <summary>The names of findings, which don't change from version to version.</summary>
internal static class FindingId
{
    public const string Leak = "leak";
    public const string NearLeak = "near-leak";
    public const string NoPairs = "no-pairs";
    public const string IdenticalAnswers = "identical-answers";
    public const string Contradictions = "contradictions";
    public const string Cycles = "cycles";
    public const string Duplicates = "duplicates";
    public const string NearDuplicates = "near-duplicates";
    public const string Cut = "cut";
    public const string EmptyAnswers = "empty-answers";
    public const string OneTokenAnswers = "one-token-answers";
    public const string PromptRepeated = "prompt-repeated";
    public const string Boilerplate = "boilerplate";
    public const string Mojibake = "mojibake";
    public const string ReplacementCharacters = "replacement-characters";
    public const string ByteOrderMarks = "byte-order-marks";
    public const string ControlCharacters = "control-characters";
    public const string HtmlEntities = "html-entities";
    public const string SpecialTokens = "special-tokens";
    public const string MixedScripts = "mixed-scripts";
    public const string LongerWins = "longer-wins";
    public const string ShorterWins = "shorter-wins";

    public static IReadOnlyList<string> All { get; } =
    [
        Leak, NearLeak, NoPairs, IdenticalAnswers, Contradictions, Cycles, Duplicates, NearDuplicates, Cut, EmptyAnswers, OneTokenAnswers,
        PromptRepeated, Boilerplate, Mojibake, ReplacementCharacters, ByteOrderMarks, ControlCharacters, HtmlEntities, SpecialTokens,
        MixedScripts, LongerWins, ShorterWins,
    ];

    /// <summary>The severity that a name is; null for other names.</summary>
    public static FindingSeverity? SeverityOf(string name) => name switch
    {
        "note" => FindingSeverity.Note,
        "warning" => FindingSeverity.Warning,
        "error" => FindingSeverity.Error,
        _ => null,
    };

    /// <summary>Sees that names are ids or severities.</summary>
    /// <exception cref="ArgumentException">Some are neither: all of them are named.</exception>
    public static void Check(IEnumerable<string> names)
    {
        string[] unknown = [.. names.Where(name => SeverityOf(name) is null && !All.Contains(name))];
        if (unknown.Length > 0)
            throw new ArgumentException(
                $"There is no finding '{string.Join("' or '", unknown)}'; expected note, warning, error or one of {string.Join(", ", All)}.");
    }
}
