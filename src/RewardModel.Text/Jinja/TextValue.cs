using System.Text;

namespace RewardModel.Jinja;

/// <summary>Where a character of a rendered conversation comes from.</summary>
internal enum TextOrigin : byte
{
    /// <summary>Written by the template, or by the names of special tokens that it was given.</summary>
    Template,

    /// <summary>From a message, or another part of the data.</summary>
    User,

    /// <summary>Computed from both, so that it can't be told.</summary>
    Mixed,
}

/// <summary>A string that knows of each of its UTF-16 units where it comes from.</summary>
internal sealed class TextValue
{
    /// <summary>About the bytes of a text without its characters.</summary>
    private const int ObjectSize = 64;

    /// <summary>Null where all units have the same origin.</summary>
    private readonly TextOrigin[]? origins;
    private readonly TextOrigin origin;

    public TextValue(string text, TextOrigin origin)
    {
        RenderBudget.Allocate(1, ObjectSize);
        (Text, this.origin) = (text, origin);
    }

    private TextValue(string text, TextOrigin[] origins)
    {
        RenderBudget.Allocate(1, ObjectSize);
        Text = text;
        origin = origins.Length == 0 ? TextOrigin.Template : origins[0];
        if (origins.AsSpan().ContainsAnyExcept(origin))
            this.origins = origins;
    }

    public static TextValue Empty { get; } = new("", TextOrigin.Template);

    public string Text { get; }

    /// <summary>Whether the filter <c>safe</c> has marked it, so that what is added to it is escaped, as Python's Markup does.</summary>
    public bool IsMarkup { get; private init; }

    /// <summary>The origin of a text that is computed from this one: its own where it has only one.</summary>
    public TextOrigin Origin => origins is null ? origin : TextOrigin.Mixed;

    public TextOrigin OriginAt(int index) => origins is null ? origin : origins[index];

    /// <summary>The origin of what is computed from several values.</summary>
    public static TextOrigin Combined(TextOrigin first, TextOrigin second) => first == second ? first : TextOrigin.Mixed;

    public static TextValue Concat(TextValue first, TextValue second)
    {
        if (first.Text.Length == 0)
            return second;
        if (second.Text.Length == 0)
            return first;
        ChargeCharacters((long)first.Text.Length + second.Text.Length);
        var text = first.Text + second.Text;
        if (first.origins is null && second.origins is null && first.origin == second.origin)
            return new TextValue(text, first.origin);
        var origins = new TextOrigin[text.Length];
        first.CopyOrigins(origins);
        second.CopyOrigins(origins.AsSpan(first.Text.Length));
        return new TextValue(text, origins);
    }

    /// <summary>Charges the memory of characters that are about to be made: a UTF-16 unit and its origin.</summary>
    public static void ChargeCharacters(long count) => RenderBudget.Allocate(count, sizeof(char) + sizeof(TextOrigin));

    /// <summary>The text as often as a number says.</summary>
    public TextValue Repeated(long count)
    {
        if (Text.Length == 0 || count <= 0)
            return Empty.Marked(IsMarkup);
        RenderBudget.Allocate(count, (long)Text.Length * (sizeof(char) + sizeof(TextOrigin)));
        RenderBudget.Spend(count * Text.Length / 64);
        var text = string.Create((int)count * Text.Length, Text, static (span, part) =>
        {
            for (var start = 0; start < span.Length; start += part.Length)
                part.CopyTo(span[start..]);
        });
        var result = origins is null
            ? new TextValue(text, origin)
            : new TextValue(text, [.. Enumerable.Repeat(origins, (int)count).SelectMany(part => part)]);
        return result.Marked(IsMarkup);
    }

    /// <summary>Parts of the text in any order, one after the other.</summary>
    public TextValue Parts(IEnumerable<(int Start, int End)> parts)
    {
        ChargeCharacters(2L * Text.Length);
        var (units, unitOrigins) = (new StringBuilder(Text.Length), new List<TextOrigin>());
        foreach (var (start, end) in parts)
        {
            units.Append(Text, start, end - start);
            for (var i = start; i < end; i++)
                unitOrigins.Add(OriginAt(i));
        }
        return new TextValue(units.ToString(), [.. unitOrigins]).Marked(IsMarkup);
    }

    public TextValue Part(int start, int length)
    {
        if (length == Text.Length)
            return this;
        ChargeCharacters(length);
        var text = Text.Substring(start, length);
        var part = origins is null ? new TextValue(text, origin) : new TextValue(text, origins[start..(start + length)]);
        return part.Marked(IsMarkup);
    }

    /// <summary>What a function makes of the text, of at most a few characters for each: as <see cref="With"/>.</summary>
    public TextValue Mapped(Func<string, string> map)
    {
        RenderBudget.SpendOn(Text);
        ChargeCharacters(2L * Text.Length);
        return With(map(Text));
    }

    /// <summary>Another text computed from this one: unit for unit where it is as long, else of this one's origin as a whole.</summary>
    public TextValue With(string text) => (origins is not null && text.Length == Text.Length
        ? new TextValue(text, origins)
        : new TextValue(text, Origin)).Marked(IsMarkup);

    /// <summary>The same text, marked by <c>safe</c> or not.</summary>
    public TextValue Marked(bool isMarkup) => isMarkup == IsMarkup ? this
        : origins is null ? new TextValue(Text, origin) { IsMarkup = isMarkup }
        : new TextValue(Text, origins) { IsMarkup = isMarkup };

    /// <summary>The text with HTML's special characters written as entities, unless it is marked already.</summary>
    public TextValue Escaped()
    {
        if (IsMarkup)
            return this;
        var result = new Builder();
        var done = 0;
        for (var i = 0; i < Text.Length; i++)
            if (Entity(Text[i]) is { } entity)
            {
                result.Append(Part(done, i - done));
                result.Append(new TextValue(entity, OriginAt(i)));
                done = i + 1;
            }
        result.Append(Part(done, Text.Length - done));
        return result.ToText().Marked(true);
    }

    private static string? Entity(char character) => character switch
    {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '\'' => "&#39;",
        '"' => "&#34;",
        _ => null,
    };

    private void CopyOrigins(Span<TextOrigin> target)
    {
        if (origins is null)
            target[..Text.Length].Fill(origin);
        else
            origins.CopyTo(target);
    }

    /// <summary>Puts texts together, each with its origins.</summary>
    public sealed class Builder
    {
        private readonly StringBuilder text = new();
        private readonly List<TextValue> parts = [];

        public void Append(TextValue part)
        {
            if (part.Text.Length == 0)
                return;
            RenderBudget.Spend(part.Text.Length / 64);
            RenderBudget.Allocate(1, sizeof(long));
            ChargeCharacters(2L * part.Text.Length);
            text.Append(part.Text);
            parts.Add(part);
        }

        public TextValue ToText()
        {
            if (parts.Count == 0)
                return Empty;
            if (parts.TrueForAll(part => part.origins is null && part.origin == parts[0].origin))
                return new TextValue(text.ToString(), parts[0].origin);
            var origins = new TextOrigin[text.Length];
            var start = 0;
            foreach (var part in parts)
            {
                part.CopyOrigins(origins.AsSpan(start));
                start += part.Text.Length;
            }
            return new TextValue(text.ToString(), origins);
        }
    }
}
