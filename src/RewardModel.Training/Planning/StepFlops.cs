namespace RewardModel.Training.Planning;

/// <summary>
/// Arithmetic of a step, in floating-point operations: 2 for each matrix element and token forwards, 2 backwards for the input's gradient
/// and 2 for the weight's where it is trained; in attention 4 for each query, key and channel forwards and 8 backwards. Of a causal model's
/// last layer only keys and values are computed for all tokens; of experts those that a token goes through. Norms and activation functions are not counted.
/// </summary>
/// <param name="Forward">Of the forward pass.</param>
/// <param name="Backward">Of the backward pass.</param>
/// <param name="Recomputed">What checkpointing computes again, where it is used.</param>
internal readonly record struct StepFlops(double Forward, double Backward, double Recomputed)
{
    /// <summary>Arithmetic of a model for tokens and pairs of queries and keys.</summary>
    public static StepFlops Of(ModelShape model, double tokens, double pairs)
    {
        double forward = 0, backward = 0, recomputed = 0;
        for (var i = 0; i < model.Layers.Count; i++)
        {
            var layer = model.LayerShapes[i];
            double all = layer.Matrices.Sum(matrix => matrix.Size), ofToken = layer.MatricesOfToken.Sum(matrix => matrix.Size);
            double lastMatrices = layer.Width * (layer.Attention.IsFused ? layer.Attention.Projected : 2 * layer.Attention.Keys);
            var isShort = model.IsCausal && i == model.Layers.Count - 1;
            var attention = isShort ? 0 : 4 * pairs * layer.Attention.Queries;
            var ofWeights = 2 * tokens * (isShort ? lastMatrices : ofToken);
            forward += ofWeights + attention;
            if (i < model.FrozenLayerCount)
                continue;
            var trainedShare = Math.Min(1, model.Layers[i].TrainedParameters / all);
            backward += ofWeights * (1 + trainedShare) + 2 * attention;
            // The last layer is what the backward pass begins with.
            recomputed += i == model.Layers.Count - 1 ? 0 : ofWeights + attention;
        }
        return new StepFlops(forward, backward, recomputed);
    }
}
