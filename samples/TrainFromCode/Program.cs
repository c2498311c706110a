using RewardModel.Training;
using RewardModel.Training.Reporting;

// Trains a reward model on what samples/GenerateSortingTask wrote:
//
//   dotnet run -c Release --project samples/GenerateSortingTask -- TASK_DIR
//   dotnet run -c Release --project samples/TrainFromCode -- TASK_DIR MODEL_DIR [STEPS]

var steps = 500;
if (args.Length is not (2 or 3) || (args.Length == 3 && !(int.TryParse(args[2], out steps) && steps > 0)))
{
    Console.Error.WriteLine("Usage: TrainFromCode TASK_DIR MODEL_DIR [STEPS, at least 1, default 500]");
    return 2;
}
var (taskDirectory, modelDirectory) = (args[0], args[1]);

var run = new TrainingRun(new TrainingRunOptions
{
    Data = Path.Combine(taskDirectory, "train.jsonl"),
    // With other prompts than those trained on: the accuracy of known prompts would flatter the model.
    EvaluationData = Path.Combine(taskDirectory, "test.jsonl"),
    // All weights are new here, because the task is small enough. To start from a pretrained model, give Backbone, its directory, in place
    // of both, and leave the learning rate at its default.
    Config = Path.Combine(taskDirectory, "config.json"),
    Tokenizer = Path.Combine(taskDirectory, "tokenizer"),
    Seed = 1,
    Steps = steps,
    LearningRate = 1e-3,
    WarmupSteps = steps / 10,
    ListsPerStep = 16,
    Output = modelDirectory,
    // Started again after it was stopped, the run continues from its newest state.
    Resume = true,
});
var result = run.Run(new ConsoleProgress());
Console.WriteLine($"Saved the weights of step {result.BestEvaluation!.Step} in '{modelDirectory}'");
foreach (var diagnosis in result.Diagnoses)
    Console.WriteLine($"{diagnosis.Severity}: {diagnosis.Sentence}");
return 0;

/// <summary>Prints at once and in order, which System.Progress, working in the background, does not promise.</summary>
internal sealed class ConsoleProgress : IProgress<TrainingReport>
{
    public void Report(TrainingReport value)
    {
        if (value is StepReport step && step.Step % 10 == 0)
            Console.WriteLine($"step {step.Step}/{step.StepCount}: loss {step.Loss:F4}, {step.TokensPerSecond:F0} tokens/s");
        else if (value is EvaluationReport { Metrics.Accuracy: var accuracy, IsBest: var isBest })
            Console.WriteLine($"after step {value.Step}: held-out accuracy {accuracy:F4}{(isBest ? " (best)" : "")}");
    }
}
