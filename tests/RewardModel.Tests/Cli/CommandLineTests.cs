using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Cli;
using RewardModel.Scoring;
using RewardModel.Tests.Tokenizers;
using RewardModel.Training.Data;
using RewardModel.Training.Runs;

namespace RewardModel.Tests.Cli;

[Collection(nameof(RunsAlone))]
public class CommandLineTests
{
    /// <summary>What the project asks for is what the program runs with: a misspelt property would be passed over.</summary>
    [Fact]
    public void Each_thread_of_the_command_has_a_heap_of_its_own() => Assert.Contains(
        "\"System.GC.Server\": true", File.ReadAllText(Path.ChangeExtension(typeof(CommandLine).Assembly.Location, ".runtimeconfig.json")));

    [Fact]
    public void Options_are_these()
    {
        // A new option is a decision: write it down here.
        static string Options(string command) =>
            string.Join(' ', CommandLine.Root(TextWriter.Null, TextWriter.Null)
                .Subcommands.Single(c => c.Name == command).Options.Select(option => option.Name));
        Assert.Equal(
            ["train", "recipes", "plan", "sweep", "watch", "report", "evaluate", "compare", "score", "rank", "best-of-n", "serve", "export", "normalize", "average", "inspect", "verify", "check-data", "convert", "tokenize"],
            CommandLine.Root(TextWriter.Null, TextWriter.Null).Subcommands.Select(command => command.Name));
        Assert.Equal(
            "--data --query --layout --score-from --group-by --on-bad-data --eval-data --eval-fraction --split-seed --split-by --max-lists-per-prompt --cache --backbone --base-model --output-weights --config --tokenizer --output --normalize --tensorboard --epochs --steps --learning-rate "
            + "--head-learning-rate --layer-decay --schedule --warmup-steps --warmup-ratio --final-learning-rate-ratio --cooldown-steps "
            + "--optimizer --weight-decay --decay-all --beta1 --beta2 --epsilon --max-grad-norm --dropout --lists-per-step --tokens-per-step "
            + "--max-tokens-per-batch --max-length --encoding --unfrozen-layers --freeze-embeddings --lora-rank --lora-alpha --lora-dropout "
            + "--lora-targets --lora-rank-stabilized --lora-bias --lora-modules-to-save --frozen-weights --loss --margin --label-smoothing "
            + "--ties --reward-positions --loss-normalization --pointwise --pointwise-weight --centering --reward-l2 --seed --seeds "
            + "--eval-every --ema --average-last --best-by --save-every --early-stop --precision --activation-checkpointing --shard --offload-optimizer "
            + "--device --threads --recipe --resume --dry-run --hang-minutes --quiet --verbose",
            Options("train"));
        Assert.Equal(
            "--model --base-model --output-weights --reference --loss --max-tokens-per-batch --device --threads --raw --html --json --data --query --layout --score-from --group-by --on-bad-data",
            Options("evaluate"));
        Assert.Equal(
            "--model --max-tokens-per-batch --device --threads --html --json --data --query --layout --score-from --group-by --on-bad-data",
            Options("compare"));
        Assert.Equal("--output --csv", Options("report"));
        Assert.Equal(
            "--model --base-model --output-weights --prompt --answer --max-tokens-per-batch --batch-invariant --device --threads --raw --json --per-token --per-step --data --query --layout --score-from --on-bad-data",
            Options("score"));
        Assert.All(["rank", "best-of-n"], command => Assert.Equal(
            "--model --base-model --output-weights --prompt --answer --max-tokens-per-batch --batch-invariant --device --threads --raw --json --data --query --layout --score-from --on-bad-data",
            Options(command)));
        Assert.Equal(
            "--model --base-model --host --port --device --threads --max-tokens-per-batch --batch-window-ms --max-queued-tokens --max-rows "
            + "--max-request-mb --request-timeout --drain-timeout --api-key-file --rate-limit --tls-certificate --tls-key --prompt-cache-mb "
            + "--batch-invariant --reload-on-change --raw --quiet",
            Options("serve"));
        Assert.Equal("--run --step --model --base-model --output-weights --merge --fold-normalizer --output", Options("export"));
        Assert.Equal(
            "--model --reference --held-out --max-tokens-per-batch --device --threads --on-bad-data --raw", Options("normalize"));
        Assert.Equal("--weights --output", Options("average"));
        Assert.Equal("--output --resume --quiet --verbose", Options("sweep"));
        Assert.Equal("--values --json", Options("verify"));
        Assert.Equal("--base-model --json --prompt-tokens --answer-tokens --answers --unfrozen-layers --frozen-weights --optimizer", Options("inspect"));
        Assert.Equal(
            "--data --query --layout --score-from --group-by --on-bad-data --eval-data --eval-fraction --split-seed --split-by --backbone --max-length --fail-on "
            + "--threads --json",
            Options("check-data"));
        Assert.Equal("--data --query --layout --score-from --group-by --on-bad-data --output", Options("convert"));
        Assert.Equal(
            "--tokenizer --chat --raw --text --data --query --layout --score-from --on-bad-data --rows --max-length --full --json", Options("tokenize"));
        Assert.Equal("--port", Options("watch"));
        Assert.Equal(
            "--model --all --gpus --gpus-per-node --gpu --memory --peak-tflops --efficiency --network --link-bandwidth --link-latency --node-bandwidth "
            + "--node-latency --shard --offload-optimizer --optimizer --precision --activation-checkpointing --unfrozen-layers --frozen-weights "
            + "--lora-rank --lora-targets --ema --lists-per-step --epochs --recipe --lists --answers --prompt-tokens --answer-tokens "
            + "--max-tokens-per-batch --price-per-gpu-hour --failure-hours --state-bandwidth --restart-minutes --measured --step-deviation --simulate --seed --json",
            Options("plan"));
    }

    [Fact]
    public void Trains_evaluates_and_scores_lists_of_token_ids()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        var (status, output, errors) = Run(
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["model"],
            "--steps", "60", "--learning-rate", "3e-3", "--eval-fraction", "0.2", "--eval-every", "20");
        Assert.Equal(0, status);
        Assert.Contains("evaluation after step 0: loss", errors);
        Assert.Matches($"^Held-out lists, weights of step [246]0: loss .*\nModel:  {directory["model"]}\nReport: .*report.html\nLog:    .*\n$", output);
        var log = File.ReadAllLines(directory["model/training/log.jsonl"]).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(Enumerable.Range(1, 60), log.Where(line => line["loss"] is not null).Select(line => (int)line["step"]!));
        Assert.Equal([0, 20, 40, 60], log.Where(line => line["metrics"] is not null).Select(line => (int)line["step"]!));

        (status, output, _) = Run("evaluate", "--model", directory["model"], "--data", directory["train.jsonl"], "--json");
        Assert.Equal(0, status);
        var metrics = JsonNode.Parse(output)!["metrics"]!;
        Assert.Equal(300, (int)metrics["list_count"]!);
        Assert.InRange((double)metrics["accuracy"]!, 0.9, 1);

        (status, output, _) = Run("score", "--model", directory["model"], "--data", directory["train.jsonl"]);
        var rewards = output.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!["rewards"].Deserialize<float[]>()!).ToArray();
        Assert.Equal((0, 300), (status, rewards.Length));
        Assert.All(rewards, list => Assert.Equal(2, list.Length));
        Assert.Equal((double)metrics["accuracy"]!, rewards.Average(list => list[0] > list[1] ? 1.0 : 0), 1e-9);
    }

    [Fact]
    public void The_log_has_the_terms_of_the_loss_and_the_run_file_its_options()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        string[] arguments =
        [
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["model"],
            "--steps", "2", "--eval-fraction", "0", "--loss", "hinge", "--margin", "score-difference*0.5", "--centering", "0.1",
        ];
        Assert.Equal(0, Run(arguments).Status);
        var step = JsonNode.Parse(File.ReadLines(directory["model/training/log.jsonl"]).Skip(1).First())!;
        Assert.Equal(["hinge", "centering"], step["loss_terms"]!.AsObject().Select(term => term.Key));
        Assert.Equal((double)step["loss"]!, step["loss_terms"]!.AsObject().Sum(term => (double)term.Value!), 1e-12);
        var run = File.ReadAllLines(directory["model/training/run.yaml"]);
        Assert.Subset(run.ToHashSet(), new HashSet<string> { "loss: \"hinge\"", "margin: \"score-difference*0.5\"", "centering: 0.1", "ties: \"exclude\"" });
    }

    [Theory]
    [InlineData("--best-by", "accuracy")]
    [InlineData("--ema", "0.9")]
    [InlineData("--average-last", "4")]
    public async Task A_process_killed_again_and_again_ends_with_the_bytes_of_a_straight_run(string option, string value)
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        string[] Arguments(string output) =>
        [
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory[output],
            "--steps", "100", "--learning-rate", "3e-3", "--dropout", "0.1", "--eval-fraction", "0.2", "--eval-every", "7",
            "--save-every", "3", "--threads", "1", "--normalize", "held-out", option, value, "--resume",
        ];
        Assert.Equal(0, Run(Arguments("straight")).Status);

        var random = new SplitMix64(5);
        var kills = 0;
        for (var start = 0; ; start++)
        {
            Assert.True(start < 60, "the run makes no progress");
            string[] commandLine = [typeof(CommandLine).Assembly.Location, .. Arguments("killed")];
            using var process = Process.Start(new ProcessStartInfo("dotnet", commandLine)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            // From before the first step on, and longer each time, so that a slow machine gets to the end too.
            if (process.WaitForExit(TimeSpan.FromMilliseconds(300 + random.NextBelow(300) + 100 * start)))
            {
                Assert.True(process.ExitCode == 0, await errors + await output);
                break;
            }
            process.Kill();
            process.WaitForExit();
            kills++;
        }

        Assert.True(kills > 0, "the process was never killed");
        Assert.Equal(File.ReadAllBytes(directory["straight/model.safetensors"]), File.ReadAllBytes(directory["killed/model.safetensors"]));
        Assert.Equal(File.ReadAllBytes(directory["straight/reward_model.json"]), File.ReadAllBytes(directory["killed/reward_model.json"]));
        Assert.Equal(LossesOf(directory["straight/training/log.jsonl"]), LossesOf(directory["killed/training/log.jsonl"]));
    }

    [Fact]
    public async Task Interrupted_it_saves_its_state_and_goes_on_later()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        string[] arguments =
        [
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["model"],
            "--steps", "100000", "--eval-fraction", "0", "--threads", "1",
        ];
        // What a shell starts in the background ignores this signal, and so do its children, unless they are told otherwise.
        string[] program = ["--default-signal=INT", "dotnet", typeof(CommandLine).Assembly.Location];
        using var process = Process.Start(new ProcessStartInfo("env", [.. program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        while (await process.StandardError.ReadLineAsync() is { } line && !line.StartsWith("step ", StringComparison.Ordinal))
        {
        }
        var output = process.StandardOutput.ReadToEndAsync();
        Assert.Equal(0, ChildProcess.Run("sh", ["-c", $"kill -INT {process.Id}"]).ExitCode);
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Contains("Stopping after this step; its state will be saved.", errors);
        Assert.EndsWith("Stopped. The state is saved: continue with --resume.\n", errors);
        Assert.Equal("", await output);
        Assert.Equal(130, process.ExitCode);
        Assert.True(new RunDirectory(directory["model"]).NewestStep > 0);
    }

    [Fact]
    public void Resuming_does_not_overwrite_a_directory_that_has_no_run()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        Directory.CreateDirectory(directory["backbone"]);
        File.WriteAllText(directory["backbone/model.safetensors"], "precious");
        var errors = Run(
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["backbone"],
            "--resume").Errors;
        Assert.Equal($"error: '{directory["backbone"]}' is not empty. Give a new --output, so that no file is overwritten.\n", errors);
        Assert.Equal("precious", File.ReadAllText(directory["backbone/model.safetensors"]));
    }

    [Fact]
    public void A_run_on_token_ids_is_not_resumed_with_another_tokenizer_or_maximum_length()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        File.WriteAllText(directory["config.json"], config.ToJsonString());
        using var tokenizer = TokenizerFolder.ByteLevel("""{"eos_token": "</s>"}""");
        using var copy = TokenizerFolder.ByteLevel("""{"eos_token": "</s>"}""");
        using var other = TokenizerFolder.ByteLevel("""{"chat_template": "{{ messages }}"}""");
        string[] Arguments(TokenizerFolder folder, int maxLength) =>
        [
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["model"],
            "--steps", "1", "--tokenizer", folder.Directory, "--max-length", $"{maxLength}", "--resume",
        ];
        string Saved() => File.ReadAllText(directory["model/reward_model.json"]) + File.ReadAllText(directory["model/tokenizer_config.json"]);
        Assert.Equal(0, Run(Arguments(tokenizer, 64)).Status);
        var saved = Saved();

        var (status, _, errors) = Run(Arguments(other, 48));
        Assert.Equal(
            (1, $"error: The run in '{directory["model"]}' can't be resumed, because it was started differently: "
                + "the special tokens around prompt and answer are not the same; the maximum length was 64 and is now 48; "
                + "the chat template is not the same; the tokenizer's files are not the same. "
                + "Use the options, data, model and tokenizer that it was started with, or another directory.\n"),
            (status, errors[errors.IndexOf("error: ", StringComparison.Ordinal)..]));
        Assert.Equal(saved, Saved());
        Assert.Equal(0, Run(Arguments(copy, 64)).Status);
    }

    [Fact]
    public void After_a_run_that_could_not_begin_the_corrected_command_does()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        string[] arguments =
        [
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["model"], "--steps",
        ];
        Assert.Equal(2, Run([.. arguments, "0"]).Status);
        Assert.Equal(0, Run([.. arguments, "1"]).Status);
    }

    [Fact]
    public void An_output_directory_in_use_is_not_overwritten()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        string[] arguments =
        [
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["model"],
            "--steps", "1", "--eval-fraction", "0",
        ];
        Assert.Equal(0, Run(arguments).Status);
        Assert.Equal(
            (1, $"error: '{directory["model"]}' already holds a training run. Add --resume to continue it, or give another --output.\n"),
            (Run(arguments).Status, Run(arguments).Errors));
        Directory.CreateDirectory(directory["other"]);
        File.WriteAllText(directory["other/notes.txt"], "mine");
        arguments[6] = directory["other"];
        Assert.Equal(
            $"error: '{directory["other"]}' is not empty. Give a new --output, so that no file is overwritten.\n", Run(arguments).Errors);
    }

    [Fact]
    public void Evaluation_names_lists_with_equal_answers_and_leaves_their_pairs_out()
    {
        using var directory = new TemporaryDirectory();
        using (var model = new ScoringModel(TinyModel.Create("llama")))
            model.Save(directory["model"]);
        File.WriteAllText(directory["lists.jsonl"], """
            {"prompt_ids": [1], "answer_ids": [[2], [3]]}
            {"prompt_ids": [1], "answer_ids": [[2], [3], [2]]}
            """);
        var (status, output, errors) = Run("evaluate", "--model", directory["model"], "--data", directory["lists.jsonl"], "--json");
        Assert.Equal(
            (0, $"warning: 1 of 2 lists has answers that are equal token for token ({directory["lists.jsonl"]}:2): "
                + "such answers form no pair\n"),
            (status, errors));
        Assert.Equal(3, (int)JsonNode.Parse(output)!["metrics"]!["pair_count"]!);
    }

    [Fact]
    public void Inspects_a_directory()
    {
        using var directory = new TemporaryDirectory();
        TrainingMemory memory;
        using (var model = new ScoringModel(TinyModel.Create("llama")))
        {
            model.Save(directory["model"]);
            memory = TrainingMemory.Estimate(model.Transformer, new ListSize(10, 20, 3));
        }
        string Size(long bytes) => FormattableString.Invariant($"{bytes / 1e6:N1} MB");
        var (total, activations) = (Size(memory.Total), Size(memory.Activations));
        var checkpointed = Size(memory.Total - memory.Activations + memory.CheckpointedActivations);
        var (status, output, _) = Run(
            "inspect", directory["model"], "--prompt-tokens", "10", "--answer-tokens", "20", "--answers", "3");
        Assert.Equal(0, status);
        Assert.Equal(
            $"""
            directory     {directory["model"]}
            architecture  llama (LlamaForSequenceClassification)
            parameters    10,824: embedding 1,464, layers 9,336, head 24
            vocabulary    61 ids, at most 96 tokens
            weights       0.0 MB of F32
            head          score.weight, trained
            tokenizer     none
            rule          prompt answer, joint encoding, maximum length 96, reward = (raw - 0) / 1
            training      {total}: weights 0.0 MB, gradients 0.0 MB, adamw 0.1 MB, activations {activations} (prompt 10, 3 answers of 20)
                          {checkpointed} with --activation-checkpointing: activations {Size(memory.CheckpointedActivations)}
            problems      none

            """.ReplaceLineEndings("\n"),
            output);

        (status, output, _) = Run("inspect", directory["model"], "--optimizer", "adafactor");
        Assert.Contains(", adafactor 0.0 MB, activations ", output);
        (status, output, _) = Run("inspect", directory["model"], "--json", "--unfrozen-layers", "1", "--frozen-weights", "nf4");
        // 73 blocks of the first layer's matrices, the embedding in 16 bits, the layer's norms, and what is trained.
        Assert.Equal((34 * 73) + (2 * 1464) + (4 * (48 + 4656 + 24 + 24)), (long)JsonNode.Parse(output)!["memory"]!["weights"]!);
        Assert.Equal(
            (1, "error: --frozen-weights is Nf4; expected Float32 without unfrozen layers, because nothing is frozen\n"),
            Errors("inspect", directory["model"], "--frozen-weights", "nf4"));
        Assert.Equal(
            (1, "error: --unfrozen-layers is 3; expected 0 to 2, the layers of this Llama\n"),
            Errors("inspect", directory["model"], "--unfrozen-layers", "3"));

        (status, output, _) = Run("inspect", directory["nowhere"]);
        Assert.Equal(1, status);
        Assert.EndsWith("problem: there is no such directory\n", output);
        (status, output, _) = Run("inspect", directory["model"], "--json");
        Assert.Equal((0, 10824), (status, (int)JsonNode.Parse(output)!["parameters"]!["total"]!));

        (int, string) Errors(params string[] arguments)
        {
            var (status, _, errors) = Run(arguments);
            return (status, errors);
        }
    }

    [Theory]
    [InlineData(
        "give either --backbone DIR (start from a checkpoint) or --config FILE (train from scratch)",
        "train", "--data", "x", "--output", "y")]
    [InlineData(
        "Give --epochs or --steps, not both.",
        "train", "--data", "x", "--output", "y", "--config", "c", "--epochs", "1", "--steps", "2")]
    [InlineData(
        "give --eval-data or --eval-fraction, not both",
        "train", "--data", "x", "--output", "y", "--config", "c", "--eval-data", "e", "--eval-fraction", "0.1")]
    [InlineData(
        "--schedule is 'step'; expected one of: cosine, linear, constant, wsd.",
        "train", "--data", "x", "--output", "y", "--config", "c", "--schedule", "step")]
    [InlineData(
        "--optimizer is 'adam'; expected one of: adamw, adamw-8bit, adafactor.",
        "train", "--data", "x", "--output", "y", "--config", "c", "--optimizer", "adam")]
    [InlineData(
        "give --warmup-steps or --warmup-ratio, not both",
        "train", "--data", "x", "--output", "y", "--config", "c", "--warmup-steps", "1", "--warmup-ratio", "0.1")]
    [InlineData(
        "give --lists-per-step or --tokens-per-step, not both",
        "train", "--data", "x", "--output", "y", "--config", "c", "--lists-per-step", "1", "--tokens-per-step", "100")]
    [InlineData("Give either --data FILE, or --prompt TEXT with at least one --answer TEXT.", "score", "--model", "m")]
    [InlineData("Give either --data FILE, or --prompt TEXT with at least one --answer TEXT.", "score", "--model", "m", "--prompt", "p")]
    [InlineData(
        "Give either --data FILE, or --prompt TEXT with at least one --answer TEXT.",
        "score", "--model", "m", "--data", "d", "--answer", "a")]
    [InlineData(
        "--per-token and --per-step are given; expected one of them.", "score", "--model", "m", "--data", "d", "--per-token", "--per-step", "x")]
    [InlineData("--per-step: The separator is empty; expected a text.", "score", "--model", "m", "--data", "d", "--per-step", "")]
    [InlineData(
        "--per-step: The separator 'a\\x' has an escape that is not known; expected \\n, \\r, \\t, \\\\ or \\uXXXX.",
        "score", "--model", "m", "--data", "d", "--per-step", "a\\x")]
    [InlineData("--data and --output are missing.", "train")]
    [InlineData("Give --resume DIR, or --resume and --output DIR, not both.", "train", "--resume", "x", "--output", "y")]
    [InlineData(
        "--learning-rate is '0,00001'; expected a number such as 0.1 or 1e-5.", "train", "--data", "x", "--output", "y", "--lr", "0,00001")]
    [InlineData("--threads is 'two'; expected a whole number.", "evaluate", "--model", "m", "--data", "d", "--threads", "two")]
    [InlineData("Give either --text TEXT or --data FILE.", "tokenize", "--tokenizer", "t")]
    [InlineData("Give either --text TEXT or --data FILE.", "tokenize", "--tokenizer", "t", "--text", "x", "--data", "d")]
    [InlineData("Give --chat or --raw, not both.", "tokenize", "--tokenizer", "t", "--text", "x", "--chat", "--raw")]
    [InlineData("--rows is -1; expected 0, for all, or more.", "tokenize", "--tokenizer", "t", "--data", "d", "--rows", "-1")]
    public void Options_that_do_not_go_together_are_told(string expected, params string[] arguments)
    {
        var (status, output, errors) = Run(arguments);
        Assert.Equal((2, ""), (status, output));
        Assert.StartsWith("error: ", errors);
        Assert.Contains(expected, errors);
    }

    [Fact]
    public void A_run_file_is_overridden_by_options_and_resumed_by_its_directory_alone()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        File.WriteAllText(directory["run.yaml"], $"""
            data: {directory["train.jsonl"]}
            config: {directory["config.json"]}
            output: {directory["model"]}
            epochs: 7
            lists-per-step: 50
            threads: 1

            """);
        var (status, output, errors) = Run("train", directory["run.yaml"], "--steps", "4", "-o", directory["model"], "--quiet");
        Assert.Equal((0, ""), (status, string.Concat(errors.Split('\n').Where(line => !line.StartsWith("warning: ", StringComparison.Ordinal)))));
        Assert.Equal(4, new RunDirectory(directory["model"]).NewestStep);
        Assert.Equal(0, Run("train", "--resume", directory["model"]).Status);
        Assert.Equal(4, new RunDirectory(directory["model"]).NewestStep);
        Assert.Equal(0, Run("train", "--resume", directory["model"], "--steps", "6").Status);
        Assert.Equal(6, new RunDirectory(directory["model"]).NewestStep);
        Assert.Contains("lists-per-step: 50\n", File.ReadAllText(directory["model/training/run.yaml"]));
        Assert.DoesNotContain("epochs: 7", File.ReadAllText(directory["model/training/run.yaml"]));

        File.WriteAllText(directory["wrong.yaml"], "epoch: 1\n");
        (status, output, errors) = Run("train", directory["wrong.yaml"]);
        Assert.Equal((2, ""), (status, output));
        Assert.StartsWith($"error: {directory["wrong.yaml"]}:1: 'epoch' is not an option; expected one of: ", errors);
        (status, _, errors) = Run("train", "--resume", directory["nowhere"]);
        Assert.Equal((2, "error: --data is missing.\n"), (status, errors));
    }

    [Fact]
    public void Exports_the_best_and_the_last_weights_of_a_run()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        Assert.Equal(0, Run(
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["run"],
            "--steps", "10", "--eval-every", "3", "--best-by", "loss", "--threads", "1").Status);
        var (status, output, _) = Run("export", "--run", directory["run"], "--step", "last", "--output", directory["last"]);
        Assert.Equal((0, $"Model: {directory["last"]}, weights of step 10\n"), (status, output));
        Assert.Equal(0, Run("export", "--run", directory["run"], "--output", directory["best"]).Status);
        Assert.Equal(
            File.ReadAllBytes(directory["run/model.safetensors"]), File.ReadAllBytes(directory["best/model.safetensors"]));
        (status, _, var errors) = Run("export", "--run", directory["run"], "--output", directory["best"]);
        Assert.Equal(
            (2, $"error: '{directory["best"]}' is not empty. Give a new --output, so that no file is overwritten.\n"), (status, errors));
    }

    [Fact]
    public void Trains_evaluates_inspects_and_merges_an_adapter()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        string[] Train(string output, params string[] others) =>
        [
            "train", "--data", directory["train.jsonl"], "--output", directory[output], "--steps", "4", "--eval-fraction", "0", "--threads", "1",
            "--quiet", .. others,
        ];
        Assert.Equal(0, Run(Train("base", "--config", directory["config.json"])).Status);
        Assert.Equal(0, Run(Train("adapter", "--backbone", directory["base"], "--lora-rank", "2", "--lora-bias", "lora_only", "--lr", "0.1")).Status);
        string[] Evaluate(string model, params string[] others) =>
            ["evaluate", "--model", directory[model], "--data", directory["train.jsonl"], "--json", .. others];
        double Loss(string json) => (double)JsonNode.Parse(json)!["metrics"]!["loss"]!;
        var (status, ofAdapter, _) = Run(Evaluate("adapter"));
        Assert.Equal(0, status);
        Assert.NotEqual(Loss(Run(Evaluate("base")).Output), Loss(ofAdapter), 1e-3);
        (status, var output, _) = Run("export", "--merge", "--model", directory["adapter"], "--output", directory["merged"]);
        Assert.Equal((0, $"Model: {directory["merged"]}\n"), (status, output));
        Assert.Equal(Loss(ofAdapter), Loss(Run(Evaluate("merged")).Output), 1e-5);

        (status, output, _) = Run("inspect", directory["adapter"]);
        Assert.Equal(0, status);
        Assert.Contains(
            "adapter       LoRA of rank 2, scale 4 / the rank, in 8 layers (q_proj, k_proj, v_proj, o_proj): 696 trained parameters\n"
            + $"base model    {directory["base"]}", output);

        Directory.Move(directory["base"], directory["moved"]);
        Assert.Equal(1, Run(Evaluate("adapter")).Status);
        Assert.Equal(ofAdapter, Run(Evaluate("adapter", "--base-model", directory["moved"])).Output);
        foreach (var (arguments, error) in new (string[], string)[]
        {
            (["--merge", "--run", "x"], "--merge and --base-model are of an adapter; give it with --model."),
            (["--run", "x", "--base-model", "y"], "--merge and --base-model are of an adapter; give it with --model."),
            (["--merge", "--model", "x", "--step", "last"], "--step chooses weights of a run; give it with --run."),
            (["--merge", "--model", directory["moved"]], $"'{directory["moved"]}' has no adapter_config.json, so there is nothing to merge."),
        })
        {
            (status, _, var errors) = Run(["export", .. arguments, "--output", directory["other"]]);
            Assert.Equal((2, $"error: {error}\n"), (status, errors));
        }
    }

    [Fact]
    public void Ranks_answers_and_chooses_the_best_of_them()
    {
        using var directory = new TemporaryDirectory();
        using var folder = TokenizerFolder.ByteLevel();
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        using (var model = new ScoringModel(
            RewardTransformer.FromConfig(RewardModel.Checkpoints.HuggingFaceConfig.Parse(config.ToJsonString(), "config.json")),
            RewardModel.Tokenizers.HuggingFaceTokenizer.Load(folder.Directory)))
            model.Save(directory["model"]);
        string[] answers = ["hello", "he", "hell", "l"];
        string[] Arguments(string command) =>
            [command, "--model", directory["model"], "--prompt", "x", .. answers.SelectMany(answer => new[] { "--answer", answer })];
        var rewards = JsonNode.Parse(Run([.. Arguments("score"), "--json"]).Output)!["rewards"].Deserialize<float[]>()!;
        int[] ranking = [.. Enumerable.Range(0, 4).OrderByDescending(answer => rewards[answer])];
        Assert.NotEqual([0, 1, 2, 3], ranking);

        string Line(int answer) => FormattableString.Invariant($"{rewards[answer],9:F4}  {answers[answer]}\n");
        Assert.Equal((0, string.Concat(ranking.Select(Line)), ""), Run(Arguments("rank")));
        Assert.Equal((0, Line(ranking[0]), ""), Run(Arguments("best-of-n")));
        Assert.Equal(ranking, JsonNode.Parse(Run([.. Arguments("rank"), "--json"]).Output)!["ranking"].Deserialize<int[]>()!);

        File.WriteAllText(directory["lists.jsonl"], JsonSerializer.Serialize(new { id = 7, prompt = "x", answers }) + "\n");
        var (status, output, _) = Run("best-of-n", "--model", directory["model"], "--data", directory["lists.jsonl"]);
        Assert.Equal(0, status);
        var line = JsonNode.Parse(output)!;
        Assert.Equal((7, ranking[0], answers[ranking[0]]), ((int)line["id"]!, (int)line["best"]!, (string?)line["best_answer"]));
        Assert.Equal(rewards[ranking[0]], (float)line["reward"]!, 1e-5);
        line = JsonNode.Parse(Run("rank", "--model", directory["model"], "--data", directory["lists.jsonl"]).Output)!;
        Assert.Equal(ranking, line["ranking"].Deserialize<int[]>()!);
        Assert.Equal(4, line["rewards"]!.AsArray().Count);
    }

    [Fact]
    public void A_maximum_length_that_leaves_no_room_is_told_by_its_option()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        var (status, _, errors) = Run(
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["model"],
            "--max-length", "0");
        Assert.Equal(
            (2, "error: The training options can't be used: MaxLength (--max-length) is 0; expected at least 1.\n"), (status, errors));
        using var folder = TokenizerFolder.ByteLevel("""{"eos_token": "</s>", "add_eos_token": true}""");
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        File.WriteAllText(directory["config.json"], config.ToJsonString());
        (status, _, errors) = Run(
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["model"],
            "--max-length", "1", "--tokenizer", folder.Directory);
        Assert.Equal(1, status);
        Assert.EndsWith("error: --max-length is 1; expected at least 2: 1 special tokens and one token of the answer\n", errors);
    }

    [Fact]
    public void Other_optimisers_rates_and_steps_are_options_which_replace_those_of_a_run_file()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        File.WriteAllText(directory["run.yaml"], $"""
            data: {directory["train.jsonl"]}
            config: {directory["config.json"]}
            lists-per-step: 50
            warmup-steps: 1
            optimizer: adafactor
            threads: 1
            """);
        var (status, output, errors) = Run("train", directory["run.yaml"], "--output", directory["plan"], "--dry-run");
        Assert.True(status == 0, errors);
        Assert.Contains(", adafactor 0.0 MB, ", output);
        (status, _, errors) = Run(
            "train", directory["run.yaml"], "--output", directory["model"], "--tokens-per-step", "400", "--warmup-ratio", "0.1", "--optimizer",
            "adamw-8bit", "--schedule", "wsd", "--cooldown-steps", "1", "--layer-decay", "0.9", "--head-learning-rate", "1e-3",
            "--freeze-embeddings", "--steps", "3");
        Assert.True(status == 0, errors);
        Assert.Contains(" steps of 400 tokens or more (", errors);
        var options = File.ReadAllText(directory["model/training/run.yaml"]);
        foreach (var line in new[]
        {
            "optimizer: \"adamw-8bit\"", "tokens-per-step: 400", "warmup-ratio: 0.1", "cooldown-steps: 1", "layer-decay: 0.9",
            "head-learning-rate: 0.001", "freeze-embeddings: true", "schedule: \"wsd\"",
        })
            Assert.Contains(line + "\n", options);
        Assert.DoesNotContain("lists-per-step", options);
        Assert.DoesNotContain("warmup-steps", options);
        Assert.Equal(0, Run("train", "--resume", directory["model"], "--steps", "4").Status);
        Assert.Equal(0, Run("export", "--run", directory["model"], "--step", "last", "--output", directory["exported"]).Status);
    }

    [Theory]
    [InlineData("train --recipe none --data x --output y", "The recipe 'none' is not known; ")]
    [InlineData("check-data --data . --fail-on leak,none", "There is no finding 'none'; ")]
    [InlineData("check-data --data x --split-by group", "--split-by group has no effect without --group-by.")]
    [InlineData("check-data --data x --max-length 5", "--max-length has no effect without --backbone, ")]
    [InlineData("convert --data x --layout none --output y", "The layout 'none' is not known; ")]
    [InlineData("convert --data x --score-from 1 --output y", "'1' is no expression that scores are computed by; ")]
    [InlineData("evaluate --model m --data x=0.5", "--data is 'x=0.5': a weight has an effect in training only. ")]
    public void A_value_that_no_data_could_make_right_is_a_wrong_use_of_the_command(string arguments, string error)
    {
        var (status, output, errors) = Run(arguments.Split(' '));
        Assert.Equal((2, ""), (status, output));
        Assert.StartsWith($"error: {error}", errors);
    }

    [Fact]
    public void A_check_of_data_ends_with_1_where_it_finds_what_it_was_asked_for()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllLines(directory["a.jsonl"], Enumerable.Range(0, 40).Select(i => $$"""{"prompt":"p{{i}}","chosen":"the good {{i}}","rejected":"bad {{i}}"}"""));
        string[] check = ["check-data", "--data", directory["a.jsonl"]];
        Assert.Equal(0, Run(check).Status);
        Assert.Equal(0, Run([.. check, "--fail-on", "leak,contradictions"]).Status);
        Assert.Equal(1, Run([.. check, "--fail-on", "leak,longer-wins"]).Status);
        File.AppendAllText(directory["a.jsonl"], """{"prompt":"p0","chosen":"bad 0","rejected":"the good 0"}""");
        Assert.Equal(1, Run([.. check, "--fail-on", "contradictions"]).Status);
        File.WriteAllText(directory["a.csv"], "prompt,chosen,rejected\np,a,b\nq,c,d\np,b,a\n");
        Assert.Contains($"{directory["a.csv"]}, row 3\n", Run("check-data", "--data", directory["a.csv"], "--eval-fraction", "0").Output);
        var report = JsonNode.Parse(Run([.. check, "--json"]).Output)!;
        Assert.Equal((41, 1), ((int)report["list_count"]!, (int)report["contradictions"]!["count"]!));
    }

    [Theory]
    [InlineData("lists.jsonl")]
    [InlineData("lists.parquet")]
    public void What_is_converted_is_read_again_as_the_same_lists(string name)
    {
        using var directory = new TemporaryDirectory();
        string[] rows =
        [
            """{"prompt":"p","answers":["a","b"],"margin":1.5,"weight":2}""", """{"prompt":"p","answers":["a","b","c"],"scores":[1,2.5,2.5]}""",
            """{"messages":[{"role":"user","content":"q"}],"answers":[[{"role":"assistant","content":"x"}],[{"role":"assistant","content":"y"}]],"ranks":[2,1]}""",
        ];
        File.WriteAllLines(directory["a.jsonl"], rows);
        Assert.Equal(
            (0, $"3 lists: {directory[name]}\n"),
            Run("convert", "--data", directory["a.jsonl"], "--output", directory[name]) is var (status, output, _) ? (status, output) : default);
        Assert.Equal(string.Join('\n', rows) + "\n", Run("convert", "--data", directory[name], "--output", "-").Output);
        Assert.Equal(2, Run("convert", "--data", directory["a.jsonl"], "--output", directory[name]).Status);

        // Where bad rows are errors, nothing is written.
        File.AppendAllText(directory["a.jsonl"], "{}");
        Assert.Equal(1, Run("convert", "--data", directory["a.jsonl"], "--output", directory["b-" + name]).Status);
        Assert.False(File.Exists(directory["b-" + name]));
        Assert.Equal(0, Run("convert", "--data", directory["a.jsonl"], "--output", directory["b-" + name], "--on-bad-data", "skip").Status);
    }

    [Fact]
    public void A_dry_run_says_what_would_be_done_and_writes_nothing()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        var (status, output, _) = Run(
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["model"], "--dry-run");
        Assert.Equal(0, status);
        Assert.Matches(
            "^lists       267 to train on, 33 held out\nanswers     534, 267 pairs\ntokens      [0-9,]+ an epoch, a shared prompt counted once\n"
            + "steps       9, 9 an epoch, learning rate 0.0005\nparameters  10,824, 10,824 of them trained\nmemory      about .*\n"
            + "time        about .* on this machine, evaluations not counted\n\nlists  .*300, of .* prompts\n",
            output);
        Assert.False(Directory.Exists(directory["model"]));
    }

    [Fact]
    public void A_run_is_on_record_with_its_command_for_TensorBoard_and_as_CSV()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        string[] arguments =
        [
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["a model"],
            "--steps=4", "--eval-every", "2", "--eval-fraction", "0.2", "--tensorboard",
        ];
        Assert.Equal(0, Run(arguments).Status);
        Assert.Single(Directory.GetFiles(directory["a model/training/tensorboard"]));
        // Another value of the option is no other run.
        Assert.Equal(0, Run("train", "--resume", directory["a model"], "--tensorboard", "false", "--steps", "6").Status);
        Assert.Single(Directory.GetFiles(directory["a model/training/tensorboard"]));
        var log = File.ReadLines(directory["a model/training/log.jsonl"]).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(
            [
                $"reward-model train --data {directory["train.jsonl"]} --config {directory["config.json"]} --output '{directory["a model"]}' "
                + "--steps 4 --eval-every 2 --eval-fraction 0.2 --tensorboard",
                $"reward-model train --resume '{directory["a model"]}' --tensorboard false --steps 6",
            ],
            log.Where(line => (string)line["type"]! == "run").Select(line => (string)line["command"]!));

        var (status, output, _) = Run("report", directory["a model"], "--csv", directory["steps.csv"]);
        Assert.Equal((0, $"Report: {directory["a model/report.html"]}\nCSV:    {directory["steps.csv"]}\n"), (status, output));
        var rows = File.ReadAllText(directory["steps.csv"]).Split("\r\n").SkipLast(1).Select(row => row.Split(',')).ToArray();
        Assert.Equal(["step", "0", "1", "2", "3", "4", "5", "6"], rows.Select(row => row[0]));
        Assert.Equal(
            log.Where(line => line["loss"] is not null).Select(line => (double)line["loss"]!),
            rows[2..].Select(row => double.Parse(row[2], System.Globalization.CultureInfo.InvariantCulture)));
        var column = Array.IndexOf(rows[0], "held_out_accuracy");
        Assert.Equal(["0", "2", "4", "6"], rows[1..].Where(row => row[column] != "").Select(row => row[0]));

        (status, _, var errors) = Run("report", directory.Path, "--csv", directory["steps.csv"]);
        Assert.Equal(1, status);
        Assert.Equal($"error: '{directory.Path}' holds no training run: there is no '{directory["training/log.jsonl"]}'.\n", errors);
    }

    [Theory]
    [InlineData("a/b.jsonl=0.5", "a/b.jsonl=0.5")]
    [InlineData("", "''")]
    [InlineData("it's", @"'it'\''s'")]
    [InlineData("SELECT * FROM data", "'SELECT * FROM data'")]
    [InlineData("$HOME", "'$HOME'")]
    [InlineData("a\n", "'a\n'")]
    public void Commands_are_quoted_for_a_shell(string argument, string expected) =>
        Assert.Equal($"reward-model train {expected}", CommandText.Of(["train", argument]));

    [Fact]
    public void Bad_lines_stop_the_run_or_are_left_out_and_listed()
    {
        using var directory = new TemporaryDirectory();
        WriteTask(directory);
        File.AppendAllText(directory["train.jsonl"], "{\"prompt_ids\": [1], \"answer_ids\": []}\n{\n");
        string[] arguments =
        [
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory["model"],
            "--steps", "1",
        ];
        var (status, _, errors) = Run(arguments);
        Assert.Equal(1, status);
        Assert.Contains($"{directory["train.jsonl"]}:301: ", errors);
        Assert.Contains($"{directory["train.jsonl"]}:302: ", errors);
        (status, var output, errors) = Run([.. arguments, "--on-bad-data", "skip"]);
        Assert.Equal(0, status);
        Assert.Contains($"warning: {directory["train.jsonl"]}:301: ", errors);
        Assert.DoesNotContain("warning", output);
    }

    internal static (int Status, string Output, string Errors) Run(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var errors = new StringWriter { NewLine = "\n" };
        var status = CommandLine.Run(arguments, output, errors);
        return (status, output.ToString(), errors.ToString());
    }

    private static void WriteTask(TemporaryDirectory directory)
    {
        File.WriteAllText(directory["config.json"], TinyModel.Config("llama").ToJsonString());
        File.WriteAllLines(directory["train.jsonl"], TinyModel.OrderTask(300, seed: 1).Select((list, i) =>
            JsonSerializer.Serialize(new { prompt_ids = (int[])[.. list.PromptIds, 30 + i % 25], answer_ids = list.AnswerIds })));
    }

    private static double[] LossesOf(string log) =>
        [.. File.ReadLines(log).Select(line => JsonNode.Parse(line)!)
            .Where(line => line["loss"] is not null).Select(line => (double)line["loss"]!)];
}
