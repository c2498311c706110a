using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using RewardModel.Client;
using RewardModel.Scoring;
using RewardModel.Tests.Server;

namespace RewardModel.Tests.Samples;

public sealed class ServeAndRankTests(ServeAndRankTests.ServedSample sample) : IClassFixture<ServeAndRankTests.ServedSample>
{
    private static readonly string[] answers = ["zz", "b", "abcabcabcabcabc"];

    [Fact]
    public void Rank_prints_the_answers_with_rewards_and_probabilities_the_best_first()
    {
        var (exitCode, output, error) = SampleProgram.ServeAndRank.Run(["rank", sample.Address, "hello", .. answers]);

        Assert.Equal((0, ""), (exitCode, error));
        var rewards = sample.Model.Score("hello", answers);
        var expected = answers
            .Select((answer, i) => (
                Answer: answer, Reward: rewards[i],
                Probability: rewards.Where((_, other) => other != i).Average(other => 1 / (1 + Math.Exp(other - rewards[i])))))
            .OrderByDescending(answer => answer.Reward)
            .ToArray();
        var lines = output.TrimEnd('\n').Split('\n').Select(line => line.Split("  ", StringSplitOptions.RemoveEmptyEntries)).ToArray();
        // The model reads at most 12 tokens.
        Assert.Equal(
            expected.Select(answer => answer.Answer == answers[2] ? $"{answer.Answer} (too long: read in part)" : answer.Answer),
            lines.Select(line => string.Join(' ', line[2..])));
        Assert.All(expected.Zip(lines), pair =>
        {
            Assert.Equal(pair.First.Reward, float.Parse(pair.Second[0]), 1e-4);
            Assert.Equal(pair.First.Probability, float.Parse(pair.Second[1]), 1e-4);
        });
    }

    [Fact]
    public async Task The_endpoint_of_its_own_answers_with_the_best()
    {
        using var client = new HttpClient { BaseAddress = new Uri(sample.Address) };
        using var response = await client.PostAsJsonAsync("/best", new { prompt = "hello", answers });
        var best = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        var expected = sample.Model.Rank("hello", answers)[0];
        Assert.Equal((expected.Index, expected.Text), ((int)best["index"]!, (string)best["text"]!));
        Assert.Equal(expected.Reward, (float)best["reward"]!, 1e-5);

        // What is wrong with a request is told by the client, or else by the server.
        await AssertFails(0, HttpStatusCode.BadRequest, "There are no answers; expected at least one.");
        await AssertFails(
            8193, HttpStatusCode.RequestEntityTooLarge, "inputs[0].answers has 8193 items; expected at most 8192. Divide it into several requests.");

        async Task AssertFails(int answerCount, HttpStatusCode status, string message)
        {
            var same = Enumerable.Repeat("a", answerCount);
            using var failure = await client.PostAsJsonAsync("/best", new { prompt = "hello", answers = same });
            Assert.Equal(status, failure.StatusCode);
            Assert.Contains(message, await failure.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public void Evaluate_prints_the_reward_and_whether_it_reaches_the_threshold()
    {
        var reward = sample.Model.Score("hello", "b")[0];
        var line = $"Reward: {reward:F4}\n";
        Assert.Equal((0, line, ""), SampleProgram.ServeAndRank.Run("evaluate", sample.Address, "hello", "b"));
        var threshold = Math.Floor(reward);
        Assert.Equal(
            (0, $"{line}passed: The reward is at least {threshold}.\n", ""),
            SampleProgram.ServeAndRank.Run("evaluate", sample.Address, "hello", "b", $"{threshold}"));
    }

    [Fact]
    public void What_goes_wrong_is_told_without_a_stack_trace()
    {
        var (exitCode, _, error) = SampleProgram.ServeAndRank.Run("serve", sample.Directory["nothing"]);
        Assert.Equal(1, exitCode);
        Assert.Equal(
            $"Models[0].Directories has '{sample.Directory["nothing"]}', which does not exist; "
            + "expected the directory of a trained reward model.\n",
            error);
        (exitCode, var output, error) = SampleProgram.ServeAndRank.Run("rank", $"{sample.Address}/elsewhere", "hello", "a", "b");
        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith("The server answers 404 (NotFound)", error);
    }

    [Theory]
    [InlineData]
    [InlineData("serve")]
    [InlineData("serve", "somewhere", "0")]
    [InlineData("rank", "http://localhost", "prompt", "answer")]
    [InlineData("rank", "localhost", "prompt", "answer", "answer")]
    [InlineData("evaluate", "http://localhost", "prompt", "answer", "threshold")]
    public void Arguments_that_make_no_sense_show_the_usage(params string[] arguments) =>
        Assert.Equal(
            (2, "", """
                Usage: ServeAndRank serve MODEL_DIR [PORT, default 5000]
                       ServeAndRank rank URL PROMPT ANSWER ANSWER...
                       ServeAndRank evaluate URL PROMPT ANSWER [THRESHOLD]

                """),
            SampleProgram.ServeAndRank.Run(arguments));

    /// <summary>The sample, serving a model with random weights; its rewards are as good for comparing as any.</summary>
    public sealed class ServedSample : IAsyncLifetime
    {
        private Process? process;

        internal TemporaryDirectory Directory { get; } = new();

        public string Address { get; private set; } = "";

        public ScoringModel Model { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            TestServer.SaveModel(Directory, "model", seed: 1);
            Model = ScoringModel.Load(Directory["model"]);
            var port = FreePort();
            process = SampleProgram.ServeAndRank.Start("serve", Directory["model"], $"{port}");
            // What it logs about requests is not to fill the pipe.
            process.BeginOutputReadLine();
            Address = $"http://127.0.0.1:{port}";
            using var http = new HttpClient { BaseAddress = new Uri(Address) };
            await new RewardClient(http).WaitUntilReadyAsync(TimeSpan.FromSeconds(60));
        }

        public async Task DisposeAsync()
        {
            if (process is not null)
            {
                try
                {
                    Assert.Equal(0, ChildProcess.Run("sh", "-c", $"kill -TERM {process.Id}").ExitCode);
                    await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
                    Assert.Equal(0, process.ExitCode);
                }
                finally
                {
                    process.Kill();
                    process.Dispose();
                }
            }
            Model?.Dispose();
            Directory.Dispose();
        }

        private static int FreePort()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
    }
}
