using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using RewardModel.Files;
using RewardModel.Lists;

namespace RewardModel.Server.Protocols;

/// <summary>
/// The endpoints that vLLM has for sequence classification with one label, and SGLang's for rewards. Rewards are given as they are unless
/// the request asks for the sigmoid, which is vLLM's default: <c>use_activation</c>, or <c>activation</c> and <c>softmax</c> as older
/// versions call it.
/// </summary>
internal static class VllmProtocol
{
    // What changes the text that is read or how rewards are written, and what of it is the same as saying nothing.
    private static readonly Dictionary<string, string[]> refused = new()
    {
        ["add_generation_prompt"] = ["false"],
        ["chat_template"] = [],
        ["chat_template_kwargs"] = ["{}"],
        ["continue_final_message"] = ["false"],
        ["dimensions"] = [],
        ["embed_dtype"] = ["\"float32\""],
        ["endianness"] = ["\"native\"", "\"little\""],
        ["truncation_side"] = [],
    };

    private const string example = """{"model": "my-reward-model", "input": ["Which is larger, 3 or 5? 5"], "use_activation": false}""";
    private const string pairExample =
        """{"model": "my-reward-model", "text_1": "Which is larger, 3 or 5?", "text_2": ["5 is larger.", "3 is larger."]}""";

    public static IReadOnlyList<ProtocolOperation> Operations { get; } =
    [
        new(
            "/classify", "Rewards of texts, token ids or a conversation, as vLLM classifies them.", ErrorShape.Vllm,
            InputSchema, example,
            () => Listed(Schemas.ObjectOf(
                ("index", Schemas.Integer()), ("label", Schemas.Text("LABEL_0, the only one.")),
                ("probs", Schemas.ArrayOf(Schemas.Number("The reward."))), ("num_classes", Schemas.Integer("1.")))),
            ClassifyAsync),
        new(
            "/pooling", "Rewards of texts, token ids or a conversation, as vLLM pools them.", ErrorShape.Vllm,
            InputSchema, example,
            () => Listed(Schemas.ObjectOf(
                ("index", Schemas.Integer()), ("object", Schemas.Text("pooling.")),
                ("data", Schemas.AnyOf(
                    null, Schemas.ArrayOf(Schemas.Number("The reward.")),
                    Schemas.Text("The same as a float32, little-endian, in base64."))))),
            PoolAsync),
        new(
            "/v1/embeddings", "Rewards of texts, token ids or a conversation, as SGLang gives them.", ErrorShape.Vllm,
            InputSchema, example,
            () => Schemas.ObjectOf(
                ("object", Schemas.Text("list.")), ("model", Schemas.Text()), ("usage", UsageSchema()),
                ("data", Schemas.ArrayOf(Schemas.ObjectOf(
                    ("index", Schemas.Integer()), ("object", Schemas.Text("embedding.")),
                    ("embedding", Schemas.AnyOf(
                        null, Schemas.ArrayOf(Schemas.Number("The reward.")),
                        Schemas.Text("The same as a float32, little-endian, in base64."))))))),
            EmbedAsync),
        Score("/score"),
        Score("/v1/score"),
        Rerank("/rerank"),
        Rerank("/v1/rerank"),
        Rerank("/v2/rerank"),
    ];

    private static ProtocolOperation Score(string path) => new(
        path, "Rewards of answers to prompts: the answers of one prompt, or one answer of each.", ErrorShape.Vllm,
        () => Schemas.ObjectOf([
            ("model?", Schemas.Text("A served model.")),
            ("text_1?", TextsSchema("The prompt, or prompts. Also called data_1 or queries.")),
            ("text_2?", TextsSchema("The answers. Also called data_2, documents or items.")),
            .. SettingSchemas()]),
        pairExample,
        () => Listed(Schemas.ObjectOf(
            ("index", Schemas.Integer()), ("object", Schemas.Text("score.")), ("score", Schemas.Number("The reward.")))),
        ScoreAsync);

    private static ProtocolOperation Rerank(string path) => new(
        path, "Answers to a prompt, best first.", ErrorShape.Vllm,
        () => Schemas.ObjectOf([
            ("model?", Schemas.Text("A served model.")), ("query", Schemas.Text("The prompt.")),
            ("documents", TextsSchema("The answers.")), ("top_n?", Schemas.Integer("How many are given; 0, the default: all.")),
            .. SettingSchemas()]),
        """{"model": "my-reward-model", "query": "Which is larger, 3 or 5?", "documents": ["5 is larger.", "3 is larger."], "top_n": 1}""",
        () => Schemas.ObjectOf(
            ("id", Schemas.Text()), ("model", Schemas.Text()),
            ("usage", Schemas.ObjectOf(("prompt_tokens", Schemas.Integer()), ("total_tokens", Schemas.Integer()))),
            ("results", Schemas.ArrayOf(Schemas.ObjectOf(
                ("index", Schemas.Integer("Its place in documents, from 0.")),
                ("document", Schemas.ObjectOf(
                    ("text", Schemas.Text()), ("multi_modal", new OpenApiSchema { Type = JsonSchemaType.Null }))),
                ("relevance_score", Schemas.Number("The reward.")))))),
        RerankAsync);

    private static async Task<JsonObject> ClassifyAsync(ProtocolCall call)
    {
        var inputs = Inputs(call.Request);
        var (result, rewards) = await ScoreAsync(call, inputs).ConfigureAwait(false);
        return Listed(call, "classify", result, rewards.Select((reward, i) => new JsonObject
        {
            ["index"] = i,
            ["label"] = "LABEL_0",
            ["probs"] = RewardNumbers.Of([reward]),
            ["num_classes"] = 1,
        }));
    }

    private static async Task<JsonObject> PoolAsync(ProtocolCall call)
    {
        var inputs = Inputs(call.Request);
        var inBase64 = IsBase64(call.Request);
        if (call.Request.Text("task") is { } task && task is not "classify")
            call.Request.Reject("task", $"is {Quoted.Text(task)}; expected \"classify\": a reward is of a whole text");
        var (result, rewards) = await ScoreAsync(call, inputs).ConfigureAwait(false);
        return Listed(call, "pool", result, rewards.Select((reward, i) => new JsonObject
        {
            ["index"] = i,
            ["object"] = "pooling",
            ["data"] = Vector(reward, inBase64),
        }));
    }

    private static async Task<JsonObject> EmbedAsync(ProtocolCall call)
    {
        var inputs = Inputs(call.Request);
        var inBase64 = IsBase64(call.Request);
        var (result, rewards) = await ScoreAsync(call, inputs).ConfigureAwait(false);
        return new JsonObject
        {
            ["object"] = "list",
            ["data"] = new JsonArray([.. rewards.Select((reward, i) => new JsonObject
            {
                ["object"] = "embedding",
                ["embedding"] = Vector(reward, inBase64),
                ["index"] = i,
            })]),
            ["model"] = result.Model,
            ["usage"] = Usage(result),
        };
    }

    private static async Task<JsonObject> ScoreAsync(ProtocolCall call)
    {
        var request = call.Request;
        var prompts = Texts(request, "text_1", "data_1", "queries");
        var answers = Texts(request, "text_2", "data_2", "documents", "items");
        if (prompts.Length > 1 && answers.Length > 0 && prompts.Length != answers.Length)
            request.Reject(
                "text_1 and text_2",
                $"have {prompts.Length} and {answers.Length} texts; expected one prompt, or as many prompts as answers");
        ScoringInput[] inputs = prompts switch
        {
            [] => [],
            [var prompt] when answers.Length > 0 => [ScoringInput.Of(RankedList.BestFirst(prompt, answers))],
            _ => [.. prompts.Zip(answers, (prompt, answer) => ScoringInput.Of(RankedList.BestFirst(prompt, answer)))],
        };
        var (result, rewards) = await ScoreAsync(call, inputs).ConfigureAwait(false);
        return Listed(call, "score", result, rewards.Select((reward, i) => new JsonObject
        {
            ["index"] = i,
            ["object"] = "score",
            ["score"] = RewardNumbers.Of(reward),
        }));
    }

    private static async Task<JsonObject> RerankAsync(ProtocolCall call)
    {
        var request = call.Request;
        var prompt = request.Text("query") ?? "";
        if (!request.Has("query"))
            request.Reject("query", "is missing; expected a string");
        var answers = Texts(request, "documents");
        var count = request.Count("top_n", least: 0) is > 0 and var top ? top : answers.Length;
        ScoringInput[] inputs = answers.Length == 0 ? [] : [ScoringInput.Of(RankedList.BestFirst(prompt, answers))];
        var (result, rewards) = await ScoreAsync(call, inputs).ConfigureAwait(false);
        var usage = Usage(result);
        return new JsonObject
        {
            ["id"] = call.Id("rerank"),
            ["model"] = result.Model,
            ["usage"] = new JsonObject
            {
                ["prompt_tokens"] = usage["prompt_tokens"]!.DeepClone(),
                ["total_tokens"] = usage["total_tokens"]!.DeepClone(),
            },
            ["results"] = new JsonArray([
                .. rewards.Index().OrderByDescending(scored => scored.Item).Take(count).Select(scored => new JsonObject
                {
                    ["index"] = scored.Index,
                    ["document"] = new JsonObject { ["text"] = answers[scored.Index], ["multi_modal"] = null },
                    ["relevance_score"] = RewardNumbers.Of(scored.Item),
                })]),
        };
    }

    /// <summary>Scores the inputs by the settings that all of the endpoints have, and puts the rewards of all answers in a row.</summary>
    private static async Task<(ScoringResult Result, float[] Rewards)> ScoreAsync(ProtocolCall call, IReadOnlyList<ScoringInput> inputs)
    {
        var request = call.Request;
        foreach (var (name, harmless) in refused)
            if (request.Has(name) && !harmless.Contains(request[name].GetRawText()))
                request.Reject(
                    name, "can't be honoured: " + (harmless.Length == 0 ? "leave it out" : $"expected {string.Join(" or ", harmless)}"));
        var activations = new[] { "use_activation", "activation", "softmax" }.Select(request.Flag).ToArray();
        // -1 is the most that the model takes, to which texts are cut anyway.
        var maxLength = request.Count("truncate_prompt_tokens", least: -1);
        var model = request.Text("model");
        var result = await call.ScoreAsync(model, inputs, maxLength > 0 ? maxLength : null).ConfigureAwait(false);
        var rewards = result.Lists.SelectMany(list => list.Answers).Select(answer => answer.Reward);
        return (result, [
            .. activations.FirstOrDefault(activation => activation is not null) is true
                ? rewards.Select(reward => (float)RewardNumbers.Sigmoid(reward))
                : rewards]);
    }

    /// <summary>A text, texts, token ids, lists of them, or the messages of a conversation.</summary>
    private static ScoringInput[] Inputs(RequestMembers request)
    {
        if (request.Has("messages") && request.Has("input"))
            request.Reject("input and messages", "are given; expected one of them");
        if (request.Has("messages"))
        {
            var messages = request.Items("messages", "messages", request.MessageOf);
            return messages.Length == 0 ? [] :
            [
                ScoringInput.Of(RankedList.OfChat(new RankedChat(new Conversation(messages[..^1]), [messages[^1..]]), [0])),
            ];
        }
        if (!request.Has("input"))
        {
            request.Reject("input", "is missing; expected a string, an array of strings or token ids, or \"messages\"");
            return [];
        }
        var input = request["input"];
        var first = input.ValueKind == JsonValueKind.Array && input.GetArrayLength() > 0 ? input[0].ValueKind : JsonValueKind.Undefined;
        return (input.ValueKind, first) switch
        {
            (JsonValueKind.String, _) => [WholeTexts.Of(request.TextOf(input, "input"))],
            (JsonValueKind.Array, JsonValueKind.Number) => [WholeTexts.Of(request.IdsOf(input, "input"))],
            (JsonValueKind.Array, JsonValueKind.Array) =>
                request.Items("input", "arrays of token ids", (item, place) => WholeTexts.Of(request.IdsOf(item, place))),
            _ => request.Items("input", "strings", (item, place) => WholeTexts.Of(request.TextOf(item, place))),
        };
    }

    /// <summary>A text or texts, under whichever of its names is there.</summary>
    private static string[] Texts(RequestMembers request, params string[] names)
    {
        string[] given = [.. names.Where(request.Has)];
        if (given.Length > 1)
            request.Reject(string.Join(" and ", given), "are given; expected one of them");
        var name = given.FirstOrDefault(names[0]);
        return request.Has(name) && request[name].ValueKind == JsonValueKind.String
            ? [request.TextOf(request[name], name)]
            : request.Items(name, "strings", request.TextOf);
    }

    private static bool IsBase64(RequestMembers request)
    {
        var format = request.Text("encoding_format");
        if (format is not (null or "" or "float" or "base64"))
            request.Reject("encoding_format", $"is {Quoted.Text(format)}; expected \"float\" or \"base64\"");
        return format == "base64";
    }

    private static JsonNode Vector(float reward, bool inBase64)
    {
        if (!inBase64)
            return RewardNumbers.Of([reward]);
        var bytes = new byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, reward);
        return Convert.ToBase64String(bytes);
    }

    private static JsonObject Listed(ProtocolCall call, string prefix, ScoringResult result, IEnumerable<JsonObject> data) => new()
    {
        ["id"] = call.Id(prefix),
        ["object"] = "list",
        ["created"] = call.Created,
        ["model"] = result.Model,
        ["data"] = new JsonArray([.. data]),
        ["usage"] = Usage(result),
    };

    /// <summary>As vLLM counts: a prompt once for each of its answers.</summary>
    private static JsonObject Usage(ScoringResult result)
    {
        var tokens = result.Lists.Sum(list => list.Answers.Sum(answer => (long)list.PromptTokens + answer.Tokens));
        return new JsonObject
        {
            ["prompt_tokens"] = tokens,
            ["total_tokens"] = tokens,
            ["completion_tokens"] = 0,
            ["prompt_tokens_details"] = null,
        };
    }

    private static OpenApiSchema InputSchema() => Schemas.ObjectOf([
        ("model?", Schemas.Text("A served model.")),
        ("input?", Schemas.AnyOf(
            "Whole texts, with special tokens, or their token ids.", Schemas.Text(), Schemas.ArrayOf(Schemas.Text()),
            Schemas.ArrayOf(Schemas.Integer()), Schemas.ArrayOf(Schemas.ArrayOf(Schemas.Integer())))),
        ("messages?", Schemas.ArrayOf(Schemas.Message(), "Instead of input: a conversation that ends with the answer.")),
        ("encoding_format?", Schemas.Text("float, the default, or base64; not of /classify.")),
        .. SettingSchemas()]);

    private static (string, OpenApiSchema)[] SettingSchemas() =>
    [
        ("use_activation?", Schemas.Flag("Whether to give the sigmoid of a reward; false, the default: the reward.")),
        ("truncate_prompt_tokens?", Schemas.Integer("Most tokens that are read; -1, the default: what the model takes.")),
    ];

    private static OpenApiSchema TextsSchema(string description) =>
        Schemas.AnyOf(description, Schemas.Text(), Schemas.ArrayOf(Schemas.Text()));

    private static OpenApiSchema Listed(OpenApiSchema item) => Schemas.ObjectOf(
        ("id", Schemas.Text()), ("object", Schemas.Text("list.")), ("created", Schemas.Integer("Seconds since 1970.")),
        ("model", Schemas.Text()), ("data", Schemas.ArrayOf(item)), ("usage", UsageSchema()));

    private static OpenApiSchema UsageSchema() => Schemas.ObjectOf(
        ("prompt_tokens", Schemas.Integer("Of all texts; a prompt counts for each of its answers.")),
        ("total_tokens", Schemas.Integer("The same.")),
        ("completion_tokens", Schemas.Integer("0.")),
        ("prompt_tokens_details", new OpenApiSchema { Type = JsonSchemaType.Null }));
}
