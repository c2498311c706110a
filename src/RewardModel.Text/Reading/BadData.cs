namespace RewardModel.Reading;

/// <summary>What to do with lines that do not hold a ranked list.</summary>
public enum BadData
{
    /// <summary>Read to the end, then throw one <see cref="RankedDataException"/> that names every bad line. The default.</summary>
    Error,

    /// <summary>Leave them out and return them in <see cref="RankedListFile.BadLines"/>.</summary>
    Skip,
}
