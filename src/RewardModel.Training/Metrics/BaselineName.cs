namespace RewardModel.Training.Metrics;

/// <summary>What is called a baseline: something that understands nothing and puts pairs of answers into an order all the same.</summary>
internal static class BaselineName
{
    /// <summary>A baseline in a sentence: "better than taking the longer answer".</summary>
    public static string InWords(string name) => name switch
    {
        "longer" => "taking the longer answer",
        "shorter" => "taking the shorter answer",
        "more-tokens" => "taking the answer of more tokens",
        "more-punctuation" => "taking the answer with more punctuation",
        "words" => "a linear model of words",
        "word-pairs" => "a linear model of words and pairs of words",
        "characters" => "a linear model of characters",
        _ => name,
    };
}
