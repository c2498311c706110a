using System.Globalization;
using System.Text;

namespace RewardModel.Training.Records;

/// <summary>
/// Writes HTML that is well-formed XML too. Every text and every value of an attribute is escaped; names of elements and attributes are ours.
/// </summary>
internal sealed class Html
{
    private readonly StringBuilder text = new();

    /// <summary>Opens an element; disposing of the result closes it.</summary>
    /// <param name="tag">Its name.</param>
    /// <param name="attributes">Its attributes; those whose values are null are left out.</param>
    public Scope Open(string tag, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        Start(tag, attributes);
        text.Append('>');
        return new Scope(this, tag);
    }

    /// <summary>An element with a text.</summary>
    public void Element(string tag, string content, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        using var _ = Open(tag, attributes);
        Text(content);
    }

    /// <summary>An element without content: one of SVG, or one that HTML has without an end.</summary>
    public void Empty(string tag, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        Start(tag, attributes);
        text.Append("/>");
    }

    /// <summary>A text.</summary>
    public void Text(string content) => AppendEscaped(content);

    /// <summary>Markup, style sheets and scripts of our own, which are not escaped.</summary>
    public void Trusted(string markup) => text.Append(markup);

    /// <summary>What was written.</summary>
    public override string ToString() => text.ToString();

    private void Start(string tag, ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        text.Append('<').Append(tag);
        foreach (var (name, value) in attributes)
        {
            if (value is null)
                continue;
            text.Append(' ').Append(name).Append("=\"");
            AppendEscaped(value);
            text.Append('"');
        }
    }

    private void AppendEscaped(string value)
    {
        for (var i = 0; i < value.Length; i++)
            switch (value[i])
            {
                case '&':
                    text.Append("&amp;");
                    break;
                case '<':
                    text.Append("&lt;");
                    break;
                case '>':
                    text.Append("&gt;");
                    break;
                case '"':
                    text.Append("&quot;");
                    break;
                case '\'':
                    text.Append("&#39;");
                    break;
                case var high when char.IsHighSurrogate(high) && i + 1 < value.Length && char.IsLowSurrogate(value[i + 1]):
                    text.Append(high).Append(value[++i]);
                    break;
                case var character when IsInvisible(character):
                    text.Append(CultureInfo.InvariantCulture, $"⟨U+{(int)character:X4}⟩");
                    break;
                case var character:
                    text.Append(character);
                    break;
            }
    }

    /// <summary>
    /// What HTML can't have (controls, halves of surrogate pairs), and what changes the order of other characters without being seen itself.
    /// </summary>
    private static bool IsInvisible(char character) => character switch
    {
        '\t' or '\n' => false,
        '\u061c' or '\u200e' or '\u200f' or '\ufeff' or '\ufffe' or '\uffff' => true,
        >= '\u2028' and <= '\u202e' or (>= '\u2066' and <= '\u2069') or (>= '\ufff9' and <= '\ufffb') => true,
        _ => char.IsControl(character) || char.IsSurrogate(character),
    };

    /// <summary>An open element.</summary>
    public readonly struct Scope(Html html, string tag) : IDisposable
    {
        /// <summary>Closes it.</summary>
        public void Dispose() => html.text.Append("</").Append(tag).Append('>');
    }
}
