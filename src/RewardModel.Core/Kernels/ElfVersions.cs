using System.Buffers.Binary;
using System.Text;

namespace RewardModel.Kernels;

/// <summary>
/// Makes versions of symbols that an ELF library asks for, but uses nothing of, optional. A compiler of GCC 13 or newer leaves the symbol
/// _ZSt21ios_base_library_initv of GLIBCXX_3.4.32 behind wherever a source includes &lt;iostream&gt;, and no relocation refers to it; yet the
/// loader refuses the library where libstdc++ lacks the version.
/// </summary>
/// <remarks>
/// The loader asks for no version whose entry in .gnu.version_r has the flag VER_FLG_WEAK ("Linux Standard Base Core Specification",
/// section "Symbol Versioning"; glibc's dl-version.c). 64 bits, little-endian.
/// </remarks>
internal static class ElfVersions
{
    private const string unusedSymbol = "_ZSt21ios_base_library_initv";
    private const ushort indexOfVersion = 0x7fff; // without the bit that hides a version
    private const uint dynamicSymbols = 11, versionNeeds = 0x6ffffffe, symbolVersions = 0x6fffffff;
    private const ushort weak = 2;

    /// <summary>Sets the flag in every entry whose only symbol is that one.</summary>
    /// <returns>The names of the versions that are optional now.</returns>
    /// <exception cref="InvalidDataException">It is no such library, or there is no such entry in it.</exception>
    public static IReadOnlyList<string> Relax(Span<byte> image)
    {
        try
        {
            var relaxed = new List<string>();
            var (symbols, versions, needs) = (Section(image, dynamicSymbols), Section(image, symbolVersions), Section(image, versionNeeds));
            var unused = VersionsOfUnusedSymbol(image, symbols, versions);
            foreach (var entry in Entries(image, needs))
            {
                if (!unused.Contains(Read16(image, entry + 6)))
                    continue;
                BinaryPrimitives.WriteUInt16LittleEndian(image[(entry + 4)..], (ushort)(Read16(image, entry + 4) | weak));
                relaxed.Add(Text(image, needs.Strings + Read32(image, entry + 8)));
            }
            if (relaxed.Count == 0)
                throw new InvalidDataException($"It asks for no version of a library for {unusedSymbol} alone.");
            return relaxed;
        }
        catch (Exception exception) when (exception is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException("It is not a complete ELF library of 64 bits.", exception);
        }
    }

    /// <summary>Indices of versions that belong to the unused symbol and to no other.</summary>
    private static HashSet<ushort> VersionsOfUnusedSymbol(Span<byte> image, SectionOf symbols, SectionOf versions)
    {
        const int symbolSize = 24;
        var unusedName = Encoding.ASCII.GetBytes(unusedSymbol + '\0');
        var (unused, used) = (new HashSet<ushort>(), new HashSet<ushort>());
        for (var i = 0; i < symbols.Size / symbolSize; i++)
        {
            var name = image[(symbols.Strings + Read32(image, symbols.Offset + i * symbolSize))..];
            (name.StartsWith(unusedName) ? unused : used).Add((ushort)(Read16(image, versions.Offset + 2 * i) & indexOfVersion));
        }
        unused.ExceptWith(used);
        return unused;
    }

    /// <summary>Offsets of all Vernaux structures: hash, flags, index of the version, name, distance to the next.</summary>
    private static List<int> Entries(Span<byte> image, SectionOf needs)
    {
        const int entrySize = 16;
        var entries = new List<int>();
        for (int file = needs.Offset, toNextFile; ; file += toNextFile)
        {
            var entry = file + Read32(image, file + 8);
            for (var i = 0; i < Read16(image, file + 2); i++, entry += Read32(image, entry + 12))
                entries.Add(entry);
            toNextFile = Read32(image, file + 12);
            if (toNextFile == 0)
                return entries;
            // Distances that lead back would never end.
            if (toNextFile < entrySize || entries.Count > needs.Size / entrySize)
                throw new InvalidDataException("Its section of needed versions is damaged.");
        }
    }

    /// <summary>The section of a type, and where the section of strings that it links to begins.</summary>
    private static SectionOf Section(Span<byte> image, uint type)
    {
        const int headerSize = 64;
        if (!image.StartsWith("\x7f"u8 + "ELF\x02\x01"u8))
            throw new InvalidDataException("It is not an ELF library of 64 bits.");
        var (table, count) = (checked((int)Read64(image, 40)), Read16(image, 60));
        for (var i = 0; i < count; i++)
        {
            var header = table + i * headerSize;
            if ((uint)Read32(image, header + 4) == type)
                return new SectionOf(
                    checked((int)Read64(image, header + 24)), checked((int)Read64(image, header + 32)),
                    checked((int)Read64(image, table + Read32(image, header + 40) * headerSize + 24)));
        }
        throw new InvalidDataException($"It has no section of type {type:x}.");
    }

    private static ushort Read16(Span<byte> image, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(image[offset..]);

    private static int Read32(Span<byte> image, int offset) => BinaryPrimitives.ReadInt32LittleEndian(image[offset..]);

    private static long Read64(Span<byte> image, int offset) => BinaryPrimitives.ReadInt64LittleEndian(image[offset..]);

    private static string Text(Span<byte> image, int offset)
    {
        var rest = image[offset..];
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)0)]);
    }

    private readonly record struct SectionOf(int Offset, int Size, int Strings);
}
