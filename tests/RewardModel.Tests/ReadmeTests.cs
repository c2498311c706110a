using System.Text.RegularExpressions;

namespace RewardModel.Tests;

public partial class ReadmeTests
{
    [Theory]
    [InlineData("README.md")]
    [InlineData("src/RewardModel.Cli/README.md")]
    public void Its_options_exist(string file)
    {
        var options = CommandOptions();
        Assert.All(
            Option().Matches(Text(file)).Select(match => match.Value),
            option => Assert.Contains(option, options));
    }

    [Fact]
    public void Options_of_the_documentation_exist()
    {
        // dotnet, dotnet-counters, tensorboard and wandb have options of their own, and OpenRLHF (--reward.remote_url, --remote_rm_url).
        HashSet<string> ofOthers =
        [
            "--project", "--counters", "--process-id", "--logdir", "--sync-tensorboard", "--reward", "--remote", "--bind-to", "--hostfile", "--nodes", "--ntasks-per-node", "--gpus-per-node",
            "--signal", "--mpi", "--kill-on-bad-exit", "--mca", .. OptionsOfSamples(),
        ];
        var options = CommandOptions();
        Assert.All(
            Documentation().SelectMany(file => Option().Matches(Text(file)).Select(match => (File: file, Option: match.Value))),
            found => Assert.True(
                options.Contains(found.Option) || ofOthers.Contains(found.Option), $"{found.Option} in {found.File} does not exist"));
    }

    /// <summary>What containers and services are started with.</summary>
    [Fact]
    public void Options_of_the_deployment_exist()
    {
        string[] ofOthers =
        [
            "--configuration", "--runtime", "--self-contained", "--output", "--tag", "--read-only", "--publish", "--volume", "--env", "--yes",
            "--no-install-recommends", "--from", "--from-literal", "--filename", "--now", "--dereference",
        ];
        var serve = RewardModel.Cli.CommandLine.Root(TextWriter.Null, TextWriter.Null).Subcommands.Single(command => command.Name == "serve");
        var found = Directory.EnumerateFiles(Path.Combine(Shared.RepositoryRoot, "deploy"), "*.*").Append("deploy/Dockerfile")
            .SelectMany(file => Option().Matches(Text(file)).Select(match => match.Value)).Except(ofOthers).ToArray();
        Assert.Contains("--drain-timeout", found);
        Assert.All(found, option => Assert.Contains(option, serve.Options.Select(other => other.Name).Append("--help")));
    }

    [Fact]
    public void Files_that_the_documentation_links_exist() => Assert.All(
        Documentation().SelectMany(file => LinkWithPlace().Matches(Text(file)).Select(match => (File: file, Link: match.Groups[1].Value))),
        found => Assert.True(
            File.Exists(Path.Combine(Shared.RepositoryRoot, "docs", found.Link)), $"{found.Link} in {found.File} does not exist"));

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

    private static IEnumerable<string> Documentation() => Directory.EnumerateFiles(Path.Combine(Shared.RepositoryRoot, "docs"), "*.md");

    private static HashSet<string> CommandOptions() => [
        .. RewardModel.Cli.CommandLine.Root(TextWriter.Null, TextWriter.Null).Subcommands
            .SelectMany(command => command.Options.Select(option => option.Name)),
        "--help"];

    /// <summary>Those that the samples' sources name.</summary>
    private static IEnumerable<string> OptionsOfSamples() =>
        Directory.EnumerateFiles(Path.Combine(Shared.RepositoryRoot, "samples"), "Program.cs", SearchOption.AllDirectories)
            .SelectMany(file => QuotedOption().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value));

    private static string Text(string file) => File.ReadAllText(Path.Combine(Shared.RepositoryRoot, file));

    [GeneratedRegex(@"\./([a-z-]+(?:\.sh)?)\b")]
    private static partial Regex Command();

    [GeneratedRegex("--[a-z][a-z0-9-]+")]
    private static partial Regex Option();

    [GeneratedRegex("\"(--[a-z][a-z0-9-]+)\"")]
    private static partial Regex QuotedOption();

    [GeneratedRegex(@"\]\(([^#)]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"\]\(([^#)]+)(?:#[^)]*)?\)")]
    private static partial Regex LinkWithPlace();
}
