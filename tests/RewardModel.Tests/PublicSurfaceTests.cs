using System.Reflection;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training;

namespace RewardModel.Tests;

/// <summary>What users of the packages can name. The members are held by the files PublicAPI.*.txt beside the projects.</summary>
public class PublicSurfaceTests
{
    /// <summary>A type more is a decision, like an option of the command line.</summary>
    [Fact]
    public void The_packages_have_this_many_public_types()
    {
        Assert.Equal(29, CountOf(typeof(RankedList).Assembly));
        Assert.Equal(48, CountOf(typeof(RewardTransformer).Assembly));
        Assert.Equal(77, CountOf(typeof(Trainer).Assembly));
        Assert.Equal(1, CountOf(typeof(RewardModel.Data.DuckDbTables).Assembly));
        Assert.Equal(6, CountOf(typeof(RewardModel.Client.RewardClient).Assembly));
        Assert.Equal(4, CountOf(typeof(RewardModel.Server.RewardServerOptions).Assembly));
        Assert.Equal(0, CountOf(typeof(RewardModel.Cli.CommandLine).Assembly));
    }

    /// <summary>What is not to be derived from says so; a run's options add to the trainer's.</summary>
    [Fact]
    public void Public_classes_are_sealed_static_or_abstract() => Assert.All(
        new[]
            {
                typeof(RankedList), typeof(RewardTransformer), typeof(Trainer), typeof(RewardModel.Client.RewardClient),
                typeof(RewardModel.Server.RewardServerOptions),
            }
            .SelectMany(type => type.Assembly.GetExportedTypes()).Where(type => type.IsClass && type != typeof(TrainingOptions)),
        type => Assert.True(type.IsSealed || type.IsAbstract, $"{type} is open"));

    private static int CountOf(Assembly assembly) => assembly.GetExportedTypes().Count(type => !type.IsNested);
}
