using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Cli;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Scoring;
using RewardModel.Tests.Training.Data;
using RewardModel.Tokenizers;
using static TorchSharp.torch;

namespace RewardModel.Tests.Cli;

/// <summary>What <c>score</c> makes of files; and what <c>train</c> and <c>evaluate</c> do alike.</summary>
[Collection(nameof(RunsAlone))]
public sealed class ScoreCommandTests : IDisposable
{
    private const string Rejected = """{"messages":[{"role":"user","content":"no"}],"answers":["x","y"]}""";

    private readonly TemporaryDirectory directory = new();

    public ScoreCommandTests()
    {
        using var model = Model();
        model.Save(directory["model"]);
    }

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Each_line_comes_back_with_its_own_fields_and_its_rewards()
    {
        string[] lines =
        [
            """{"id":1,"prompt":"ab","answers":["c","d","e"],"note":"你好 <b> 1.50","price":1.50}""",
            """{"prompt":"ab","chosen":"c","rejected":"d","rewards":[7],"error":"old","reward":8}""",
            """{"messages":[{"role":"user","content":"ab"}],"answers":["c"]}""",
            """{"prompt":"ab","response":"c","id":null}""",
            """{"messages":[{"role":"user","content":"ab"},{"role":"assistant","content":"c"}]}""",
            """{"text":"abc"}""",
        ];
        var (status, output, errors) = Score(lines);
        Assert.Equal((0, ""), (status, errors));
        using var model = Model();
        var chat = new Conversation([new ChatMessage("user", "ab")]);
        float[][] rewards =
        [
            model.Score("ab", "c", "d", "e"), model.Score("ab", "c", "d"), model.Score(chat, "c"), model.Score("ab", "c"),
            model.Score(chat, "c"), model.Score("", "abc"),
        ];
        var printed = output.TrimEnd('\n').Split('\n');
        Assert.Equal(lines.Length, printed.Length);
        for (var i = 0; i < lines.Length; i++)
        {
            var start = i == 1 ? """{"prompt":"ab","chosen":"c","rejected":"d"}""" : lines[i];
            var isSingle = i > 2;
            Assert.StartsWith($"{start[..^1]},\"{(isSingle ? "reward\":" : "rewards\":[")}", printed[i]);
            var node = JsonNode.Parse(printed[i])!;
            var found = isSingle ? [(float)node["reward"]!] : node["rewards"].Deserialize<float[]>()!;
            Numbers.AssertEqualButForRounding(rewards[i], found, Numbers.UnitsOfModels);
            Assert.Equal(isSingle, node["rewards"] is null);
            Assert.Equal(!isSingle, node["reward"] is null);
        }
    }

    [Fact]
    public void Rewards_of_tokens_and_steps_stand_beside_those_of_the_answers()
    {
        string[] lines = ["""{"prompt":"ab","answers":["cxd","e"],"token_rewards":1}""", """{"prompt":"ab","response":"cxdx"}"""];
        using var model = Model();
        var (status, output, errors) = Score(lines, "--per-token");
        Assert.Equal((0, ""), (status, errors));
        var printed = output.TrimEnd('\n').Split('\n');
        Assert.StartsWith("""{"prompt":"ab","answers":["cxd","e"],"rewards":[""", printed[0]);
        var tokens = JsonNode.Parse(printed[0])!["token_rewards"]!.AsArray();
        var expected = model.ScoreTokens("ab", "cxd", "e");
        Assert.Equal([4, 2], tokens.Select(answer => answer!.AsArray().Count));
        Assert.Equal("""{"text":"x","start":1,"end":2}""", Without(tokens[0]![1]!, "reward"));
        Assert.Null(tokens[0]![3]!["start"]);
        foreach (var (answer, ofAnswer) in expected.Zip(tokens))
            Numbers.AssertEqualButForRounding(
                [.. answer.Select(token => token.Reward)], [.. ofAnswer!.AsArray().Select(token => (float)token!["reward"]!)], Numbers.UnitsOfModels);
        Assert.Equal((float)JsonNode.Parse(printed[0])!["rewards"]![0]!, (float)tokens[0]![3]!["reward"]!);
        Assert.Equal(5, JsonNode.Parse(printed[1])!["token_rewards"]!.AsArray().Count);

        (status, output, errors) = Score(lines, "--per-step", "x");
        Assert.Equal((0, ""), (status, errors));
        printed = output.TrimEnd('\n').Split('\n');
        var steps = JsonNode.Parse(printed[0])!["step_rewards"]!;
        Assert.Equal("""{"text":"cx","end":2}""", Without(steps[0]![0]!, "reward"));
        Assert.Equal(expected[0][1].Reward, (float)steps[0]![0]!["reward"]!, 1e-5f);
        Assert.Equal((float)JsonNode.Parse(printed[0])!["rewards"]![0]!, (float)steps[0]![1]!["reward"]!);
        Assert.Equal(2, JsonNode.Parse(printed[1])!["step_rewards"]!.AsArray().Count);

        static string Without(JsonNode node, string key)
        {
            node = node.DeepClone();
            node.AsObject().Remove(key);
            return node.ToJsonString();
        }
    }

    [Fact]
    public void Token_ids_have_rewards_of_tokens_and_no_steps()
    {
        string[] lines = ["""{"prompt_ids":[1],"answer_ids":[[2,3]]}"""];
        var (status, output, errors) = Score(lines, "--per-token");
        Assert.Equal((0, ""), (status, errors));
        Assert.Equal(["c", "d"], JsonNode.Parse(output)!["token_rewards"]![0]!.AsArray().Select(token => (string?)token!["text"]));
        (status, output, errors) = Score(lines, "--per-step", "x");
        Assert.Equal((1, ""), (status, output));
        Assert.Contains(":1: token ids, in which no steps can be found; expected text", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_that_are_cut_off_have_null()
    {
        var (status, output, errors) = Score([$$"""{"prompt":"ab","response":"cx{{new string('d', 30)}}x"}"""], "--per-step", "x");
        Assert.Equal(0, status);
        Assert.Contains("1 of 1 answers (100 %) loses its end", errors, StringComparison.Ordinal);
        var steps = JsonNode.Parse(output)!["step_rewards"]!.AsArray();
        Assert.Equal([true, false], steps.Select(step => step!["reward"] is not null));
    }

    [Fact]
    public void Rows_of_steps_have_a_reward_for_each()
    {
        var (status, output, _) = Score(["""{"prompt":"ab","steps":["c","d"],"labels":[true,null],"separator":"x"}"""]);
        Assert.Equal(0, status);
        using var model = Model();
        Numbers.AssertEqualButForRounding(
            [.. model.ScoreSteps("x", "ab", "cxdx")[0].Select(step => step.Reward!.Value)],
            JsonNode.Parse(output)!["rewards"].Deserialize<float[]>()!, Numbers.UnitsOfModels);
    }

    [Fact]
    public void Rewards_within_an_answer_are_printed_below_it()
    {
        var (status, output, _) = CommandLineTests.Run(
            "score", "--model", directory["model"], "--prompt", "ab", "--answer", "cxd", "--per-step", "x");
        Assert.Equal(0, status);
        Assert.Matches("^ *-?[0-9.]+  cxd\n *-?[0-9.]+  \"cx\"\n *-?[0-9.]+  \"d\"\n$", output);
    }

    [Fact]
    public void Lines_that_are_left_out_keep_their_place_and_say_why()
    {
        string[] lines =
        [
            """{"prompt":"a","answers":["b"],"id":1}""", "{", Rejected, """{"prompt":"a","id":4}""", "7",
            """{"prompt":"b","answers":["c"],"id":6}""",
        ];
        var (status, output, errors) = Score(lines, "--on-bad-data", "skip");
        Assert.Equal(0, status);
        var printed = output.TrimEnd('\n').Split('\n');
        Assert.Equal(6, printed.Length);
        Assert.StartsWith("""{"prompt":"a","answers":["b"],"id":1,"rewards":[""", printed[0]);
        Assert.Equal("""{"error":"invalid JSON at byte 2"}""", printed[1]);
        Assert.StartsWith(Rejected[..^1] + ",\"error\":\"chat template, line 1, column ", printed[2]);
        Assert.StartsWith("""{"prompt":"a","id":4,"error":"no answers, expected """, printed[3]);
        Assert.StartsWith("""{"error":"a number, expected an object such as """, printed[4]);
        Assert.StartsWith("""{"prompt":"b","answers":["c"],"id":6,"rewards":[""", printed[5]);
        var path = directory["lines.jsonl"];
        Assert.Contains($"warning: {path}: 3 lines skipped, 3 lists read\n", errors);
        Assert.Contains($"warning: {path}:2: invalid JSON at byte 2: skipped\n", errors);
        Assert.Contains($"warning: {path}:3: chat template, ", errors);
        Assert.DoesNotContain("'id'", errors);

        (status, output, errors) = Score([Rejected], "--on-bad-data", "skip");
        Assert.Equal(1, status);
        Assert.Contains($"error: '{path}' has no valid lists; expected at least one line with a ranked list.\n", errors);
        Assert.Single(output.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void Bad_lines_of_a_file_are_told_before_anything_is_scored()
    {
        var path = directory["lines.jsonl"];
        var (status, output, errors) = Score([.. Enumerable.Repeat("""{"prompt":"a","answers":["b"]}""", 600), "{", "[]"]);
        Assert.Equal((1, ""), (status, output));
        Assert.StartsWith($"error: '{path}' has 2 bad lines:\n{path}:601: invalid JSON at byte 2\n{path}:602: an array, ", errors);

        // What only the tokenizer can tell is told at once as well.
        (status, output, errors) = Score(
            [.. Enumerable.Repeat("""{"prompt":"a","answers":["b"]}""", 3), .. Enumerable.Repeat(Rejected, 601)]);
        Assert.Equal((1, ""), (status, output));
        Assert.StartsWith($"error: '{path}' has 601 bad lines:\n{path}:4: chat template, ", errors);
    }

    [Fact]
    public async Task A_pipe_is_scored_while_it_is_read()
    {
        var pipe = directory["pipe"];
        Assert.Equal(0, ChildProcess.Run("mkfifo", pipe).ExitCode);
        // Opening a pipe waits for the other end.
        Task Write(IEnumerable<string> lines) => Task.Run(() => File.WriteAllLines(pipe, lines));
        var writing = Write(Enumerable.Range(0, 600).Select(i => $$"""{"prompt":"a","answers":["b"],"id":{{i}}}"""));
        var (status, output, errors) = CommandLineTests.Run("score", "--model", directory["model"], "--data", pipe);
        await writing;
        Assert.Equal((0, ""), (status, errors));
        Assert.Equal(
            Enumerable.Range(0, 600), output.TrimEnd('\n').Split('\n').Select(line => (int)JsonNode.Parse(line)!["id"]!));

        writing = Write([.. Enumerable.Repeat("""{"prompt":"a","answers":["b"]}""", 600), "{"]);
        (status, output, errors) = CommandLineTests.Run("score", "--model", directory["model"], "--data", pipe);
        await writing;
        // Groups of 256: those before the bad line's were scored.
        Assert.Equal((1, 512), (status, output.TrimEnd('\n').Split('\n').Length));
        Assert.StartsWith($"error: '{pipe}' has 1 bad line:\n{pipe}:601: ", errors);
    }

    [Fact]
    public void Standard_input_is_data()
    {
        File.WriteAllLines(directory["lines.jsonl"], ["[", """{"prompt":"a","answers":["b"]},""", """{"prompt":"b","answer":"c"}""", "]"]);
        (int ExitCode, string Output, string Error) Piped(string command) => ChildProcess.Run(
            "sh", "-c", $"cat '{directory["lines.jsonl"]}' | dotnet '{typeof(CommandLine).Assembly.Location}' {command}");
        foreach (var name in new[] { "-", "/dev/stdin" })
        {
            var (exitCode, output, error) = Piped($"score --model '{directory["model"]}' --data {name}");
            Assert.Equal((0, ""), (exitCode, error));
            Assert.Matches("""^{"prompt":"a","answers":\["b"\],"rewards":\[.*\]}\n{"prompt":"b","answer":"c","reward":.*}\n$""", output);
        }
        var evaluation = Piped($"evaluate --model '{directory["model"]}' --data -");
        Assert.Equal(
            (1, "error: standard input has 1 bad line:\n(standard input):3: no answers, expected \"answers\", or \"chosen\" and "
                + "\"rejected\", or \"answer_ids\"; found \"prompt\", \"answer\", of which --query can make them\nCorrect these lines, or skip them (--on-bad-data skip; in code, BadData.Skip).\n"),
            (evaluation.ExitCode, evaluation.Error));
    }

    [Fact]
    public void A_row_of_several_lists_is_not_scored()
    {
        const string Answers = """[{"text":"A","role":"assistant","rank":0,"replies":[]},{"text":"B","role":"assistant","rank":1,"replies":[]}]""";
        File.WriteAllLines(directory["trees.jsonl"],
        [
            $$$"""{"message_tree_id":"m","prompt":{"text":"Q","role":"prompter","replies":{{{Answers}}}}}""",
            """{"message_tree_id":"n","prompt":{"text":"Q","role":"prompter","replies":[]}}""",
        ]);
        Assert.Equal(
            $"error: '{directory["trees.jsonl"]}' has 1 bad line:\n{directory["trees.jsonl"]}:2: 0 lists, expected one to score; make a row of each "
            + "(reward-model convert)\nCorrect these lines, or skip them (--on-bad-data skip; in code, BadData.Skip).\n",
            CommandLineTests.Run("score", "--model", directory["model"], "--data", directory["trees.jsonl"]).Errors);
    }

    [Fact]
    public void Train_takes_standard_input_once_and_no_empty_folder()
    {
        const string start = "error: The training options can't be used: ";
        string[] arguments = ["train", "--config", directory["model/config.json"], "--output", directory["out"], "--data"];
        Assert.Equal(
            $"{start}--data and --eval-data are both standard input, which can be read once; give one of them as a file.\n",
            CommandLineTests.Run([.. arguments, "-", "--eval-data", "-"]).Errors);
        Assert.Equal(
            $"{start}Data (--data): '{directory["empty"]}' holds no file of data; expected files that end with .jsonl, .ndjson, .json, .parquet, "
            + ".csv, .tsv, also with .gz or .zst.\n",
            CommandLineTests.Run([.. arguments, Directory.CreateDirectory(directory["empty"]).FullName]).Errors);
    }

    [Fact]
    public void Train_and_evaluate_leave_out_what_the_template_rejects()
    {
        string[] lines = ["a", "no", "b", "no", "c"];
        var path = directory["lines.jsonl"];
        File.WriteAllLines(path, lines.Select(content =>
            $$"""{"messages":[{"role":"user","content":"{{content}}"}],"answers":["x","y"]}"""));
        string[] train =
        [
            "train", "--data", path, "--backbone", directory["model"], "--output", directory["out"], "--steps", "1", "--eval-fraction", "0",
        ];
        string[] evaluate = ["evaluate", "--model", directory["model"], "--data", path, "--json"];
        foreach (var command in new[] { train, evaluate })
        {
            var (status, output, errors) = CommandLineTests.Run(command);
            Assert.Equal((1, ""), (status, output));
            Assert.Contains($"error: '{path}' has 2 bad lines:\n{path}:2: chat template, ", errors);
            Assert.Contains($"\n{path}:4: chat template, ", errors);
            (status, output, errors) = CommandLineTests.Run([.. command, "--on-bad-data", "skip"]);
            Assert.Equal(0, status);
            Assert.Contains($"warning: {path}: 2 lines rejected by the tokenizer or its chat template skipped, 3 lists left\n", errors);
            if (command == evaluate)
                Assert.Equal(3, (int)JsonNode.Parse(output)!["metrics"]!["list_count"]!);
        }
    }

    [Fact]
    public void Without_a_chat_template_there_is_one_error()
    {
        using var other = new TemporaryDirectory();
        using (var model = new ScoringModel(TinyModel.Create(), ScoringModelTests.Tokenizer(other), maxLength: 24))
            model.Save(directory["plain"]);
        File.WriteAllLines(directory["lines.jsonl"], Enumerable.Repeat(Rejected, 3));
        foreach (var command in new[] { "score", "evaluate" })
        {
            var (status, output, errors) = CommandLineTests.Run(
                command, "--model", directory["plain"], "--data", directory["lines.jsonl"], "--on-bad-data", "skip");
            Assert.Equal((1, ""), (status, output));
            Assert.Equal(
                $"error: {directory["lines.jsonl"]}:1: messages, but the tokenizer has no chat template; expected chat_template.jinja, or "
                + "\"chat_template\" in tokenizer_config.json. Provide a tokenizer that has one, or the text as \"prompt\"\n", errors);
        }
    }

    [Fact]
    public void Rewards_that_are_no_numbers_are_an_error_and_not_printed()
    {
        using (var model = Model())
        {
            using (no_grad())
                foreach (var (name, parameter) in model.Transformer.CheckpointParameters.Where(pair => pair.Name == "score.weight"))
                    parameter.fill_(float.MaxValue);
            model.Save(directory["broken"]);
        }
        File.WriteAllText(directory["lines.jsonl"], """{"prompt":"a","answers":["b","c"]}""");
        string[][] commands =
        [
            ["score", "--prompt", "a", "--answer", "b"], ["score", "--prompt", "a", "--answer", "b", "--json"],
            ["score", "--data", directory["lines.jsonl"]], ["evaluate", "--data", directory["lines.jsonl"]],
        ];
        foreach (var command in commands)
        {
            var (status, output, errors) = CommandLineTests.Run([.. command, "--model", directory["broken"]]);
            Assert.Equal((1, ""), (status, output));
            Assert.Matches(
                "^error: The reward of answer 1 of list 1 \\(.*\\) is (Infinity|NaN|-Infinity), by the model of '.*broken'; expected a finite number\\. "
                + "Its weights are damaged or too large, .*\n$",
                errors);
        }
    }

    [Fact]
    public void An_answer_that_begins_with_an_at_sign_is_a_text()
    {
        File.WriteAllText(directory["notes"], "not this");
        var (status, output, errors) = CommandLineTests.Run(
            "score", "--model", directory["model"], "--prompt", "a", "--answer", $"@{directory["notes"]}", "--answer", "@bob");
        // The path may be longer than the model takes.
        Assert.Equal(0, status);
        Assert.DoesNotContain("error", errors);
        Assert.Equal([$"@{directory["notes"]}", "@bob"], output.TrimEnd('\n').Split('\n').Select(line => line[11..]));
    }

    private ScoringModel Model()
    {
        ScoringModelTests.Tokenizer(directory);
        File.WriteAllText(directory["tokenizer/chat_template.jinja"], ListReadingTests.StrictTemplate);
        var model = new ScoringModel(TinyModel.Create(), HuggingFaceTokenizer.Load(directory["tokenizer"]), maxLength: 24);
        model.Transformer.eval();
        return model;
    }

    [Fact]
    public void Outputs_of_which_a_reward_is_a_sum_are_given_by_name()
    {
        var config = TinyModel.Config("llama");
        config["num_labels"] = 2;
        config["id2label"] = new JsonObject { ["0"] = "truth", ["1"] = "length" };
        config["reward_output_weights"] = new JsonArray(2, -0.5);
        using (var model = new ScoringModel(RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), seed: 3)))
            model.Save(directory["model"]);
        const string ids = """{"prompt_ids":[5,6],"answer_ids":[[7,8],[9]]}""";
        var (status, output, errors) = Score([ids]);
        Assert.Equal((0, ""), (status, errors));
        var scored = JsonNode.Parse(output)!;
        var rewards = scored["rewards"].Deserialize<float[]>()!;
        var outputs = scored["outputs"].Deserialize<Dictionary<string, float>[]>()!;
        Assert.All(outputs, ofAnswer => Assert.Equal(["truth", "length"], ofAnswer.Keys));
        Assert.Equal(rewards, outputs.Select(ofAnswer => 2 * ofAnswer["truth"] + -0.5f * ofAnswer["length"]));

        var second = JsonNode.Parse(Score([ids], "--output-weights", "0,1").Output)!;
        Assert.Equal(outputs, second["outputs"].Deserialize<Dictionary<string, float>[]>());
        Assert.Equal(outputs.Select(ofAnswer => ofAnswer["length"]), second["rewards"].Deserialize<float[]>());
        Assert.Equal(second.ToJsonString(), JsonNode.Parse(Score([ids], "--output-weights", "length=1").Output)!.ToJsonString());

        Assert.Equal(
            "error: --output-weights is '1;2'; expected numbers with commas between them, such as 0.7,0.3, or with names, such as "
            + "helpfulness=0.7,verbosity=-0.3.\n", Score([ids], "--output-weights", "1;2").Errors);
        Assert.Contains(
            "reward_output_weights has 3 numbers; expected 2, one for each output of the head 'score.weight' (truth, length)",
            Score([ids], "--output-weights", "1,2,3").Errors, StringComparison.Ordinal);

        // Written again with other weights, it has them for everybody.
        Assert.Equal(0, CommandLineTests.Run(["export", "--model", directory["model"], "--output-weights", "0,1", "--output", directory["other"]]).Status);
        using var other = ScoringModel.Load(directory["other"]);
        Assert.Equal([0, 1], other.Transformer.Outputs.Weights);
        Assert.Equal(
            "error: --output-weights are of the model of --model; a run has its own.",
            CommandLineTests.Run(["export", "--run", "x", "--output-weights", "0,1", "--output", "y"]).Errors.Trim());
    }

    private (int Status, string Output, string Errors) Score(string[] lines, params string[] options)
    {
        File.WriteAllLines(directory["lines.jsonl"], lines);
        return CommandLineTests.Run(["score", "--model", directory["model"], "--data", directory["lines.jsonl"], .. options]);
    }
}
