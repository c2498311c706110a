using System.Runtime.InteropServices;
using RewardModel.Lists;

namespace RewardModel.Training.Data;

/// <summary>An entry of a store's index: 96 bytes, in memory and in a file.</summary>
/// <param name="Info">What is known of the list.</param>
/// <param name="Position">Where its bytes begin, as the store counts.</param>
/// <param name="File">The number of the file that it was read from, from 1; 0 for none.</param>
/// <param name="Line">Its line there; below 0 for the row of a table.</param>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal readonly record struct ListEntry(ListInfo Info, long Position, int File, int Line)
{
    /// <summary>A list's source as <see cref="Line"/> has it.</summary>
    public static int LineOf(SourceLine source) => source.IsRow ? -source.Line : source.Line;

    /// <summary>The source of a file and such a line.</summary>
    public static SourceLine SourceOf(string file, int line) => new(file, Math.Abs(line)) { IsRow = line < 0 };
}
