using RewardModel.Training;
using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

public class RunPlanTests
{
    private static readonly PlanRequest llama70B = new()
    {
        Model = "llama-2-70b",
        Options = new TrainingRunOptions { Data = "none", Output = "none", Precision = Precision.Bfloat16 },
        Workload = new WorkloadShape(2_919_326, 2, 379, 217, 512),
        Cluster = Shapes.H100s(64),
    };

    [Fact]
    public void Llama_2_70B_fits_64_H100s_with_its_weights_divided_only()
    {
        var plan = RunPlan.Of(llama70B);
        Assert.Equal(["None", "Optimizer", "Gradients", "Parameters"], plan.Steps.Select(step => $"{step.Settings.Sharding}"));
        Assert.Equal([false, false, false, true], plan.Steps.Select(step => step.Fits));
        Assert.Same(plan.Steps[3], plan.Chosen);
        Assert.Equal((5702, 68_714_512_384), (plan.StepCount, plan.ParameterCount));
        // Weights and two moments of 4 bytes each.
        Assert.Equal(12 * plan.ParameterCount, plan.StateBytes);
        Assert.Equal(plan.StateBytes / 5e9, plan.Failures.WriteSeconds);
        Assert.Equal(50_000 * 3600.0 / 64, plan.Failures.MeanSecondsBetweenFailures);
        Assert.Equal(5702 * plan.Chosen!.Time.Total, plan.RunSeconds);
        Assert.True(plan.ExpectedSeconds > plan.RunSeconds);
        Assert.Equal(64 * plan.ExpectedSeconds / 3600, plan.GpuHours);
        Assert.Null(plan.Cost);
        Assert.Equal(2.5 * plan.GpuHours, RunPlan.Of(llama70B with { HourPrice = 2.5 }).Cost);
        Assert.Equal((null, null), (plan.LeastGpuCount, plan.TensorDegree));
        // An eighth of 12 bytes a parameter, of moments alone half of the GPU's memory.
        Assert.False(plan.Hybrid!.Fits);
    }

    [Fact]
    public void No_other_micro_batch_that_fits_has_a_shorter_step()
    {
        var request = llama70B with { Model = "llama-2-7b", Cluster = Shapes.H100s(16) };
        var plan = RunPlan.Of(request);
        foreach (var maxTokens in new[] { 256, 600, 900, 2000, 4096, 10_000, 30_000 })
            foreach (var checkpointing in new[] { true, false })
            {
                var other = RunPlan.Of(request with
                {
                    MaxTokensPerBatch = maxTokens,
                    Options = request.Options with { ActivationCheckpointing = checkpointing },
                });
                Assert.True(other.Chosen is null || other.Chosen.Time.Total >= plan.Chosen!.Time.Total * 0.999);
            }
        Assert.All(plan.Steps.Where(step => step.Fits), step => Assert.True(step.Time.Total >= plan.Chosen!.Time.Total));
        Assert.True(plan.Chosen!.Memory.Total <= request.Cluster.UsableBytes);
    }

    [Fact]
    public void Where_it_does_not_fit_the_fewest_GPUs_are_those_on_which_it_does()
    {
        var plan = RunPlan.Of(llama70B with { Cluster = Shapes.H100s(8) });
        Assert.Null(plan.Chosen);
        Assert.Null(plan.RunSeconds);
        var least = plan.LeastGpuCount!.Value;
        Assert.Equal(0, least % 8);
        Assert.NotNull(RunPlan.Of(llama70B with { Cluster = Shapes.H100s(least) }).Chosen);
        Assert.Null(RunPlan.Of(llama70B with { Cluster = Shapes.H100s(least - 8) }).Chosen);
    }

    [Fact]
    public void Where_two_layers_do_not_fit_matrices_would_have_to_be_cut()
    {
        var plan = RunPlan.Of(llama70B with { Cluster = Shapes.H100s(64) with { MemoryBytes = 14_000_000_000 } });
        Assert.Null(plan.Chosen);
        Assert.Null(plan.LeastGpuCount);
        // 15.8 GB of groups and what a list of activations takes, in 12 GB.
        Assert.Equal(2, plan.TensorDegree);
        Assert.True(RunPlan.Of(llama70B with { Cluster = Shapes.H100s(64) with { MemoryBytes = 5_000_000_000 } }).TensorDegree > 2);
    }

    [Fact]
    public void A_sharding_that_is_asked_for_is_taken_where_it_fits()
    {
        var request = llama70B with { Model = "llama-2-7b" };
        Assert.Equal(Sharding.Gradients, RunPlan.Of(request with { Sharding = Sharding.Gradients }).Chosen!.Settings.Sharding);
        Assert.Null(RunPlan.Of(request with { Sharding = Sharding.None }).Chosen);
        // Moments in the CPU's memory: 8 bytes a parameter and the 4 of its weight.
        var offloaded = RunPlan.Of(request with { Sharding = Sharding.None, OffloadsOptimizer = true, MaxTokensPerBatch = 256 });
        Assert.Equal(16 * offloaded.ParameterCount, offloaded.Steps[0].Memory.HostBytes);
        Assert.Equal(0, offloaded.Steps[0].Memory.Moments);
    }

    [Fact]
    public void Adapters_train_little_and_divide_nothing()
    {
        var plan = RunPlan.Of(llama70B with
        {
            Model = "llama-7b",
            Options = llama70B.Options with { LoraRank = 8, LoraTargets = "q_proj,v_proj" },
            Workload = new WorkloadShape(100_000, 2, 200, 240, 32),
            Cluster = Shapes.H100s(8),
        });
        // A [8, 4096] and B [4096, 8] of two matrices of 32 layers, and the head.
        Assert.Equal(32 * 2 * 2 * 8 * 4096 + 4096, plan.TrainedParameterCount);
        Assert.True(plan.Steps[0].Fits);
    }

    [Fact]
    public void All_that_can_not_be_is_said_at_once()
    {
        var error = Assert.Throws<ArgumentException>(() => RunPlan.Of(llama70B with
        {
            Cluster = Shapes.H100s(12) with { MemoryBytes = 1, Efficiency = 1.5 },
            Workload = llama70B.Workload with { ListCount = 0 },
            MaxTokensPerBatch = 0,
            RestartSeconds = -1,
        }));
        Assert.Equal(
            "The run can't be planned: --memory is 1E-09 GB; expected more than the 2 GB that driver and libtorch are left; "
            + "--efficiency is 1.5; expected a number above 0, at most 1; --lists is 0; expected at least 1; --max-tokens-per-batch is 0; "
            + "expected at least 1; "
            + "--restart-minutes is below 0 or not finite; expected minutes from 0.",
            error.Message);
        Assert.Contains(
            "--gpus is 13 and --gpus-per-node 8; expected as many GPUs in every node",
            Assert.Throws<ArgumentException>(() => RunPlan.Of(llama70B with { Cluster = Shapes.H100s(13) })).Message);
        Assert.StartsWith(
            "Prompt and answer have 5000 tokens together; expected at most the 4096 of llama-2-70b.",
            Assert.Throws<ArgumentException>(() =>
                RunPlan.Of(llama70B with { Workload = new WorkloadShape(1, 2, 4000, 1000, 1) })).Message);
    }
}
