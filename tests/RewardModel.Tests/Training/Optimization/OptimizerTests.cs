using RewardModel.Training;
using RewardModel.Training.Optimization;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Tests.Training.Optimization;

/// <summary>Alone, because the count of threads is that of the whole process.</summary>
[Collection(nameof(RunsAlone))]
public class OptimizerTests
{
    // Five steps of about ten roundings each, of numbers near the largest.
    private const double rounding = 2e-6;

    private static readonly AdamWOptions adamW =
        new() { Beta1 = 0.8, Beta2 = 0.95, Epsilon = 1e-6, WeightDecay = OptimizerGoldens.WeightDecay };

    [Fact]
    public void AdamW_with_rates_takes_the_steps_of_PyTorchs_parameter_groups()
    {
        Assert.InRange(OptimizerGoldens.Difference("adamw", (all, rates) => new AdamW(all, adamW, rates)), 0, rounding);
        foreach (var isFused in new[] { false, true })
            Assert.InRange(
                OptimizerGoldens.Difference("adamw", (all, rates) => new AdamW(all, adamW, rates, new TensorAdamW(isFused))), 0, rounding);
    }

    [Fact]
    public void Small_parameters_of_8_bit_AdamW_take_the_steps_of_AdamW() => Assert.InRange(
        OptimizerGoldens.Difference("adamw", (all, rates) => new AdamW8Bit(all, adamW, rates)), 0, rounding);

    [Fact]
    public void Adafactor_takes_the_steps_of_transformers()
    {
        Optimizer Create(IEnumerable<WeightPart> all, IReadOnlyDictionary<string, double> rates, bool byOperators) =>
            new Adafactor(all, OptimizerGoldens.WeightDecay, decayAll: false, rates, byOperators ? new TensorAdafactor() : null);
        Assert.InRange(OptimizerGoldens.Difference("adafactor", (all, rates) => Create(all, rates, byOperators: false)), 0, rounding);
        Assert.InRange(OptimizerGoldens.Difference("adafactor", (all, rates) => Create(all, rates, byOperators: true)), 0, rounding);
    }

    [Fact]
    public void The_goldens_show_another_rate_decay_or_step()
    {
        var constants = adamW with { WeightDecay = 0.11 };
        Assert.InRange(OptimizerGoldens.Difference("adamw", (all, rates) => new AdamW(all, adamW)), 1e-4, 1);
        Assert.InRange(OptimizerGoldens.Difference("adamw", (all, rates) => new AdamW(all, constants, rates)), 1e-4, 1);
        Assert.InRange(OptimizerGoldens.Difference("adamw", (all, rates) => new AdamW(all, adamW with { DecayAll = true }, rates)), 1e-4, 1);
        Assert.InRange(OptimizerGoldens.Difference("adafactor", (all, rates) => new Adafactor(all, 0.1, decayAll: false)), 1e-4, 1);
        Assert.InRange(OptimizerGoldens.Difference("adafactor", (all, rates) => new Adafactor(all, 0.1, decayAll: true, rates)), 1e-4, 1);
        Assert.InRange(
            OptimizerGoldens.Difference("adafactor", (all, rates) => new Adafactor(all, 0.1, decayAll: false, rates), steps: 4), 1e-4, 1);
    }

    /// <summary>What a step damages it names, wherever in a parameter it is, and whatever the others are.</summary>
    [Theory]
    [InlineData(OptimizerKind.AdamW)]
    [InlineData(OptimizerKind.AdamW8Bit)]
    [InlineData(OptimizerKind.Adafactor)]
    public void A_number_that_a_step_leaves_not_finite_is_found_in_its_pass(OptimizerKind kind)
    {
        long[][] shapes = [[70, 257], [8192], [3, 5], [7]];
        for (var hurt = -1; hurt < shapes.Length; hurt++)
            foreach (var end in new[] { 0, -1 })
                foreach (var isGradient in new[] { false, true })
                {
                    using var scope = NewDisposeScope();
                    (string Name, Parameter Parameter)[] all =
                        [.. shapes.Select((shape, i) => ($"{i}", new Parameter(randn(shape)) { grad = randn(shape) }))];
                    // 10 times the rate of 10 and decay of 10 overflows the first; its square the second.
                    if (hurt >= 0)
                        (isGradient ? all[hurt].Parameter.grad! : all[hurt].Parameter.detach()).view(-1)[end] = isGradient ? 1e30f : 1e38f;
                    var options = new TrainingOptions { Optimizer = kind, WeightDecay = 10, DecayAll = true };
                    using var optimizer = options.CreateOptimizer(all.Select(WeightPart.Of), all.ToDictionary(pair => pair.Name, _ => 1.0));
                    optimizer.Step(1e-3);
                    if (!isGradient)
                    {
                        Assert.Empty(optimizer.Damaged);
                        optimizer.Step(10);
                    }
                    Assert.Equal(hurt < 0 ? "" : $"{hurt}", string.Join(' ', optimizer.Damaged));
                }
    }

    /// <summary>Matrices of several tasks, some of whose last ones are short, and vectors.</summary>
    [Theory]
    [InlineData(OptimizerKind.AdamW)]
    [InlineData(OptimizerKind.AdamW8Bit)]
    [InlineData(OptimizerKind.Adafactor)]
    public void The_count_of_threads_changes_no_bit(OptimizerKind kind)
    {
        var before = get_num_threads();
        try
        {
            set_num_threads(1);
            var expected = After(kind);
            foreach (var threads in new[] { 2, 3 })
            {
                set_num_threads(threads);
                Assert.Equal(expected, After(kind));
            }
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Fact]
    public void Adafactor_over_memory_takes_the_steps_of_operators_on_large_matrices()
    {
        using var scope = NewDisposeScope();
        var expected = After(OptimizerKind.Adafactor, new TensorAdafactor());
        var found = After(OptimizerKind.Adafactor);
        // Three steps; sums of up to 70,000 numbers in another order.
        foreach (var (one, other) in expected.Zip(found))
            Numbers.AssertEqualButForRounding(Floats(one), Floats(other), units: 32);
    }

    [Fact]
    public void A_parameter_without_gradient_keeps_weights_and_state()
    {
        using var scope = NewDisposeScope();
        foreach (var kind in Enum.GetValues<OptimizerKind>())
        {
            var untouched = new Parameter(ones(80, 80));
            var touched = new Parameter(ones(3)) { grad = ones(3) };
            using var optimizer = Create(kind, [("untouched", untouched), ("touched", touched)]);
            var before = optimizer.State().Where(pair => pair.Name.EndsWith(".untouched", StringComparison.Ordinal))
                .Select(pair => pair.Tensor.bytes.ToArray()).ToArray();
            optimizer.Step(0.1);
            Assert.Equal(1, untouched.min().item<float>());
            Assert.NotEqual(1, touched.min().item<float>());
            Assert.Equal(
                before,
                optimizer.State().Where(pair => pair.Name.EndsWith(".untouched", StringComparison.Ordinal))
                    .Select(pair => pair.Tensor.bytes.ToArray()));
        }
    }

    internal static Optimizer Create(OptimizerKind kind, IEnumerable<(string, Parameter)> parameters) =>
        new RewardModel.Training.TrainingOptions { Optimizer = kind }
            .CreateOptimizer(parameters.Select(WeightPart.Of), parameters.ToDictionary(pair => pair.Item1, _ => 1.0));

    private static byte[][] After(OptimizerKind kind, TensorAdafactor? byOperators = null)
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(5);
        long[][] shapes = [[700, 300], [70001], [3, 70000], [2, 130, 65], [1, 5000], [4096, 2]];
        (string Name, Parameter Parameter)[] parameters =
            [.. shapes.Select((shape, i) => ($"{i}", new Parameter(randn(shape, generator: generator))))];
        using var optimizer = byOperators is null
            ? Create(kind, parameters)
            : new Adafactor(parameters.Select(WeightPart.Of), 0.01, decayAll: false, arithmetic: byOperators);
        for (var step = 0; step < 3; step++)
        {
            foreach (var (_, parameter) in parameters)
                parameter.grad = randn(parameter.shape, generator: generator).pow(3);
            optimizer.Step(0.01, gradientScale: 0.3);
        }
        return
        [
            .. parameters.Select(pair => pair.Parameter.detach().bytes.ToArray()),
            .. optimizer.State().Select(pair => pair.Tensor.bytes.ToArray()),
        ];
    }

    private static float[] Floats(byte[] bytes) =>
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray();
}
