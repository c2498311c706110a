using System.Text;

namespace RewardModel.Tokenizers.PreTokenizers;

/// <summary>Writes words anew.</summary>
/// <param name="source">The text that the words are made of.</param>
/// <param name="sources">Where each UTF-16 unit written comes from, to be filled; null where nobody asks.</param>
internal sealed class WordWriter(string source, List<(int Start, int End)>? sources)
{
    private readonly StringBuilder result = new(source.Length);

    public string Source => source;

    public List<(int Start, int End)>? Sources => sources;

    public int Length => result.Length;

    /// <summary>Writes a unit that comes from a part of the source.</summary>
    public void Write(char unit, int start, int end)
    {
        result.Append(unit);
        sources?.Add((start, end));
    }

    /// <summary>Writes a part of the source as it is.</summary>
    public void Copy(int start, int end)
    {
        result.Append(source, start, end - start);
        for (var i = start; sources is not null && i < end; i++)
            sources.Add((i, i + 1));
    }

    public override string ToString() => result.ToString();
}
