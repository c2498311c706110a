using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using RewardModel.Chat;
using RewardModel.Tokenization;
using RewardModel.Training.Data;

namespace RewardModel.Cli;

/// <summary><c>reward-model tokenize</c>: what a tokenizer and its chat template make of texts and conversations.</summary>
internal static class TokenizeCommand
{
    private static readonly JsonSerializerOptions jsonOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Command Create(TextWriter output)
    {
        var tokenizer = new Option<DirectoryInfo>("--tokenizer")
        {
            Description = "Directory with tokenizer files.",
            Required = true,
            HelpName = "DIR",
        };
        var chat = new Option<bool>("--chat") { Description = "Take texts for messages of the user, to be rendered by the chat template." };
        var text = CommonOptions.Value<string?>("--text", "TEXT", "The text.");
        var data = CommonOptions.Value<FileInfo?>(
            "--data", "FILE", "Lines of {\"text\": ...} or {\"messages\": [...]}. JSON lines, plain or .gz.");
        var json = CommonOptions.Json("Print one JSON object for each text: ids, ids_with_special, decoded; of messages also rendered.");
        var command = new Command(
            "tokenize",
            "Shows what a tokenizer makes of a text. Messages are rendered with the start of an answer, unless the assistant has the last word.")
        {
            tokenizer, chat, text, data, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(text) is null == result.GetResult(data) is null)
                result.AddError("Give either --text TEXT or --data FILE.");
        });
        command.SetAction(parsed =>
        {
            var directory = parsed.GetValue(tokenizer)!.FullName;
            var view = new TokenView(HuggingFaceTokenizer.Load(directory), directory);
            var lines = parsed.GetValue(data) is { } file ? TextLines.Read(file.FullName) : [new TextLine(parsed.GetValue(text), null, default)];
            foreach (var line in lines)
            {
                var conversation = line.Conversation
                    ?? (parsed.GetValue(chat) ? new Conversation([new ChatMessage("user", line.Text!)]) : null);
                var tokens = conversation is null ? view.Of(line.Text!) : view.Of(conversation);
                if (parsed.GetValue(json))
                    output.WriteLine(JsonSerializer.Serialize(tokens, jsonOptions));
                else
                    view.Write(tokens, output);
            }
        });
        return command;
    }

    private sealed record Tokens(
        IReadOnlyList<int> Ids, IReadOnlyList<int> IdsWithSpecial, string Decoded, string? Rendered,
        [property: JsonIgnore] IReadOnlyList<(string Text, bool IsTemplate)> Pieces);

    private sealed class TokenView(HuggingFaceTokenizer tokenizer, string directory)
    {
        private readonly Lazy<ChatTemplate> template = new(() => new ChatTemplate(tokenizer.ChatTemplate ?? throw new TokenizerException(
            directory, ["there is no chat template; expected chat_template.jinja, or 'chat_template' in tokenizer_config.json"])));

        public Tokens Of(string text)
        {
            var ids = tokenizer.Encode(text, addSpecialTokens: false);
            return new Tokens(ids, tokenizer.Encode(text, addSpecialTokens: true), Decoded(ids), null, [(text, false)]);
        }

        public Tokens Of(Conversation conversation)
        {
            var rendered = template.Value.Render(
                conversation, addGenerationPrompt: conversation.Messages[^1].Role != "assistant", tokenizer.SpecialTokens);
            var ids = tokenizer.Encode(rendered);
            return new Tokens(ids, tokenizer.AddSpecialTokens(ids), Decoded(ids), rendered.Text, rendered.Pieces);
        }

        public void Write(Tokens tokens, TextWriter output)
        {
            foreach (var (text, isTemplate) in tokens.Pieces)
                output.WriteLine($"{(isTemplate ? "template" : "text"),-9} {JsonSerializer.Serialize(text, jsonOptions)}");
            output.WriteLine($"tokens    {string.Join(' ', tokens.IdsWithSpecial.Select(id => JsonSerializer.Serialize(Decoded([id]), jsonOptions)))}");
            output.WriteLine($"ids       {string.Join(' ', tokens.IdsWithSpecial)}");
            var count = tokens.IdsWithSpecial.Count;
            output.WriteLine($"count     {count}, {count - tokens.Ids.Count} of them special tokens that are put around it");
            output.WriteLine(tokenizer.MaxLength is not { } maxLength ? "cut       nothing: the tokenizer has no model_max_length"
                : $"cut       {Math.Max(0, count - maxLength)} to model_max_length {maxLength}, a prompt on the left, an answer on the right");
        }

        private string Decoded(IReadOnlyList<int> ids) => tokenizer.Decode(ids, skipSpecialTokens: false);
    }
}
