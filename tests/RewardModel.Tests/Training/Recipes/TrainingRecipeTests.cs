using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Cli;
using RewardModel.Tests.Tokenizers;
using RewardModel.Tokenizers;
using RewardModel.Training;
using RewardModel.Training.Recipes;

namespace RewardModel.Tests.Training.Recipes;

public class TrainingRecipeTests
{
    public static TheoryData<string> Names => new(TrainingRecipe.All.Select(recipe => recipe.Name));

    [Fact]
    public void These_are_the_recipes() => Assert.Equal(
        "deepmind-70b deepspeed-chat instructgpt llama2 openrlhf stackllama summarize transformers-tasks transformers-tasks-sigmoid trl-default",
        string.Join(' ', TrainingRecipe.All.Select(recipe => recipe.Name)));

    [Fact]
    public void An_unknown_name_lists_the_known_ones()
    {
        var error = Assert.Throws<ArgumentException>(() => TrainingRecipe.Named("instruct-gpt"));
        Assert.StartsWith(
            "The recipe 'instruct-gpt' is not known; expected one of: deepmind-70b, deepspeed-chat, instructgpt, ", error.Message);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_setting_has_its_source_beside_it(string name)
    {
        var recipe = TrainingRecipe.Named(name);
        Assert.EndsWith(".", recipe.Title);
        var settings = recipe.Yaml.Split('\n').Where(line => line.Length > 0 && !line.StartsWith('#') && !line.StartsWith(' ')).ToArray();
        Assert.Equal(recipe.Settings.Count, settings.Length);
        Assert.All(settings, line => Assert.Matches("^[a-z0-9-]+: [^ ]+ +# [^ ].+$", line));
    }

    [Fact]
    public void InstructGPTs_settings_are_those_of_its_paper()
    {
        var options = TrainingRecipe.Named("instructgpt").Options("ranked.jsonl", "sft", "reward-model");
        Assert.Equal(
            (1, 9e-6, 0.1, 64, 0.9, 0.95, 0.0, "log-sigmoid", "held-out-best"),
            (options.Epochs, options.LearningRate, options.FinalLearningRateRatio, options.ListsPerStep, options.Beta1, options.Beta2,
                options.WeightDecay, options.Loss, options.Normalize));
        Assert.Equal(("ranked.jsonl", "sft", "reward-model"), (options.Data, options.Backbone, options.Output));
    }

    /// <summary>On a small model, with data as the recipe's comment describes them.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Every_recipe_trains_from_its_own_data(string name)
    {
        using var directory = new TemporaryDirectory();
        var isOfEncoders = name.StartsWith("transformers-tasks", StringComparison.Ordinal);
        WriteBackbone(directory["backbone"], isOfEncoders);
        File.WriteAllLines(directory["data.jsonl"], Enumerable.Range(0, 24).Select(i => DataOf(name, i).ToJsonString()));
        // Smaller only in what depends on the model's own size.
        string[] scaledDown = TrainingRecipe.Named(name).Settings.ContainsKey("max-length") ? ["--max-length", "96"] : [];
        var (status, output, errors) = CommandLineTests.Run(
            ["train", "--recipe", name, "--data", directory["data.jsonl"], "--backbone", directory["backbone"], "--output", directory["model"],
                "--eval-fraction", "0.25", .. scaledDown]);
        Assert.True(status == 0, errors);
        Assert.Contains("Held-out lists, weights of step ", output);
        var ran = TrainingRun.OptionsOf(directory["model"]);
        Assert.Equal(TrainingRecipe.Named(name).Options("x", "y", "z").LearningRate, ran.LearningRate);
        (status, output, errors) = CommandLineTests.Run(
            ["score", "--model", directory["model"], "--prompt", "Review 1:", "--answer", " good"]);
        Assert.True(status == 0, errors);
        Assert.True(float.IsFinite(float.Parse(output.Trim().Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void The_command_line_and_a_run_file_replace_a_recipes_settings()
    {
        using var directory = new TemporaryDirectory();
        WriteBackbone(directory["backbone"], isEncoder: false);
        File.WriteAllLines(directory["data.jsonl"], Enumerable.Range(0, 24).Select(i => DataOf("llama2", i).ToJsonString()));
        File.WriteAllText(directory["run.yaml"], "warmup-steps: 1\nlists-per-step: 4\nmax-length: 96\n");
        Assert.Equal(0, CommandLineTests.Run([
            "train", directory["run.yaml"], "--recipe", "llama2", "--data", directory["data.jsonl"], "--backbone", directory["backbone"],
            "--output", directory["model"], "--steps", "2", "--lists-per-step", "3"]).Status);
        var ran = TrainingRun.OptionsOf(directory["model"]);
        Assert.Equal(
            (2, 3, 1, null, 0.1, "llama2-large"),
            (ran.Steps, ran.ListsPerStep, ran.WarmupSteps, ran.WarmupRatio, ran.WeightDecay, ran.Margin));
    }

    [Fact]
    public void An_option_that_has_no_effect_with_a_recipe_is_an_error()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["data.jsonl"], DataOf("summarize", 0).ToJsonString());
        Assert.Equal(
            (2, "error: The training options can't be used: LabelSmoothing (--label-smoothing) is 0.1; expected 0, because Loss (--loss) is "
                + "sigmoid, not log-sigmoid.\n"),
            Errors(
                "train", "--recipe", "transformers-tasks-sigmoid", "--label-smoothing", "0.1", "--data", directory["data.jsonl"],
                "--backbone", directory.Path, "--output", directory["model"]));
    }

    private static (int Status, string Errors) Errors(params string[] arguments)
    {
        var (status, _, errors) = CommandLineTests.Run(arguments);
        return (status, errors);
    }

    /// <summary>A small model that reads bytes, saved as a checkpoint without a head's rule.</summary>
    private static void WriteBackbone(string directory, bool isEncoder)
    {
        using var folder = TokenizerFolder.ByteLevel();
        var config = isEncoder
            ? new JsonObject
            {
                ["model_type"] = "bert",
                ["hidden_size"] = 16,
                ["intermediate_size"] = 16,
                ["num_hidden_layers"] = 1,
                ["num_attention_heads"] = 2,
                ["max_position_embeddings"] = 96,
            }
            : TinyModel.Config("llama");
        config["vocab_size"] = 265;
        using (var model = new ScoringModel(
            RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), 0, 1),
            HuggingFaceTokenizer.Load(folder.Directory)))
            model.Save(directory);
        File.Delete(Path.Combine(directory, "reward_model.json"));
    }

    /// <summary>Of reviews: those that praise more are better.</summary>
    private static JsonObject DataOf(string recipe, int i)
    {
        string[] best = ["very good", "good", "not bad", "so so", "bad", "very bad", "awful", "a shame", "never again"];
        var prompt = $"Review {i}:";
        JsonArray First(int count) => [.. best.Take(count).Select(text => (JsonNode)$" {text}")];
        return recipe switch
        {
            // 4 to 9 answers, best first.
            "instructgpt" => new JsonObject { ["prompt"] = prompt, ["answers"] = First(4 + i % 6) },
            "llama2" => new JsonObject
            {
                ["prompt"] = prompt,
                ["answers"] = First(2),
                ["scores"] = new JsonArray(i % 4 == 0 ? 0.01 : i % 4, 0),
            },
            // Without a prompt: what both start with.
            "trl-default" => new JsonObject { ["chosen"] = $"{prompt} good", ["rejected"] = $"{prompt} bad" },
            "transformers-tasks" or "transformers-tasks-sigmoid" => new JsonObject
            {
                ["prompt"] = "",
                ["answers"] = new JsonArray([.. best.Skip(i % 4).Take(4).Select(text => (JsonNode)$"{text} {i}")]),
            },
            _ => new JsonObject { ["prompt"] = prompt, ["chosen"] = " good", ["rejected"] = " bad" },
        };
    }
}
