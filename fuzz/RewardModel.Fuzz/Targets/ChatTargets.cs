using System.Text;
using System.Text.Json;
using RewardModel.Chat;
using RewardModel.Fuzz.Mutation;
using RewardModel.Fuzz.Seeds;
using RewardModel.Jinja;
using RewardModel.Lists;

namespace RewardModel.Fuzz.Targets;

/// <summary>Chat templates, and conversations that they render.</summary>
internal static class ChatTargets
{
    private static readonly Dictionary<string, string> specialTokens = new() { ["bos_token"] = "<s>", ["eos_token"] = "</s>" };

    private static readonly JsonElement tools = JsonSerializer.Deserialize<JsonElement>(
        """[{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"x": {"type": "number"}}}}}]""");

    private static readonly TokenMutation tokens = new(ChatSeeds.Words);

    /// <summary>The targets.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("chat-template", SeedText.Of(ChatSeeds.Templates), new MixedMutation(tokens),
            (input, _) =>
            {
                var template = new ChatTemplate(Encoding.UTF8.GetString(input));
                Render(template, ChatSeeds.Conversations[0], isOpen: true);
                Render(template, ChatSeeds.Conversations[1], isOpen: false);
            },
            typeof(ChatTemplateException)),
        new("chat-conversation",
            [.. ChatSeeds.Templates.SelectMany(template => ChatSeeds.Conversations.Select(text => InputParts.Join(SeedText.Of(template, text))))],
            new PartMutation(tokens, new JsonMutation(SeedText.WordsOf(ChatSeeds.Conversations))),
            (input, _) =>
            {
                var parts = InputParts.Split(input, 2);
                Render(new ChatTemplate(Encoding.UTF8.GetString(parts[0])), Encoding.UTF8.GetString(parts[1]), isOpen: true);
            },
            // What is no conversation is no case for a template.
            typeof(ChatTemplateException), typeof(JsonException), typeof(ArgumentException)),
    ];

    private static void Render(ChatTemplate template, string conversation, bool isOpen)
    {
        var messages = JsonSerializer.Deserialize<JsonElement[]>(conversation) ?? [];
        template.Render(new Conversation([.. messages.Select(ChatMessage.FromJson)]) { Tools = isOpen ? tools : null }, isOpen, specialTokens);
    }
}
