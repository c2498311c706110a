using System.Text.Json.Nodes;
using RewardModel.Training.Runs;

namespace RewardModel.Training.Recipes;

/// <summary>
/// A published way of training a reward model, as a run file whose settings name their sources. Data, model and output are the caller's, and
/// every setting can be replaced.
/// </summary>
/// <example>
/// <code>
/// var options = TrainingRecipe.Named("instructgpt").Options("ranked.jsonl", "sft-model", "reward-model") with { ListsPerStep = 32 };
/// new TrainingRun(options).Run();
/// </code>
/// </example>
public sealed class TrainingRecipe
{
    private const string extension = ".yaml";

    private TrainingRecipe(string name, string yaml) => (Name, Yaml) = (name, yaml);

    /// <summary>All recipes, by name.</summary>
    public static IReadOnlyList<TrainingRecipe> All { get; } =
    [
        .. typeof(TrainingRecipe).Assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(extension, StringComparison.Ordinal))
            .Select(name => new TrainingRecipe(name[..^extension.Length], Text(name))).OrderBy(recipe => recipe.Name, StringComparer.Ordinal),
    ];

    /// <summary>The name, as <c>--recipe</c> takes it.</summary>
    public string Name { get; }

    /// <summary>The run file: comments on the model and its data, then a setting per line with its source.</summary>
    public string Yaml { get; }

    /// <summary>What the recipe is, in one line.</summary>
    public string Title => Yaml.Split('\n')[0].TrimStart('#', ' ');

    /// <summary>The settings, by the names of run files.</summary>
    internal JsonObject Settings => RunFile<TrainingRunOptions>.Parse(new StringReader(Yaml), $"recipe {Name}");

    /// <summary>The recipe of the given name.</summary>
    /// <exception cref="ArgumentException">There is none of that name; the message lists those that exist.</exception>
    public static TrainingRecipe Named(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return All.FirstOrDefault(recipe => recipe.Name == name) ?? throw new ArgumentException(
            $"The recipe '{name}' is not known; expected one of: {string.Join(", ", All.Select(recipe => recipe.Name))}.", nameof(name));
    }

    /// <summary>The options of a run by this recipe.</summary>
    /// <param name="data">File of the ranked lists to train on.</param>
    /// <param name="backbone">Directory of the Hugging Face checkpoint to start from.</param>
    /// <param name="output">Directory for the trained model.</param>
    public TrainingRunOptions Options(string data, string backbone, string output)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(backbone);
        ArgumentNullException.ThrowIfNull(output);
        var all = Settings;
        (all["data"], all["backbone"], all["output"]) = (data, backbone, output);
        return RunFile<TrainingRunOptions>.ToOptions(all);
    }

    private static string Text(string resource)
    {
        using var reader = new StreamReader(typeof(TrainingRecipe).Assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }
}
