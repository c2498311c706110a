using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Cli;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Scoring;

[Collection(nameof(RunsAlone))]
public sealed class RewardEnsembleTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public RewardEnsembleTests()
    {
        for (var seed = 8; seed <= 10; seed++)
            using (var model = Model(seed))
            {
                model.SetNormalizer(new RewardNormalizer(seed / 10.0, seed));
                model.Save(directory[$"all/seed-{seed}"]);
            }
    }

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_reward_is_the_mean_of_the_members_rewards_with_their_standard_deviation()
    {
        using var ensemble = RewardEnsemble.Load([directory["all"]]);
        Assert.Equal(3, ensemble.Members.Count);
        float[][] rewards = [.. ensemble.Members.Select(member => member.Score("ab", "c", "de", "f"))];
        Assert.Equal([0.8, 0.9, 1.0], ensemble.Members.Select(member => member.Rule.Normalizer.Mean));
        var found = ensemble.ScoreWithDeviation([RankedList.BestFirst("ab", "c", "de", "f")])[0];
        var lower = new RewardEnsemble(ensemble.Members) { DeviationWeight = 1.5 };
        for (var k = 0; k < 3; k++)
        {
            double a = rewards[0][k], b = rewards[1][k], c = rewards[2][k];
            var mean = (a + b + c) / 3;
            var deviation = Math.Sqrt(((a - mean) * (a - mean) + (b - mean) * (b - mean) + (c - mean) * (c - mean)) / 3);
            Assert.Equal(mean, found[k].Mean, 1e-6);
            Assert.Equal(deviation, found[k].StandardDeviation, 1e-6);
            Assert.True(deviation > 1e-3);
            Assert.Equal(mean, ensemble.Score("ab", "c", "de", "f")[k], 1e-6);
            Assert.Equal(mean - 1.5 * deviation, lower.Score("ab", "c", "de", "f")[k], 1e-6);
        }
    }

    [Fact]
    public async Task It_stands_where_a_model_does()
    {
        using var ensemble = RewardEnsemble.Load([directory["all/seed-8"], directory["all/seed-9"]]);
        var chat = new Conversation([new ChatMessage("user", "ab")]);
        await CheckAsync(ensemble, chat);
        Assert.NotEqual(ensemble.Score("ab", "c", "d"), ensemble.Members[0].Score("ab", "c", "d"));
        using var alone = RewardEnsemble.Load([directory["all/seed-8"]]);
        Assert.Equal(alone.Members[0].Score("ab", "c", "d"), alone.Score("ab", "c", "d"));
        Assert.Equal(0, alone.ScoreWithDeviation([RankedList.BestFirst("ab", "c")])[0][0].StandardDeviation);

        static async Task CheckAsync(IRewardModel model, Conversation chat)
        {
            Assert.Equal(model.Score("ab", "c", "d"), await model.ScoreAsync("ab", ["c", "d"]));
            Assert.Equal(model.Score(chat, "c", "d"), await model.ScoreAsync(chat, ["c", "d"]));
            Assert.Equal(2, model.Rank("ab", "c", "d").Count);
        }
    }

    [Fact]
    public void Models_that_read_text_otherwise_are_no_ensemble()
    {
        using var one = Model(1);
        using var other = new ScoringModel(TinyModel.Create(), one.Tokenizer, maxLength: 13);
        using var third = new ScoringModel(TinyModel.Create("gpt2"), one.Tokenizer, maxLength: 12, TextEncoding.Separate);
        Assert.Equal(
            "The models read text in different ways, so that they can't score together: model 2: the maximum length is 13; expected 12, as in "
            + "the first one; model 3: the encoding of prompt and answer is Separate; expected Joint, as in the first one. (Parameter 'members')",
            Assert.Throws<ArgumentException>(() => new RewardEnsemble(one, other, third)).Message);
    }

    [Fact]
    public void Wrong_numbers_are_refused()
    {
        using var one = Model(1);
        Assert.Equal(
            "There are no models to score with; expected at least one. (Parameter 'members')",
            Assert.Throws<ArgumentException>(() => new RewardEnsemble([])).Message);
        foreach (var weight in new[] { -1, double.NaN, double.PositiveInfinity })
            Assert.StartsWith(
                "expected 0 or more", Assert.Throws<ArgumentOutOfRangeException>(() => new RewardEnsemble(one) { DeviationWeight = weight }).Message);
    }

    [Fact]
    public void The_commands_score_with_several_models()
    {
        File.WriteAllText(directory["lists.jsonl"], """
            {"prompt":"ab","answers":["c","de","f"],"id":1}
            {"prompt":"ab","response":"c","reward_std":9}

            """.ReplaceLineEndings("\n"));
        string[] several = ["--model", directory["all/seed-8"], "--model", directory["all/seed-9"], "--model", directory["all/seed-10"]];
        string[] all = ["--model", directory["all"]];
        using var ensemble = RewardEnsemble.Load([directory["all"]]);
        var expected = ensemble.ScoreWithDeviation([RankedList.BestFirst("ab", "c", "de", "f")])[0];

        var (status, output, errors) = CommandLineTests.Run(["score", .. several, "--data", directory["lists.jsonl"]]);
        Assert.Equal((0, ""), (status, errors));
        Assert.Equal((0, output, ""), CommandLineTests.Run(["score", .. all, "--data", directory["lists.jsonl"]]));
        var lines = output.TrimEnd('\n').Split('\n').Select(line => JsonNode.Parse(line)!).ToArray();
        var (means, deviations) = (lines[0]["rewards"].Deserialize<float[]>()!, lines[0]["reward_stds"].Deserialize<float[]>()!);
        for (var k = 0; k < 3; k++)
        {
            Assert.Equal(expected[k].Mean, means[k], 1e-5);
            Assert.Equal(expected[k].StandardDeviation, deviations[k], 1e-5);
        }
        Assert.Equal(expected[0].Mean, (float)lines[1]["reward"]!, 1e-5);
        Assert.Equal(expected[0].StandardDeviation, (float)lines[1]["reward_std"]!, 1e-5);

        string[] text = ["--prompt", "ab", "--answer", "c", "--answer", "de", "--answer", "f"];
        string Line(int k, bool hasDeviation) => FormattableString.Invariant($"{expected[k].Mean,9:F4}")
            + (hasDeviation ? FormattableString.Invariant($" ± {expected[k].StandardDeviation:F4}") : "") + $"  {new[] { "c", "de", "f" }[k]}\n";
        Assert.Equal((0, Line(0, true) + Line(1, true) + Line(2, true), ""), CommandLineTests.Run(["score", .. all, .. text]));
        int[] ranking = [.. Enumerable.Range(0, 3).OrderByDescending(k => expected[k].Mean)];
        Assert.Equal((0, string.Concat(ranking.Select(k => Line(k, false))), ""), CommandLineTests.Run(["rank", .. all, .. text]));
        Assert.Equal((0, Line(ranking[0], false), ""), CommandLineTests.Run(["best-of-n", .. all, .. text]));
        Assert.DoesNotContain("reward_std", CommandLineTests.Run(["rank", .. all, .. text, "--json"]).Output);
        // One model has no deviation.
        Assert.DoesNotContain(
            "reward_std", CommandLineTests.Run("score", "--model", directory["all/seed-8"], "--prompt", "ab", "--answer", "c", "--json").Output);

        File.WriteAllText(directory["ranked.jsonl"], """{"prompt":"ab","answers":["c","de","f"]}""");
        var metrics = JsonNode.Parse(CommandLineTests.Run(["evaluate", .. all, "--data", directory["ranked.jsonl"], "--json"]).Output)!;
        Assert.Equal(expected.Average(reward => (double)reward.Mean), (double)metrics["metrics"]!["reward_mean"]!, 1e-6);
    }

    private ScoringModel Model(int seed)
    {
        ScoringModelTests.Tokenizer(directory);
        File.WriteAllText(
            directory["tokenizer/tokenizer_config.json"],
            """{"eos_token": "<eos>", "chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}"}""");
        return new(TinyModel.Create(seed: seed), HuggingFaceTokenizer.Load(directory["tokenizer"]), maxLength: 12);
    }
}
