using System.Text.Json;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Reading;
using RewardModel.Training.Data;
using RewardModel.Training.Metrics;

namespace RewardModel.Tests.Samples;

public sealed class GenerateSortingTaskTests(GenerateSortingTaskTests.GeneratedTask task)
    : IClassFixture<GenerateSortingTaskTests.GeneratedTask>
{
    private const int ItemCount = 8;
    private const int MostInversions = 28;

    private IEnumerable<RankedList> AllLists => task.Train.Lists.Concat(task.Test.Lists);

    [Fact]
    public void The_number_of_lists_is_as_asked_and_a_tenth_to_test()
    {
        Assert.Equal(60, task.Train.Lists.Count);
        Assert.Equal(6, task.Test.Lists.Count);
        Assert.Equal($"60 lists to train on and 6 to evaluate on, 301 tokens, in '{task.Directory}'\n", task.Output);
    }

    [Fact]
    public void The_first_list_of_seed_7_is_the_same_for_ever()
    {
        var first = task.Train.Lists[0];
        Assert.Equal("Sort 5 2 3 16 17 19 10 7 ascending:", first.Prompt);
        Assert.Equal(
            [
                "2 3 5 7 10 16 17 19",
                "7 17 5 3 2 19 10 16",
                "3 17 10 16 7 19 5 2",
                "5 16 7 19 17 10 3 2",
                "10 19 7 17 5 3 16 2",
                "10 7 19 17 16 5 3 2",
                "16 17 19 10 7 5 2 3",
                "19 16 10 7 17 5 3 2",
                "19 17 16 10 7 5 3 2",
            ],
            first.Answers);
    }

    [Fact]
    public void The_same_seed_gives_the_same_files_and_another_seed_others()
    {
        var again = Path.Combine(task.Directory, "again");
        var other = Path.Combine(task.Directory, "other");
        Assert.Equal(0, SampleProgram.GenerateSortingTask.Run(again, "--seed", "7", "--lists", "60").ExitCode);
        Assert.Equal(0, SampleProgram.GenerateSortingTask.Run(other, "--lists", "60", "--seed", "8").ExitCode);
        string[] files = ["train.jsonl", "test.jsonl", "config.json", "tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json"];
        foreach (var file in files)
            Assert.Equal(File.ReadAllText(Path.Combine(task.Directory, file)), File.ReadAllText(Path.Combine(again, file)));
        var otherPrompts = RankedListReader.Read(Path.Combine(other, "train.jsonl")).Lists.Select(list => list.Prompt);
        Assert.Empty(otherPrompts.Intersect(AllLists.Select(list => list.Prompt)));
    }

    [Fact]
    public void No_prompt_comes_twice() => Assert.Equal(66, AllLists.Select(list => list.Prompt).Distinct().Count());

    [Fact]
    public void Answers_are_ranked_by_their_inversions_in_the_direction_that_is_asked_for() =>
        Assert.All(AllLists, list =>
        {
            var inversions = list.Answers.Select(answer => Inversions(answer, IsAscending(list))).ToList();
            Assert.Equal(9, inversions.Count);
            Assert.Equal(inversions.Distinct().Order(), inversions);
        });

    [Fact]
    public void The_other_direction_turns_the_ranking_round()
    {
        Assert.Equal([false, true], AllLists.Select(IsAscending).Distinct().Order());
        Assert.All(AllLists, list =>
            Assert.All(list.Answers, answer =>
                Assert.Equal(MostInversions, Inversions(answer, ascending: true) + Inversions(answer, ascending: false))));
    }

    [Fact]
    public void A_linear_model_on_words_and_their_counts_cannot_rank_at_all()
    {
        var random = new SplitMix64(1);
        var weights = Enumerable.Range(1, 20).ToDictionary(item => $"{item}", _ => random.NextBelow(1000));
        var metrics = new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid"));
        foreach (var list in AllLists)
            metrics.Add([.. list.Answers.Select(answer => (float)answer.Split(' ').Sum(item => weights[item]))], new(list.Scores));
        Assert.Equal(0.5, metrics.Result.Accuracy);
        Assert.Equal(0, metrics.Result.KendallTau);
        // Because all answers have the words of the prompt, once each.
        Assert.All(AllLists, list => Assert.All(list.Answers, answer => Assert.Equal(ItemsOfPrompt(list), answer.Split(' ').Order())));
    }

    [Fact]
    public void Every_word_of_the_task_is_one_token()
    {
        using var tokenizer = Json("tokenizer/tokenizer.json");
        var model = tokenizer.RootElement.GetProperty("model");
        var vocabulary = model.GetProperty("vocab").EnumerateObject().ToDictionary(token => token.Name, token => token.Value.GetInt32());
        var merges = model.GetProperty("merges").EnumerateArray().Select(merge => (merge[0].GetString()!, merge[1].GetString()!)).ToList();
        var words = AllLists
            .SelectMany(list => list.Answers.Append(list.Prompt))
            .SelectMany(text => text.TrimEnd(':').Split(' '))
            .Distinct()
            .ToList();
        Assert.Equal(23, words.Count);
        Assert.All(words, word => Assert.True(vocabulary.ContainsKey(Assert.Single(Merged($"\u0120{word}", merges)))));
        Assert.Contains(":", vocabulary.Keys);
    }

    [Fact]
    public void Token_ids_have_no_gap_and_the_model_has_as_many()
    {
        using var tokenizer = Json("tokenizer/tokenizer.json");
        using var config = Json("config.json");
        var ids = tokenizer.RootElement.GetProperty("model").GetProperty("vocab").EnumerateObject().Select(token => token.Value.GetInt32());
        var added = tokenizer.RootElement.GetProperty("added_tokens").EnumerateArray()
            .ToDictionary(token => token.GetProperty("content").GetString()!, token => token.GetProperty("id").GetInt32());
        Assert.Equal(Enumerable.Range(0, 301), ids.Concat(added.Values));
        Assert.Equal(301, config.RootElement.GetProperty("vocab_size").GetInt32());
        Assert.Equal(added["<|endoftext|>"], config.RootElement.GetProperty("eos_token_id").GetInt32());
        Assert.Equal(added["<|pad|>"], config.RootElement.GetProperty("pad_token_id").GetInt32());
    }

    [Fact]
    public void The_byte_symbols_are_256_visible_characters_in_byte_order()
    {
        using var tokenizer = Json("tokenizer/tokenizer.json");
        var vocabulary = tokenizer.RootElement.GetProperty("model").GetProperty("vocab").EnumerateObject();
        var symbols = string.Concat(vocabulary.Take(256).Select(token => token.Name));
        Assert.Equal(256, symbols.Distinct().Count());
        Assert.Equal("\u0100\u010a\u0120!~\u0121", string.Concat(symbols[0], symbols[10], symbols[32..34], symbols[126..128]));
        Assert.Equal("\u0142\u00a1\u0143\u00ae\u00ff", string.Concat(symbols[160..162], symbols[173..175], symbols[255]));
    }

    [Theory]
    [InlineData]
    [InlineData("--lists", "5")]
    [InlineData("somewhere", "--lists", "0")]
    [InlineData("somewhere", "--lists")]
    [InlineData("somewhere", "--seed", "-1")]
    [InlineData("somewhere", "--size", "3")]
    public void Arguments_that_make_no_sense_show_the_usage(params string[] arguments)
    {
        var (exitCode, output, error) = SampleProgram.GenerateSortingTask.Run(arguments);
        Assert.Equal(2, exitCode);
        Assert.Equal("", output);
        Assert.Equal("Usage: GenerateSortingTask OUTPUT_DIR [--lists N, at least 1, default 4000] [--seed S, from 0, default 1]\n", error);
        Assert.False(Directory.Exists("somewhere"));
    }

    private static bool IsAscending(RankedList list) => list.Prompt.EndsWith(" ascending:", StringComparison.Ordinal);

    private static IEnumerable<string> ItemsOfPrompt(RankedList list) => list.Prompt.Split(' ').Skip(1).Take(ItemCount).Order();

    private static int Inversions(string answer, bool ascending)
    {
        var items = answer.Split(' ').Select(int.Parse).ToArray();
        var count = 0;
        for (var i = 0; i < items.Length; i++)
            for (var j = 0; j < i; j++)
                if (ascending ? items[j] > items[i] : items[j] < items[i])
                    count++;
        return count;
    }

    /// <summary>Byte pair encoding by its definition: the merges one after the other, each wherever it fits.</summary>
    private static List<string> Merged(string word, List<(string Left, string Right)> merges)
    {
        List<string> parts = [.. word.Select(symbol => $"{symbol}")];
        foreach (var (left, right) in merges)
            for (var i = 0; i + 1 < parts.Count; i++)
                if (parts[i] == left && parts[i + 1] == right)
                {
                    parts[i] = left + right;
                    parts.RemoveAt(i + 1);
                }
        return parts;
    }

    private JsonDocument Json(string file) => JsonDocument.Parse(File.ReadAllText(Path.Combine(task.Directory, file)));

    /// <summary>What the sample wrote for 60 lists and seed 7.</summary>
    public sealed class GeneratedTask : IDisposable
    {
        public GeneratedTask()
        {
            var (exitCode, output, error) = SampleProgram.GenerateSortingTask.Run(Directory, "--lists", "60", "--seed", "7");
            Assert.Equal((0, ""), (exitCode, error));
            Output = output;
            Train = RankedListReader.Read(Path.Combine(Directory, "train.jsonl"));
            Test = RankedListReader.Read(Path.Combine(Directory, "test.jsonl"));
        }

        public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("sorting-task-").FullName;

        public string Output { get; }

        public RankedListFile Train { get; }

        public RankedListFile Test { get; }

        public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
    }
}
