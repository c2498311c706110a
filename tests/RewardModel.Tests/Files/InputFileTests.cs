using System.Diagnostics;
using System.Reflection;
using RewardModel.Files;

namespace RewardModel.Tests.Files;

public sealed class InputFileTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Text_is_utf8_with_or_without_a_byte_order_mark()
    {
        File.WriteAllBytes(directory["a"], [0xef, 0xbb, 0xbf, 0xc3, 0x84]);
        Assert.Equal("Ä", InputFile.ReadText(directory["a"], FileKind.Config));
        File.WriteAllBytes(directory["a"], [0xc3, 0x84]);
        Assert.Equal("Ä", InputFile.ReadText(directory["a"], FileKind.Config));
    }

    [Fact]
    public void Bytes_that_are_no_utf8_are_named_and_none_is_replaced()
    {
        File.WriteAllBytes(directory["a"], [(byte)'a', (byte)'b', 0xff, (byte)'c']);
        Assert.Equal(
            "byte 2 is no UTF-8 (0xff); expected text in UTF-8",
            Assert.Throws<FileRefusedException>(() => InputFile.ReadText(directory["a"], FileKind.Tokenizer)).Problem);
    }

    [Theory]
    [InlineData(nameof(FileKind.Config), 2_000_000)]
    [InlineData(nameof(FileKind.Index), 20_000_000)]
    [InlineData(nameof(FileKind.Tokenizer), 128_000_000)]
    [InlineData(nameof(FileKind.Template), 1_000_000)]
    [InlineData(nameof(FileKind.Settings), 2_000_000)]
    [InlineData(nameof(FileKind.Record), 256_000_000)]
    public void A_file_may_have_as_many_bytes_as_its_kind_and_no_more(string name, long most)
    {
        var kind = (FileKind)typeof(FileKind).GetField(name)!.GetValue(null)!;
        using (var file = File.Create(directory["a"]))
            // Without content on the disk.
            file.SetLength(most + 1);
        var refusal = Assert.Throws<FileRefusedException>(() => InputFile.ReadBytes(directory["a"], kind));
        Assert.Equal($"the file has {most + 1} bytes, too many for {kind.Name}; expected at most {most}", refusal.Problem);
        using (var file = File.OpenWrite(directory["a"]))
            file.SetLength(most);
        InputFile.Open(directory["a"], kind).Dispose();
    }

    [Fact]
    public void A_link_has_the_length_of_its_file()
    {
        using (var file = File.Create(directory["a"]))
            file.SetLength(FileKind.Template.MaxBytes + 1);
        File.CreateSymbolicLink(directory["b"], "a");
        Assert.Throws<FileRefusedException>(() => InputFile.ReadBytes(directory["b"], FileKind.Template));
        File.WriteAllText(directory["c"], "x");
        File.CreateSymbolicLink(directory["d"], "c");
        Assert.Equal("x", InputFile.ReadText(directory["d"], FileKind.Template));
    }

    [Fact]
    public void A_link_leads_from_where_it_lies_also_through_a_directory_that_is_a_link()
    {
        Directory.CreateDirectory(directory["cache/blobs"]);
        var snapshot = Directory.CreateDirectory(directory["cache/snapshots/main"]).FullName;
        File.WriteAllText(directory["cache/blobs/0"], "x");
        File.CreateSymbolicLink(Path.Combine(snapshot, "a"), "../../blobs/0");
        Directory.CreateSymbolicLink(directory["short"], "cache/snapshots/main");
        Assert.Equal("x", InputFile.ReadText(directory["short/a"], FileKind.Config));
        Assert.Equal("x", FolderFile.ReadText(directory["short"], "a", FileKind.Config));
    }

    [Fact]
    public void Pipes_and_devices_are_refused_without_waiting_for_them()
    {
        if (OperatingSystem.IsWindows())
            return;
        using (var make = Process.Start("mkfifo", [directory["pipe"]]))
            make.WaitForExit();
        foreach (var path in new[] { directory["pipe"], "/dev/zero", "/dev/null", "/proc/self/environ" })
            Assert.Equal(
                "the file is empty, or it is not a regular file",
                Assert.Throws<FileRefusedException>(() => InputFile.ReadBytes(path, FileKind.Config)).Problem);
        // What may be empty has nothing to be read.
        Assert.Empty(InputFile.ReadBytes(directory["pipe"], FileKind.Log));
        Assert.Empty(InputFile.ReadBytes("/dev/zero", FileKind.Log));
    }

    [Fact]
    public void Settings_may_come_from_a_pipe_and_have_an_end()
    {
        if (OperatingSystem.IsWindows())
            return;
        using (var make = Process.Start("mkfifo", [directory["pipe"]]))
            make.WaitForExit();
        using var writer = Process.Start("sh", ["-c", $"printf 'seed: 1' > '{directory["pipe"]}'"]);
        Assert.Equal("seed: 1", InputFile.ReadText(directory["pipe"], FileKind.Settings));
        writer.WaitForExit();
        Assert.Contains("too many", Assert.Throws<FileRefusedException>(() => InputFile.ReadText("/dev/zero", FileKind.Settings)).Problem);
    }

    [Fact]
    public void Directories_and_missing_files_are_told_apart()
    {
        Assert.Equal(
            "this is a directory; expected a file",
            Assert.Throws<FileRefusedException>(() => InputFile.ReadBytes(directory.Path, FileKind.Data)).Problem);
        Assert.Throws<FileNotFoundException>(() => InputFile.ReadBytes(directory["none"], FileKind.Data));
        File.CreateSymbolicLink(directory["nowhere"], "none");
        Assert.Throws<FileNotFoundException>(() => InputFile.ReadBytes(directory["nowhere"], FileKind.Data));
    }

    [Fact]
    public void Nothing_else_of_the_library_can_open_a_file()
    {
        var banned = File.ReadAllLines(Path.Combine(Shared.RepositoryRoot, "src", "BannedSymbols.Files.txt")).Select(line => line.Split(';')[0]).ToHashSet();
        // What only looks at names and times.
        string[] harmless =
        [
            "Exists", "GetAttributes", "GetCreationTime", "GetCreationTimeUtc", "GetLastAccessTime", "GetLastAccessTimeUtc", "GetLastWriteTime",
            "GetLastWriteTimeUtc", "GetUnixFileMode", "ResolveLinkTarget", "EnumerateDirectories", "EnumerateFiles", "EnumerateFileSystemEntries",
            "GetCurrentDirectory", "GetDirectories", "GetFiles", "GetFileSystemEntries", "GetDirectoryRoot", "GetLogicalDrives", "GetParent",
        ];
        var methods = new[] { typeof(File), typeof(Directory) }
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static)).Where(method => !harmless.Contains(method.Name));
        foreach (var method in methods)
            Assert.True(
                banned.Any(symbol => symbol.StartsWith($"M:{method.DeclaringType}.{method.Name}(", StringComparison.Ordinal)
                    && symbol.Count(character => character == ',') >= method.GetParameters().Length - 1),
                $"{method} is not banned");
        foreach (var type in new[] { typeof(FileStream), typeof(StreamReader), typeof(StreamWriter) })
            Assert.Equal(
                type.GetConstructors().Count(constructor => constructor.GetParameters() is [{ ParameterType: var first }, ..] && first == typeof(string)),
                banned.Count(symbol => symbol.StartsWith($"M:{type}.#ctor(System.String", StringComparison.Ordinal)));
        // The build enforces the list; these are all the places where it is told not to.
        Assert.Equal(
            ["RewardModel.Text/Reading/DataFile.cs"],
            Directory.EnumerateFiles(Path.Combine(Shared.RepositoryRoot, "src"), "*.cs", SearchOption.AllDirectories)
                .Where(file => !file.Contains("/obj/") && File.ReadAllText(file).Contains("RS0030"))
                .Select(file => Path.GetRelativePath(Path.Combine(Shared.RepositoryRoot, "src"), file)));
        Assert.Contains(
            "[src/RewardModel.Text/Files/{InputFile,Disk}.cs]\ndotnet_diagnostic.RS0030.severity = none",
            File.ReadAllText(Path.Combine(Shared.RepositoryRoot, ".editorconfig")));
    }
}
