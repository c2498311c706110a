using System.CommandLine;
using RewardModel.Training.Recipes;

namespace RewardModel.Cli;

/// <summary><c>reward-model recipes</c>: published recipes, and each as the run file that it is.</summary>
internal static class RecipesCommand
{
    public static Command Create(TextWriter output)
    {
        var name = new Argument<string?>("NAME")
        {
            Description = "A recipe, to be printed as a run file. Default: list all of them.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("recipes", "Prints published recipes as run files, each setting with its source; train --recipe uses them.")
        {
            name,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(name) is { } chosen)
                output.Write(TrainingRecipe.Named(chosen).Yaml);
            else
                foreach (var recipe in TrainingRecipe.All)
                    output.WriteLine($"{recipe.Name,-28}{recipe.Title}");
        });
        return command;
    }
}
