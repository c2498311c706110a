using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using RewardModel.Cli;
using RewardModel.Data;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Tests.Cli;
using RewardModel.Tests.Tokenizers;
using RewardModel.Training;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Training;

[Collection(nameof(RunsAlone))]
public sealed class TrainingInputsTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly TokenizerFolder tokenizer = TokenizerFolder.ByteLevel("""{"eos_token": "</s>", "pad_token": "</s>"}""");
    private readonly StringWriter log = new() { NewLine = "\n" };
    private readonly RankedList[] lists =
    [
        .. Enumerable.Range(0, 40).Select(i => RankedList.BestFirst($"hello {i}", $"world {i % 7}", "wo") with { Group = $"g{i % 5}" }),
    ];

    public TrainingInputsTests()
    {
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        File.WriteAllText(directory["config.json"], config.ToJsonString());
        File.WriteAllLines(directory["lists.jsonl"], lists.Select(list => JsonSerializer.Serialize(
            new { prompt = list.Prompt, answers = list.Answers, source = list.Group })));
        CommandLineTests.Run(
            "convert", "--data", directory["lists.jsonl"], "--group-by", "source", "--output", directory["lists.parquet"]);
    }

    private TrainingRunOptions Options => new()
    {
        Data = directory["lists.jsonl"],
        Config = directory["config.json"],
        Tokenizer = tokenizer.Directory,
        Output = directory["model"],
        Steps = 6,
        ListsPerStep = 8,
        EvaluationInterval = 3,
        SaveInterval = 2,
        Threads = 1,
    };

    private ILogger Logger => new LineLogger(log.WriteLine);

    public void Dispose()
    {
        directory.Dispose();
        tokenizer.Dispose();
    }

    [Fact]
    public void Lists_of_code_of_tables_and_of_a_cache_train_the_same_model_as_those_of_a_file()
    {
        byte[] Trained(TrainingRunOptions options, TrainingInputs? inputs = null)
        {
            var output = directory[Guid.NewGuid().ToString()];
            new TrainingRun(options with { Output = output }, Logger, inputs).Run();
            return File.ReadAllBytes(Path.Combine(output, "model.safetensors"));
        }
        var expected = Trained(Options);
        Assert.Equal(expected, Trained(Options with { Data = [] }, new TrainingInputs { Data = new Made(lists) }));
        Assert.Equal(expected, Trained(Options with { Data = directory["lists.parquet"] }, new TrainingInputs { Tables = new DuckDbTables() }));
        for (var i = 0; i < 2; i++)
            Assert.Equal(expected, Trained(Options with { Cache = directory["cache"] }));
        Assert.Contains($"{directory["lists.jsonl"]}: 40 lists of the cache '{directory["cache"]}'\n", log.ToString());
        Assert.NotEqual(expected, Trained(Options with { Data = directory["lists.jsonl"] + "=0.5" }));
        Assert.Contains($"{directory["lists.jsonl"]}: an epoch has 18 lists of its 36 (weight 0.5)\n", log.ToString());
    }

    [Fact]
    public void Groups_and_near_duplicates_are_held_out_as_a_whole()
    {
        TrainingPlan Plan(TrainingRunOptions options) => new TrainingRun(options, Logger).Plan();
        // Five groups of eight lists each, of which a tenth is one.
        Assert.Equal(8, Plan(Options with { GroupBy = "source", SplitBy = SplitBy.Group }).HeldOutListCount);
        Assert.Equal(4, Plan(Options).HeldOutListCount);
        // Two sets of prompts that are nearly the same: one of them is held out.
        File.WriteAllLines(directory["near.jsonl"], Enumerable.Range(0, 20).Select(i => JsonSerializer.Serialize(new
        {
            prompt = i < 12 ? $"Tell me in one sentence why the sky is blue by day and dark by night, please ({i})"
                : $"Which of these two recipes for bread needs less time, and which one tastes better? ({i})",
            answers = new[] { $"a {i}", "b" },
        })));
        var near = Options with { Data = directory["near.jsonl"], SplitBy = SplitBy.NearDuplicate, Cache = directory["cache"] };
        Assert.Contains(Plan(near).HeldOutListCount, new[] { 8, 12 });
        for (var i = 0; i < 2; i++)
            new TrainingRun(near with { Output = directory[$"near{i}"] }, Logger).Run();
        Assert.Equal(File.ReadAllBytes(directory["near0/model.safetensors"]), File.ReadAllBytes(directory["near1/model.safetensors"]));
        Assert.Contains("20 lists of the cache", log.ToString());
    }

    [Fact]
    public void So_many_lists_of_a_prompt_are_trained_on()
    {
        File.WriteAllLines(directory["many.jsonl"], Enumerable.Range(0, 40).Select(i => JsonSerializer.Serialize(
            new { prompt = $"p{i % 4}", answers = new[] { $"a{i}", "b" } })));
        var plan = new TrainingRun(Options with { Data = directory["many.jsonl"], MaxListsPerPrompt = 3 }, Logger).Plan();
        Assert.Equal((9, 10), (plan.TrainListCount, plan.HeldOutListCount));
        Assert.Contains("21 lists of prompts with more than 3 left out (--max-lists-per-prompt), 9 left\n", log.ToString());
    }

    [Fact]
    public void Options_of_files_have_no_effect_on_lists_of_code()
    {
        var made = new TrainingInputs { Data = new Made(lists) };
        Assert.Equal(
            "Query (--query), Cache (--cache): of files, and TrainingInputs.Data is a source of lists; expected none of these. A list in code has "
            + "its scores and its group already.",
            Assert.Throws<OptionsException>(() => new TrainingRun(Options with { Data = [], Query = "q", Cache = "c" }, null, made)).Message);
        Assert.StartsWith("--data is '", Assert.Throws<OptionsException>(() => new TrainingRun(Options, null, made)).Message);
        Assert.StartsWith(
            "There is nothing to train on: ", Assert.Throws<OptionsException>(() => new TrainingRun(Options with { Data = [] })).Message);
        Assert.Equal(8, new TrainingRun(Options with { Data = [], SplitBy = SplitBy.Group }, Logger, made).Plan().HeldOutListCount);
    }

    private sealed class Made(RankedList[] lists) : IRankedListSource
    {
        public string Name => "made";

        public async IAsyncEnumerable<RankedList> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (var list in lists)
            {
                await Task.Yield();
                yield return list;
            }
        }
    }
}
