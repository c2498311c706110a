using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Server;

namespace RewardModel.Tests.Server;

/// <summary>What the server keeps of prompts, and that it changes no reward.</summary>
public class PromptsThatComeAgainTests
{
    private const string prompt = "abcdefghabcdefghabcdefgh";

    [Fact]
    public async Task They_are_kept_within_bounds_and_forgotten_when_nobody_asks()
    {
        await using var test = await StartAsync(options => options.IdleRelease = TimeSpan.FromSeconds(3));
        using var model = ScoringModel.Load(test.Directory["long"]);
        Assert.Equal((0, 0), Cached(test));
        AssertClose(model.Score(prompt, "a", "bc"), await RewardsAsync(test, prompt, "a", "bc"));
        var first = Cached(test);
        Assert.Equal(1, first.Prompts);
        AssertClose(model.Score(prompt, "ab", "cd"), await RewardsAsync(test, prompt, "ab", "cd"));
        AssertClose(model.Score(prompt + "fed", "a"), await RewardsAsync(test, prompt + "fed", "a"));
        // The longer one has taken its place.
        Assert.Equal((1, first.Bytes / prompt.Length * (prompt.Length + 3)), Cached(test));
        while (Cached(test).Prompts > 0)
            await Task.Delay(50);
        AssertClose(model.Score(prompt, "a", "bc"), await RewardsAsync(test, prompt, "a", "bc"));
    }

    [Fact]
    public async Task Without_a_cache_nothing_is_kept()
    {
        await using var test = await StartAsync(options => options.PromptCacheBytes = 0);
        await RewardsAsync(test, prompt, "a", "bc");
        Assert.Equal((0, 0), Cached(test));
    }

    /// <summary>To the bit, by any protocol, in any company, and whether prompts are known or not.</summary>
    [Fact]
    public async Task Rewards_are_those_of_the_model_to_the_bit_where_that_is_asked_for()
    {
        await using var test = await StartAsync(options =>
        {
            options.IsBatchInvariant = true;
            options.MaxTokensPerBatch = 150;
            // Room for a few prompts.
            options.PromptCacheBytes = 100_000;
        });
        using var model = ScoringModel.Load(test.Directory["long"]);
        model.Transformer.IsBatchInvariant = true;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async client =>
        {
            var random = new Random(client);
            string Text(int length) => string.Concat(Enumerable.Range(0, length).Select(_ => (char)('a' + random.Next(8))));
            for (var i = 0; i < 12; i++)
            {
                var asked = prompt[..(16 + random.Next(9))] + Text(random.Next(3));
                string[] answers = [.. Enumerable.Range(0, 1 + random.Next(6)).Select(_ => Text(1 + random.Next(20)))];
                if (random.Next(2) == 0)
                {
                    Assert.Equal(model.Score(asked, answers), await RewardsAsync(test, asked, answers));
                    continue;
                }
                string[] query = [.. answers.Select(answer => asked + answer)];
                var expected = model.Score([.. query.Select(text => new RankedList("", [text], [0]) { IsWholeText = true })]);
                using var response = await test.Client.PostAsJsonAsync("/get_reward", new { query, prompts = query, labels = query });
                Assert.Equal(expected.Select(list => list[0]), (await JsonOf(response))["rewards"].Deserialize<float[]>());
            }
        }));
        Assert.InRange(Cached(test).Bytes, 1, 100_000);
    }

    [Fact]
    public async Task Encoders_can_not_be_computed_so_and_say_it()
    {
        using var directory = new TemporaryDirectory();
        using (var model = new ScoringModel(Parity.ParityModel.Random("bert")))
            model.Save(directory["bert"]);
        var options = new RewardServerOptions { Port = 0, IsBatchInvariant = true, Models = { new ServedModelOptions { Directories = { directory["bert"] } } } };
        var exception = await Assert.ThrowsAnyAsync<Exception>(() => RewardModel.Server.Hosting.RewardServer.StartAsync(
            options, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance));
        Assert.Contains("is an encoder; expected a causal architecture", exception.Message);
    }

    private static Task<TestServer> StartAsync(Action<RewardServerOptions> configure) => TestServer.StartAsync((options, directory) =>
    {
        TestServer.SaveModel(directory, "long", seed: 2, maxLength: 96);
        options.Models.Clear();
        options.Models.Add(new ServedModelOptions { Directories = { directory["long"] } });
        configure(options);
    });

    private static async Task<float[]> RewardsAsync(TestServer test, string prompt, params string[] answers)
    {
        using var response = await test.Client.PostAsJsonAsync("/v1/rewards", new { prompt, answers });
        return (await JsonOf(response))["results"]![0]!["rewards"].Deserialize<float[]>()!;
    }

    private static async Task<JsonNode> JsonOf(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private static (int Prompts, long Bytes) Cached(TestServer test)
    {
        var version = test.Server.Models.All[0].Acquire();
        var cached = version.Cached();
        version.Release();
        return cached;
    }

    private static void AssertClose(float[] expected, float[] found) =>
        Numbers.AssertEqualButForRounding(expected, found, Numbers.UnitsOfModels);
}
