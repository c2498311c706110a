namespace RewardModel.Training.Metrics;

/// <summary>Adds up <see cref="AttributeMetrics"/> answer by answer, in float64.</summary>
internal sealed class AttributeAccumulator
{
    private long count;
    private double errorSum, outputMean, ratingMean, outputSquares, ratingSquares, products;

    /// <summary>Adds an answer. Welford's update: deviations stay exact where numbers are large and close together.</summary>
    public void Add(double output, double rating)
    {
        count++;
        errorSum += (output - rating) * (output - rating);
        var (ofOutput, ofRating) = (output - outputMean, rating - ratingMean);
        outputMean += ofOutput / count;
        ratingMean += ofRating / count;
        outputSquares += ofOutput * (output - outputMean);
        ratingSquares += ofRating * (rating - ratingMean);
        products += ofOutput * (rating - ratingMean);
    }

    /// <summary>What was added.</summary>
    public AttributeMetrics Result(string name) => new(name, count, errorSum / count, products / Math.Sqrt(outputSquares * ratingSquares));
}
