using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RewardModel.Client;
using RewardModel.Lists;
using RewardModel.Server;
using RewardModel.Tests.Server.Protocols;

namespace RewardModel.Tests.Client;

public sealed class RewardClientTests
{
    private static readonly int[] transient = [429, 502, 503, 504];

    [Fact]
    public void Options_have_their_defaults()
    {
        var options = new RewardClientOptions();
        Assert.Equal((null, null, null), (options.BaseAddress, options.Model, options.ApiKey));
        Assert.Equal(
            (TimeSpan.FromMinutes(3), 5, 256, 4),
            (options.Timeout, options.MaxRetries, options.MaxRowsPerRequest, options.MaxConcurrentRequests));
    }

    [Fact]
    public async Task Answers_come_back_with_rewards_ranks_and_probabilities()
    {
        var scoring = new FakeScoring { RewardOf = text => text.Length / 3f };
        await using var server = await ProtocolServer.StartAsync(scoring, "/prefix");
        var client = new RewardClient(server.Client, new() { BaseAddress = new Uri(server.Address, "/prefix"), Model = "other" });

        string[] answers = ["a", "bbb\u2028\U0001F600", "cc"];
        var scored = await client.ScoreAsync("Größer?", answers);

        Assert.Equal([0, 1, 2], scored.Select(answer => answer.Index));
        Assert.Equal(answers, scored.Select(answer => answer.Text));
        Assert.Equal([8 / 3f, 13 / 3f, 9 / 3f], scored.Select(answer => answer.Reward));
        Assert.Equal([3, 1, 2], scored.Select(answer => answer.Rank));
        Assert.Equal(1.5, scored.Sum(answer => answer.WinProbability!.Value), 1e-9);
        Assert.All(scored, answer => Assert.Null(answer.StandardDeviation));
        Assert.All(scored, answer => Assert.False(answer.WasCut));
        Assert.Equal("other", scoring.Requests.Single().Model);

        var ranked = await client.RankAsync("Größer?", answers);
        Assert.Equal([1, 2, 0], ranked.Select(answer => answer.Index));
        Assert.Equal(scored.OrderBy(answer => answer.Rank), ranked);
        Assert.Null(Assert.Single(await client.ScoreAsync("", [""])).WinProbability);
    }

    [Fact]
    public async Task Answers_with_the_same_reward_stay_in_their_order()
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring { RewardOf = text => text == "b" ? 1 : 0, IsEnsemble = true });
        var ranked = await new RewardClient(server.Client).RankAsync("", ["a", "b", "c"]);
        Assert.Equal([(1, 1), (0, 2), (2, 2)], ranked.Select(answer => (answer.Index, answer.Rank)));
        Assert.All(ranked, answer => Assert.Equal(0.25f, answer.StandardDeviation));
    }

    [Fact]
    public async Task Conversations_arrive_whole()
    {
        var scoring = new FakeScoring();
        await using var server = await ProtocolServer.StartAsync(scoring);
        var client = new RewardClient(server.Client);
        using var tools = System.Text.Json.JsonDocument.Parse("""[{"name": "t"}]""");
        var conversation = new Conversation([new ChatMessage("user", "q \u00e9")]) { Tools = tools.RootElement };

        var scored = await client.ScoreAsync(conversation, ["a", "b"]);
        var ranked = await client.RankAsync(conversation, ["a", "b"]);

        var chat = scoring.Requests.First().Inputs.Single().Text!.Chat!;
        Assert.Equal("q \u00e9", chat.Prompt.Messages.Single().Json.GetProperty("content").GetString());
        Assert.Equal("t", chat.Prompt.Tools!.Value[0].GetProperty("name").GetString());
        Assert.Equal(["a", "b"], chat.Answers.Select(answer => answer.Single().Json.GetProperty("content").GetString()));
        Assert.Equal(["a", "b"], scored.Select(answer => answer.Text));
        Assert.Equal(scored.MaxBy(answer => answer.Reward), ranked[0]);
    }

    [Fact]
    public async Task Lists_are_scored_in_requests_of_so_many_answers_and_not_too_many_at_once()
    {
        var (underWay, most) = (0, 0);
        var scoring = new FakeScoring
        {
            Before = async (number, cancellationToken) =>
            {
                var now = Interlocked.Increment(ref underWay);
                InterlockedMax(ref most, now);
                // Later requests are answered first.
                await Task.Delay(Math.Max(0, 40 - 4 * number), cancellationToken);
                Interlocked.Decrement(ref underWay);
            },
        };
        await using var server = await ProtocolServer.StartAsync(scoring);
        var client = new RewardClient(server.Client, new() { MaxRowsPerRequest = 5, MaxConcurrentRequests = 3 });
        RankedList[] lists =
        [
            .. Enumerable.Range(0, 30).Select(i => RankedList.BestFirst($"q{i} ", [.. Enumerable.Range(0, 1 + i % 4).Select(k => $"a{k}")])),
            RankedList.BestFirst("long", [.. Enumerable.Range(0, 9).Select(k => $"a{k}")]),
            new RankedList("", ["<s>whole"], [0]) { IsWholeText = true },
            RankedList.BestFirst("text", "b").AsChat(),
        ];

        var reports = new List<int>();
        var scored = await client.ScoreAsync(lists, new Reports(reports));

        Assert.Equal(lists.Length, scored.Count);
        Assert.All(lists[..31].Zip(scored), pair => Assert.Equal(
            pair.First.Answers.Select(answer => FakeScoring.Hashed(pair.First.Prompt + answer)),
            pair.Second.Select(answer => answer.Reward)));
        Assert.Equal(FakeScoring.Hashed("<s>whole"), scored[31].Single().Reward);
        var asked = scoring.Requests.Select(request => request.Inputs.Sum(input => input.Text!.Answers.Count)).ToArray();
        Assert.All(asked, count => Assert.True(count is <= 5 or 9));
        Assert.Contains(9, asked);
        Assert.Equal(lists.Sum(list => list.Answers.Count), asked.Sum());
        Assert.InRange(asked.Length, 10, 33);
        Assert.InRange(most, 2, 3);
        Assert.Equal(lists.Length, reports.Max());
        Assert.Equal(asked.Length, reports.Count);
        Assert.Empty(await client.ScoreAsync([]));
    }

    [Fact]
    public async Task Models_are_those_of_the_server()
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring());
        Assert.Equal(
            [new("tiny", "llama", FakeScoring.MaxLength, true, 1), new RewardModel.Client.ServedModel("other", "gpt2", 96, false, 3)],
            await new RewardClient(server.Client).ModelsAsync());
    }

    [Fact]
    public async Task A_server_that_is_busy_or_away_is_asked_again()
    {
        foreach (var status in transient)
        {
            var requestCount = 0;
            await using var server = await ProtocolServer.StartAsync(new FakeScoring(), before: context =>
                ++requestCount <= 4 ? RefuseAsync(context, status, null) : Task.CompletedTask);
            var clock = new HurriedClock();
            var client = new RewardClient(server.Client) { Clock = clock };
            Assert.Single(await client.ScoreAsync("q", ["a"]));
            Assert.Equal(5, requestCount);
            // Half a second, then twice as long every time, and up to a half less.
            Assert.All(clock.Waits.Zip([0.5, 1, 2, 4]), pair => Assert.InRange(pair.First.TotalSeconds, pair.Second / 2, pair.Second));
            Assert.Equal(4, clock.Waits.Count);
        }
    }

    [Fact]
    public async Task It_waits_as_long_as_the_server_says()
    {
        var requestCount = 0;
        await using var server = await ProtocolServer.StartAsync(new FakeScoring(), before: context => ++requestCount switch
        {
            1 => RefuseAsync(context, 429, "7"),
            2 => RefuseAsync(context, 503, DateTimeOffset.UtcNow.AddSeconds(40).ToString("R", CultureInfo.InvariantCulture)),
            3 => RefuseAsync(context, 503, DateTimeOffset.UtcNow.AddDays(-1).ToString("R", CultureInfo.InvariantCulture)),
            _ => Task.CompletedTask,
        });
        var clock = new HurriedClock();
        await new RewardClient(server.Client) { Clock = clock }.ScoreAsync("q", ["a"]);
        // A wait of no time needs no timer.
        var waits = clock.Waits.Select(wait => wait.TotalSeconds).ToArray();
        Assert.Equal(7, waits[0]);
        Assert.InRange(waits[1], 30, 40);
        Assert.Equal(2, waits.Length);
        Assert.Equal(4, requestCount);
    }

    [Fact]
    public async Task When_the_retries_are_used_up_the_last_error_is_told()
    {
        var requestCount = 0;
        await using var server = await ProtocolServer.StartAsync(new FakeScoring(), before: context =>
        {
            requestCount++;
            return RefuseAsync(context, 503, null);
        });
        var client = new RewardClient(server.Client, new() { MaxRetries = 2 }) { Clock = new HurriedClock() };
        var error = await Assert.ThrowsAsync<RewardServiceException>(() => client.ScoreAsync("q", ["a"]));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "away", "It is away."), (error.Status, error.Code, error.Message));
        Assert.Equal(3, requestCount);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(413)]
    [InlineData(500)]
    public async Task What_would_fail_again_is_not_sent_again(int status)
    {
        var scoring = new FakeScoring { Before = (_, _) => throw new RequestException(status, "some_code", "What is wrong.") };
        await using var server = await ProtocolServer.StartAsync(scoring);
        var error = await Assert.ThrowsAsync<RewardServiceException>(() => new RewardClient(server.Client).ScoreAsync("q", ["a"]));
        Assert.Equal(((HttpStatusCode)status, "some_code", "What is wrong."), (error.Status, error.Code, error.Message));
        Assert.Single(scoring.Requests);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_asked_again_and_told()
    {
        Uri address;
        await using (var server = await ProtocolServer.StartAsync(new FakeScoring()))
            address = server.Address;
        using var http = new HttpClient { BaseAddress = address };
        var clock = new HurriedClock();
        var error = await Assert.ThrowsAsync<RewardServiceException>(() =>
            new RewardClient(http, new() { MaxRetries = 3 }) { Clock = clock }.ScoreAsync("q", ["a"]));
        Assert.Equal((null, "unreachable"), (error.Status, error.Code));
        Assert.StartsWith($"The server at {address} can't be reached: ", error.Message);
        Assert.IsType<HttpRequestException>(error.InnerException);
        Assert.Equal(3, clock.Waits.Count);
    }

    [Fact]
    public async Task A_connection_that_breaks_is_tried_again()
    {
        var requestCount = 0;
        await using var server = await ProtocolServer.StartAsync(new FakeScoring(), before: context =>
        {
            if (++requestCount == 1)
                context.Abort();
            return Task.CompletedTask;
        });
        Assert.Single(await new RewardClient(server.Client) { Clock = new HurriedClock() }.ScoreAsync("q", ["a"]));
        Assert.InRange(requestCount, 2, 3);
    }

    [Fact]
    public async Task A_server_that_takes_too_long_is_not_waited_for()
    {
        var scoring = new FakeScoring { Before = (_, cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken) };
        await using var server = await ProtocolServer.StartAsync(scoring);
        var client = new RewardClient(server.Client, new() { Timeout = TimeSpan.FromSeconds(0.2) });
        var error = await Assert.ThrowsAsync<TimeoutException>(() => client.ScoreAsync("q", ["a"]));
        Assert.StartsWith($"The server at {server.Address} did not answer in 0.2 seconds; ", error.Message);
        Assert.EndsWith("set a longer RewardClientOptions.Timeout.", error.Message);
        Assert.Single(scoring.Requests);
        using var http = new HttpClient { BaseAddress = server.Client.BaseAddress, Timeout = TimeSpan.FromSeconds(0.1) };
        error = await Assert.ThrowsAsync<TimeoutException>(() => new RewardClient(http).ScoreAsync("q", ["a"]));
        Assert.EndsWith("did not answer in 0.1 seconds; send fewer answers at once, or set a longer HttpClient.Timeout.", error.Message);

        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(0.1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new RewardClient(server.Client).ScoreAsync("q", ["a"], stop.Token));
    }

    [Fact]
    public async Task It_waits_until_the_server_is_ready()
    {
        var requestCount = 0;
        await using var server = await ProtocolServer.StartAsync(new FakeScoring(), before: context =>
            ++requestCount <= 3 ? RefuseAsync(context, 503, null) : Task.CompletedTask);
        await new RewardClient(server.Client) { Clock = new HurriedClock() }.WaitUntilReadyAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(4, requestCount);
    }

    [Fact]
    public async Task A_server_that_never_gets_ready_is_told()
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring(), before: context => RefuseAsync(context, 503, null));
        var error = await Assert.ThrowsAsync<TimeoutException>(() =>
            new RewardClient(server.Client).WaitUntilReadyAsync(TimeSpan.FromSeconds(0.2)));
        Assert.StartsWith($"The server at {server.Address} was not ready after 0.2 seconds; ", error.Message);
        await using var other = await ProtocolServer.StartAsync(new FakeScoring(), before: context => RefuseAsync(context, 404, null));
        await Assert.ThrowsAsync<RewardServiceException>(() => new RewardClient(other.Client).WaitUntilReadyAsync(TimeSpan.FromSeconds(60)));
    }

    [Theory]
    [InlineData("<html>", "The response of ")]
    [InlineData("{}", "The response of ")]
    [InlineData("null", "The response of ")]
    [InlineData("""{"results": []}""", "The response of ")]
    [InlineData("""{"results": [{"rewards": [1], "ranks": [], "truncated": [false]}]}""", "The response of ")]
    [InlineData("""{"results": [{"rewards": [1], "ranks": [1], "truncated": [false], "win_probabilities": [0, 1]}]}""", "The response of ")]
    public async Task Another_server_is_recognised(string body, string expected)
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring(), before: context => context.Response.WriteAsync(body));
        var error = await Assert.ThrowsAsync<RewardServiceException>(() => new RewardClient(server.Client).ScoreAsync("q", ["a"]));
        Assert.Equal((HttpStatusCode.OK, "unexpected_response"), (error.Status, error.Code));
        Assert.StartsWith(expected, error.Message);
    }

    [Theory]
    [InlineData("<html>Forbidden</html>", "The server answers 403 (Forbidden): <html>Forbidden</html>", "403")]
    [InlineData("", "The server answers 403 (Forbidden).", "403")]
    [InlineData("""{"error": "Unauthorized"}""", "The server answers 403 (Forbidden): {\"error\": \"Unauthorized\"}", "403")]
    [InlineData("""{"error": {"message": "No.", "code": 403}}""", "No.", "403")]
    public async Task Errors_of_other_shapes_are_told_too(string body, string expected, string code)
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring(), before: async context =>
        {
            context.Response.StatusCode = 403;
            await context.Response.WriteAsync(body);
            await context.Response.CompleteAsync();
        });
        var error = await Assert.ThrowsAsync<RewardServiceException>(() => new RewardClient(server.Client).ScoreAsync("q", ["a"]));
        Assert.Equal((HttpStatusCode.Forbidden, code, expected), (error.Status, error.Code, error.Message));
    }

    [Fact]
    public async Task An_application_gets_a_client_of_its_services()
    {
        var authorizations = new List<string?>();
        await using var server = await ProtocolServer.StartAsync(new FakeScoring(), before: context =>
        {
            authorizations.Add(context.Request.Headers.Authorization);
            return Task.CompletedTask;
        });
        var services = new ServiceCollection();
        services.AddRewardClient(options => (options.BaseAddress, options.ApiKey) = (server.Address, "key"));
        await using var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<RewardClient>();
        Assert.Equal(FakeScoring.Hashed("qa"), Assert.Single(await client.ScoreAsync("q", ["a"])).Reward);
        await client.ModelsAsync();
        Assert.Equal(["Bearer key", "Bearer key"], authorizations);
    }

    [Fact]
    public void All_that_is_wrong_with_the_options_is_told()
    {
        var services = new ServiceCollection();
        services.AddRewardClient(options =>
            (options.Timeout, options.MaxRetries, options.MaxRowsPerRequest, options.MaxConcurrentRequests) = (TimeSpan.Zero, -1, 0, 0));
        using var provider = services.BuildServiceProvider();
        string[] expected =
        [
            "Timeout is 00:00:00; expected a time above 0.", "MaxRetries is -1; expected at least 0.",
            "MaxRowsPerRequest is 0; expected at least 1.", "MaxConcurrentRequests is 0; expected at least 1.",
        ];
        Assert.Equal(
            ["BaseAddress is not set; expected where the server is, such as http://localhost:5000.", .. expected],
            Assert.Throws<OptionsValidationException>(provider.GetRequiredService<RewardClient>).Failures);
        using var http = new HttpClient();
        Assert.StartsWith("Nothing says where the server is; ", Assert.Throws<ArgumentException>(() => new RewardClient(http)).Message);
        Assert.StartsWith(
            "BaseAddress is 'ftp://a/'; expected an address such as http://localhost:5000.",
            Assert.Throws<ArgumentException>(() => new RewardClient(http, new() { BaseAddress = new Uri("ftp://a") })).Message);
    }

    [Fact]
    public async Task Null_is_told_by_the_name_of_the_parameter()
    {
        using var http = new HttpClient { BaseAddress = new Uri("http://localhost") };
        var client = new RewardClient(http);
        Assert.Throws<ArgumentNullException>("http", () => new RewardClient(null!));
        Assert.Throws<ArgumentNullException>("services", () => ((IServiceCollection)null!).AddRewardClient(_ => { }));
        Assert.Throws<ArgumentNullException>("configure", () => new ServiceCollection().AddRewardClient(null!));
        await Assert.ThrowsAsync<ArgumentNullException>("prompt", () => client.ScoreAsync((string)null!, ["a"]));
        await Assert.ThrowsAsync<ArgumentNullException>("answers", () => client.ScoreAsync("q", null!));
        await Assert.ThrowsAsync<ArgumentException>("answers", () => client.ScoreAsync("q", []));
        await Assert.ThrowsAsync<ArgumentNullException>("conversation", () => client.ScoreAsync((Conversation)null!, ["a"]));
        await Assert.ThrowsAsync<ArgumentNullException>("answers", () => client.ScoreAsync(new Conversation([]), [null!]));
        await Assert.ThrowsAsync<ArgumentNullException>("conversation", () => client.RankAsync((Conversation)null!, ["a"]));
        await Assert.ThrowsAsync<ArgumentNullException>("lists", () => client.ScoreAsync((IReadOnlyList<RankedList>)null!));
        await Assert.ThrowsAsync<ArgumentNullException>("lists", () => client.ScoreAsync([null!]));
    }

    private static async Task RefuseAsync(HttpContext context, int status, string? retryAfter)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.RetryAfter = retryAfter;
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes("""{"error": {"code": "away", "message": "It is away."}}"""));
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = most; seen < value;)
            seen = Interlocked.CompareExchange(ref most, value, seen) is var found && found == seen ? value : found;
    }

    private sealed class Reports(List<int> counts) : IProgress<int>
    {
        public void Report(int value)
        {
            lock (counts)
                counts.Add(value);
        }
    }
}
