using System.Runtime.InteropServices;

namespace RewardModel.Training.Data;

/// <summary>The end of a file of lists: a file that was cut has none.</summary>
/// <param name="Magic">Says what the file is; of another order of bytes it is another number.</param>
/// <param name="Version">Of the format.</param>
/// <param name="Count">Number of lists.</param>
/// <param name="Entries">Where their index begins.</param>
/// <param name="Texts">Where the key, the notes and the files' names begin.</param>
/// <param name="Length">Of the file.</param>
/// <param name="Checksum">Of all bytes before it.</param>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal readonly record struct ListStoreFooter(
    ulong Magic, int Version, int Count, long Entries, long Texts, long Length, UInt128 Checksum);
