namespace RewardModel.Tests;

/// <summary>
/// Larger goldens and real data that are not part of the repository. They are looked for in the folder that the environment
/// variable REWARD_MODEL_SHARED names, else in <c>shared</c> beside the checkout. Tests that need them are skipped, saying so,
/// where they are absent.
/// </summary>
internal static class Shared
{
    public static string RepositoryRoot { get; } = FindRepositoryRoot();

    public static string Directory { get; } =
        Environment.GetEnvironmentVariable("REWARD_MODEL_SHARED") ?? Path.GetFullPath(Path.Combine(RepositoryRoot, "..", "shared"));

    public static string PathOf(string relative) => Path.Combine(Directory, relative);

    public static string? SkipReason(string relative) =>
        Path.Exists(PathOf(relative)) ? null : $"'{relative}' is not in '{Directory}' (set REWARD_MODEL_SHARED to the folder that has it)";

    private static string FindRepositoryRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            if (File.Exists(Path.Combine(directory.FullName, "RewardModel.sln")))
                return directory.FullName;
        throw new DirectoryNotFoundException($"no RewardModel.sln above '{AppContext.BaseDirectory}'");
    }
}

/// <summary>A fact that needs a file or folder of <see cref="Shared"/>.</summary>
internal sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute(string needs) => Skip = Shared.SkipReason(needs)!;
}

/// <summary>A theory that needs a file or folder of <see cref="Shared"/>.</summary>
internal sealed class SharedTheoryAttribute : TheoryAttribute
{
    public SharedTheoryAttribute(string needs) => Skip = Shared.SkipReason(needs)!;
}
