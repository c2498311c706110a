using System.Globalization;
using System.Text;

namespace RewardModel.Jinja;

/// <summary>
/// Cuts a template into tokens as Jinja does with <c>trim_blocks</c> and <c>lstrip_blocks</c> on: the line end after a tag and the white
/// space before it on its line are left out; <c>-</c> at a tag's side takes all white space there, <c>+</c> none.
/// </summary>
internal sealed class TemplateLexer
{
    private static readonly string[] longOperators = ["//", "**", "==", "!=", ">=", "<="];

    private readonly TemplateSource source;
    private readonly string text;
    private readonly List<TemplateToken> tokens = [];
    private int position;
    private bool startsLine = true;

    private TemplateLexer(TemplateSource source)
    {
        this.source = source;
        text = source.Text;
    }

    /// <exception cref="ChatTemplateException">A tag is not closed, or has something that is no token.</exception>
    public static IReadOnlyList<TemplateToken> Tokens(TemplateSource source)
    {
        var lexer = new TemplateLexer(source);
        while (lexer.position < lexer.text.Length)
            lexer.ReadDataAndTag();
        lexer.tokens.Add(new TemplateToken(TemplateTokenKind.End, "", lexer.text.Length));
        return lexer.tokens;
    }

    private void ReadDataAndTag()
    {
        var start = position;
        while (start >= 0 && start < text.Length
            && !(text[start] == '{' && start + 1 < text.Length && text[start + 1] is '{' or '%' or '#'))
            start = text.IndexOf('{', start + 1);
        if (start < 0 || start >= text.Length)
        {
            AddData(position, text.Length);
            position = text.Length;
            return;
        }
        var kind = text[start + 1];
        var sign = SignAt(start + 2);
        AddData(position, DataEnd(position, start, sign, kind != '{'));
        position = start + (sign == default ? 2 : 3);
        startsLine = false;
        switch (kind)
        {
            case '#':
                SkipComment(start);
                break;
            case '%' when RawBody() is { } body:
                ReadRaw(start, body);
                break;
            case '%':
                ReadTag(start, TemplateTokenKind.BlockBegin, TemplateTokenKind.BlockEnd, "%}");
                break;
            default:
                ReadTag(start, TemplateTokenKind.VariableBegin, TemplateTokenKind.VariableEnd, "}}");
                break;
        }
    }

    private char SignAt(int index) => index < text.Length && text[index] is '-' or '+' ? text[index] : default;

    private void AddData(int start, int end)
    {
        if (end > start)
            tokens.Add(new TemplateToken(TemplateTokenKind.Data, text[start..end], start));
    }

    /// <summary>Where data before a tag ends, once white space is taken off.</summary>
    private int DataEnd(int start, int end, char sign, bool stripsLine)
    {
        var stripped = end;
        while (stripped > start && PythonText.IsSpace(text[stripped - 1]))
            stripped--;
        if (sign == '-')
            return stripped;
        if (sign == '+' || !stripsLine)
            return end;
        var lineStart = end > start ? text.LastIndexOf('\n', end - 1, end - start) + 1 : 0;
        if (lineStart == 0)
            return startsLine && stripped == start ? start : end;
        return stripped <= lineStart ? lineStart : end;
    }

    private void SkipComment(int start)
    {
        var end = text.IndexOf("#}", position, StringComparison.Ordinal);
        if (end < 0)
            throw source.Problem(start, "the comment has no end; expected #}");
        position = end + 2;
        EndTag(end > start + 2 ? SignAt(end - 1) : default, trimsLine: true);
    }

    /// <summary>What follows a closing bracket: white space that belongs to it.</summary>
    private void EndTag(char sign, bool trimsLine)
    {
        var start = position;
        if (sign == '-')
            while (position < text.Length && PythonText.IsSpace(text[position]))
                position++;
        else if (sign != '+' && trimsLine && position < text.Length && text[position] == '\n')
            position++;
        startsLine = position > start && text[position - 1] == '\n';
    }

    /// <summary>Where the text of a raw block starts, if the tag at the position is one.</summary>
    private int? RawBody()
    {
        var index = SkipSpace(position);
        if (!text.AsSpan(index).StartsWith("raw"))
            return null;
        index = SkipSpace(index + 3);
        if (text.AsSpan(index).StartsWith("-%}"))
            return SkipSpace(index + 3);
        return text.AsSpan(index).StartsWith("%}") ? index + 2 : null;
    }

    private int SkipSpace(int index)
    {
        while (index < text.Length && PythonText.IsSpace(text[index]))
            index++;
        return index;
    }

    private void ReadRaw(int start, int body)
    {
        for (var open = text.IndexOf("{%", body, StringComparison.Ordinal); open >= 0;
            open = text.IndexOf("{%", open + 2, StringComparison.Ordinal))
        {
            var sign = SignAt(open + 2);
            var index = SkipSpace(open + (sign == default ? 2 : 3));
            if (!text.AsSpan(index).StartsWith("endraw"))
                continue;
            index = SkipSpace(index + 6);
            var endSign = SignAt(index);
            if (!text.AsSpan(index + (endSign == default ? 0 : 1)).StartsWith("%}"))
                continue;
            startsLine = body > 0 && text[body - 1] == '\n';
            AddData(body, DataEnd(body, open, sign, stripsLine: true));
            position = index + (endSign == default ? 2 : 3);
            EndTag(endSign, trimsLine: true);
            return;
        }
        throw source.Problem(start, "the tag 'raw' has no end; expected {% endraw %}");
    }

    private void ReadTag(int start, TemplateTokenKind begin, TemplateTokenKind end, string bracket)
    {
        tokens.Add(new TemplateToken(begin, text[start..position], start));
        var open = new Stack<char>();
        while (true)
        {
            position = SkipSpace(position);
            if (position >= text.Length)
                throw source.Problem(start, $"the tag has no end; expected {bracket}");
            var sign = SignAt(position);
            var hasSign = sign == '-' || (sign == '+' && bracket == "%}");
            if (open.Count == 0 && text.AsSpan(position + (hasSign ? 1 : 0)).StartsWith(bracket))
            {
                tokens.Add(new TemplateToken(end, bracket, position));
                position += bracket.Length + (hasSign ? 1 : 0);
                EndTag(sign, trimsLine: bracket == "%}");
                return;
            }
            ReadToken(open);
        }
    }

    private void ReadToken(Stack<char> open)
    {
        var first = text[position];
        if (char.IsAsciiDigit(first))
            ReadNumber();
        else if (first is '\'' or '"')
            ReadText(first);
        else if (first == '_' || char.IsLetter(first))
            ReadName();
        else
            ReadOperator(open);
    }

    private void ReadName()
    {
        var start = position;
        while (position < text.Length && (text[position] == '_' || char.IsLetterOrDigit(text[position])))
            position++;
        tokens.Add(new TemplateToken(TemplateTokenKind.Name, text[start..position], start));
    }

    private void ReadNumber()
    {
        var start = position;
        if (text[start] == '0' && start + 1 < text.Length && "xob".IndexOf(char.ToLowerInvariant(text[start + 1]), StringComparison.Ordinal)
            is >= 0 and var radix)
        {
            ReadNumber(start, radix switch { 0 => 16, 1 => 8, _ => 2 });
            return;
        }
        SkipDigits();
        var kind = TemplateTokenKind.Integer;
        if (start == 0 || text[start - 1] != '.')
        {
            if (position + 1 < text.Length && text[position] == '.' && char.IsAsciiDigit(text[position + 1]))
            {
                position++;
                SkipDigits();
                kind = TemplateTokenKind.Float;
            }
            var exponent = position + 1;
            if (exponent < text.Length && text[position] is 'e' or 'E')
            {
                if (text[exponent] is '+' or '-')
                    exponent++;
                if (exponent < text.Length && char.IsAsciiDigit(text[exponent]))
                {
                    position = exponent;
                    SkipDigits();
                    kind = TemplateTokenKind.Float;
                }
            }
        }
        tokens.Add(new TemplateToken(kind, text[start..position].Replace("_", "", StringComparison.Ordinal), start));
    }

    private void ReadNumber(int start, int radix)
    {
        position = start + 2;
        while (position < text.Length && (char.IsAsciiHexDigit(text[position]) || text[position] == '_'))
            position++;
        var digits = text[(start + 2)..position].Replace("_", "", StringComparison.Ordinal);
        try
        {
            var number = checked((long)Convert.ToUInt64(digits, radix));
            tokens.Add(new TemplateToken(TemplateTokenKind.Integer, number.ToString(CultureInfo.InvariantCulture), start));
        }
        catch (Exception exception) when (exception is FormatException or OverflowException or ArgumentException)
        {
            throw source.Problem(start, $"'{Excerpt.Of(text[start..position])}' is no number that is supported");
        }
    }

    private void SkipDigits()
    {
        while (position < text.Length && (char.IsAsciiDigit(text[position])
            || (text[position] == '_' && position + 1 < text.Length && char.IsAsciiDigit(text[position + 1]))))
            position++;
    }

    private void ReadOperator(Stack<char> open)
    {
        var rest = text.AsSpan(position);
        foreach (var longOperator in longOperators)
            if (rest.StartsWith(longOperator))
            {
                tokens.Add(new TemplateToken(TemplateTokenKind.Operator, longOperator, position));
                position += 2;
                return;
            }
        var character = rest[0];
        if (!"+-/*%~[](){}><=.:|,".Contains(character))
            throw source.Problem(position, $"the character '{character}' has no meaning here");
        if (character is '(' or '[' or '{')
            open.Push(character == '(' ? ')' : character == '[' ? ']' : '}');
        if (character is ')' or ']' or '}' && (!open.TryPop(out var expected) || expected != character))
            throw source.Problem(position, $"'{character}' closes no bracket");
        tokens.Add(new TemplateToken(TemplateTokenKind.Operator, character.ToString(), position));
        position++;
    }

    private void ReadText(char quote)
    {
        var start = position++;
        var result = new StringBuilder();
        while (position < text.Length && text[position] != quote)
            if (text[position] == '\\' && position + 1 < text.Length)
                ReadEscape(result);
            else
                result.Append(text[position++]);
        if (position >= text.Length)
            throw source.Problem(start, $"the string has no end; expected {quote}");
        position++;
        tokens.Add(new TemplateToken(TemplateTokenKind.Text, result.ToString(), start));
    }

    /// <summary>An escape of Python's strings; an unknown one stands for itself, backslash and all.</summary>
    private void ReadEscape(StringBuilder result)
    {
        var start = position;
        var name = text[position + 1];
        position += 2;
        switch (name)
        {
            case '\n':
                break;
            case '\\' or '\'' or '"':
                result.Append(name);
                break;
            case 'x' or 'u' or 'U':
                var length = name == 'x' ? 2 : name == 'u' ? 4 : 8;
                if (position + length > text.Length
                    || !int.TryParse(
                        text.AsSpan(position, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
                    || code is < 0 or > 0x10ffff)
                    throw source.Problem(start, $"the escape \\{name} is not followed by {length} hexadecimal digits of a character");
                result.Append(code is >= 0xd800 and <= 0xdfff || code <= 0xffff ? ((char)code).ToString() : char.ConvertFromUtf32(code));
                position += length;
                break;
            case 'N':
                throw source.Problem(start, "the escape \\N is not supported; write the character, or \\u and its number");
            case >= '0' and <= '7':
                var number = name - '0';
                for (var i = 0; i < 2 && position < text.Length && text[position] is >= '0' and <= '7'; i++)
                    number = number * 8 + (text[position++] - '0');
                result.Append((char)number);
                break;
            default:
                var index = "abfnrtv".IndexOf(name, StringComparison.Ordinal);
                result.Append(index < 0 ? text[start..position] : "\a\b\f\n\r\t\v"[index].ToString());
                break;
        }
    }
}
