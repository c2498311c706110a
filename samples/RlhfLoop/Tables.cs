namespace RlhfLoop;

/// <summary>What is printed in columns.</summary>
internal static class Tables
{
    public static void PrintStepHeader() =>
        Console.WriteLine($"\n{"step",5} {"reward",8} {"sorted",7} {"pairs",7} {"KL",7} {"entropy",8} {"tokens/s",9}");

    public static void PrintSteps(int step, IReadOnlyList<GrpoStep> row, Figures mean)
    {
        var tokensPerSecond = row.Sum(one => one.TokenCount) / row.Sum(one => one.Seconds);
        Console.WriteLine(FormattableString.Invariant(
            $"{step,5} {TextOf(mean)} {row.Average(one => one.Entropy),8:F3} {tokensPerSecond,9:F0}"));
    }

    public static void PrintComparisonHeader(int promptCount) =>
        Console.WriteLine($"\n{$"{promptCount} held-out prompts",-24} {"reward",8} {"sorted",7} {"pairs",7} {"KL",7}");

    public static void Print(string name, Figures figures) => Console.WriteLine($"{name,-24} {TextOf(figures)}");

    private static string TextOf(Figures figures) => FormattableString.Invariant(
        $"{figures.Reward,8:F3} {figures.Exact,7:F3} {figures.PairsInOrder,7:F3} {figures.Kl,7:F3}");
}
