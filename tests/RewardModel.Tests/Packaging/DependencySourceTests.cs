namespace RewardModel.Tests.Packaging;

public sealed class DependencySourceTests
{
    [Fact]
    public void No_project_under_src_knows_where_its_dependencies_come_from()
    {
        var projects = Directory.GetFiles(Path.Combine(Shared.RepositoryRoot, "src"), "*.csproj", SearchOption.AllDirectories);
        Assert.Contains("RewardModel.Core.csproj", projects.Select(Path.GetFileName));
        Assert.All(projects, project => Assert.DoesNotContain("DependencySource", File.ReadAllText(project)));
    }
}
