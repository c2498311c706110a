namespace RlhfLoop;

/// <summary>
/// How good an answer of the sorting task really is. It ranks the answers that the reward model is trained on, as people would; the policy
/// never sees it, and after that it is only printed.
/// </summary>
/// <param name="IsExact">Whether the answer is the sorted items.</param>
/// <param name="PairsInOrder">
/// The share of all pairs of the prompt's items that the answer has in the right order. A pair of which an item is missing is not; of an
/// item that comes more than once, the first counts.
/// </param>
internal readonly record struct TrueQuality(bool IsExact, double PairsInOrder)
{
    /// <summary>By which answers are ranked: what is more than the sorted items is worse than these.</summary>
    public double Score => IsExact ? 1 : Math.Min(PairsInOrder, 0.99);

    public static TrueQuality Of(string prompt, string answer)
    {
        // Sort 7 2 14 4 11 ascending:
        var words = prompt.TrimEnd(':').Split(' ');
        var items = words[1..^1].Select(int.Parse);
        string[] wanted = [.. (words[^1] == "ascending" ? items.Order() : items.OrderDescending()).Select(item => $"{item}")];
        var given = answer.Split(' ');
        int[] places = [.. wanted.Select(item => Array.IndexOf(given, item))];
        var inOrder = 0;
        for (var i = 0; i < places.Length; i++)
            for (var j = i + 1; j < places.Length; j++)
                if (places[i] >= 0 && places[i] < places[j])
                    inOrder++;
        return new TrueQuality(given.SequenceEqual(wanted), inOrder / (places.Length * (places.Length - 1) / 2.0));
    }
}
