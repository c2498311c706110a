namespace RewardModel.Lists;

/// <summary>What a list may say about itself besides its answers and scores.</summary>
internal static class ListNotes
{
    /// <exception cref="ArgumentException">The margin is negative or not finite.</exception>
    public static double? CheckedMargin(double? margin) => margin is null || IsMargin(margin.Value)
        ? margin
        : throw new ArgumentException($"The list's margin is {margin}; expected a finite number, 0 or more.", "Margin");

    /// <exception cref="ArgumentException">The weight is not a positive finite number.</exception>
    public static double CheckedWeight(double weight) => IsWeight(weight)
        ? weight
        : throw new ArgumentException($"The list's weight is {weight}; expected a finite number above 0.", "Weight");

    public static bool IsMargin(double number) => number >= 0 && double.IsFinite(number);

    public static bool IsWeight(double number) => number > 0 && double.IsFinite(number);
}
