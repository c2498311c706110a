using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using RewardModel.Server.Protocols;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Server.Protocols;

public sealed class RewardsProtocolTests
{
    [Fact]
    public async Task Results_have_rewards_ranks_and_probabilities_to_win()
    {
        var scoring = new FakeScoring { RewardOf = text => text.Length % 3 - 0.5f };
        await using var server = await ProtocolServer.StartAsync(scoring);
        var answer = await server.AnswerAsync("/v1/rewards", """
            {"model": "other", "max_length": 4, "inputs": [
              {"id": "a\u00e9", "prompt": "q", "answers": ["", "b", "cc", "dddd"]},
              {"id": 12345678901234567890.50, "prompt": "", "answers": ["e"]},
              {"prompt": "qu", "answers": ["f", "ggg"]}]}
            """);

        Assert.Matches("^rew-[0-9a-f]{32}$", (string?)answer["id"]);
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - (long)answer["created"]!, 0, 60);
        answer.Remove("id");
        answer.Remove("created");
        // Rewards 0.5, 1.5, -0.5, 1.5.
        static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
        double[] wins =
        [
            (Sigmoid(-1) + Sigmoid(1) + Sigmoid(-1)) / 3, (Sigmoid(1) + Sigmoid(2) + 0.5) / 3, (Sigmoid(-1) + 2 * Sigmoid(-2)) / 3,
            (Sigmoid(1) + 0.5 + Sigmoid(2)) / 3,
        ];
        var found = answer["results"]![0]!["win_probabilities"]!.AsArray();
        Assert.All(wins.Zip(found), pair => Assert.Equal(pair.First, (double)pair.Second!, 1e-12));
        answer["results"]![0]!.AsObject().Remove("win_probabilities");
        Assert.Equal(
            """
            {"object":"rewards","model":"other","results":[
            {"id":"a\u00E9","rewards":[0.5,1.5,-0.5,1.5],"ranks":[3,1,4,1],"truncated":[false,false,false,true]},
            {"id":12345678901234567890.50,"rewards":[0.5],"ranks":[1],"truncated":[false]},
            {"rewards":[-0.5,1.5],"ranks":[2,1],"win_probabilities":[0.11920292202211755,0.8807970779778823],"truncated":[false,true]}],
            "usage":{"prompt_tokens":3,"answer_tokens":12,"total_tokens":15}}
            """.Replace("\n", "", StringComparison.Ordinal),
            answer.ToJsonString());
        Assert.Equal(("other", 4), (scoring.Requests.Single().Model, scoring.Requests.Single().MaxLength));
    }

    [Fact]
    public async Task One_input_may_stand_in_the_request_itself()
    {
        var scoring = new FakeScoring { IsEnsemble = true };
        await using var server = await ProtocolServer.StartAsync(scoring);
        var answer = await server.AnswerAsync("/v1/rewards", """{"id": "x", "prompt": "q", "answers": ["a", "b"]}""");
        Assert.Equal(["id", "object", "created", "model", "results", "usage"], answer.Select(member => member.Key));
        var result = Assert.Single(answer["results"]!.AsArray())!.AsObject();
        Assert.Equal(["id", "rewards", "ranks", "win_probabilities", "reward_stds", "truncated"], result.Select(member => member.Key));
        Assert.Equal("[0.25,0.25]", result["reward_stds"]!.ToJsonString());
        Assert.Null(scoring.Requests.Single().Model);
    }

    [Fact]
    public async Task Conversations_and_token_ids_are_prompts_too()
    {
        var scoring = new FakeScoring();
        await using var server = await ProtocolServer.StartAsync(scoring);
        await server.AnswerAsync("/v1/rewards", """
            {"inputs": [
              {"messages": [{"role": "user", "content": "q"}], "tools": [{"name": "t"}],
               "answers": ["a", [{"role": "assistant", "tool_calls": [1]}, {"role": "assistant", "content": "b"}]]},
              {"token_ids": [1, 2], "answers": [[3], [4, 5]]},
              {"token_ids": [], "answers": [[3]]},
              {"text": "<s>q a</s>"}]}
            """);
        var inputs = scoring.Requests.Single().Inputs;
        var chat = inputs[0].Text!.Chat!;
        Assert.Equal("""[{"name": "t"}]""", chat.Prompt.Tools!.Value.GetRawText());
        Assert.Equal("""{"role":"assistant","content":"a"}""", Assert.Single(chat.Answers[0]).Json.GetRawText());
        Assert.Equal([1, 2], inputs[1].TokenIds!.PromptIds);
        Assert.Equal([[3], [4, 5]], inputs[1].TokenIds!.AnswerIds);
        Assert.Empty(inputs[2].TokenIds!.PromptIds);
        Assert.Equal((true, "<s>q a</s>"), (inputs[3].Text!.IsWholeText, Assert.Single(inputs[3].Text!.Answers)));
        Assert.Equal(2, chat.Answers[1].Count);
    }

    [Theory]
    [InlineData("""{"inputs": [{"prompt": "a", "answers": ["b"]}, {"id": [], "answers": []}, 3, {"prompt": 1, "answers": ["a", 2, null]}]}""",
        "inputs[1].id is an array; expected a string or a number. "
        + "inputs[1].prompt is missing; expected \"prompt\", \"messages\", \"token_ids\" or \"text\". "
        + "inputs[2] is a number; expected an object. "
        + "inputs[3].prompt is a number; expected a string. "
        + "inputs[3].answers[1] is a number; expected a string. "
        + "inputs[3].answers[2] is null; expected a string.")]
    [InlineData("""{"promt": "a", "answers": ["b"]}""",
        "prompt is missing; expected \"prompt\", \"messages\", \"token_ids\" or \"text\". 'promt' is no member of this request; did you mean prompt?")]
    [InlineData("""{"inputs": [{"prompt": "a", "answer": ["b"]}], "maximum": 3}""",
        "inputs[0].answers is missing; expected an array of strings. "
        + "inputs[0].'answer' is no member of this request; did you mean answers? "
        + "'maximum' is no member of this request; expected inputs, max_length, model.")]
    [InlineData("""{"prompt": "a", "token_ids": [1], "answers": ["b"], "model": 3, "max_length": -1}""",
        "model is a number; expected a string. max_length is '-1'; expected a whole number of at least 1. "
        + "prompt and token_ids are given; expected one of them.")]
    [InlineData("""{"token_ids": [1], "answers": ["b", [], [-1]]}""",
        "answers[0] is a string; expected an array of token ids. answers[1] is empty; expected an array of token ids, at least one. "
        + "answers[2][0] is '-1'; expected a token id, a whole number of at least 0.")]
    [InlineData("""{"messages": [], "answers": [[]], "tools": [1]}""",
        "messages is empty; expected an array of messages, at least one. tools[0] is a number; expected an object. "
        + "answers[0] is empty; expected an array of messages, at least one.")]
    [InlineData("""{"inputs": []}""", "inputs is empty; expected an array of objects, at least one.")]
    public async Task All_that_is_wrong_is_told_with_its_place(string body, string expected)
    {
        var scoring = new FakeScoring();
        await using var server = await ProtocolServer.StartAsync(scoring);
        var (status, answer) = await server.PostAsync("/v1/rewards", body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(expected, (string?)answer["error"]!["message"]);
        Assert.Equal("invalid_request", (string?)answer["error"]!["code"]);
        Assert.Empty(scoring.Requests);
    }

    [Fact]
    public async Task Of_many_problems_the_first_are_told()
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring());
        var (_, answer) = await server.PostAsync(
            "/v1/rewards", $$"""{"prompt": "", "answers": [{{string.Join(", ", Enumerable.Range(0, 1000))}}]}""");
        Assert.EndsWith(
            "answers[19] is a number; expected a string. And 980 more.", (string?)answer["error"]!["message"], StringComparison.Ordinal);
    }

    /// <summary>A body of some megabytes may have millions: their words would be gigabytes.</summary>
    [Fact]
    public void Problems_that_are_not_told_are_not_put_into_words()
    {
        var problems = new RequestProblems();
        Assert.Null(problems.Text);
        var wordCount = 0;
        for (var i = 0; i < 1000; i++)
            problems.Add(() => $"problem {++wordCount}");
        Assert.Equal(20, wordCount);
        Assert.Equal(
            $"{string.Join(" ", Enumerable.Range(1, 20).Select(i => $"problem {i}."))} And 980 more.", problems.Text);
    }

    [Fact]
    public void Ranks_count_the_better_answers_and_probabilities_add_up()
    {
        var random = new SplitMix64(7);
        for (var trial = 0; trial < 200; trial++)
        {
            var rewards = Enumerable.Range(0, 2 + random.NextBelow(9)).Select(_ => (random.NextBelow(9) - 4) / 2f).ToArray();
            Assert.Equal(rewards.Select(reward => 1 + rewards.Count(other => other > reward)), RewardsProtocol.Ranks(rewards));
            var wins = RewardsProtocol.WinProbabilities(rewards);
            // Of each pair one wins.
            Assert.Equal(rewards.Length / 2.0, wins.Sum(), 1e-9);
            Assert.All(rewards.Index(), scored => Assert.Equal(
                rewards.Where((_, other) => other != scored.Index).Average(other => 1 / (1 + Math.Exp(other - (double)scored.Item))),
                wins[scored.Index], 1e-12));
        }
    }

    [Fact]
    public async Task Models_are_listed_as_OpenAI_does()
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring(), "/rewards");
        Assert.Equal(
            """
            {"object":"list","data":[
            {"id":"tiny","object":"model","created":1700000000,"owned_by":"reward-model","architecture":"llama","max_length":1048576,"has_chat_template":true,"member_count":1},
            {"id":"other","object":"model","created":1700000001,"owned_by":"reward-model","architecture":"gpt2","max_length":96,"has_chat_template":false,"member_count":3}]}
            """.Replace("\n", "", StringComparison.Ordinal),
            await server.Client.GetStringAsync("/rewards/v1/models"));
    }

    [Fact]
    public async Task A_client_that_has_gone_stops_the_scoring()
    {
        var cancelled = new TaskCompletionSource();
        var scoring = new FakeScoring
        {
            Before = async (_, cancellationToken) =>
            {
                cancellationToken.Register(cancelled.SetResult);
                await Task.Delay(Timeout.Infinite, cancellationToken);
            },
        };
        await using var server = await ProtocolServer.StartAsync(scoring);
        using var stop = new CancellationTokenSource();
        using var content = new StringContent("""{"prompt": "", "answers": ["a"]}""", null, "application/json");
        var call = server.Client.PostAsync("/v1/rewards", content, stop.Token);
        while (scoring.Requests.IsEmpty)
            await Task.Delay(5);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_client_that_goes_while_it_is_answered_is_no_failure()
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring());
        var endpoint = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Single(endpoint => endpoint.RoutePattern.RawText == "/v1/models");
        var context = new DefaultHttpContext { RequestServices = server.Services, RequestAborted = new CancellationToken(canceled: true) };
        context.Features.Set<IHttpResponseFeature>(new BegunResponse());
        await endpoint.RequestDelegate!(context);
        Assert.Equal(200, context.Response.StatusCode);
    }

    /// <summary>A response whose status can't be changed once its length is known.</summary>
    private sealed class BegunResponse : IHttpResponseFeature
    {
        public int StatusCode
        {
            get;
            set => field = HasStarted ? throw new InvalidOperationException("The response has begun.") : value;
        }

        public string? ReasonPhrase { get; set; }

        public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

        public Stream Body { get; set; } = Stream.Null;

        public bool HasStarted => Headers.ContentLength is not null;

        public void OnStarting(Func<object, Task> callback, object state)
        {
        }

        public void OnCompleted(Func<object, Task> callback, object state)
        {
        }
    }
}
