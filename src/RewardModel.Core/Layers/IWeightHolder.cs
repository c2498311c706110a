using RewardModel.Checkpoints;

namespace RewardModel.Layers;

/// <summary>
/// What has a model's weights where the model has not got all of them by itself, as ranks share them: it is told, pass by pass and layer by
/// layer, when weights are needed and when their gradients are complete. Layers count from 0; what is in no layer belongs to the pass.
/// </summary>
internal interface IWeightHolder
{
    /// <summary>
    /// What this process has of each parameter, by its name in a checkpoint, or in an adapter; null where the parameters have all of it.
    /// </summary>
    IReadOnlyDictionary<string, TensorPart>? Parts { get; }

    /// <summary>A pass begins: what is in no layer is needed until it ends.</summary>
    /// <param name="hasBackward">Whether gradients are recorded.</param>
    void BeginPass(bool hasBackward);

    /// <summary>A layer is computed next.</summary>
    /// <param name="layer">Layers come in their order, and in the reverse order where they are computed again.</param>
    /// <param name="isAgain">Whether it is computed again, for the backward pass, which follows at once.</param>
    void BeforeLayer(int layer, bool isAgain);

    /// <summary>A layer was computed, and its weights are not needed until it is computed again, if ever in this pass.</summary>
    void AfterLayer(int layer);

    /// <summary>
    /// The backward pass has gone through a layer. Comes for all layers, from the last to the first, in a pass with gradients; also from within
    /// autograd.
    /// </summary>
    void GradientsDone(int layer);

    /// <summary>The pass ends: its gradients, too, are complete.</summary>
    void EndPass();
}
