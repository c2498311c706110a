using System.Buffers.Binary;
using System.Text;
using RewardModel.Kernels;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Kernels;

public class ElfVersionsTests
{
    private const string unused = "_ZSt21ios_base_library_initv", version = "GLIBCXX_3.4.32";

    [Fact]
    public void Of_TorchSharp_s_library_the_flag_of_one_version_changes_and_nothing_else()
    {
        var before = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "runtimes/linux-x64/native/libLibTorchSharp.so"));
        var after = before.ToArray();
        Assert.Equal([version], ElfVersions.Relax(after));

        var changed = Assert.Single(Enumerable.Range(0, before.Length), i => before[i] != after[i]);
        Assert.Equal((0, 2), (before[changed], after[changed]));
        // A Vernaux structure begins with the hash of the version's name; the flags follow.
        Assert.Equal(HashOf(version), BinaryPrimitives.ReadUInt32LittleEndian(after.AsSpan(changed - 4)));
    }

    [Fact]
    public void The_flag_changes_wherever_only_the_unused_symbol_has_the_version()
    {
        var library = Library(("cos", 2), (unused, 3));
        var relaxed = library.ToArray();
        Assert.Equal([version], ElfVersions.Relax(relaxed));
        Assert.Single(Enumerable.Range(0, library.Length), i => library[i] != relaxed[i]);
    }

    [Fact]
    public void A_version_that_is_hidden_in_the_table_of_symbols_is_the_same_one() =>
        Assert.Equal([version], ElfVersions.Relax(Library(("cos", 2), (unused, 3 | 0x8000))));

    [Fact]
    public void A_version_that_a_used_symbol_has_stays_required()
    {
        var library = Library(("cos", 2), (unused, 3), ("another", 3));
        var before = library.ToArray();
        var exception = Assert.Throws<InvalidDataException>(() => ElfVersions.Relax(library));
        Assert.Equal($"It asks for no version of a library for {unused} alone.", exception.Message);
        Assert.Equal(before, library);
    }

    [Fact]
    public void A_symbol_whose_name_only_begins_like_that_is_a_used_one() =>
        Assert.Throws<InvalidDataException>(() => ElfVersions.Relax(Library(("cos", 2), (unused + "2", 3))));

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        var library = Library(("cos", 2), (unused, 3));
        // Of the last section's header the last 20 bytes say nothing that counts.
        for (var length = 0; length < library.Length - 20; length++)
            Assert.Throws<InvalidDataException>(() => ElfVersions.Relax(library.AsSpan(0, length).ToArray()));
    }

    [Fact]
    public void Other_files_are_refused()
    {
        Assert.Throws<InvalidDataException>(() => ElfVersions.Relax("#!/bin/sh\n"u8.ToArray()));
        Assert.Throws<InvalidDataException>(() => ElfVersions.Relax(new byte[4096]));
        Assert.Throws<InvalidDataException>(() => ElfVersions.Relax(File.ReadAllBytes(typeof(ElfVersions).Assembly.Location)));
    }

    [Fact]
    public void A_damaged_file_is_relaxed_or_refused_and_comes_to_an_end()
    {
        var library = Library(("cos", 2), (unused, 3));
        byte[] values = [0, 1, 0x7f, 0x80, 0xff];
        for (var place = 0; place < library.Length; place++)
            foreach (var value in values)
            {
                var damaged = library.ToArray();
                damaged[place] = value;
                Try(damaged);
            }
        // Several at once: offsets and counts of four bytes.
        var random = new SplitMix64(1);
        for (var i = 0; i < 2_000; i++)
        {
            var damaged = library.ToArray();
            for (var j = 0; j < 3; j++)
                BinaryPrimitives.WriteInt32LittleEndian(
                    damaged.AsSpan(4 * random.NextBelow(damaged.Length / 4)), random.NextBelow(2 * damaged.Length) - damaged.Length / 2);
            Try(damaged);
        }

        static void Try(byte[] damaged)
        {
            try
            {
                ElfVersions.Relax(damaged);
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    /// <summary>
    /// The sections of a library that asks for version 2, "OTHER", and version 3, GLIBCXX_3.4.32, of libstdc++, with undefined symbols.
    /// </summary>
    private static byte[] Library(params (string Name, int Version)[] symbols)
    {
        var strings = new MemoryStream();
        strings.WriteByte(0);
        int Add(string text)
        {
            var place = (int)strings.Position;
            strings.Write(Encoding.ASCII.GetBytes(text + '\0'));
            return place;
        }

        var names = symbols.Select(symbol => Add(symbol.Name)).ToArray();
        byte[] dynamicSymbols = [.. new byte[24], .. names.SelectMany(name => (byte[])[.. Bytes(name), .. new byte[20]])];
        byte[] versions = [.. Halves(0), .. symbols.SelectMany(symbol => Halves(symbol.Version))];
        byte[] needs =
        [
            .. Halves(1, 2), .. Bytes(Add("libstdc++.so.6"), 16, 0),
            .. Bytes((int)HashOf("OTHER")), .. Halves(0, 2), .. Bytes(Add("OTHER"), 16),
            .. Bytes((int)HashOf(version)), .. Halves(0, 3), .. Bytes(Add(version), 0),
        ];

        const int headerSize = 64;
        (uint Type, byte[] Content, int Link)[] sections =
            [(0, [], 0), (3, strings.ToArray(), 0), (11, dynamicSymbols, 1), (0x6fffffff, versions, 2), (0x6ffffffe, needs, 1)];
        var contents = sections.SelectMany(section => section.Content).ToArray();
        byte[] file =
        [
            .. "\x7f"u8, .. "ELF\x02\x01"u8, .. new byte[headerSize - 6], .. contents, .. new byte[headerSize * sections.Length],
        ];
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(40), headerSize + contents.Length);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(60), (short)sections.Length);
        var (header, place) = (headerSize + contents.Length, headerSize);
        foreach (var (type, content, link) in sections)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(header + 4), type);
            BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(header + 24), place);
            BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(header + 32), content.Length);
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(header + 40), link);
            header += headerSize;
            place += content.Length;
        }
        return file;
    }

    private static byte[] Bytes(params int[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private static byte[] Halves(params int[] values) => [.. values.SelectMany(value => BitConverter.GetBytes((ushort)value))];

    // "System V Application Binary Interface", section "Hash Table".
    private static uint HashOf(string name)
    {
        var hash = 0u;
        foreach (var character in name)
        {
            hash = (hash << 4) + character;
            var high = hash & 0xf0000000;
            hash = (hash ^ (high >> 24)) & ~high;
        }
        return hash;
    }
}
