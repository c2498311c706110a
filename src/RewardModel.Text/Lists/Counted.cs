using System.Globalization;

namespace RewardModel.Lists;

/// <summary>Numbers of things in messages.</summary>
internal static class Counted
{
    /// <summary>A number and its noun: <c>1 list</c>, <c>2 lists</c>.</summary>
    /// <param name="count">How many.</param>
    /// <param name="noun">What, in the singular; its plural ends with s.</param>
    public static string Of(long count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");

    /// <summary>The verb of that many things: <c>1 of 9 lists has</c>, <c>2 of 9 lists have</c>.</summary>
    /// <param name="count">How many.</param>
    /// <param name="singular">The verb of one.</param>
    /// <param name="plural">The verb of more, or of none.</param>
    public static string Verb(long count, string singular, string plural) => count == 1 ? singular : plural;
}
