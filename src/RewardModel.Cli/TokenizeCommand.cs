using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using RewardModel.Layouts;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Tokenizers;
using RewardModel.Training.Data;

namespace RewardModel.Cli;

/// <summary><c>reward-model tokenize</c>: what a model reads of texts, conversations and ranked lists, token by token.</summary>
internal static class TokenizeCommand
{
    /// <summary>Enough for all cores, and soon shown.</summary>
    private const int rowsAtOnce = 1024;

    private const int defaultRows = 5;

    private static readonly JsonSerializerOptions jsonOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Command Create(TextWriter output, TextWriter errors)
    {
        var tokenizer = new Option<string>("--tokenizer")
        {
            Description = "Directory with tokenizer files. A checkpoint's (config.json, reward_model.json) shows what its model reads: the special "
                + "tokens, template, encoding and maximum length of training.",
            Required = true,
            HelpName = "DIR",
        };
        var chat = new Option<bool>("--chat") { Description = "Take texts for messages of the user, to be rendered by the chat template." };
        var raw = CommonOptions.Raw();
        var text = CommonOptions.Value<string?>("--text", "TEXT", "The text.");
        var data = new DataOptions(
            "Ranked lists, or rows of one text {\"text\": ...} or one conversation {\"messages\": [...]}.", isRequired: false);
        var rows = CommonOptions.Value<int?>(
            "--rows", "N", $"How many rows of the data are shown, from the first on; 0 for all. Default: {defaultRows}, with --json all.");
        var maxLength = CommonOptions.Value<int?>(
            "--max-length", "N", "Most tokens of prompt and answer together. Default: what the checkpoint takes.");
        var full = new Option<bool>("--full") { Description = "Show all tokens of long texts." };
        var json = CommonOptions.Json(
            "Print one JSON object for each text or answer: ids, those of the whole text without special tokens around it; ids_with_special, "
            + "those that are read; decoded; of messages also rendered; where there is a maximum length, prompt_tokens_cut and "
            + "answer_tokens_cut; where there are any, lone_surrogates, the halves of characters that were read as U+FFFD.");
        var command = new Command(
            "tokenize",
            "Shows what a model reads: token by token, with what is cut. Messages by themselves are rendered with the start of an answer, unless "
            + "the assistant has the last word.")
        {
            tokenizer, chat, raw, text,
        };
        data.AddTo(command);
        foreach (var option in (Option[])[rows, maxLength, full, json])
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetResult(text) is null == result.GetResult(data.Data) is null)
                result.AddError("Give either --text TEXT or --data FILE.");
            if (result.GetValue(chat) && result.GetValue(raw))
                result.AddError("Give --chat or --raw, not both.");
            if (result.GetValue(rows) < 0)
                result.AddError($"--rows is {result.GetValue(rows)}; expected 0, for all, or more.");
        });
        command.SetAction(parsed =>
        {
            var asJson = parsed.GetValue(json);
            var reader = TokenReader.Load(parsed.GetValue(tokenizer)!, parsed.GetValue(maxLength));
            reader.ReadsTextAsChat = (reader.ReadsTextAsChat || parsed.GetValue(chat)) && !parsed.GetValue(raw);
            var display = asJson ? null : new TokenDisplay(reader, parsed.GetValue(full), output, TokenDisplay.TerminalOf(output));
            void Show(ReadRow row)
            {
                if (display is not null)
                    display.Write(row);
                else
                    foreach (var line in JsonOf(row, reader))
                        output.WriteLine(line);
            }
            ParsedRow Asked(ParsedRow row) => parsed.GetValue(chat) && row.Whole is { Text: { } content }
                ? row with { Whole = new WholeText(null, new Conversation([new ChatMessage("user", content)])) }
                : row;
            if (data.Of(parsed) is not { } files)
            {
                ReadRow[] read = [.. reader.Of(Asked(new ParsedRow(default) { Whole = new WholeText(parsed.GetValue(text), null) }))];
                display?.WriteStart();
                foreach (var row in read)
                    Show(row);
                return;
            }
            var count = parsed.GetValue(rows) ?? (asJson ? 0 : defaultRows);
            WriteRows(files, count == 0 ? int.MaxValue : count, row => [.. reader.Of(Asked(row))], display, Show, new LineLogger(errors.WriteLine));
        });
        return command;
    }

    private static void WriteRows(
        RankedListFiles files, int count, Func<ParsedRow, ReadRow[]> read, TokenDisplay? display, Action<ReadRow> show, LineLogger logger)
    {
        using var lines = files.Open(mayBeWhole: true);
        var bad = new List<BadLine>();
        var shown = 0;
        foreach (var chunk in lines.Read().Where(row => row.Problem is null).Take(count).Chunk(rowsAtOnce))
        {
            var results = Batch.Map(chunk, Environment.ProcessorCount, row => TryRead(row, read));
            bad.AddRange(results.Select(result => result.Problem).OfType<BadLine>());
            // Rows that are wrong are errors, and those after them are only read for others like them.
            if (files.OnBadData == BadData.Error && lines.BadLines.Count + bad.Count > 0)
                continue;
            foreach (var row in results.SelectMany(result => result.Rows))
            {
                if (shown++ == 0)
                    display?.WriteStart();
                show(row);
            }
        }
        BadLine[] all = [.. lines.BadLines, .. bad];
        if (files.OnBadData == BadData.Error && all.Length > 0)
            throw RankedDataException.Of(all);
        DataLog.LogLeftOut(all, logger);
        if (shown == 0)
            throw new RankedDataException($"{DataPath.Quoted(files.Name)} has no rows to show; expected ranked lists, texts or conversations.");
    }

    private static (ReadRow[] Rows, BadLine? Problem) TryRead(ParsedRow row, Func<ParsedRow, ReadRow[]> read)
    {
        try
        {
            return (read(row), null);
        }
        catch (TokenizerException rejection) when (rejection.Message.StartsWith($"{row.Source}: ", StringComparison.Ordinal))
        {
            return ([], new BadLine(row.Source, string.Join("; ", rejection.Problems)));
        }
    }

    private static IEnumerable<string> JsonOf(ReadRow row, TokenReader reader) => row.Pairs.Select((pair, k) =>
    {
        var (prompt, answer) = pair.Truncated;
        return JsonSerializer.Serialize(
            new Tokens(
                row.Ids[k], [.. prompt, .. answer], reader.Tokenizer.Decode(row.Ids[k], skipSpecialTokens: false), pair.Rendering?.Text,
                reader.MaxLength is null ? null : pair.Cut.PromptCount, reader.MaxLength is null ? null : pair.Cut.AnswerCount,
                row.LoneSurrogateCount > 0 ? row.LoneSurrogateCount : null),
            jsonOptions);
    });

    private sealed record Tokens(
        IReadOnlyList<int> Ids, IReadOnlyList<int> IdsWithSpecial, string Decoded, string? Rendered, int? PromptTokensCut,
        int? AnswerTokensCut, int? LoneSurrogates);
}
