using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tokenizers;
using RewardModel.Training;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;

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

// All weights are new here, because the task is small enough. To start from a pretrained model, use
// ScoringModel.LoadForTraining with its directory, and the default learning rate.
var transformer = RewardTransformer.FromConfig(HuggingFaceConfig.ReadFile(Path.Combine(taskDirectory, "config.json")), seed: 1);
var tokenizer = HuggingFaceTokenizer.Load(Path.Combine(taskDirectory, "tokenizer"));
using var model = new ScoringModel(transformer, tokenizer);

var trainLists = ReadLists("train.jsonl");
// The prompts of the held-out lists must be others than those trained on: accuracy would flatter the model.
var heldOutLists = ReadLists("test.jsonl");
var options = new TrainingOptions { Steps = steps, LearningRate = 1e-3, WarmupSteps = steps / 10, ListsPerStep = 16 };
var trainer = new Trainer(model, options, trainLists, heldOutLists, new RunDirectory(modelDirectory), new ConsoleProgress());

// Started again after it was stopped, the run goes on from the newest state in its directory. At the end the model has the best weights.
var result = trainer.Train(resume: true);
model.Save(modelDirectory);
Console.WriteLine($"Saved the weights of step {result.BestEvaluation!.Step} in '{modelDirectory}'");
return 0;

IReadOnlyList<TokenizedList> ReadLists(string file)
{
    // Lists made in code do as well: RankedList.BestFirst(prompt, answers).
    var (lists, cut) = model.Tokenize(RankedListReader.Read(Path.Combine(taskDirectory, file)).Lists);
    Console.WriteLine($"{file}: {lists.Count} lists, cut to the model's length: {cut.Prompts.Cut} prompts, {cut.Answers.Cut} answers");
    return lists;
}

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
