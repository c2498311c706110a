using System.CommandLine;
using System.Text.Json.Nodes;
using RewardModel.Training;
using RewardModel.Training.Planning;
using RewardModel.Training.Recipes;
using RewardModel.Training.Runs;

namespace RewardModel.Cli;

/// <summary><c>reward-model plan</c>: what a run on many GPUs needs, computed from sizes, not run.</summary>
internal static class PlanCommand
{
    /// <summary>The plan says that it doesn't fit.</summary>
    private const int doesNotFit = 1;

    /// <summary>As training has it.</summary>
    private const int defaultListsPerStep = 32;

    private const double microseconds = 1e-6, gigabytes = 1e9;

    public static Command Create(TextWriter output)
    {
        var model = CommonOptions.Value<string?>(
            "--model", "NAME|DIR|FILE",
            $"Model: a known shape ({string.Join(", ", NamedModel.Names)}), a checkpoint's directory or a config.json; no weights are "
            + "read. Default: that of --recipe.").Or("-m");
        var all = new Option<bool>("--all") { Description = "Plan every published run whose data are known, one row each." };
        var gpus = new Option<int>("--gpus") { Description = "Number of GPUs, a rank each.", HelpName = "N", Required = true };
        var perNode = CommonOptions.Value("--gpus-per-node", "N", "GPUs of a machine.", 8);
        var gpu = CommonOptions.Value(
            "--gpu", string.Join('|', KnownGpu.All.Select(known => known.Name)), "Kind of GPU.", KnownGpu.All[0].Name);
        var memory = CommonOptions.Value<string?>("--memory", "SIZE", "Memory of a GPU, such as 80GB or 40GiB. Default: that of --gpu.");
        var peak = CommonOptions.Value<double?>(
            "--peak-tflops", "X", "Peak of its products in --precision, in TFLOP/s. Default: that of --gpu.");
        var efficiency = CommonOptions.Value<double?>(
            "--efficiency", "X",
            "Share of the peak that layers reach. Default: measured on an H100, 0.15 at width 768 to 0.30 from 2048 on.");
        var network = CommonOptions.Value(
            "--network", string.Join('|', NodeNetwork.All.Select(known => known.Name)), "What connects machines.", NodeNetwork.All[0].Name);
        var linkBandwidth = CommonOptions.Value<double?>(
            "--link-bandwidth", "GB/s", "From a GPU to another of its machine, in one direction. Default: that of --gpu.");
        var linkLatency = CommonOptions.Value<double?>("--link-latency", "US", "Microseconds of a message in a machine. Default 3.");
        var nodeBandwidth = CommonOptions.Value<double?>(
            "--node-bandwidth", "GB/s", "From a machine to the others, all its GPUs together. Default: that of --network.");
        var nodeLatency = CommonOptions.Value<double?>(
            "--node-latency", "US", "Microseconds of a message between machines. Default: that of --network.");
        var shard = CommonOptions.Value<Sharding?>(
            "--shard", string.Join('|', OptionText.Names(typeof(Sharding))),
            "What ranks divide. Default: what gives the shortest step that fits.");
        var offload = new Option<bool>("--offload-optimizer") { Description = "Keep the optimiser's state in the CPU's memory." };
        // Members of TrainingRunOptions, by their names.
        Option[] ofTraining =
        [
            CommonOptions.Choice<OptimizerKind>("--optimizer", "Optimiser."),
            CommonOptions.Value<Precision?>(
                "--precision", string.Join('|', OptionText.Names(typeof(Precision))), "Type of matrix products. Default: bfloat16."),
            new Option<bool>("--activation-checkpointing")
            {
                Description = "Compute layers again in the backward pass. Default: where the step is shorter so, or fits only so.",
            },
            CommonOptions.Value<int?>("--unfrozen-layers", "N", "Layers that are trained, counted from the last. Default: all."),
            CommonOptions.FrozenWeights("How frozen weights are stored."),
            CommonOptions.Value<int?>("--lora-rank", "N", "Train low-rank adapters of this rank. Default: none."),
            CommonOptions.Value<string?>("--lora-targets", "NAMES", "Layers that get an adapter, as for train."),
            CommonOptions.Value<double?>("--ema", "X", "Keep a moving average of the weights."),
            CommonOptions.Value<int?>(
                "--lists-per-step", "N", "Lists of an optimiser step, of all GPUs together. Default: that of --recipe, or 32."),
            CommonOptions.Value<int?>("--epochs", "N", "Passes over the data. Default: that of --recipe, or 1."),
        ];
        var recipe = CommonOptions.Value<string?>(
            "--recipe", "NAME", "Published recipe, and the size of its data where that is known.");
        var lists = CommonOptions.Value<long?>("--lists", "N", "Lists of the data. Default: those of --recipe.");
        var answers = CommonOptions.Value<int?>("--answers", "K", "Answers of a list. Default: those of --recipe, or 4.");
        var promptTokens = CommonOptions.Value<int?>("--prompt-tokens", "P", "Tokens of a prompt. Default: that of --recipe, or 256.");
        var answerTokens = CommonOptions.Value<int?>("--answer-tokens", "A", "Tokens of an answer. Default: those of --recipe, or 256.");
        var maxTokens = CommonOptions.Value<int?>(
            "--max-tokens-per-batch", "N",
            "Maximum number of tokens in a micro-batch. Default: what gives the shortest step that fits.");
        var price = CommonOptions.Value<double?>("--price-per-gpu-hour", "X", "Price of a GPU for an hour, to say what the run costs.");
        var failureHours = CommonOptions.Value<double?>("--failure-hours", "H", "Mean hours between failures of one GPU. Default 50000.");
        var stateBandwidth = CommonOptions.Value<double?>(
            "--state-bandwidth", "GB/s", "Speed at which states are written, by all GPUs together. Default 5.");
        var restart = CommonOptions.Value<double?>("--restart-minutes", "X", "Time from a failure until the run goes on. Default 10.");
        var measured = CommonOptions.Value<string?>(
            "--measured", "FILE", "JSON file of measured figures that replace computed ones: see docs/planning.md.");
        var deviation = CommonOptions.Value(
            "--step-deviation", "X",
            "Standard deviation of a GPU's time for the same work, as a share of its mean; of --measured, if that has it.", 0.02);
        var simulate = new Option<bool>("--simulate")
        {
            Description =
                "Simulate the run, event by event, with slow ranks and failures, and intervals between states around the best one.",
        };
        var seed = CommonOptions.Value("--seed", "N", "Seed of what is random in a simulation.", 0L);
        var json = CommonOptions.Json("Print everything as one JSON object.");
        var command = new Command(
            "plan",
            "Computes what a run on many GPUs needs: memory, time, messages, failures and cost. Nothing is run, and no weights are read.")
        {
            model, all, gpus, perNode, gpu, memory, peak, efficiency, network, linkBandwidth, linkLatency, nodeBandwidth,
            nodeLatency, shard, offload,
        };
        foreach (var option in ofTraining)
            command.Add(option);
        foreach (var option in new Option[]
        {
            recipe, lists, answers, promptTokens, answerTokens, maxTokens, price, failureHours, stateBandwidth, restart, measured,
            deviation, simulate, seed, json,
        })
            command.Add(option);

        command.SetAction(parsed =>
        {
            var given = new JsonObject(ofTraining
                .Where(option => parsed.GetResult(option) is { Implicit: false })
                .Select(option => KeyValuePair.Create(
                    option.Name.TrimStart('-'), RunFile<TrainingRunOptions>.ToNode(parsed.GetRequiredValue<object>(option.Name)))));
            PlanRequest Request(PublishedRun? published, string? recipeName)
            {
                var name = parsed.GetValue(model) ?? published?.Model
                    ?? throw new UsageException("--model is missing. Give one, or a --recipe.");
                var options = OptionsOf(recipeName, given, name);
                var known = KnownGpu.Named(parsed.GetValue(gpu)!);
                var between = NodeNetwork.Named(parsed.GetValue(network)!);
                var figures = parsed.GetValue(measured) is { } file ? Measured.Read(file) : new Measured();
                var request = new PlanRequest
                {
                    Model = name,
                    Options = options,
                    Workload = new WorkloadShape(
                        parsed.GetValue(lists) ?? published?.ListCount
                            ?? throw new UsageException("--lists is missing. Give the count of lists, or a --recipe whose data are known."),
                        parsed.GetValue(answers) ?? published?.AnswerCount ?? 4,
                        parsed.GetValue(promptTokens) ?? published?.PromptTokens ?? 256,
                        parsed.GetValue(answerTokens) ?? published?.AnswerTokens ?? 256,
                        options.ListsPerStep ?? defaultListsPerStep, options.Epochs),
                    Cluster = new ClusterShape
                    {
                        GpuCount = parsed.GetValue(gpus),
                        GpusPerNode = parsed.GetValue(perNode),
                        MemoryBytes = parsed.GetValue(memory) is { } size ? BytesOf(size) : known.MemoryBytes,
                        PeakFlops = parsed.GetValue(peak) * 1e12 ?? known.FlopsOf(options.Precision),
                        Efficiency = parsed.GetValue(efficiency),
                        MemoryBandwidth = known.MemoryBandwidth,
                        LinkBandwidth = parsed.GetValue(linkBandwidth) * gigabytes ?? known.LinkBandwidth,
                        NodeBandwidth = parsed.GetValue(nodeBandwidth) * gigabytes ?? between.Bandwidth,
                        NodeLatency = parsed.GetValue(nodeLatency) * microseconds ?? between.Latency,
                    },
                    Sharding = parsed.GetValue(shard),
                    OffloadsOptimizer = parsed.GetValue(offload),
                    MaxTokensPerBatch = parsed.GetValue(maxTokens),
                    Measured = figures with { StepDeviation = figures.StepDeviation ?? parsed.GetValue(deviation) },
                    HourPrice = parsed.GetValue(price),
                };
                return request with
                {
                    Cluster = parsed.GetValue(linkLatency) is { } latency
                        ? request.Cluster with { LinkLatency = latency * microseconds } : request.Cluster,
                    FailureHours = parsed.GetValue(failureHours) ?? request.FailureHours,
                    StateBandwidth = parsed.GetValue(stateBandwidth) * gigabytes ?? request.StateBandwidth,
                    RestartSeconds = parsed.GetValue(restart) * 60 ?? request.RestartSeconds,
                };
            }

            if (parsed.GetValue(all))
            {
                string[] one = [.. new Option[] { model, recipe, lists, simulate, json }
                    .Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name)];
                if (one.Length > 0)
                    throw new UsageException(
                        $"--all plans every published run; it does not go with {string.Join(", ", one)}. Leave one of them out.");
                output.WriteLine(PlanText.Table([.. PublishedRun.All.Select(run => (run.Title, RunPlan.Of(Request(run, run.Recipe))))]));
                return 0;
            }
            var recipeGiven = parsed.GetValue(recipe);
            var plan = RunPlan.Of(Request(PublishedOf(recipeGiven, parsed.GetValue(model)), recipeGiven));
            var simulation = parsed.GetValue(simulate) && plan.Chosen is not null
                ? PlanSimulation.Of(plan, (ulong)parsed.GetValue(seed)) : null;
            output.WriteLine(parsed.GetValue(json) ? PlanText.Json(plan, simulation) : PlanText.Of(plan, simulation));
            return plan.Chosen is null ? doesNotFit : 0;
        });
        return command;
    }

    /// <summary>The published run of a recipe and a model, or of the recipe alone.</summary>
    private static PublishedRun? PublishedOf(string? recipe, string? model) => recipe is null ? null
        : PublishedRun.All.FirstOrDefault(run => run.Recipe == recipe && run.Model == model)
            ?? PublishedRun.All.FirstOrDefault(run => run.Recipe == recipe);

    /// <summary>What is given, else what the recipe says, else bfloat16 and the defaults of training.</summary>
    private static TrainingRunOptions OptionsOf(string? recipe, JsonObject given, string model)
    {
        JsonObject all;
        try
        {
            all = recipe is null ? [] : TrainingRecipe.Named(recipe).Settings;
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message);
        }
        foreach (var (name, value) in given)
            all[name] = value?.DeepClone();
        // Recipes that don't say it were trained in 16 bits.
        if (!all.ContainsKey("precision"))
            all["precision"] = OptionText.NameOf(Precision.Bfloat16);
        // No file is read or written.
        (all["data"], all["backbone"], all["output"]) = ("none", model, "none");
        return RunFile<TrainingRunOptions>.ToOptions(all);
    }

    private static long BytesOf(string size) => Sizes.Parse(size) ?? throw new UsageException(
        $"--memory is '{size}'; expected a number with MB, GB, TB, MiB, GiB or TiB, such as 80GB.");
}
