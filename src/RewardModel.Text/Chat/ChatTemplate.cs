using System.Runtime.InteropServices;
using RewardModel.Jinja;
using RewardModel.Lists;

namespace RewardModel.Chat;

/// <summary>
/// The chat template of a Hugging Face checkpoint: the part of Jinja that such templates use, rendered as transformers renders it. What is
/// not supported is an error: at once, or for filters and tests in conditions and for methods when they are reached. A template can only
/// compute text: it reads no files, calls no code, and its steps, memory, time and depth are bounded. Thread-safe.
/// </summary>
public sealed class ChatTemplate
{
    /// <summary>
    /// The date that <c>strftime_now</c> returns in training and scoring: always the same day, the default date of Llama 3's templates, so
    /// that a reward doesn't depend on when it is computed.
    /// </summary>
    public static readonly DateTime FixedDate = new(2024, 7, 26, 0, 0, 0, DateTimeKind.Unspecified);

    private readonly TemplateSource source;
    private readonly IReadOnlyList<Statement> statements;

    /// <summary>Reads a template.</summary>
    /// <param name="text">What <c>chat_template.jinja</c> or <c>chat_template</c> of tokenizer_config.json holds.</param>
    /// <exception cref="ChatTemplateException">
    /// It has an error, or uses something that is not supported; the message has line and column. Or it has more than 1,000,000
    /// characters.
    /// </exception>
    public ChatTemplate(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Text = text;
        source = new TemplateSource(text);
        statements = TemplateParser.Parse(source);
    }

    /// <summary>The template as it was given.</summary>
    public string Text { get; }

    /// <summary>Renders a conversation.</summary>
    /// <param name="conversation">The messages and tools.</param>
    /// <param name="addGenerationPrompt">Whether the text ends with what comes before an assistant's message.</param>
    /// <param name="specialTokens">Special tokens by the names that templates know them by: <c>bos_token</c> and so on.</param>
    /// <param name="now">What <c>strftime_now</c> takes for the present; null: <see cref="FixedDate"/>.</param>
    /// <exception cref="ChatTemplateException">
    /// The template rejects the conversation, can't be rendered with it, or takes more than a rendering may use: 2,000,000 steps, 64 MB
    /// (and 16 times the conversation's size), 2 seconds, 400 levels of nesting and calls, or 100 levels of a value.
    /// </exception>
    public RenderedText Render(
        Conversation conversation, bool addGenerationPrompt, IReadOnlyDictionary<string, string> specialTokens, DateTime? now = null)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        ArgumentNullException.ThrowIfNull(specialTokens);
        try
        {
            var globals = Globals.Functions(now ?? FixedDate).ToDictionary(function => function.Name, function => (object?)function);
            foreach (var (name, token) in specialTokens)
                globals[name] = new TextValue(token, TextOrigin.Template);
            globals["messages"] = new SequenceValue(
                [.. conversation.Messages.Select(message => JsonValues.Of(message.Json, isMessage: true))]);
            globals["tools"] = conversation.Tools is { } tools ? JsonValues.Of(tools) : null;
            globals["documents"] = null;
            globals["add_generation_prompt"] = addGenerationPrompt;
            return new RenderedText(Interpreter.Render(source, statements, globals, SizeOf(conversation)), conversation);
        }
        catch (RenderProblem problem)
        {
            throw source.Problem(0, problem.Message);
        }
    }

    /// <summary>About the bytes of a conversation's texts: two for every byte of its JSON, which is UTF-8.</summary>
    private static long SizeOf(Conversation conversation) => 2 * (
        conversation.Messages.Sum(message => (long)JsonMarshal.GetRawUtf8Value(message.Json).Length)
        + (conversation.Tools is { } tools ? JsonMarshal.GetRawUtf8Value(tools).Length : 0));
}
