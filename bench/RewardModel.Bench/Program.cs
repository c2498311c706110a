// bench/run.sh builds and starts this; see bench/README.md.
//
//   RewardModel.Bench run [--quick] [--threads N] [--python PROGRAM] [--only NAME]
//   RewardModel.Bench worker DIRECTORY THREADS PRECISION CHECKPOINTING

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
    default:
        Console.Error.WriteLine("Usage: RewardModel.Bench run [--quick] [--threads N] [--python PROGRAM] [--only NAME]");
        return 2;
}
