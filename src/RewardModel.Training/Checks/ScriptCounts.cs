using System.Runtime.CompilerServices;

namespace RewardModel.Training.Checks;

/// <summary>Letters of each script.</summary>
[InlineArray((int)Script.Other + 1)]
internal struct ScriptCounts
{
    /// <summary>So many letters say what script a text is in.</summary>
    private const int fewestToTell = 10;

    private int first;

    /// <summary>The script of most letters; none where there are no letters.</summary>
    public readonly Script Main
    {
        get
        {
            var main = Script.None;
            for (var script = Script.Latin; script <= Script.Other; script++)
                if (this[(int)script] > (main == Script.None ? 0 : this[(int)main]))
                    main = script;
            // Japanese has both, and kana in nearly every sentence.
            return main == Script.Han && this[(int)Script.Kana] * 10 > this[(int)Script.Han] ? Script.Kana : main;
        }
    }

    /// <summary>Whether it is another script than that of other letters, where both are enough to tell.</summary>
    public readonly bool DiffersFrom(ScriptCounts other) =>
        Main is var main && other.Main is var otherMain && main != otherMain
        && this[(int)main] >= fewestToTell && other[(int)otherMain] >= fewestToTell;

    public void Add(ScriptCounts other)
    {
        for (var i = 0; i <= (int)Script.Other; i++)
            this[i] += other[i];
    }

    /// <summary>The script of a character of UTF-16.</summary>
    public static Script Of(char character) => (int)character switch
    {
        < 0x80 => char.IsAsciiLetter(character) ? Script.Latin : Script.None,
        _ when !char.IsLetter(character) && !char.IsHighSurrogate(character) => Script.None,
        < 0x250 or (>= 0x1e00 and <= 0x1eff) => Script.Latin,
        >= 0x370 and <= 0x3ff or (>= 0x1f00 and <= 0x1fff) => Script.Greek,
        >= 0x400 and <= 0x52f => Script.Cyrillic,
        >= 0x590 and <= 0x5ff => Script.Hebrew,
        >= 0x600 and <= 0x77f or (>= 0x8a0 and <= 0x8ff) or (>= 0xfb50 and <= 0xfdff) or (>= 0xfe70 and <= 0xfeff) => Script.Arabic,
        >= 0x900 and <= 0xdff => Script.Indic,
        >= 0xe00 and <= 0xe7f => Script.Thai,
        >= 0x1100 and <= 0x11ff or (>= 0x3130 and <= 0x318f) or (>= 0xac00 and <= 0xd7af) => Script.Hangul,
        >= 0x3040 and <= 0x30ff => Script.Kana,
        >= 0x3400 and <= 0x9fff or (>= 0xf900 and <= 0xfaff) => Script.Han,
        // The first halves of the planes that hold rarer characters of Chinese; those of emoji are no letters.
        >= 0xd840 and <= 0xd88d => Script.Han,
        >= 0xd800 and <= 0xdbff => Script.None,
        _ => Script.Other,
    };
}
