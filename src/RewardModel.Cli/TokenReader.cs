using RewardModel.Chat;
using RewardModel.Files;
using RewardModel.Jinja;
using RewardModel.Layouts;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tokenizers;

namespace RewardModel.Cli;

/// <summary>What a model reads of a row: the answers of a list with their prompt, or one text.</summary>
/// <param name="Source">Where the row is.</param>
/// <param name="Pairs">The answers, each with its prompt; of one text the only answer, or the prompt where an answer would follow.</param>
internal sealed record ReadRow(SourceLine Source, IReadOnlyList<EncodedPair> Pairs)
{
    /// <summary>What the texts are, where they are no answers: text or messages; null of a list.</summary>
    public string? Whole { get; init; }

    /// <summary>Of a list, how good its answers are.</summary>
    public IReadOnlyList<double> Scores { get; init; } = [];

    /// <summary>Whether the scores say the order only.</summary>
    public bool ScoresAreOrder { get; init; }

    /// <summary>The ids of each answer and its prompt without special tokens around them, and nothing cut.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Ids { get; init; } = [];

    /// <summary>How many halves of characters were replaced in the row.</summary>
    public int LoneSurrogateCount { get; init; }

    /// <summary>What every answer's prompt begins with: mostly the whole prompt.</summary>
    public int[] SharedPrompt { get; } = Pairs[0].PromptIds[..Pairs.Min(
        pair => pair.PromptIds.AsSpan().CommonPrefixLength(Pairs[0].PromptIds))];
}

/// <summary>
/// Reads rows as a model does: by the rule of a checkpoint, where the tokenizer belongs to one, so as training reads them; else by the tokenizer's
/// own convention, texts as Hugging Face's <c>encode</c>.
/// </summary>
internal sealed class TokenReader
{
    private const string configFile = "config.json";

    private readonly string directory;
    private readonly bool isOfModel;
    private readonly SpecialTokenRule rule;
    private readonly ListTruncation truncation;
    private readonly ListTokenizer texts;
    private readonly Lazy<ChatTemplate> template;
    private readonly Lazy<ChatTokenizer> chats;

    private TokenReader(string directory, HuggingFaceTokenizer tokenizer, ScoringRule? ofModel, int? maxLength)
    {
        (this.directory, Tokenizer, isOfModel) = (directory, tokenizer, ofModel is not null);
        rule = ofModel?.SpecialTokens ?? tokenizer.SpecialTokenRule;
        MaxLength = maxLength ?? ofModel?.MaxLength;
        ReadsTextAsChat = ofModel is { TextIsChat: true, ChatTemplate: not null };
        Encoding = ofModel?.Encoding ?? TextEncoding.Joint;
        var limit = MaxLength ?? int.MaxValue;
        truncation = new ListTruncation(rule, limit);
        texts = new ListTokenizer(tokenizer, rule, limit, Encoding);
        var text = ofModel is null ? tokenizer.ChatTemplate : ofModel.ChatTemplate;
        // Only conversations need it.
        template = new(() => new ChatTemplate(text ?? throw new TokenizerException(
            directory, ["there is no chat template; expected chat_template.jinja, or 'chat_template' in tokenizer_config.json"])));
        chats = new(() => new ChatTokenizer(tokenizer, template.Value, rule, limit));
    }

    /// <summary>The tokenizer.</summary>
    public HuggingFaceTokenizer Tokenizer { get; }

    /// <summary>The most tokens of a prompt and an answer together; null where nothing is cut.</summary>
    public int? MaxLength { get; }

    /// <summary>How a text's prompt and answer are encoded.</summary>
    public TextEncoding Encoding { get; }

    /// <summary>Whether lists of text are read as conversations.</summary>
    public bool ReadsTextAsChat { get; set; }

    /// <summary>In words, by what it reads.</summary>
    public string Description =>
        $"{directory}: {(isOfModel ? "read as the model reads it" : "a tokenizer without a checkpoint")}, "
        + (MaxLength is { } maxLength ? $"at most {maxLength} tokens for a prompt and an answer together" : "nothing is cut");

    /// <summary>The reader of a tokenizer's or a model's directory.</summary>
    public static TokenReader Load(string directory, int? maxLength)
    {
        if (!FolderFile.Exists(directory, configFile))
            return new TokenReader(directory, HuggingFaceTokenizer.Load(directory), ScoringRule.Read(directory), maxLength);
        using var model = ScoringModel.ShapesForTraining(directory, tokenizer: null, maxLength, encoding: null, frozenWeights: null);
        return new TokenReader(directory, model.Tokenizer ?? HuggingFaceTokenizer.Load(directory), model.Rule, maxLength);
    }

    /// <summary>The lists and texts of a row.</summary>
    public IEnumerable<ReadRow> Of(ParsedRow row)
    {
        IEnumerable<ReadRow> rows = row.Whole is { } whole ? [Of(whole, row.Source)]
            : row.TokenizedList is { } ids ? [Of(ids)]
            : row.Lists.Select(Of);
        return rows.Select(read => read with { LoneSurrogateCount = row.LoneSurrogateCount });
    }

    private ReadRow Of(RankedList text)
    {
        var list = ReadsTextAsChat ? text.AsChat() : text;
        var pairs = list.Chat is null ? texts.PairsOf(list) : chats.Value.PairsOf(list);
        return new ReadRow(list.Source, pairs)
        {
            Scores = list.Scores,
            ScoresAreOrder = list.ScoresAreOrder,
            Ids = [.. pairs.Select(IdsOf)],
        };
    }

    private ReadRow Of(TokenizedList list)
    {
        EncodedPair[] pairs = [.. list.AnswerIds.Select((answer, k) => new EncodedPair(list.PromptOf(k), answer, truncation))];
        return new ReadRow(list.Source, pairs)
        {
            Scores = list.Scores,
            ScoresAreOrder = list.ScoresAreOrder,
            Ids = [.. pairs.Select(IdsOf)],
        };
    }

    private ReadRow Of(WholeText whole, SourceLine source)
    {
        if (whole.Text is { } text)
        {
            var pair = isOfModel
                ? texts.PairsOf(new RankedList("", [text], [0], source) { IsWholeText = true })[0]
                : new EncodedPair([], [.. Tokenizer.Encode(text, addSpecialTokens: true)], truncation);
            return new ReadRow(source, [pair]) { Whole = "text", Ids = [Tokenizer.Encode(text, addSpecialTokens: false)] };
        }
        var conversation = OfConversation(whole.Conversation!, source);
        return new ReadRow(source, [conversation]) { Whole = "messages", Ids = [IdsOf(conversation)] };
    }

    private EncodedPair OfConversation(Conversation conversation, SourceLine source)
    {
        var messages = conversation.Messages;
        var isAnswered = messages[^1].Role == "assistant";
        if (isOfModel && isAnswered && messages.Count > 1)
        {
            var chat = new RankedChat(conversation with { Messages = [.. messages.SkipLast(1)] }, [[messages[^1]]]);
            return chats.Value.PairsOf(RankedList.OfChat(chat, [0], source))[0];
        }
        var rendering = Render(template.Value, conversation, !isAnswered, source);
        var ids = Tokenizer.Encode(rendering);
        if (!isOfModel)
            return new EncodedPair([], [.. Tokenizer.AddSpecialTokens(ids)], truncation) { Rendering = rendering };
        IReadOnlyList<int> before = ids.Take(rule.BeforePrompt.Count).SequenceEqual(rule.BeforePrompt) ? [] : rule.BeforePrompt;
        return new EncodedPair([.. before, .. ids], [], truncation) { Rendering = rendering };
    }

    private IReadOnlyList<int> IdsOf(EncodedPair pair)
    {
        if (pair.Rendering is { } rendering)
            return Tokenizer.Encode(rendering);
        ReadOnlySpan<int> prompt = pair.PromptIds, answer = pair.AnswerIds;
        if (prompt.StartsWith([.. rule.BeforePrompt]))
            prompt = prompt[rule.BeforePrompt.Count..];
        if (prompt.EndsWith([.. rule.AfterPrompt]))
            prompt = prompt[..^rule.AfterPrompt.Count];
        if (answer.EndsWith([.. rule.AfterAnswer]))
            answer = answer[..^rule.AfterAnswer.Count];
        return [.. prompt, .. answer];
    }

    /// <summary>What a template rejects is told with its place.</summary>
    private RenderedText Render(ChatTemplate usable, Conversation conversation, bool addGenerationPrompt, SourceLine source)
    {
        try
        {
            return usable.Render(conversation, addGenerationPrompt, Tokenizer.SpecialTokens);
        }
        catch (ChatTemplateException e) when (source != default)
        {
            throw new TokenizerException(source.ToString(), [e.Message]);
        }
    }
}
