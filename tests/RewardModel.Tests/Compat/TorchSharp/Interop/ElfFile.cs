using System.Buffers.Binary;
using System.Text;

namespace RewardModel.Tests.Compat;

/// <summary>Reads the dynamic symbols of a 64-bit little-endian ELF library (System V ABI, "Object Files").</summary>
internal static class ElfFile
{
    private const int DynamicSymbols = 11;
    private const int SymbolSize = 24;

    /// <summary>The names that the library defines for others.</summary>
    public static IEnumerable<string> ExportedSymbols(string path)
    {
        var file = File.ReadAllBytes(path);
        var sections = (int)BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(0x28));
        var sectionSize = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(0x3A));
        var sectionCount = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(0x3C));
        for (var i = 0; i < sectionCount; i++)
        {
            var section = file.AsMemory(sections + i * sectionSize, sectionSize);
            if (BinaryPrimitives.ReadInt32LittleEndian(section.Span[4..]) != DynamicSymbols)
                continue;
            var names = file.AsMemory(sections + BinaryPrimitives.ReadInt32LittleEndian(section.Span[0x28..]) * sectionSize, sectionSize);
            foreach (var name in Defined(Content(file, section.Span), Content(file, names.Span)))
                yield return name;
        }
    }

    private static ReadOnlyMemory<byte> Content(byte[] file, ReadOnlySpan<byte> section) =>
        file.AsMemory(
            (int)BinaryPrimitives.ReadInt64LittleEndian(section[0x18..]), (int)BinaryPrimitives.ReadInt64LittleEndian(section[0x20..]));

    private static IEnumerable<string> Defined(ReadOnlyMemory<byte> symbols, ReadOnlyMemory<byte> names)
    {
        for (var offset = 0; offset < symbols.Length; offset += SymbolSize)
        {
            var symbol = symbols.Span[offset..];
            var isDefined = BinaryPrimitives.ReadUInt16LittleEndian(symbol[6..]) != 0;
            if (isDefined)
                yield return NameAt(names.Span[BinaryPrimitives.ReadInt32LittleEndian(symbol)..]);
        }
    }

    private static string NameAt(ReadOnlySpan<byte> names) => Encoding.ASCII.GetString(names[..names.IndexOf((byte)0)]);
}
