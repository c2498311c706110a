using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using RewardModel.Lists;

namespace RewardModel.Server.Protocols;

/// <summary>Our own protocol: lists of answers to prompts, conversations or token ids, with ranks and probabilities to win.</summary>
internal static class RewardsProtocol
{
    private static readonly string[] promptNames = ["prompt", "messages", "token_ids", "text"];

    public static ProtocolOperation Operation { get; } = new(
        "/v1/rewards",
        "Rewards, ranks and probabilities to win of the answers to prompts.",
        ErrorShape.Own,
        () => Schemas.ObjectOf([
            ("model?", Schemas.Text("A served model; the default one unless given.")),
            ("max_length?", Schemas.Integer("Most tokens of prompt and answer together, below the model's own limit.")),
            ("inputs?", Schemas.ArrayOf(
                Schemas.ObjectOf([.. InputSchemas(), ("answers?", AnswersSchema())]), "Prompts with their answers.")),
            .. InputSchemas(), ("answers?", AnswersSchema())]),
        """{"prompt": "Which is larger, 3 or 5?", "answers": ["5 is larger.", "3 is larger."]}""",
        () => Schemas.ObjectOf(
            ("id", Schemas.Text()), ("object", Schemas.Text("rewards.")), ("created", Schemas.Integer("Seconds since 1970.")),
            ("model", Schemas.Text()),
            ("results", Schemas.ArrayOf(Schemas.ObjectOf(
                ("id?", Schemas.AnyOf("That of the input.", Schemas.Text(), Schemas.Number())),
                ("rewards", Schemas.ArrayOf(Schemas.Number(), "One for each answer; higher is better.")),
                ("ranks", Schemas.ArrayOf(Schemas.Integer(), "1 is the best answer; equal rewards have the same rank.")),
                ("win_probabilities?", Schemas.ArrayOf(
                    Schemas.Number(), "How probable it is that an answer is preferred to another one; not of a single answer.")),
                ("reward_stds?", Schemas.ArrayOf(Schemas.Number(), "Standard deviations of the rewards of an ensemble's members.")),
                ("truncated", Schemas.ArrayOf(Schemas.Flag(), "Whether prompt and answer were too long, so that a part was read."))))),
            ("usage", Schemas.ObjectOf(
                ("prompt_tokens", Schemas.Integer("Each prompt counted once.")), ("answer_tokens", Schemas.Integer()),
                ("total_tokens", Schemas.Integer())))),
        AnswerAsync);

    private static async Task<JsonObject> AnswerAsync(ProtocolCall call)
    {
        var request = call.Request;
        var model = request.Text("model");
        var maxLength = request.Count("max_length");
        Input[] inputs = request.Has("inputs")
            ? request.Items("inputs", "objects", (item, place) => request.ObjectOf(item, place) is { } members ? Read(members) : default)
            : [Read(request)];
        if (request.Has("inputs"))
            request.RejectUnknown();
        var result = await call.ScoreAsync(model, [.. inputs.Select(input => input.Scoring)], maxLength).ConfigureAwait(false);
        var promptTokens = result.Lists.Sum(list => (long)list.PromptTokens);
        var answerTokens = result.Lists.Sum(list => list.Answers.Sum(answer => (long)answer.Tokens));
        return new JsonObject
        {
            ["id"] = call.Id("rew"),
            ["object"] = "rewards",
            ["created"] = call.Created,
            ["model"] = result.Model,
            ["results"] = new JsonArray([.. inputs.Zip(result.Lists, ResultOf)]),
            ["usage"] = new JsonObject
            {
                ["prompt_tokens"] = promptTokens,
                ["answer_tokens"] = answerTokens,
                ["total_tokens"] = promptTokens + answerTokens,
            },
        };
    }

    private static JsonObject ResultOf(Input input, ScoredInput scored)
    {
        var result = new JsonObject();
        if (input.Id is not null)
            result["id"] = input.Id;
        float[] rewards = [.. scored.Answers.Select(answer => answer.Reward)];
        result["rewards"] = RewardNumbers.Of(rewards);
        result["ranks"] = new JsonArray([.. Ranks(rewards).Select(rank => (JsonNode)rank)]);
        if (rewards.Length > 1)
            result["win_probabilities"] = RewardNumbers.Of(WinProbabilities(rewards));
        if (scored.Answers[0].StandardDeviation is not null)
            result["reward_stds"] = RewardNumbers.Of(scored.Answers.Select(answer => answer.StandardDeviation ?? 0));
        result["truncated"] = new JsonArray([.. scored.Answers.Select(answer => (JsonNode)answer.WasCut)]);
        return result;
    }

    /// <summary>One more than the number of better answers.</summary>
    internal static int[] Ranks(float[] rewards)
    {
        var sorted = rewards.ToArray();
        Array.Sort(sorted, (first, second) => second.CompareTo(first));
        var ranks = new Dictionary<float, int>();
        for (var i = 0; i < sorted.Length; i++)
            ranks.TryAdd(sorted[i], i + 1);
        return [.. rewards.Select(reward => ranks[reward])];
    }

    /// <summary>
    /// By the Bradley-Terry model: of each answer the mean over the others of the probability that people prefer it, the sigmoid of the
    /// difference of the rewards.
    /// </summary>
    internal static double[] WinProbabilities(float[] rewards) =>
    [
        .. rewards.Select((reward, answer) =>
            rewards.Where((_, other) => other != answer).Average(other => RewardNumbers.Sigmoid((double)reward - other))),
    ];

    private static Input Read(RequestMembers members)
    {
        var id = IdOf(members);
        string[] given = [.. promptNames.Where(members.Has)];
        if (given.Length != 1)
        {
            members.Reject(
                members.PathOf(given.Length == 0 ? "prompt" : string.Join(" and ", given)),
                given.Length == 0
                    ? "is missing; expected \"prompt\", \"messages\", \"token_ids\" or \"text\""
                    : "are given; expected one of them");
            members.Has("answers");
            members.Has("tools");
            members.RejectUnknown();
            return default;
        }
        var input = given[0] switch
        {
            "prompt" => OfText(members),
            "messages" => OfMessages(members),
            "text" => WholeTexts.Of(members.Text("text") ?? ""),
            _ => OfTokenIds(members),
        };
        members.RejectUnknown();
        return new Input(id, input);
    }

    private static ScoringInput? OfText(RequestMembers members)
    {
        var prompt = members.Text("prompt") ?? "";
        var answers = members.Items("answers", "strings", members.TextOf);
        return answers.Length == 0 ? null : ScoringInput.Of(RankedList.BestFirst(prompt, answers));
    }

    private static ScoringInput? OfMessages(RequestMembers members)
    {
        var messages = members.Items("messages", "messages", members.MessageOf);
        JsonElement? tools = null;
        if (members.Has("tools"))
        {
            members.Items("tools", "objects", members.ObjectOf);
            tools = members["tools"].Clone();
        }
        var answers = members.Items("answers", "strings or arrays of messages", (value, place) => value.ValueKind == JsonValueKind.Array
            ? members.ItemsOf(value, place, "messages", members.MessageOf)
            : [new ChatMessage("assistant", members.TextOf(value, place))]);
        return answers.Length == 0 || answers.Any(answer => answer.Length == 0)
            ? null
            : ScoringInput.Of(RankedList.OfChat(
                new RankedChat(new Conversation(messages) { Tools = tools }, answers), RankedList.ScoresOfOrder(answers.Length)));
    }

    private static ScoringInput? OfTokenIds(RequestMembers members)
    {
        var prompt = members.IdsOf(members["token_ids"], members.PathOf("token_ids"), least: 0);
        var answers = members.Items("answers", "arrays of token ids", (value, place) => members.IdsOf(value, place));
        return ScoringInput.Of(new TokenizedList(prompt, answers, RankedList.ScoresOfOrder(answers.Length)));
    }

    private static JsonNode? IdOf(RequestMembers members)
    {
        if (!members.Has("id"))
            return null;
        var id = members["id"];
        if (id.ValueKind is JsonValueKind.String or JsonValueKind.Number)
            return JsonNode.Parse(id.GetRawText());
        members.Reject(members.PathOf("id"), $"is {RequestMembers.NameOf(id.ValueKind)}; expected a string or a number");
        return null;
    }

    private static (string, OpenApiSchema)[] InputSchemas() =>
    [
        ("id?", Schemas.AnyOf("Comes back with the result.", Schemas.Text(), Schemas.Number())),
        ("prompt?", Schemas.Text("Plain text. Or messages, or token_ids.")),
        ("messages?", Schemas.ArrayOf(Schemas.Message(), "The conversation before the answers, for models with a chat template.")),
        ("tools?", Schemas.ArrayOf(Schemas.ObjectOf(), "The tools that the assistant may call, beside messages.")),
        ("token_ids?", Schemas.ArrayOf(Schemas.Integer(), "The prompt's token ids, special tokens included.")),
        ("text?", Schemas.Text("Instead of prompt and answers: a whole text, in which special tokens are found.")),
    ];

    private static OpenApiSchema AnswersSchema() => Schemas.ArrayOf(
        Schemas.AnyOf(null, Schemas.Text(), Schemas.ArrayOf(Schemas.Message()), Schemas.ArrayOf(Schemas.Integer())),
        "Strings; beside messages also arrays of messages, and beside token_ids arrays of token ids.");

    /// <summary>An input as it is scored, null where it is wrong, and what its result is called.</summary>
    private readonly record struct Input(JsonNode? Id, ScoringInput? ToScore)
    {
        // Requests with problems end before anything is scored.
        public ScoringInput Scoring => ToScore!;
    }
}
