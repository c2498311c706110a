using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>
/// Activation checkpointing (Chen et al., arXiv 1604.06174) of one forward pass: of each layer only its input is kept, and the layer is
/// computed again when the backward pass needs what is in it. The last layer is what a backward pass begins with, so it is not computed
/// again. Rewards and gradients have the same bits as without.
/// </summary>
/// <remarks>
/// A <see cref="ForwardPass"/> has it, and goes back through it after the part of the graph behind it. Not thread-safe.
/// </remarks>
internal sealed class ActivationCheckpoints : IDisposable
{
    private readonly Stack<Step> steps = [];

    /// <summary>
    /// The same values, cut off from what they were computed from. Their gradient is added up over all layers and goes on from there when
    /// the layers are done.
    /// </summary>
    internal Tensor Enter(Tensor x)
    {
        // Of its own: x ends with its dispose scope, or is a parameter.
        var origin = x.view(x.shape);
        return Add(new Step(x.detach().requires_grad_(x.requires_grad), origin, () => origin, () => { }));
    }

    /// <summary>A layer's result. What it is computed from must have entered, be a result of this function, or have no gradient.</summary>
    /// <param name="layer">Computes it.</param>
    /// <param name="again">Computes the same again.</param>
    /// <param name="done">Called when the backward pass has gone through it.</param>
    internal Tensor Run(Func<Tensor> layer, Func<Tensor> again, Action done)
    {
        using (no_grad())
            return Add(new Step(layer().requires_grad_(), null, again, done));
    }

    /// <summary>
    /// The part of the backward pass from the last kept input to the parameters, once the part behind it is done: from the last layer to
    /// the first, each is computed again, and gone back through.
    /// </summary>
    public void Backward()
    {
        while (steps.TryPop(out var step))
        {
            using var held = step.Held;
            using var scope = NewDisposeScope();
            var gradient = step.Result.grad;
            step.Result.Dispose();
            // Without one, no layer made use of it, or nothing in it or before it is trained.
            if (gradient is not null)
            {
                var result = step.Again();
                // Frozen parameters ask for no gradient.
                if (result.requires_grad)
                    result.backward([gradient]);
            }
            step.Done();
        }
    }

    /// <summary>Releases what is still kept.</summary>
    public void Dispose()
    {
        while (steps.TryPop(out var step))
        {
            step.Result.Dispose();
            step.Held?.Dispose();
        }
    }

    private Tensor Add(Step step)
    {
        step.Result.DetachFromDisposeScope();
        step.Held?.DetachFromDisposeScope();
        steps.Push(step);
        return step.Result;
    }

    /// <param name="Result">A leaf for gradients: what comes after is computed from it.</param>
    /// <param name="Held">A tensor that <paramref name="Again"/> needs.</param>
    /// <param name="Again">Computes the same values, with what they are computed from.</param>
    /// <param name="Done">Called when the backward pass has gone through it.</param>
    private readonly record struct Step(Tensor Result, Tensor? Held, Func<Tensor> Again, Action Done);
}
