using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;
using RewardModel.Client;
using RewardModel.Tests.Server.Protocols;
using ServeAndRank;

namespace RewardModel.Tests.Samples;

/// <summary>That of samples/ServeAndRank, in this process.</summary>
public sealed class RewardEvaluatorTests
{
    private static readonly ChatMessage system = new(ChatRole.System, "Be brief.");
    private static readonly ChatMessage question = new(ChatRole.User, "3 or 5?");

    [Fact]
    public async Task A_single_message_is_a_prompt_and_more_are_a_conversation()
    {
        var scoring = new FakeScoring();
        await using var server = await ProtocolServer.StartAsync(scoring);
        var evaluator = new RewardEvaluator(new RewardClient(server.Client));
        Assert.Equal(["Reward"], evaluator.EvaluationMetricNames);

        Assert.Equal(FakeScoring.Hashed("3 or 5?5 is."), (await MetricOf(evaluator, [question], "5 is.")).Value);
        Assert.Null(scoring.Requests.Last().Inputs.Single().Text!.Chat);

        (string Role, string Text)[] conversation = [("system", "Be brief."), ("user", "3 or 5?"), ("assistant", "5."), ("user", "Why?")];
        var metric = await MetricOf(
            evaluator, [.. conversation.Select(message => new ChatMessage(new ChatRole(message.Role), message.Text))], "Count.");
        var chat = scoring.Requests.Last().Inputs.Single().Text!.Chat!;
        Assert.Equal(
            [.. conversation, ("assistant", "Count.")],
            chat.Prompt.Messages.Concat(chat.Answers.Single())
                .Select(message => (message.Role, message.Json.GetProperty("content").GetString()!)));
        Assert.Equal(FakeScoring.Hashed(FakeScoring.TextOf(chat.Prompt.Messages.Concat(chat.Answers.Single()))), metric.Value);
        Assert.Null(metric.Interpretation);
        Assert.Null(metric.Diagnostics);
        // One message that is not the user's is no prompt.
        await MetricOf(evaluator, [system], "Yes.");
        Assert.Equal("system", scoring.Requests.Last().Inputs.Single().Text!.Chat!.Prompt.Messages.Single().Role);
    }

    [Theory]
    [InlineData(1.5, EvaluationRating.Good, false, "The reward is at least 1.5.")]
    [InlineData(1.75, EvaluationRating.Unacceptable, true, "The reward is below 1.75.")]
    public async Task A_threshold_interprets_the_reward(double threshold, EvaluationRating rating, bool failed, string reason)
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring { RewardOf = _ => 1.5f });
        var interpretation = (await MetricOf(new(new RewardClient(server.Client), threshold), [question], "5")).Interpretation!;
        Assert.Equal((rating, failed, reason), (interpretation.Rating, interpretation.Failed, interpretation.Reason));
    }

    [Fact]
    public async Task Reasoning_is_left_out_and_other_content_leaves_no_reward()
    {
        var scoring = new FakeScoring();
        await using var server = await ProtocolServer.StartAsync(scoring);
        var evaluator = new RewardEvaluator(new RewardClient(server.Client), threshold: 0);
        AIContent[] thought = [new TextReasoningContent("hm"), new TextContent("5 "), new UsageContent(), new TextContent("is.")];
        Assert.Equal(FakeScoring.Hashed("3 or 5?5 is."), (await MetricOf(evaluator, [question], thought)).Value);
        Assert.Single(scoring.Requests);

        var picture = new ChatMessage(ChatRole.User, [new TextContent("Which?"), new DataContent(new byte[1], "image/png")]);
        await AssertRefused(
            [question, picture], [new TextContent("5"), new FunctionCallContent("1", "count")],
            "Message 2 has a DataContent; expected text, as the reward model reads nothing else.",
            "The response has a FunctionCallContent; expected text, as the reward model reads nothing else.");
        await AssertRefused(
            [], [new TextReasoningContent("hm")],
            "There are no messages; expected those that the response answers.", "The response has no text; expected some.");
        Assert.Single(scoring.Requests);

        async Task AssertRefused(ChatMessage[] messages, AIContent[] response, params string[] problems)
        {
            var metric = await MetricOf(evaluator, messages, response);
            Assert.Equal((null, null), (metric.Value, metric.Interpretation));
            Assert.Equal(problems, metric.Diagnostics!.Select(diagnostic => diagnostic.Message));
            Assert.All(metric.Diagnostics!, diagnostic => Assert.Equal(EvaluationDiagnosticSeverity.Error, diagnostic.Severity));
        }
    }

    [Fact]
    public async Task A_response_that_was_cut_has_a_warning_and_what_the_server_refuses_is_thrown()
    {
        await using var server = await ProtocolServer.StartAsync(new FakeScoring());
        var metric = await MetricOf(new(new RewardClient(server.Client)), [question], new string('x', FakeScoring.MaxLength));
        var warning = Assert.Single(metric.Diagnostics!);
        Assert.Equal(
            (EvaluationDiagnosticSeverity.Warning, "Conversation and response are too long for the model, which has read a part of them."),
            (warning.Severity, warning.Message));
        var unknown = new RewardEvaluator(new RewardClient(server.Client, new() { Model = "unknown" }));
        Assert.Equal(
            "model_not_found", (await Assert.ThrowsAsync<RewardServiceException>(() => MetricOf(unknown, [question], "5"))).Code);
    }

    private static Task<NumericMetric> MetricOf(RewardEvaluator evaluator, ChatMessage[] messages, string response) =>
        MetricOf(evaluator, messages, [new TextContent(response)]);

    private static async Task<NumericMetric> MetricOf(RewardEvaluator evaluator, ChatMessage[] messages, AIContent[] response)
    {
        var result = await evaluator.EvaluateAsync(messages, new ChatResponse(new ChatMessage(ChatRole.Assistant, response)));
        return Assert.IsType<NumericMetric>(Assert.Single(result.Metrics).Value);
    }
}
