using System.Text.RegularExpressions;
using System.Xml.Linq;
using RewardModel.Client;
using RewardModel.Data;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training;

namespace RewardModel.Tests;

/// <summary>All code in the READMEs and in the documentation of members compiles, without a warning.</summary>
public partial class ExamplesTests
{
    private static readonly Type[] libraries =
        [typeof(RankedList), typeof(DuckDbTables), typeof(RewardTransformer), typeof(Trainer), typeof(RewardClient)];

    private static readonly string[] readmes =
        ["README.md", .. libraries.Select(library => $"src/{library.Assembly.GetName().Name}/README.md"), "docs/data.md"];

    private static readonly Dictionary<string, string> ofReadmes = readmes
        .SelectMany(file => Example().Matches(File.ReadAllText(Path.Combine(Shared.RepositoryRoot, file)))
            .Select((match, i) => (Name: $"{file} {i + 1}", Code: match.Groups[1].Value)))
        .ToDictionary(example => example.Name, example => example.Code);

    private static readonly Dictionary<string, string> ofMembers = libraries
        .SelectMany(library => XDocument.Load(Path.ChangeExtension(library.Assembly.Location, ".xml")).Descendants("member"))
        .SelectMany(member => member.Elements("example").Select(example => (
            Name: member.Attribute("name")!.Value.Split('(')[0][2..], Code: example.Element("code")!.Value)))
        .ToDictionary(example => example.Name, example => example.Code);

    [Fact]
    public void They_compile()
    {
        using var directory = new TemporaryDirectory();
        // Readers of a README copy its using directives too; those of a member's documentation know what they use.
        var usings = string.Concat(libraries.SelectMany(library => library.Assembly.GetExportedTypes())
            .Select(type => $"using {type.Namespace};\n").Distinct());
        var number = 0;
        foreach (var (name, code) in ofReadmes.Concat(ofMembers))
        {
            number++;
            // Types of an example come behind its statements, as in a program.
            var (statements, types) = Type().Match(code) is { Success: true, Index: var start } ? (code[..start], code[start..]) : (code, "");
            var own = string.Concat(Using().Matches(code).Select(match => match.Value));
            File.WriteAllText(directory[$"Example{number}.cs"], $$"""
                {{(ofReadmes.ContainsKey(name) ? own : usings)}}
                internal static class Example{{number}}
                {
                    public static async Task Run()
                    {
                #line 1 "{{name}}"
                {{Using().Replace(statements, "")}}
                    }
                }
                {{types}}
                """);
        }
        string[] references =
        [
            .. libraries.Select(library => library.Assembly.GetName().Name!), "TorchSharp", "Microsoft.ML.Tokenizers",
            "Microsoft.Extensions.Logging.Abstractions", "Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Options",
        ];
        File.WriteAllText(directory["Examples.csproj"], $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <!-- Not every example awaits something. -->
                <NoWarn>$(NoWarn);CS1998</NoWarn>
              </PropertyGroup>
              <ItemGroup>
                {string.Concat(references.Select(name => $"<Reference Include=\"{Path.Combine(AppContext.BaseDirectory, name)}.dll\" />"))}
              </ItemGroup>
            </Project>
            """);
        var (exitCode, output, _) = ChildProcess.Run("dotnet", ["build", directory.Path, .. ChildProcess.WithoutBuildServers]);
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public void Every_README_of_a_library_has_one_of_about_ten_lines() => Assert.Equal(
        ["README.md 1", "src/RewardModel.Client/README.md 1", "src/RewardModel.Core/README.md 1", "src/RewardModel.Data/README.md 1", "src/RewardModel.Text/README.md 1", "src/RewardModel.Training/README.md 1"],
        ofReadmes.Where(example => example.Key.Contains("README") && example.Value.Split('\n').Count(line => line.Trim().Length > 0) <= 15)
            .Select(example => example.Key).Order(StringComparer.Ordinal));

    [Fact]
    public void The_most_used_members_have_one()
    {
        HashSet<string> members =
        [
            "RewardModel.Lists.RankedList.BestFirst",
            "RewardModel.Ranking.RankingLoss.ByName",
            "RewardModel.Reading.RankedListReader.Read",
            "RewardModel.Scoring.ScoringModel.Load",
            "RewardModel.Scoring.ScoringModel.LoadForTraining",
            "RewardModel.Scoring.ScoringModel.Save",
            "RewardModel.Scoring.ScoringModel.Score",
            "RewardModel.Scoring.ScoringModel.Tokenize",
            "RewardModel.Training.Data.PromptSplit.Of",
            "RewardModel.Training.Trainer",
        ];
        Assert.Subset(ofMembers.Keys.ToHashSet(), members);
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex("^internal ", RegexOptions.Multiline)]
    private static partial Regex Type();

    [GeneratedRegex(@"^using [\w.]+;\n", RegexOptions.Multiline)]
    private static partial Regex Using();
}
