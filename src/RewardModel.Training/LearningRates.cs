using RewardModel.Scoring;

namespace RewardModel.Training;

/// <summary>Learning rates of groups of parameters, as the options say.</summary>
internal static class LearningRates
{
    /// <summary>The rates of the trained parameters by their names, as multiples of the run's.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">Say how rates fall towards the embeddings, and what the head's is.</param>
    /// <param name="learningRate">The run's peak rate.</param>
    public static IReadOnlyDictionary<string, double> Of(RewardTransformer model, TrainingOptions options, double learningRate)
    {
        // TorchSharp makes a new object of a parameter each time; the handle is the same.
        var rates = new Dictionary<IntPtr, double>();
        var decay = options.LayerDecay ?? 1;
        var layers = model.Backbone.Layers;
        foreach (var parameter in model.Backbone.BeforeLayers)
            rates[parameter.Handle] = Math.Pow(decay, layers.Count + 1);
        for (var l = 0; l < layers.Count; l++)
            foreach (var parameter in layers[l].parameters())
                rates[parameter.Handle] = Math.Pow(decay, layers.Count - l);
        foreach (var parameter in model.Head.parameters())
            rates[parameter.Handle] = (options.HeadLearningRate ?? learningRate) / learningRate;
        return model.TrainedParameters.ToDictionary(pair => pair.Name, pair => rates.GetValueOrDefault(pair.Parameter.Handle, 1));
    }
}
