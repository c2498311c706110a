using System.Globalization;
using System.Text;
using RewardModel.Lists;
using RewardModel.Tokenizers;
using Spectre.Console;

namespace RewardModel.Cli;

/// <summary>
/// Writes tokens so that one sees where each begins: in colours on a terminal that has them, elsewhere with a line between two of them.
/// </summary>
/// <param name="reader">What read the rows.</param>
/// <param name="showsAll">Whether long texts are shown as a whole.</param>
/// <param name="output">Where to write.</param>
/// <param name="terminal">The terminal that the output is; null where it is none.</param>
internal sealed class TokenDisplay(TokenReader reader, bool showsAll, TextWriter output, IAnsiConsole? terminal)
{
    /// <summary>Of a longer run of tokens so many are shown at each end.</summary>
    private const int shownAtEnds = 100;

    private const string separator = "│";

    // Read on dark and on light terminals: both colours of a token are given.
    private static readonly Style[] textStyles = [new(Color.Black, Color.LightSkyBlue1), new(Color.Black, Color.Khaki1)];
    private static readonly Style[] templateStyles = [new(Color.Black, Color.Grey70), new(Color.Black, Color.Grey82)];
    private static readonly Style specialStyle = new(Color.White, Color.DarkMagenta);
    private static readonly Style cutStyle = new(Color.Grey, decoration: Decoration.Dim | Decoration.Strikethrough);
    private static readonly Style noteStyle = new(Color.Grey);

    private readonly IAnsiConsole? colors = terminal?.Profile.Capabilities is { Ansi: true, ColorSystem: not ColorSystem.NoColors } ? terminal : null;

    private readonly HashSet<int> specialIds = [.. reader.Tokenizer.SpecialAddedTokens.Select(token => token.Id)];

    /// <summary>The terminal that an output is, if it is one.</summary>
    public static IAnsiConsole? TerminalOf(TextWriter output) => output == Console.Out && !Console.IsOutputRedirected
        ? AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) })
        : null;

    /// <summary>Says by what all rows are read.</summary>
    public void WriteStart() => output.WriteLine(reader.Description);

    /// <summary>Writes a row: a list as its prompt and its answers, with what is cut, and counts.</summary>
    public void Write(ReadRow row)
    {
        output.WriteLine();
        if (row.Source != default)
            output.WriteLine(row.Source.ToString());
        var shared = row.Whole is null ? row.SharedPrompt.Length : 0;
        string[] labels = [.. row.Pairs.Select((_, k) => row.Whole ?? $"answer {k + 1}, {GradeOf(row, k)}")];
        var width = Math.Max(labels.Max(label => label.Length), "replaced".Length) + 2;
        if (row.Whole is null)
        {
            // What is cut of the prompt for all of the answers.
            var start = row.Pairs[0].Cut.PromptStart;
            var cut = Math.Min(row.Pairs.Min(pair => pair.Cut.PromptCount), Math.Max(0, shared - start));
            WriteLine("prompt", width, Tokens(row.Pairs[0])[..shared], [(start, cut)]);
        }
        foreach (var (pair, label) in row.Pairs.Zip(labels))
        {
            var (promptStart, promptCount, answerStart, answerCount) = pair.Cut;
            var ownStart = Math.Max(0, promptStart - shared);
            var ownCut = Math.Max(0, promptStart + promptCount - shared - ownStart);
            WriteLine(
                label, width, Tokens(pair)[shared..], [(ownStart, ownCut), (pair.PromptIds.Length - shared + answerStart, answerCount)]);
        }
        WriteLabel("tokens", width, Counts(row));
        if (row.LoneSurrogateCount > 0)
            WriteLabel("replaced", width, $"{Counted.Of(row.LoneSurrogateCount, "lone surrogate")}, halves of characters, by U+FFFD");
    }

    private static string GradeOf(ReadRow row, int answer) => row.ScoresAreOrder
        ? $"rank {1 + row.Scores.Count(score => score > row.Scores[answer])}"
        : string.Create(CultureInfo.InvariantCulture, $"score {row.Scores[answer]}");

    private static string Counts(ReadRow row)
    {
        if (row.Whole is not null)
            return CountOf(
                row.Pairs[0].PromptIds.Length + row.Pairs[0].AnswerIds.Length, row.Pairs[0].Cut.PromptCount + row.Pairs[0].Cut.AnswerCount);
        // Answers may have prompts of their own; the shared one is told, and what is beside it is told with the answer.
        var (shared, common) = (row.SharedPrompt.Length, row.Pairs.Min(pair => pair.Cut.PromptCount));
        return $"prompt {CountOf(shared, common)}; " + string.Join("; ", row.Pairs.Select((pair, k) =>
            $"answer {k + 1}: {CountOf(pair.PromptIds.Length - shared + pair.AnswerIds.Length, pair.Cut.AnswerCount)}"
            + (pair.Cut.PromptCount > common ? $", and {pair.Cut.PromptCount} of its prompt cut" : "")));
    }

    private static string CountOf(int count, int cutCount) => cutCount == 0 ? $"{count}" : $"{count}, {cutCount} cut";

    private void WriteLabel(string label, int width, string text) => output.WriteLine($"{label.PadRight(width)}{text}");

    private void WriteLine(string label, int width, Token[] tokens, (int Start, int Count)[] cuts)
    {
        var line = new List<Piece>();
        var at = 0;
        foreach (var (start, count) in cuts.Where(cut => cut.Count > 0))
        {
            Add(line, tokens[at..start], isCut: false);
            line.Add(new Piece($"[... {Counted.Of(count, "token")} cut: ", noteStyle, Side.Opening));
            Add(line, tokens[start..(start + count)], isCut: true);
            line.Add(new Piece("]", noteStyle, Side.Closing));
            at = start + count;
        }
        Add(line, tokens[at..], isCut: false);
        if (colors is null)
        {
            WriteLabel(label, width, PlainText(line));
            return;
        }
        var paragraph = new Paragraph();
        paragraph.Append(label.PadRight(width));
        foreach (var piece in line)
            paragraph.Append(piece.Text, piece.Style);
        // The terminal breaks lines itself, in the middle of words, which changes no space.
        colors.Profile.Width = 1 << 24;
        colors.Write(paragraph);
        colors.WriteLine();
    }

    private void Add(List<Piece> line, Token[] tokens, bool isCut)
    {
        var leftOut = showsAll ? 0 : Math.Max(0, tokens.Length - 2 * shownAtEnds);
        for (var i = 0; i < tokens.Length; i++)
            if (leftOut > 0 && i == shownAtEnds)
            {
                line.Add(new Piece($"... {Counted.Of(leftOut, "token")} ...", noteStyle, Side.None));
                i += leftOut - 1;
            }
            else
                line.Add(new Piece(tokens[i].Text, isCut ? cutStyle : StyleOf(tokens[i].Kind, i), Side.None));
    }

    private static Style StyleOf(TokenKind kind, int index) => kind switch
    {
        TokenKind.Special => specialStyle,
        TokenKind.Template => templateStyles[index % 2],
        _ => textStyles[index % 2],
    };

    private static string PlainText(List<Piece> line)
    {
        var text = new StringBuilder();
        for (var i = 0; i < line.Count; i++)
            text.Append(i == 0 || line[i - 1].Side == Side.Opening || line[i].Side == Side.Closing ? "" : separator).Append(line[i].Text);
        return text.ToString();
    }

    /// <summary>The tokens of a prompt and its answer.</summary>
    private Token[] Tokens(EncodedPair pair)
    {
        int[] ids = [.. pair.PromptIds, .. pair.AnswerIds];
        var areTemplate = AreTemplate(pair, ids);
        var texts = TokenTexts.Of(reader.Tokenizer, ids);
        return
        [
            .. ids.Select((id, i) => new Token(
                texts[i] is "" ? $"#{id}" : Visible(texts[i]),
                specialIds.Contains(id) ? TokenKind.Special : areTemplate[i] ? TokenKind.Template : TokenKind.Text)),
        ];
    }

    /// <summary>
    /// Of each token whether the template wrote it. One that lies in two parts is of the second. Encoders encode prompt and answer apart: of
    /// theirs it is not told.
    /// </summary>
    private bool[] AreTemplate(EncodedPair pair, int[] ids)
    {
        var areTemplate = new bool[ids.Length];
        if (pair.Rendering is not { } rendering)
            return areTemplate;
        var whole = reader.Tokenizer.Encode(rendering);
        var start = ids.AsSpan().IndexOf([.. whole]);
        if (start < 0)
            return areTemplate;
        var (at, length) = (0, 0);
        foreach (var (text, isTemplate) in rendering.Pieces)
        {
            length += text.Length;
            var end = reader.Tokenizer.EncodeParts(rendering, length).PromptCount;
            areTemplate.AsSpan(start + at, Math.Max(0, end - at)).Fill(isTemplate);
            at = Math.Max(at, end);
        }
        return areTemplate;
    }

    /// <summary>Control characters as escapes: a line stays one line, and data can't command a terminal.</summary>
    private static string Visible(string text) => text.Any(char.IsControl)
        ? string.Concat(text.Select(c => c switch
        {
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ when char.IsControl(c) => $"\\u{(int)c:x4}",
            _ => $"{c}",
        }))
        : text;

    private enum TokenKind
    {
        Text,
        Template,
        Special,
    }

    private enum Side
    {
        None,
        Opening,
        Closing,
    }

    private readonly record struct Token(string Text, TokenKind Kind);

    private readonly record struct Piece(string Text, Style Style, Side Side);
}
