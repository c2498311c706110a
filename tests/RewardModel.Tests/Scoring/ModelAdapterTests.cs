using System.Text.Json.Nodes;
using RewardModel.Adapters;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Adapters;
using static TorchSharp.torch;

namespace RewardModel.Tests.Scoring;

/// <summary>Alone, because torch's default generator is that of the whole process.</summary>
[Collection(nameof(RunsAlone))]
public sealed class ModelAdapterTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    private static readonly TokenizedList[] lists = [.. Enumerable.Range(0, 4).Select(i => TinyModel.List((ulong)i, 4, 3, 5))];

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_new_adapter_changes_no_reward_and_its_seed_decides()
    {
        using var model = TinyModel.Create();
        var before = Rewards(model);
        model.AddAdapter(new LoraOptions(4), seed: 7);
        Assert.Equal(before, Rewards(model));
        using var same = TinyModel.Create();
        same.AddAdapter(new LoraOptions(4), seed: 7);
        using var other = TinyModel.Create();
        other.AddAdapter(new LoraOptions(4), seed: 8);
        Assert.Equal(Numbers(model), Numbers(same));
        Assert.NotEqual(Numbers(model), Numbers(other));
    }

    [Theory]
    [InlineData(LoraBias.None, "", "score.weight")]
    [InlineData(LoraBias.None, "wte,ln_f", "transformer.wte.weight transformer.ln_f.weight transformer.ln_f.bias score.weight")]
    [InlineData(
        LoraBias.LoraOnly, "",
        "transformer.h.0.attn.c_attn.bias transformer.h.0.attn.c_proj.bias transformer.h.1.attn.c_attn.bias transformer.h.1.attn.c_proj.bias "
        + "score.weight")]
    public void Trained_are_adapters_head_and_what_is_named(LoraBias bias, string modules, string expected)
    {
        using var model = TinyModel.Create("gpt2");
        model.AddAdapter(new LoraOptions(2) { Bias = bias, ModulesToSave = modules });
        string[] trained = [.. model.TrainedParameters.Select(pair => pair.Name)];
        string[] adapters =
        [
            .. from layer in new[] { 0, 1 }
               from module in new[] { "attn.c_attn", "attn.c_proj" }
               from matrix in new[] { "A", "B" }
               select $"base_model.model.transformer.h.{layer}.{module}.lora_{matrix}.weight",
        ];
        Assert.Equal(expected.Split(' ').Concat(adapters).Order(StringComparer.Ordinal), trained.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(model.CheckpointParameters, pair => pair.Name.Contains("lora", StringComparison.Ordinal));
    }

    [Fact]
    public void All_biases_are_trained_where_it_is_asked_for()
    {
        using var model = TinyModel.Create("gpt2");
        model.AddAdapter(new LoraOptions(2) { Bias = LoraBias.All });
        Assert.All(model.CheckpointParameters, pair => Assert.Equal(
            pair.Name.EndsWith("bias", StringComparison.Ordinal) || pair.Name == "score.weight", pair.Parameter.requires_grad));
    }

    [Fact]
    public void What_cannot_be_is_refused_and_leaves_the_model_as_it_was()
    {
        using var model = TinyModel.Create("gpt2");
        Assert.Equal(
            "The adapter can't be made: the rank is 0; expected at least 1; alpha is -1; expected a positive number, at most 1000000; "
            + "the dropout rate is 1; expected a number from 0 to below 1.",
            Assert.Throws<ArgumentException>(() => model.AddAdapter(new LoraOptions(0) { Alpha = -1, Dropout = 1 })).Message);
        Assert.Equal(
            "The adapter can't be made: transformer.h.0.mlp.c_fc would have an adapter and be trained in full as well; "
            + "transformer.h.1.mlp.c_fc would have an adapter and be trained in full as well.",
            Assert.Throws<ArgumentException>(() => model.AddAdapter(new LoraOptions(1) { Targets = "c_fc", ModulesToSave = "mlp" })).Message);
        Assert.Null(model.Adapter);
        Assert.Equal(model.CheckpointParameters.Count(), model.TrainedParameters.Count());
        model.AddAdapter(new LoraOptions(3));
        Assert.StartsWith(
            "The model has an adapter of rank 3 already.", Assert.Throws<ArgumentException>(() => model.AddAdapter(new LoraOptions(3))).Message,
            StringComparison.Ordinal);
        Assert.StartsWith(
            "The model has an adapter, beside which no layer is trained.", Assert.Throws<ArgumentException>(() => model.Freeze(1)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("llama", LoraOptions.AttentionTargets, LoraBias.None, "")]
    [InlineData("llama", LoraOptions.AllLinearTargets, LoraBias.None, "embed_tokens,norm")]
    [InlineData("gpt2", "c_proj", LoraBias.LoraOnly, "")]
    [InlineData("gpt2", LoraOptions.AllLinearTargets, LoraBias.All, "wpe")]
    public void What_is_saved_is_loaded_again(string architecture, string targets, LoraBias bias, string modules)
    {
        var options = new LoraOptions(2)
        {
            Alpha = 3,
            Dropout = 0.1,
            IsRankStabilized = true,
            Targets = targets,
            Bias = bias,
            ModulesToSave = modules,
        };
        var expected = SaveAdapter(architecture, options);
        Assert.Equal(
            ["adapter_config.json", "adapter_model.safetensors", "reward_model.json", "reward_model_manifest.json"],
            Directory.GetFiles(directory["adapter"]).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        using var loaded = ScoringModel.Load(directory["adapter"]);
        Assert.Equal(expected, Rewards(loaded.Transformer));
        var found = loaded.Transformer.Adapter!;
        Assert.Equal(
            options with { Targets = "", ModulesToSave = "" }, found with { Targets = "", ModulesToSave = "" });
        // And once more, from what was loaded.
        loaded.Save(directory["again"]);
        Assert.Equal(File.ReadAllBytes(directory["adapter/adapter_model.safetensors"]), File.ReadAllBytes(directory["again/adapter_model.safetensors"]));
        Assert.Equal(File.ReadAllText(directory["adapter/adapter_config.json"]), File.ReadAllText(directory["again/adapter_config.json"]));
    }

    [Fact]
    public void The_config_has_the_names_of_peft()
    {
        SaveAdapter("gpt2", new LoraOptions(4) { Targets = "c_attn,mlp.c_proj", Dropout = 0.1, ModulesToSave = "wte" });
        var config = JsonNode.Parse(File.ReadAllText(directory["adapter/adapter_config.json"]))!;
        config["base_model_name_or_path"] = "base";
        Assert.Equal(
            """
            {"alpha_pattern":{},"base_model_name_or_path":"base","bias":"none","fan_in_fan_out":true,"inference_mode":true,"init_lora_weights":true,"lora_alpha":8,"lora_dropout":0.1,"modules_to_save":["score","transformer.wte"],"peft_type":"LORA","r":4,"rank_pattern":{},"target_modules":["c_attn","mlp.c_proj"],"task_type":"SEQ_CLS","use_dora":false,"use_rslora":false}
            """, config.ToJsonString());
        using var reader = CheckpointReader.OpenAdapter(directory["adapter"]);
        Assert.Contains("base_model.model.score.weight", reader.Names);
        Assert.Contains("base_model.model.transformer.wte.weight", reader.Names);
        Assert.Contains("base_model.model.transformer.h.0.attn.c_attn.lora_A.weight", reader.Names);
    }

    [Fact]
    public void A_merged_model_is_saved_whole_and_scores_the_same()
    {
        var expected = SaveAdapter("gpt2", new LoraOptions(4) { Targets = LoraOptions.AllLinearTargets });
        using (var model = ScoringModel.Load(directory["adapter"]))
        {
            model.Transformer.MergeAdapter();
            model.Save(directory["merged"]);
        }
        using var merged = ScoringModel.Load(directory["merged"]);
        Assert.Null(merged.Transformer.Adapter);
        Assert.InRange(Tests.Numbers.LargestDifference(expected, Rewards(merged.Transformer)), 0, 1e-5);
        using var based = ScoringModel.Load(directory["base"]);
        Assert.InRange(Tests.Numbers.LargestDifference(expected, Rewards(based.Transformer)), 1e-2, 100);
    }

    [Fact]
    public void The_base_model_is_found_from_either_directory_or_where_the_user_says()
    {
        var expected = SaveAdapter("llama", new LoraOptions(2));
        void Name(string? path) => Change(config => config["base_model_name_or_path"] = path);
        float[] Load(string? given = null)
        {
            using var model = ScoringModel.Load(directory["adapter"], baseDirectory: given);
            return Rewards(model.Transformer);
        }
        Name("../base");
        Assert.Equal(expected, Load());
        Name(Path.GetRelativePath(Environment.CurrentDirectory, directory["base"]));
        Assert.Equal(expected, Load());
        Name("organisation/model");
        Assert.Equal(
            $"{directory["adapter"]}: the adapter's base model is 'organisation/model', and there is no such directory. Give its directory: "
            + "--base-model DIR on the command line, baseDirectory in code. Models of the Hugging Face hub are not downloaded: if this is one, "
            + "`hf download organisation/model --local-dir model` gives a directory of it.",
            Assert.Throws<CheckpointException>(() => Load()).Message);
        Assert.Equal(expected, Load(directory["base"]));
        Name(null);
        Assert.StartsWith(
            $"{directory["adapter"]}: adapter_config.json has no base_model_name_or_path, so the adapter's base model is not known. Give",
            Assert.Throws<CheckpointException>(() => Load()).Message, StringComparison.Ordinal);
        Name(".");
        Assert.Contains("there is no config.json", Assert.Throws<CheckpointException>(() => Load()).Message, StringComparison.Ordinal);
        Assert.StartsWith(
            $"{directory["base"]}: there is no adapter_config.json, so this is no adapter that would need a base model.",
            Assert.Throws<CheckpointException>(() => ScoringModel.Load(directory["base"], baseDirectory: directory["base"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Beside_the_weights_it_is_used_where_they_are_its_base_and_refused_elsewhere()
    {
        var expected = SaveAdapter("llama", new LoraOptions(2));
        foreach (var file in new[] { "config.json", "model.safetensors" })
            File.Copy(directory[$"base/{file}"], directory[$"adapter/{file}"]);
        Assert.Equal(
            $"{directory["adapter"]}: there is an adapter (adapter_config.json, adapter_model.safetensors) beside the weights, which would change "
            + "every reward; expected adapter_config.json to name this directory as the adapter's base model. If the weights have the adapter "
            + "already, remove its files. If they are its base model, name their directory in base_model_name_or_path. Otherwise move the "
            + "adapter to a directory of its own.",
            Assert.Throws<CheckpointException>(() => ScoringModel.Load(directory["adapter"])).Message);
        Change(config => config["base_model_name_or_path"] = directory["adapter"]);
        using var model = ScoringModel.Load(directory["adapter"]);
        Assert.Equal(expected, Rewards(model.Transformer));
    }

    [Fact]
    public void An_adapter_of_an_adapter_is_refused()
    {
        SaveAdapter("llama", new LoraOptions(2));
        Directory.CreateDirectory(directory["second"]);
        foreach (var file in new[] { "adapter_config.json", "adapter_model.safetensors" })
            File.Copy(directory[$"adapter/{file}"], directory[$"second/{file}"]);
        Assert.Contains(
            "which is an adapter itself; expected a whole model",
            Assert.Throws<CheckpointException>(() => ScoringModel.Load(directory["second"], baseDirectory: directory["adapter"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Adapters_of_the_bare_model_and_of_a_language_model_are_loaded_for_training()
    {
        SaveAdapter("llama", new LoraOptions(2));
        (string Name, Tensor Tensor)[] all;
        using var scope = NewDisposeScope();
        using (var reader = CheckpointReader.OpenAdapter(directory["adapter"]))
            all = [.. reader.Names.Select(name => (name, reader.Read(name)))];
        var withoutHead = all.Where(pair => !pair.Name.Contains("score", StringComparison.Ordinal)).ToArray();
        using var expected = RewardTransformer.Load(directory["adapter"]);
        foreach (var (rename, extra) in new (Func<string, string>, (string, Tensor)[])[]
        {
            (name => name.Replace("base_model.model.model.", "base_model.model.", StringComparison.Ordinal), []),
            (name => name, [("base_model.model.lm_head.lora_A.weight", ones(2, 24)), ("base_model.model.lm_head.lora_B.weight", ones(61, 2))]),
        })
        {
            CheckpointWriter.WriteAdapter(directory["adapter"], [.. withoutHead.Select(pair => (rename(pair.Name), pair.Tensor)), .. extra], ScalarType.Float32);
            using var loaded = ScoringModel.LoadForTraining(directory["adapter"]);
            Assert.Equal(Numbers(expected), Numbers(loaded.Transformer));
            Assert.True(loaded.Transformer.HasNewHead is false);
        }
    }

    [Fact]
    public void Without_a_head_of_either_a_new_one_is_drawn_for_training_and_scoring_is_refused()
    {
        SaveAdapter("llama", new LoraOptions(2));
        using var scope = NewDisposeScope();
        Rewrite(directory["adapter/adapter_model.safetensors"], directory["adapter"], isAdapter: true);
        Rewrite(directory["base/model.safetensors"], directory["base"], isAdapter: false);
        using var model = ScoringModel.LoadForTraining(directory["adapter"]);
        Assert.True(model.Transformer.HasNewHead);
        Assert.Equal(
            $"{directory["adapter"]}: tensor 'score.weight' is missing; expected the head of a trained reward model. Train it first.",
            Assert.Throws<CheckpointException>(() => ScoringModel.Load(directory["adapter"])).Message);
    }

    [Fact]
    public void Tensors_that_belong_to_nothing_or_are_missing_are_told()
    {
        using var golden = LoraGolden.Of("llama_attention");
        using var scope = NewDisposeScope();
        var e = Assert.Throws<CheckpointException>(() => golden.DistanceWith(pair => pair.Name.Contains("layers.1.self_attn.q_proj.lora_A", StringComparison.Ordinal)
            ? (pair.Name.Replace("lora_A.weight", "lora_magnitude_vector", StringComparison.Ordinal), pair.Tensor)
            : pair));
        Assert.Equal(
            [
                "tensor 'base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight' is missing; expected it with shape [4, 32], as the layer is "
                    + "one of target_modules",
                "tensor 'base_model.model.model.layers.1.self_attn.q_proj.lora_magnitude_vector' is not part of the adapter; expected no such tensor",
            ],
            e.Problems);
    }

    [Fact]
    public void The_directory_of_the_base_model_is_never_replaced_and_a_model_of_none_cannot_be_saved()
    {
        SaveAdapter("llama", new LoraOptions(2));
        using var model = ScoringModel.Load(directory["adapter"]);
        Assert.Contains(
            "the directory holds the model that the adapter changes, which would be replaced",
            Assert.Throws<CheckpointException>(() => model.Save(directory["base"])).Message, StringComparison.Ordinal);
        using var fresh = new ScoringModel(TinyModel.Create());
        fresh.Transformer.AddAdapter(new LoraOptions(2));
        Assert.Contains(
            "the weights that the model's adapter changes lie in no directory",
            Assert.Throws<CheckpointException>(() => fresh.Save(directory["fresh"])).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory["fresh"]));
    }

    [Fact]
    public void An_inspection_shows_the_adapter()
    {
        SaveAdapter("llama", new LoraOptions(2) { Dropout = 0.1 });
        var inspection = ModelInspection.Of(directory["adapter"]);
        Assert.Empty(inspection.Problems);
        Assert.Equal((2, 8, 0.1), (inspection.Adapter!.Rank, inspection.AdaptedLayers!.Count, inspection.Adapter.Dropout));
        Assert.Equal(Path.GetFullPath(directory["base"]), Path.GetFullPath(inspection.BaseDirectory!));
        using var model = RewardTransformer.Load(directory["adapter"]);
        Assert.Equal(model.TrainedParameters.Sum(pair => pair.Parameter.numel()), inspection.TrainedParameters);
        Assert.Equal(model.CheckpointParameters.Sum(pair => pair.Parameter.numel()), inspection.Parameters!.Total);
        Assert.Equal("base_model.model.score.weight", inspection.HeadTensor);
        Change(config => config["use_dora"] = true);
        Assert.Equal(
            ["'use_dora' is true; expected no such setting: DoRA scales the columns of weights, which is not supported"],
            ModelInspection.Of(directory["adapter"]).Problems);
    }

    private void Change(Action<JsonNode> change)
    {
        var config = JsonNode.Parse(File.ReadAllText(directory["adapter/adapter_config.json"]))!;
        change(config);
        File.WriteAllText(directory["adapter/adapter_config.json"], config.ToJsonString());
    }

    /// <summary>The same weights without a head.</summary>
    private static void Rewrite(string file, string directory, bool isAdapter)
    {
        using var reader = isAdapter ? CheckpointReader.OpenAdapter(directory) : CheckpointReader.Open(directory);
        var tensors = reader.Names.Where(name => !name.EndsWith("score.weight", StringComparison.Ordinal))
            .Select(name => (name, reader.Read(name))).ToArray();
        File.Delete(file);
        if (isAdapter)
            CheckpointWriter.WriteAdapter(directory, tensors, ScalarType.Float32);
        else
            CheckpointWriter.Write(directory, tensors);
    }

    /// <summary>A base model in base and, in adapter, its adapter with random numbers.</summary>
    /// <returns>The rewards of both together.</returns>
    private float[] SaveAdapter(string architecture, LoraOptions options)
    {
        using (var model = new ScoringModel(TinyModel.Create(architecture)))
            model.Save(directory["base"]);
        using var loaded = ScoringModel.Load(directory["base"]);
        loaded.Transformer.AddAdapter(options);
        manual_seed(3);
        using (no_grad())
            foreach (var (_, parameter) in loaded.Transformer.TrainedParameters)
                parameter.add_(randn(parameter.shape).mul_(0.2));
        loaded.Save(directory["adapter"]);
        loaded.Transformer.eval();
        return Rewards(loaded.Transformer);
    }

    private static float[] Rewards(RewardTransformer model) => [.. new RewardScorer(model).Score(lists).SelectMany(row => row)];

    private static float[] Numbers(RewardTransformer model) =>
        [.. model.ModelAdapter!.Parameters.SelectMany(pair =>
        {
            using var data = pair.Parameter.detach().data<float>();
            return data.ToArray();
        })];
}
