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

    /// <exception cref="ArgumentNullException">Those of an answer are null.</exception>
    /// <exception cref="ArgumentException">There are more or fewer than answers, or numbers that are not finite.</exception>
    public static IReadOnlyList<IReadOnlyDictionary<string, double>>? CheckedAttributes(
        IReadOnlyList<IReadOnlyDictionary<string, double>>? attributes, int answerCount)
    {
        if (attributes is not null && attributes.Count != answerCount)
            throw new ArgumentException(
                $"There are attributes of {Counted.Of(attributes.Count, "answer")} for {Counted.Of(answerCount, "answer")}; expected those of each "
                + "answer, which may be none.",
                "Attributes");
        for (var k = 0; k < attributes?.Count; k++)
        {
            ArgumentNullException.ThrowIfNull(attributes[k], "Attributes");
            foreach (var (name, value) in attributes[k])
                if (!double.IsFinite(value))
                    throw new ArgumentException(
                        $"The attribute '{name}' of answer {k + 1} of {answerCount} is {value}; expected a finite number.", "Attributes");
        }
        return attributes;
    }

    public static bool IsMargin(double number) => number >= 0 && double.IsFinite(number);

    public static bool IsWeight(double number) => number > 0 && double.IsFinite(number);
}
