using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RewardModel.Lists;
using RewardModel.Reading;

namespace RewardModel.Tests.Samples;

public sealed partial class PreferencePairsTests
{
    [Fact]
    public void The_best_and_the_worst_answer_make_a_pair_that_the_library_reads()
    {
        // More rows than are read at once.
        using var sample = new SampleModel(300);
        var rewards = sample.Model.Score(sample.Lists);

        var output = Run(sample, sample.DataFile);

        var pairs = RankedListReader.Read(sample["pairs.jsonl"]);
        Assert.Equal(300, pairs.Lists.Count);
        Assert.Equal(["chosen_reward", "rejected_reward"], pairs.IgnoredKeys.Keys.Order());
        var again = sample.Model.Score(pairs.Lists);
        Assert.All(pairs.Lists.Zip(sample.Lists, rewards).Zip(again), found =>
        {
            var ((pair, list, ofList), ofPair) = found;
            Assert.Equal(list.Prompt, pair.Prompt);
            Assert.Equal([1, 0], pair.Scores);
            Assert.All(pair.Answers, answer => Assert.Contains(answer, list.Answers));
            Assert.Equal(ofList.Max(), ofPair[0], 1e-5);
            Assert.Equal(ofList.Min(), ofPair[1], 1e-5);
        });
        var row = JsonNode.Parse(File.ReadLines(sample["pairs.jsonl"]).First())!;
        Assert.Equal(["prompt", "chosen", "rejected", "chosen_reward", "rejected_reward"], row.AsObject().Select(field => field.Key));
        Assert.Equal(again[0][0], row["chosen_reward"]!.GetValue<float>(), 1e-5);
        Assert.Equal(again[0][1], row["rejected_reward"]!.GetValue<float>(), 1e-5);
        var margin = rewards.Average(ofList => (double)ofList.Max() - ofList.Min());
        Assert.Equal(margin, double.Parse(Margin().Match(output).Groups[1].Value, CultureInfo.InvariantCulture), 2e-4);
        Assert.Contains("skipped: 0 ties, 0 with a margin below 0, 0 prompts with one answer\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void All_pairs_are_those_whose_rewards_are_far_enough_apart()
    {
        using var sample = new SampleModel(4);
        var rewards = sample.Model.Score(sample.Lists);
        double[] margins =
        [
            .. rewards.SelectMany(ofList => ofList.SelectMany((a, i) => ofList.Skip(i + 1).Select(b => Math.Abs((double)a - b)))).Order(),
        ];
        Assert.Equal(4 * 36, margins.Length);
        // Between two margins, as far from both as can be.
        var place = Enumerable.Range(48, 48).MaxBy(i => margins[i] - margins[i - 1]);
        var threshold = (margins[place] + margins[place - 1]) / 2;

        var output = Run(
            sample, sample.DataFile, "--pairs", "all", "--min-margin", threshold.ToString(CultureInfo.InvariantCulture));

        var pairs = RankedListReader.Read(sample["pairs.jsonl"]).Lists;
        Assert.Equal(margins.Length - place, pairs.Count);
        Assert.Equal(pairs.Count, pairs.Select(pair => (pair.Prompt, pair.Answers[0], pair.Answers[1])).Distinct().Count());
        Assert.All(sample.Model.Score(pairs), ofPair => Assert.True(ofPair[0] - ofPair[1] > threshold - 1e-5));
        Assert.StartsWith($"{pairs.Count} pairs written, ", output, StringComparison.Ordinal);
        Assert.Contains($"skipped: 0 ties, {place} with a margin below ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Ties_and_single_answers_make_no_pairs()
    {
        using var sample = new SampleModel(3);
        var (a, b) = (sample.Lists[0].Answers[0], sample.Lists[0].Answers[8]);
        var data = sample.Write(
            "ties.jsonl", [("Sort:", [a, a]), ("Sort it:", [a, b, a]), ("Sort them:", [a])]);
        var output = Run(sample, data, "--pairs", "all");
        // Of a, b, a two pairs are none.
        Assert.Equal(2, RankedListReader.Read(sample["pairs.jsonl"]).Lists.Count);
        Assert.Contains("skipped: 2 ties, 0 with a margin below 0, 1 prompts with one answer\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_seed_chooses_the_answers_that_the_best_is_paired_with()
    {
        using var sample = new SampleModel(60);
        string Pairs(string seed)
        {
            Run(sample, sample.DataFile, "--pairs", "best-random", "--seed", seed);
            return File.ReadAllText(sample["pairs.jsonl"]);
        }
        var first = Pairs("7");
        Assert.NotEqual(first, Pairs("8"));
        Assert.Equal(first, Pairs("7"));

        var pairs = RankedListReader.Read(sample["pairs.jsonl"]).Lists;
        var rewards = sample.Model.Score(sample.Lists);
        // The places of the rejected answers from 0, the best: any but this.
        int[] places =
        [
            .. sample.Model.Score(pairs).Zip(rewards, (ofPair, ofList) =>
            {
                Assert.Equal(ofList.Max(), ofPair[0], 1e-5);
                return ofList.OrderDescending().ToList().FindIndex(reward => Math.Abs(reward - ofPair[1]) < 1e-5);
            }),
        ];
        Assert.Equal(60, places.Length);
        Assert.All(places, place => Assert.InRange(place, 1, 8));
        Assert.True(places.Distinct().Count() >= 6, string.Join(' ', places));
    }

    [Fact]
    public void Conversations_stay_messages()
    {
        using var sample = new SampleModel(1);
        var list = sample.Lists[0];
        File.WriteAllText(
            sample["chats.jsonl"],
            JsonSerializer.Serialize(new { messages = new[] { new { role = "user", content = list.Prompt } }, answers = list.Answers }));

        Run(sample, sample["chats.jsonl"]);

        var pair = Assert.Single(RankedListReader.Read(sample["pairs.jsonl"]).Lists);
        var rewards = sample.Model.Score(new Conversation([new ChatMessage("user", list.Prompt)]), list.Answers);
        Assert.Equal([("user", list.Prompt)], pair.Chat!.Prompt.Messages.Select(TextOf));
        Assert.Equal(
            new[] { rewards.Max(), rewards.Min() }.Select(reward => ("assistant", list.Answers[Array.IndexOf(rewards, reward)])),
            pair.Chat.Answers.Select(answer => TextOf(Assert.Single(answer))));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_preference_for_longer_answers_is_warned_about(bool longerIsBetter)
    {
        using var sample = new SampleModel(200);
        // Of answers and their beginnings those of which the model likes the one better.
        (string Prompt, string[] Answers)[] rows =
        [
            .. sample.Lists
                .Select(list => (list.Prompt, Answers: new[] { list.Answers[0], string.Join(' ', list.Answers[0].Split(' ').Take(5)) }))
                .Where(row => sample.Model.Score(row.Prompt, row.Answers) is var rewards && rewards[0] > rewards[1] == longerIsBetter),
        ];
        Assert.True(rows.Length >= 20, $"{rows.Length}");

        var output = Run(sample, sample.Write("lengths.jsonl", rows));

        Assert.Contains(
            $"chosen is longer than rejected in {(longerIsBetter ? "100.0" : "0.0")} % of {rows.Length} pairs of unequal length\n", output,
            StringComparison.Ordinal);
        Assert.Equal(longerIsBetter, output.Contains("Warning: longer answers are preferred.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData]
    [InlineData("model", "data.jsonl")]
    [InlineData("model", "data.jsonl", "pairs.jsonl", "--pairs", "none")]
    [InlineData("model", "data.jsonl", "pairs.jsonl", "--min-margin", "-1")]
    [InlineData("model", "data.jsonl", "--pairs", "all")]
    public void Arguments_that_make_no_sense_show_the_usage(params string[] arguments)
    {
        var (exitCode, output, error) = SampleProgram.PreferencePairs.Run(arguments);
        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith("Usage: PreferencePairs MODEL_DIR DATA OUTPUT [--pairs best-worst|all|", error, StringComparison.Ordinal);
    }

    private static (string Role, string Content) TextOf(ChatMessage message) =>
        (message.Role, message.Json.GetProperty("content").GetString()!);

    private static string Run(SampleModel sample, string data, params string[] options)
    {
        var (exitCode, output, error) = SampleProgram.PreferencePairs.Run([sample.ModelDirectory, data, sample["pairs.jsonl"], .. options]);
        Assert.Equal((0, ""), (exitCode, error));
        return output;
    }

    [GeneratedRegex(@"^[0-9]+ pairs written, with a mean margin of ([0-9.]+)\n")]
    private static partial Regex Margin();
}
