using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Text;
using System.Text.Json.Nodes;

namespace RewardModel.Tests.Packaging;

public sealed class PackageTests(PackedSolution solution) : IClassFixture<PackedSolution>
{
    private static readonly string[] libraryPackages = ["RewardModel.Cli", "RewardModel.Client", "RewardModel.Core", "RewardModel.Data", "RewardModel.Server", "RewardModel.Text", "RewardModel.Training"];

    private const string repository = "https://github.com/RewardModel/RewardModel";

    // What the format of portable symbols calls its parts.
    private static readonly Guid sourceLink = new("cc110556-a091-4d38-9fec-25ab9a351a6a");
    private static readonly Guid embeddedSource = new("0e8a571b-6926-466e-b4ad-8ab04611f5fe");

    [Fact]
    public void The_packages_are_the_libraries_and_the_command() => Assert.Equal(libraryPackages, solution.Names);

    [Fact]
    public void Every_package_says_what_it_is_and_nothing_of_where_it_was_made() =>
        Assert.All(solution.Names, name =>
        {
            var metadata = solution.Metadata(name).Elements().ToDictionary(element => element.Name.LocalName, element => element.Value);
            Assert.Equal(name, metadata["id"]);
            Assert.Equal(PackedSolution.Version, metadata["version"]);
            Assert.Equal("The RewardModel authors", metadata["authors"]);
            Assert.Equal("MIT", metadata["license"]);
            Assert.EndsWith(".", metadata["description"]);
            Assert.Equal(repository, metadata["projectUrl"]);
            Assert.Equal($"{repository}/blob/v{PackedSolution.Version}/CHANGELOG.md", metadata["releaseNotes"]);
            Assert.Equal("README.md", metadata["readme"]);
            Assert.Equal("icon.png", metadata["icon"]);
            Assert.StartsWith($"# {name}\n\n", Encoding.UTF8.GetString(solution.Read(name, "README.md")));
            Assert.All(solution.Files(name), file =>
                Assert.DoesNotContain(Shared.RepositoryRoot, Encoding.Latin1.GetString(solution.Read(name, file))));
        });

    /// <summary>No commit is named: what is packed is the same from whichever checkout.</summary>
    [Fact]
    public void Every_package_names_the_repository() => Assert.All(solution.Names, name => Assert.Equal(
        $"""<repository type="git" url="{repository}" />""",
        solution.Metadata(name).Elements().Single(element => element.Name.LocalName == "repository").ToString()
            .Replace($" xmlns=\"{solution.Metadata(name).Name.NamespaceName}\"", "", StringComparison.Ordinal)));

    [Fact]
    public void The_icon_is_small_and_square()
    {
        var icon = solution.Read("RewardModel.Core", "icon.png");
        Assert.InRange(icon.Length, 1, 5000);
        Assert.Equal("PNG"u8, icon.AsSpan(1, 3));
        Assert.Equal(128, BinaryPrimitives.ReadInt32BigEndian(icon.AsSpan(16)));
        Assert.Equal(128, BinaryPrimitives.ReadInt32BigEndian(icon.AsSpan(20)));
    }

    /// <summary>A debugger steps into the libraries: with the sources of the version's tag, or those that the symbols hold.</summary>
    [Theory]
    [InlineData("RewardModel.Text")]
    [InlineData("RewardModel.Core")]
    [InlineData("RewardModel.Training")]
    public void The_symbols_lead_to_every_source(string name)
    {
        using var symbols = MetadataReaderProvider.FromPortablePdbImage([.. solution.ReadSymbols(name, $"lib/net10.0/{name}.pdb")]);
        var reader = symbols.GetMetadataReader();
        var kinds = reader.CustomDebugInformation.Select(reader.GetCustomDebugInformation).ToLookup(info => reader.GetGuid(info.Kind));
        Assert.Equal(
            """{"documents":{"/_/*":"https://raw.githubusercontent.com/RewardModel/RewardModel/vVERSION/*"}}"""
                .Replace("VERSION", PackedSolution.Version, StringComparison.Ordinal),
            Encoding.UTF8.GetString(reader.GetBlobBytes(kinds[sourceLink].Single().Value)).TrimEnd());
        var embedded = kinds[embeddedSource].Select(info => (DocumentHandle)info.Parent).ToHashSet();
        Assert.All(reader.Documents, handle =>
        {
            var file = reader.GetString(reader.GetDocument(handle).Name);
            Assert.True(
                embedded.Contains(handle)
                || (file.StartsWith("/_/", StringComparison.Ordinal) && File.Exists(Path.Combine(Shared.RepositoryRoot, file[3..]))),
                $"{file} is nowhere");
        });
    }

    [Fact]
    public void A_library_comes_with_its_documentation()
    {
        Assert.Equal(Contents("RewardModel.Text.dll", "RewardModel.Text.xml"), solution.Files("RewardModel.Text"));
        Assert.Equal(Contents("RewardModel.Core.dll", "RewardModel.Core.xml"), solution.Files("RewardModel.Core"));
        Assert.Equal(Contents("RewardModel.Training.dll", "RewardModel.Training.xml"), solution.Files("RewardModel.Training"));
        Assert.Equal(Contents("RewardModel.Data.dll", "RewardModel.Data.xml"), solution.Files("RewardModel.Data"));
        Assert.Equal(Contents("RewardModel.Client.dll", "RewardModel.Client.xml"), solution.Files("RewardModel.Client"));
        Assert.Equal(Contents("RewardModel.Server.dll", "RewardModel.Server.xml"), solution.Files("RewardModel.Server"));
    }

    [Fact]
    public void The_libraries_depend_on_managed_packages_only()
    {
        Assert.Equal(["Microsoft.ML.Tokenizers", "System.IO.Hashing", "ZstdSharp.Port"], Dependencies("RewardModel.Text"));
        Assert.Equal(
            [
                "Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Options", "RewardModel.Text", "TorchSharp",
            ],
            Dependencies("RewardModel.Core"));
        Assert.Equal(
            ["Microsoft.Extensions.Logging.Abstractions", "RewardModel.Core", "System.IO.Hashing", "YamlDotNet"],
            Dependencies("RewardModel.Training"));
    }

    /// <summary>A program that asks a server brings no model.</summary>
    [Fact]
    public void The_client_depends_on_no_tensors() =>
        Assert.Equal(["Microsoft.Extensions.Http", "RewardModel.Text"], Dependencies("RewardModel.Client"));

    /// <summary>DuckDB is native, so it is no dependency of the others.</summary>
    [Fact]
    public void Tables_are_read_by_a_package_of_their_own() =>
        Assert.Equal(["DuckDB.NET.Data.Full", "RewardModel.Text"], Dependencies("RewardModel.Data"));

    [Fact]
    public void An_application_trains_and_the_installed_command_scores_with_the_same_rewards()
    {
        var lines = TrainInApplication().Split('\n', 2);
        // Two times 2 + 2 + 3 + 2 and 3 + 2 + 2 tokens: a prompt counts once.
        Assert.Equal("2 steps, 32 tokens", lines[0]);
        Assert.Equal(2, lines[1].TrimEnd('\n').Split('\n').Length);

        solution.Run("dotnet", "tool", "install", "RewardModel.Cli", "--version", PackedSolution.Version, "--tool-path", "tools");
        static string[] Rewards(string output) =>
            [.. output.TrimEnd('\n').Split('\n').Select(line => JsonNode.Parse(line)!["rewards"]!.ToJsonString())];
        Assert.Equal(
            Rewards(lines[1]),
            Rewards(solution.Run(solution["tools/reward-model"], "score", "--model", "model", "--data", "lists.jsonl")));
        Assert.Equal($"{PackedSolution.Version}\n", solution.Run(solution["tools/reward-model"], "--version"));
        Assert.StartsWith(
            "Description:\n  Trains reward models on ranked answer lists, and scores answers with them.\n",
            solution.Run(solution["tools/reward-model"], "--help"));
    }

    [Fact]
    public void An_application_without_libtorch_says_what_to_add_and_finds_that_of_the_variable()
    {
        var expected = TrainInApplication();
        Build("bare", libtorch: "");
        var (exitCode, output, error) = solution.TryRun([], "dotnet", "bare/bin/Debug/net10.0/bare.dll");
        Assert.NotEqual(0, exitCode);
        Assert.Empty(output);
        Assert.StartsWith("Unhandled exception. RewardModel.TorchUnavailableException: The native library libtorch_cpu.so ", error);
        Assert.Contains("dotnet add package TorchSharp-cpu", error);

        var natives = Path.Combine(AppContext.BaseDirectory, "runtimes/linux-x64/native");
        Assert.Equal((0, expected, ""), solution.TryRun([("LIBTORCH", natives)], "dotnet", "bare/bin/Debug/net10.0/bare.dll"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_application_in_a_single_file_does_the_same(bool withNativeLibrariesInIt)
    {
        var expected = TrainInApplication();
        // The analyzer is a package that no other test needs.
        solution.Run("dotnet", [
            "publish", "app", "--runtime", "linux-x64", "--no-self-contained", "--output", "single", "-p:PublishSingleFile=true",
            "-p:EnableSingleFileAnalyzer=false", $"-p:IncludeNativeLibrariesForSelfExtract={withNativeLibrariesInIt}",
            .. ChildProcess.WithoutBuildServers,
        ]);
        Assert.Equal(!withNativeLibrariesInIt, File.Exists(solution["single/libtorch_cpu.so"]));
        Assert.False(File.Exists(solution["single/TorchSharp.dll"]));
        Assert.Equal(
            (0, expected, ""), solution.TryRun([("DOTNET_BUNDLE_EXTRACT_BASE_DIR", solution["extracted"])], solution["single/app"]));
        Directory.Delete(solution["single"], recursive: true);
    }

    /// <summary>Builds the application on its first call.</summary>
    /// <returns>What it prints: how much it trained, and the rewards of all lists afterwards.</returns>
    private string TrainInApplication()
    {
        if (!Directory.Exists(solution["app"]))
            Build("app", """<PackageReference Include="libtorch-cpu-linux-x64" Version="2.10.0" />""");
        return solution.Run("dotnet", "app/bin/Debug/net10.0/app.dll");
    }

    private void Build(string name, string libtorch)
    {
        Directory.CreateDirectory(solution[name]);
        File.WriteAllText(solution[$"{name}/{name}.csproj"], $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="RewardModel.Training" Version="{PackedSolution.Version}" />
                {libtorch}
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(solution[$"{name}/Program.cs"], """
            using System.Text.Json;
            using RewardModel.Checkpoints;
            using RewardModel.Reading;
            using RewardModel.Scoring;
            using RewardModel.Training;

            var lists = RankedListReader.Read("lists.jsonl").TokenizedLists;
            using var model = new ScoringModel(RewardTransformer.FromConfig(HuggingFaceConfig.ReadFile("config.json"), seed: 1));
            var result = new Trainer(model, new TrainingOptions { Steps = 2 }, lists, []).Train();
            model.Save("model");
            Console.WriteLine($"{result.StepCount} steps, {result.TokensSeen} tokens");
            foreach (var rewards in new RewardScorer(model.Transformer).Score(lists))
                Console.WriteLine(JsonSerializer.Serialize(new { rewards }));
            """);
        File.WriteAllText(solution["config.json"], TinyModel.Config("llama").ToJsonString());
        File.WriteAllText(solution["lists.jsonl"], """
            {"prompt_ids": [1, 5], "answer_ids": [[7, 2], [8, 9, 2], [3, 2]]}
            {"prompt_ids": [6, 5, 4], "answer_ids": [[7, 2], [8, 2]]}
            """);
        // `dotnet run` hands on no properties that keep build servers away, so the build is a step of its own. Its warnings are errors, so
        // every version that the packages ask for is there exactly.
        solution.Run("dotnet", ["build", name, .. ChildProcess.WithoutBuildServers]);
    }

    private static IEnumerable<string> Contents(params IEnumerable<string> library) =>
        ["README.md", "icon.png", .. library.Select(file => $"lib/net10.0/{file}")];

    private IEnumerable<string> Dependencies(string package) => solution.Metadata(package).Descendants()
        .Where(element => element.Name.LocalName == "dependency")
        .Select(element => element.Attribute("id")!.Value)
        .Order(StringComparer.Ordinal);
}
