using RewardModel.Adapters;
using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

public class StepFlopsTests
{
    [Fact]
    public void Of_Llama_2_7B_they_are_six_for_each_matrix_element_and_token()
    {
        var flops = StepFlops.Of(Shapes.Of("llama-2-7b"), tokens: 1000, pairs: 0);
        const double layer = 4.0 * 4096 * 4096 + 3.0 * 4096 * 11008, keysAndValues = 2.0 * 4096 * 4096;
        Assert.Equal(2000 * (31 * layer + keysAndValues), flops.Forward, 1);
        Assert.Equal(4000 * 31 * layer + 4000 * keysAndValues, flops.Backward, 4e9);
        Assert.Equal(2000 * 31 * layer, flops.Recomputed, 1);
        // 6 N D (Kaplan et al., arXiv 2001.08361), N without embeddings, but for the last layer.
        Assert.Equal(6.0 * 1000 * 32 * layer, flops.Forward + flops.Backward, 0.03 * 6000 * 32 * layer);
    }

    [Fact]
    public void Attention_takes_twelve_for_each_pair_and_channel()
    {
        var model = Shapes.Of("llama-2-7b");
        StepFlops with = StepFlops.Of(model, 10, 1000), without = StepFlops.Of(model, 10, 0);
        Assert.Equal(31 * 4.0 * 1000 * 4096, with.Forward - without.Forward, 1);
        Assert.Equal(31 * 8.0 * 1000 * 4096, with.Backward - without.Backward, 1);
    }

    [Fact]
    public void Frozen_weights_have_no_gradient_and_what_lies_below_all_that_is_trained_no_backward_pass()
    {
        using var model = Shapes.Model("llama-7b");
        var all = StepFlops.Of(ModelShape.Of(model), 1000, 0);
        model.Freeze(8);
        var upper = StepFlops.Of(ModelShape.Of(model), 1000, 0);
        Assert.Equal(all.Forward, upper.Forward);
        // Seven layers, and keys and values of the last one.
        var last = 2.0 * 4096 * 4096 / (4.0 * 4096 * 4096 + 3.0 * 4096 * 11008);
        Assert.Equal((7 + last) / (31 + last), upper.Backward / all.Backward, 1e-3);
        model.Freeze(null);
        model.AddAdapter(new LoraOptions(8));
        var adapted = StepFlops.Of(ModelShape.Of(model), 1000, 0);
        Assert.Equal(adapted.Forward, adapted.Backward, adapted.Forward * 0.01);
    }
}
