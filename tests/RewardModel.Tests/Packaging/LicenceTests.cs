using System.Text.Json;

namespace RewardModel.Tests.Packaging;

public sealed class LicenceTests
{
    [Fact]
    public void The_licences_of_all_packages_that_are_passed_on_are_listed_and_no_others()
    {
        var listed = File.ReadLines(Path.Combine(Shared.RepositoryRoot, "docs", "licences.md"))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(2)
            .SelectMany(line => line.Split('|')[2].Split(',', StringSplitOptions.TrimEntries));
        Assert.Equal(PackagesOf("src").Where(name => !name.Contains("CodeAnalysis")).Order(), listed.Order());
    }

    [Fact]
    public void Every_project_has_a_lock_file_with_digests()
    {
        var projects = new[] { "src", "samples", "bench", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Shared.RepositoryRoot, folder), "*.csproj", SearchOption.AllDirectories));
        Assert.All(projects, project => Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json")), project));
    }

    private static HashSet<string> PackagesOf(string folder) =>
    [
        .. Directory.EnumerateFiles(Path.Combine(Shared.RepositoryRoot, folder), "packages.lock.json", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/")).SelectMany(file =>
            {
                using var json = JsonDocument.Parse(File.ReadAllBytes(file));
                return json.RootElement.GetProperty("dependencies").EnumerateObject().SelectMany(framework => framework.Value.EnumerateObject())
                    .Where(package => package.Value.TryGetProperty("contentHash", out _)).Select(package => package.Name).ToArray();
            }),
    ];
}
