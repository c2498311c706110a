using System.Collections;
using System.Globalization;
using System.Text;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>A set of code points.</summary>
internal sealed class CharacterSet
{
    private readonly BitArray members = new(0x110000);

    /// <param name="ranges">First and last code points in hexadecimal: <c>21-2F 3A-40</c>.</param>
    public CharacterSet(string ranges)
    {
        foreach (var range in ranges.Split(' '))
        {
            var dash = range.IndexOf('-');
            var last = int.Parse(range.AsSpan(dash + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            for (var code = int.Parse(range.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture); code <= last; code++)
                members[code] = true;
        }
    }

    public bool Contains(Rune character) => members[character.Value];
}
