// bench/run.sh and bench/tokenizers.sh build and start this; see bench/README.md.
//
//   RewardModel.Bench run [--quick] [--threads N] [--python PROGRAM] [--only NAME]
//   RewardModel.Bench worker DIRECTORY THREADS PRECISION CHECKPOINTING
//   RewardModel.Bench tokenizers NODE [--quick] DIRECTORY...
//   RewardModel.Bench tokenizer-worker DIRECTORY TEXT

using RewardModel;
using RewardModel.Bench;

switch (args)
{
    case ["worker", var directory, var threads, var precision, var checkpointing]:
        new Worker(directory, int.Parse(threads), Enum.Parse<Precision>(precision), bool.Parse(checkpointing)).Run();
        return 0;
    case ["run", .. var options]:
        string? Option(string name) => options.SkipWhile(option => option != name).Skip(1).FirstOrDefault();
        new Comparison(
            int.Parse(Option("--threads") ?? "2"), Option("--python") ?? "python3", options.Contains("--quick"), Option("--only")).Run();
        return 0;
    case ["tokenizers", var node, .. var rest]:
        new TokenizerComparison(node, [.. rest.Where(argument => argument != "--quick")], rest.Contains("--quick")).Run();
        return 0;
    case ["tokenizer-worker", var directory, var text]:
        new TokenizerWorker(directory, text).Run();
        return 0;
    default:
        Console.Error.WriteLine(
            """
            Usage: RewardModel.Bench run [--quick] [--threads N] [--python PROGRAM] [--only NAME]
                   RewardModel.Bench tokenizers NODE [--quick] DIRECTORY...
            """);
        return 2;
}
