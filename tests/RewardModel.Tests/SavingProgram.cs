namespace RewardModel.Tests;

/// <summary>
/// What this assembly does as a program: loads two models and saves them in turn into a third directory, until it is killed. Says so
/// on the output when it begins.
/// </summary>
internal static class SavingProgram
{
    public static void Main(string[] directories)
    {
        ScoringModel[] models = [ScoringModel.Load(directories[0]), ScoringModel.Load(directories[1])];
        Console.WriteLine("saving");
        for (var i = 0; ; i++)
            Save(models[i % 2], i % 2, directories[2]);
    }

    /// <summary>The first kind of model in several files, the second in one.</summary>
    public static void Save(ScoringModel model, int kind, string directory) =>
        model.Save(directory, maxShardBytes: kind == 0 ? 8_000 : 1_000_000);
}
