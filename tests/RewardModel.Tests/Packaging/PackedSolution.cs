using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Xml.Linq;

namespace RewardModel.Tests.Packaging;

/// <summary>The solution's packages, made in a temporary folder, and a place outside the checkout to use them from.</summary>
public sealed class PackedSolution : IDisposable
{
    /// <summary>No other packages have it, so none can stand in for these.</summary>
    public const string Version = "0.2.0-test";

    private readonly TemporaryDirectory directory = new();

    public PackedSolution()
    {
        // Compiled in a folder of its own: the tests that run meanwhile use the solution's. Its build has run the analyzers.
        var (exitCode, output, error) = ChildProcess.Run("dotnet", [
            "pack", Path.Combine(Shared.RepositoryRoot, "RewardModel.sln"), "--configuration", "Release", "--output", directory["packages"],
            "--artifacts-path", directory["artifacts"], $"-p:Version={Version}", "-p:RunAnalyzers=false", .. ChildProcess.WithoutBuildServers,
        ]);
        Assert.True(exitCode == 0, output + error);

        // These packages and nothing else, except what building the tests has already brought to this machine.
        var (_, cache, _) = ChildProcess.Run("dotnet", "nuget", "locals", "global-packages", "--list");
        File.WriteAllText(directory["nuget.config"], $"""
            <configuration>
              <packageSources>
                <clear />
                <add key="packed" value="{directory["packages"]}" />
              </packageSources>
              <fallbackPackageFolders>
                <clear />
                <add key="machine" value="{cache.Trim()["global-packages: ".Length..]}" />
              </fallbackPackageFolders>
            </configuration>
            """);
    }

    public string this[string relative] => directory[relative];

    /// <summary>The names of the packages, sorted.</summary>
    public IEnumerable<string> Names => Directory.EnumerateFiles(directory["packages"], "*.nupkg")
        .Select(file => Path.GetFileName(file).Replace($".{Version}.nupkg", "", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal);

    /// <summary>The paths of the files in a package, without those that the package format itself needs.</summary>
    public IEnumerable<string> Files(string package)
    {
        using var archive = Open(package);
        string[] ownFiles = ["_rels/.rels", "[Content_Types].xml", $"{package}.nuspec"];
        return [.. archive.Entries
            .Select(entry => entry.FullName)
            .Where(path => !ownFiles.Contains(path) && !path.StartsWith("package/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];
    }

    public byte[] Read(string package, string file) => Read(Open(package), file);

    /// <summary>A file of the package of symbols that belongs to a package.</summary>
    public byte[] ReadSymbols(string package, string file) =>
        Read(ZipFile.OpenRead(directory[$"packages/{package}.{Version}.snupkg"]), file);

    private static byte[] Read(ZipArchive archive, string file)
    {
        using var _ = archive;
        using var content = archive.GetEntry(file)!.Open();
        using var bytes = new MemoryStream();
        content.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>What a package says about itself.</summary>
    public XElement Metadata(string package)
    {
        using var content = new MemoryStream(Read(package, $"{package}.nuspec"));
        return XElement.Load(content).Elements().Single(element => element.Name.LocalName == "metadata");
    }

    /// <summary>Runs a program in the temporary folder, with a package cache of its own, and expects that it succeeds.</summary>
    /// <returns>What it printed.</returns>
    public string Run(string program, params IEnumerable<string> arguments)
    {
        var (exitCode, output, error) = TryRun([], program, arguments);
        Assert.True(exitCode == 0, output + error);
        return output;
    }

    /// <summary>Runs a program likewise, with some environment variables set.</summary>
    public (int ExitCode, string Output, string Error) TryRun(
        IEnumerable<(string Name, string Value)> environment, string program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory.Path,
            Environment =
            {
                ["NUGET_PACKAGES"] = directory["cache"],
                // The launcher of an installed command looks for .NET in the usual places only.
                ["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..")),
            },
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return ChildProcess.Run(start);
    }

    public void Dispose() => directory.Dispose();

    private ZipArchive Open(string package) => ZipFile.OpenRead(directory[$"packages/{package}.{Version}.nupkg"]);
}
