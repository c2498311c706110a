using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using RewardModel.Chat;
using RewardModel.Jinja;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Tokenizers;

namespace RewardModel.Cli;

/// <summary><c>reward-model tokenize</c>: what a tokenizer and its chat template make of texts and conversations.</summary>
internal static class TokenizeCommand
{
    /// <summary>Enough for all cores, and soon shown.</summary>
    private const int LinesAtOnce = 1024;

    private static readonly JsonSerializerOptions jsonOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Command Create(TextWriter output)
    {
        var tokenizer = new Option<string>("--tokenizer")
        {
            Description = "Directory with tokenizer files.",
            Required = true,
            HelpName = "DIR",
        };
        var chat = new Option<bool>("--chat") { Description = "Take texts for messages of the user, to be rendered by the chat template." };
        var text = CommonOptions.Value<string?>("--text", "TEXT", "The text.");
        var data = CommonOptions.Value<string?>(
            "--data", "FILE", "Lines of {\"text\": ...} or {\"messages\": [...]}, or ranked lists, whose answers are shown with their "
            + "prompts. JSON lines or a JSON array, plain or .gz; "
            + "- reads standard input.");
        var json = CommonOptions.Json(
            "Print one JSON object for each text: ids, ids_with_special, decoded; of messages also rendered; "
            + "where there are any, lone_surrogates, the halves of characters that were read as U+FFFD.");
        var command = new Command(
            "tokenize",
            "Shows what a tokenizer makes of a text. Messages are rendered with the start of an answer, unless the assistant has the "
            + "last word.")
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
            var directory = parsed.GetValue(tokenizer)!;
            var view = new TokenView(HuggingFaceTokenizer.Load(directory), directory);
            var lines = parsed.GetValue(data) is { } file
                ? TextLines.Read(file)
                : [new TextLine(parsed.GetValue(text), null, default)];
            if (parsed.GetValue(chat))
                lines = [.. lines.Select(line => line.Text is null
                    ? line
                    : line with { Conversation = new Conversation([new ChatMessage("user", line.Text)]) })];
            foreach (var tokens in lines.Chunk(LinesAtOnce).SelectMany(view.Of))
                if (parsed.GetValue(json))
                    output.WriteLine(JsonSerializer.Serialize(tokens, jsonOptions));
                else
                    view.Write(tokens, output);
        });
        return command;
    }

    private sealed record Tokens(
        IReadOnlyList<int> Ids, IReadOnlyList<int> IdsWithSpecial, string Decoded, string? Rendered, int? LoneSurrogates,
        [property: JsonIgnore] IReadOnlyList<(string Text, bool IsTemplate)> Pieces);

    private sealed class TokenView(HuggingFaceTokenizer tokenizer, string directory)
    {
        private readonly Lazy<ChatTemplate> template = new(() => new ChatTemplate(tokenizer.ChatTemplate ?? throw new TokenizerException(
            directory, ["there is no chat template; expected chat_template.jinja, or 'chat_template' in tokenizer_config.json"])));

        /// <summary>What the tokenizer makes of the lines, in their order. All cores encode.</summary>
        public IEnumerable<Tokens> Of(IReadOnlyList<TextLine> lines)
        {
            RenderedText[] renderings = [.. lines.Where(line => line.Conversation is not null).Select(Render)];
            string[] texts = [.. lines.Where(line => line.Conversation is null).Select(line => line.Text!)];
            var ofConversations = new Queue<Tokens>(renderings.Zip(
                tokenizer.EncodeBatch(renderings),
                (rendering, ids) => new Tokens(
                    ids, tokenizer.AddSpecialTokens(ids), Decoded(ids), rendering.Text, null, rendering.Pieces)));
            // AddSpecialTokens would leave out what a text itself starts or ends with; Hugging Face puts it there again.
            var ofTexts = new Queue<Tokens>(texts
                .Zip(tokenizer.EncodeBatch(texts, addSpecialTokens: false), tokenizer.EncodeBatch(texts, addSpecialTokens: true))
                .Select(item => new Tokens(item.Second, item.Third, Decoded(item.Second), null, null, [(item.First, false)])));
            return lines.Select(line => (line.Conversation is null ? ofTexts : ofConversations).Dequeue() with
            {
                LoneSurrogates = line.LoneSurrogateCount > 0 ? line.LoneSurrogateCount : null,
            });
        }

        public void Write(Tokens tokens, TextWriter output)
        {
            foreach (var (text, isTemplate) in tokens.Pieces)
                output.WriteLine($"{(isTemplate ? "template" : "text"),-9} {JsonSerializer.Serialize(text, jsonOptions)}");
            var spellings = tokens.IdsWithSpecial.Select(id => JsonSerializer.Serialize(Decoded([id]), jsonOptions));
            output.WriteLine($"tokens    {string.Join(' ', spellings)}");
            output.WriteLine($"ids       {string.Join(' ', tokens.IdsWithSpecial)}");
            if (tokens.LoneSurrogates is { } loneSurrogates)
                output.WriteLine($"replaced  {loneSurrogates} lone surrogates, halves of characters, by U+FFFD");
            var count = tokens.IdsWithSpecial.Count;
            output.WriteLine($"count     {count}, {count - tokens.Ids.Count} of them special tokens that are put around it");
            output.WriteLine(tokenizer.MaxLength is not { } maxLength
                ? "cut       nothing: the tokenizer has no model_max_length"
                : $"cut       {Math.Max(0, count - maxLength)} to model_max_length {maxLength}, "
                + "a prompt on the left, an answer on the right");
        }

        private RenderedText Render(TextLine line)
        {
            try
            {
                return template.Value.Render(
                    line.Conversation!, addGenerationPrompt: line.Conversation!.Messages[^1].Role != "assistant", tokenizer.SpecialTokens);
            }
            catch (ChatTemplateException e) when (line.Source != default)
            {
                throw new TokenizerException(line.Source.ToString(), [e.Message]);
            }
        }

        private string Decoded(IReadOnlyList<int> ids) => tokenizer.Decode(ids, skipSpecialTokens: false);
    }
}
