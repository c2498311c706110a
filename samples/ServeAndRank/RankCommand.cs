using RewardModel.Client;

namespace ServeAndRank;

/// <summary>Prints answers to a prompt, the best first, with their rewards and probabilities to win.</summary>
internal static class RankCommand
{
    public static async Task RunAsync(RewardClient client, string prompt, string[] answers)
    {
        // One call for all answers to a prompt: the prompt is then computed once. Lists of many prompts are ScoreAsync's.
        foreach (var answer in await client.RankAsync(prompt, answers))
            Console.WriteLine(
                $"{answer.Reward,8:F4}  {answer.WinProbability:F4}  {answer.Text}{(answer.WasCut ? "  (too long: read in part)" : "")}");
    }
}
