namespace RewardModel.Scoring;

/// <summary>How far the reading of a checkpoint's weights has come.</summary>
/// <param name="ReadBytes">Bytes of weights that have been read from the files.</param>
/// <param name="TotalBytes">Bytes of all weights that the model takes.</param>
public readonly record struct LoadProgress(long ReadBytes, long TotalBytes);
