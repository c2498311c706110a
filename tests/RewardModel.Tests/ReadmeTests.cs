using System.Text.RegularExpressions;

namespace RewardModel.Tests;

public partial class ReadmeTests
{
    [Theory]
    [InlineData("README.md")]
    [InlineData("src/RewardModel.Cli/README.md")]
    public void Its_options_exist(string file)
    {
        var options = RewardModel.Cli.CommandLine.Root(TextWriter.Null, TextWriter.Null).Subcommands
            .SelectMany(command => command.Options.Select(option => option.Name)).Append("--help").ToHashSet();
        Assert.All(
            Option().Matches(Text(file)).Select(match => match.Value),
            option => Assert.Contains(option, options));
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("CONTRIBUTING.md")]
    public void Its_commands_and_files_exist(string file)
    {
        var text = Text(file);
        Assert.All(
            Command().Matches(text).Concat(Link().Matches(text)).Select(match => match.Groups[1].Value),
            link => Assert.True(File.Exists(Path.Combine(Shared.RepositoryRoot, link)), $"{link} does not exist"));
    }

    private static string Text(string file) => File.ReadAllText(Path.Combine(Shared.RepositoryRoot, file));

    [GeneratedRegex(@"\./([a-z-]+(?:\.sh)?)\b")]
    private static partial Regex Command();

    [GeneratedRegex("--[a-z][a-z-]+")]
    private static partial Regex Option();

    [GeneratedRegex(@"\]\(([^#)]+)\)")]
    private static partial Regex Link();
}
