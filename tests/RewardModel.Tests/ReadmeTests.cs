using System.Text.RegularExpressions;

namespace RewardModel.Tests;

public partial class ReadmeTests
{
    private static readonly string readme = File.ReadAllText(Path.Combine(Shared.RepositoryRoot, "README.md"));

    [Fact]
    public void The_example_compiles_and_has_at_most_fifteen_lines()
    {
        var example = Example().Match(readme).Groups[1].Value;
        Assert.InRange(example.Split('\n').Count(line => line.Trim().Length > 0), 1, 15);

        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["Program.cs"], example);
        string[] libraries =
        [
            "RewardModel.Text", "RewardModel.Core", "RewardModel.Training", "TorchSharp", "Microsoft.ML.Tokenizers",
            "Microsoft.Extensions.Logging.Abstractions",
        ];
        File.WriteAllText(directory["Example.csproj"], $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                {string.Concat(libraries.Select(name => $"<Reference Include=\"{Path.Combine(AppContext.BaseDirectory, name)}.dll\" />"))}
              </ItemGroup>
            </Project>
            """);
        var (exitCode, output, _) = ChildProcess.Run("dotnet", ["build", directory.Path, .. ChildProcess.WithoutBuildServers]);
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public void Its_commands_options_and_files_exist()
    {
        var options = RewardModel.Cli.CommandLine.Root(TextWriter.Null, TextWriter.Null).Subcommands
            .SelectMany(command => command.Options.Select(option => option.Name)).Append("--help").ToHashSet();
        Assert.All(Option().Matches(readme).Select(match => match.Value), option => Assert.Contains(option, options));
        Assert.All(
            Command().Matches(readme).Concat(Link().Matches(readme)).Select(match => match.Groups[1].Value),
            link => Assert.True(File.Exists(Path.Combine(Shared.RepositoryRoot, link)), $"{link} does not exist"));
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"\./([a-z-]+(?:\.sh)?)\b")]
    private static partial Regex Command();

    [GeneratedRegex("--[a-z][a-z-]+")]
    private static partial Regex Option();

    [GeneratedRegex(@"\]\(([^#)]+)\)")]
    private static partial Regex Link();
}
