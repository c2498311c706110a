using RewardModel.Scoring;

// Scores answers to a prompt with a trained reward model, for example one of samples/TrainFromCode:
//
//   dotnet run -c Release --project samples/ScoreFromCode -- MODEL_DIR "Sort 5 2 3 16 17 19 10 7 ascending:" \
//     "19 17 16 10 7 5 3 2" "2 3 5 7 10 16 17 19"


if (args.Length < 4)
{
    Console.Error.WriteLine("Usage: ScoreFromCode MODEL_DIR PROMPT ANSWER ANSWER...");
    return 2;
}
var (modelDirectory, prompt, answers) = (args[0], args[1], args[2..]);

// The directory also says how text becomes the model's input, so scores are those of the training. Load once, score often.
using var model = ScoringModel.Load(modelDirectory);

// One call for all answers to a prompt: the prompt is then computed once. The best comes first.
var ranking = model.Rank(prompt, answers);
foreach (var answer in ranking)
    Console.WriteLine($"{answer.Reward,8:F4}  {answer.Text}");

// A reward alone means nothing: training fixes only differences. The sigmoid of one is the probability that people prefer the first.
var preference = 1 / (1 + Math.Exp(ranking[1].Reward - ranking[0].Reward));
Console.WriteLine($"The first is preferred to the second with probability {preference:F4}");
return 0;
