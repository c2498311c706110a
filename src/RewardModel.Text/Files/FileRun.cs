namespace RewardModel.Files;

/// <summary>Bytes of a file.</summary>
/// <param name="Start">Where they begin.</param>
/// <param name="Length">How many there are.</param>
/// <param name="Checksum">Their XXH128.</param>
internal readonly record struct FileRun(long Start, long Length, UInt128 Checksum);
