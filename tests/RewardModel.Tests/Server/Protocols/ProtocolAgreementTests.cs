using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Tokenizers;
using RewardModel.Tokenizers;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Server.Protocols;

/// <summary>A row has one reward, whichever protocol asks for it.</summary>
[Collection(nameof(RunsAlone))]
public sealed class ProtocolAgreementTests
{
    private const int RowCount = 40;

    [Fact]
    public async Task Rewards_of_random_texts_arrive_and_come_back_unchanged()
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring());
        var random = new SplitMix64(11);
        for (var row = 0; row < RowCount; row++)
        {
            var (prompt, answer) = (RandomText(random, 200), RandomText(random, 200));
            var rewards = await RewardsAsync(server, prompt, answer);
            Assert.All(rewards, reward => Assert.Equal(FakeScoring.Hashed(prompt + answer), reward));
        }
    }

    [Fact]
    public async Task A_model_gives_a_row_the_same_reward_through_all_of_them()
    {
        using var folder = TokenizerFolder.ByteLevel();
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        using var model = new ScoringModel(
            RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), 0, 1),
            HuggingFaceTokenizer.Load(folder.Directory));
        model.Transformer.eval();
        await using var server = await ProtocolServer.StartAsync(new ModelScoring(model));
        var random = new SplitMix64(12);
        var all = new HashSet<float>();
        for (var row = 0; row < RowCount; row++)
        {
            var (prompt, answer) = (RandomText(random, 8), $"a{RandomText(random, 8)}");
            var expected = model.Score(prompt, answer)[0];
            Assert.All(await RewardsAsync(server, prompt, answer), reward => Assert.Equal(expected, reward, 1e-5f));
            all.Add(expected);
            int[] ids = [.. model.Tokenizer!.Tokenizer.EncodeToIds(prompt + answer)];
            var ofIds = await server.AnswerAsync("/classify", $$"""{"input": [{{string.Join(", ", ids)}}]}""");
            Assert.Equal(expected, (float)ofIds["data"]![0]!["probs"]![0]!, 1e-5f);
        }
        Assert.Equal(RowCount, all.Count);
    }

    private static async Task<float[]> RewardsAsync(ProtocolServer server, string prompt, string answer)
    {
        async Task<JsonObject> AskAsync(string path, JsonObject body)
        {
            var (_, found, response) = await server.PostAsync(path, PythonJson.Dumps(body));
            response.Dispose();
            return found.AsObject();
        }

        var whole = prompt + answer;
        return
        [
            (float)(await AskAsync("/v1/rewards", new() { ["prompt"] = prompt, ["answers"] = new JsonArray(answer) }))["results"]![0]!["rewards"]![0]!,
            (float)(await AskAsync("/get_reward", new() { ["query"] = new JsonArray(whole) }))["rewards"]![0]!,
            (float)(await AskAsync("/v1/score/evaluation", new() { ["model"] = "model", ["messages"] = new JsonArray(whole) }))["scores"]![0]!,
            (float)(await AskAsync("/classify", new() { ["input"] = whole }))["data"]![0]!["probs"]![0]!,
            (float)(await AskAsync("/pooling", new() { ["input"] = new JsonArray(whole) }))["data"]![0]!["data"]![0]!,
            (float)(await AskAsync("/v1/embeddings", new() { ["input"] = whole }))["data"]![0]!["embedding"]![0]!,
            (float)(await AskAsync("/score", new() { ["text_1"] = prompt, ["text_2"] = answer }))["data"]![0]!["score"]!,
            (float)(await AskAsync("/rerank", new() { ["query"] = prompt, ["documents"] = new JsonArray(answer) }))["results"]![0]!["relevance_score"]!,
        ];
    }

    /// <summary>Text of any characters, of one to four bytes each, at least one.</summary>
    private static string RandomText(SplitMix64 random, int most) => string.Concat(Enumerable.Range(0, 1 + random.NextBelow(most)).Select(_ =>
        random.NextBelow(4) switch
        {
            0 => char.ConvertFromUtf32(random.NextBelow(0x80)),
            1 => char.ConvertFromUtf32(0x80 + random.NextBelow(0x780)),
            2 => char.ConvertFromUtf32(0xE000 + random.NextBelow(0x2000)),
            _ => char.ConvertFromUtf32(0x10000 + random.NextBelow(0x100000)),
        }));
}
