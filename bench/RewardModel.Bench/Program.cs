using RewardModel;
using RewardModel.Bench;

// bench/run.sh and bench/tokenizers.sh build and start this; see bench/README.md.
//
//   RewardModel.Bench run [--quick] [--threads N] [--only NAME] [--python PROGRAM] [--baseline DIRECTORY]
//   RewardModel.Bench worker DIRECTORY THREADS PRECISION CHECKPOINTING [LORA-TARGETS | STORAGE UNFROZEN-LAYERS]
//   RewardModel.Bench peer DIRECTORY MODE THREADS
//   RewardModel.Bench optimizers [THREADS]
//   RewardModel.Bench loading DIRECTORY
//   RewardModel.Bench experts [THREADS]
//   RewardModel.Bench experts-memory SIDE
//   RewardModel.Bench data TOKENIZER FILE.jsonl
//   RewardModel.Bench data-scale ROWS DIRECTORY TOKENIZER [--gzip] [--no-cache] [--tokens-per-step]
//   RewardModel.Bench data-scale-rank CACHE TOKENIZER KEY
//   RewardModel.Bench serving-model TOKENIZER WIDTH OUTPUT
//   RewardModel.Bench serving OURS [PEER] [--seconds S] [--rounds N]
//   RewardModel.Bench serving-overload OURS PROCESS SECONDS
//   RewardModel.Bench ranks-memory [STEPS]
//   RewardModel.Bench ranks-scaling DIRECTORY before|one
//   RewardModel.Bench rank-model NAME DIRECTORY
//   RewardModel.Bench rank-worker NAME DIRECTORY OUTPUT SHARDING STEPS [LORA-RANK]
//   RewardModel.Bench rank-messages MEGABYTES ROUNDS
//   RewardModel.Bench tokenizers NODE [--quick] DIRECTORY...
//   RewardModel.Bench tokenizer-worker DIRECTORY TEXT


switch (args)
{
    case ["worker", var directory, var threads, var precision, var checkpointing]:
        new Worker(directory, int.Parse(threads), Enum.Parse<Precision>(precision), bool.Parse(checkpointing)).Run();
        return 0;
    case ["worker", var directory, var threads, var precision, var checkpointing, var targets]:
        new Worker(directory, int.Parse(threads), Enum.Parse<Precision>(precision), bool.Parse(checkpointing), loraTargets: targets).Run();
        return 0;
    case ["worker", var directory, var threads, var precision, var checkpointing, var storage, var unfrozenLayers]:
        new Worker(
            directory, int.Parse(threads), Enum.Parse<Precision>(precision), bool.Parse(checkpointing), Enum.Parse<WeightStorage>(storage),
            int.Parse(unfrozenLayers)).Run();
        return 0;
    case ["peer", var directory, var mode, var threads]:
        new PeerWorker(directory, mode, int.Parse(threads)).Run();
        return 0;
    case ["run", .. var options]:
        string? Option(string name) => options.SkipWhile(option => option != name).Skip(1).FirstOrDefault();
        new Comparison(
            int.Parse(Option("--threads") ?? "2"), options.Contains("--quick"), Option("--only"), Option("--python"), Option("--baseline"))
            .Run();
        return 0;
    case ["optimizers", .. var threads]:
        new OptimizerComparison(threads is [var count] ? int.Parse(count) : 2, rounds: 15).Run();
        return 0;
    case ["loading", var folder]:
        new LoadingMeasurement(folder).Run();
        return 0;
    case ["experts", .. var threads]:
        new ExpertsComparison(threads is [var ofExperts] ? int.Parse(ofExperts) : 2).Run(rounds: 15);
        return 0;
    case ["experts-memory", var side]:
        new ExpertsComparison(threads: 2).RunMemory(int.Parse(side));
        return 0;
    case ["data", var tokenizer, var file]:
        new DataMeasurement(tokenizer, file).Run();
        return 0;
    case ["data-scale", var rows, var folder, var tokenizer, .. var options]:
        new DataScale(int.Parse(rows), folder, tokenizer)
        {
            IsCompressed = options.Contains("--gzip"),
            HasCache = !options.Contains("--no-cache"),
            CountsTokens = options.Contains("--tokens-per-step"),
        }.Run();
        return 0;
    case ["data-scale-rank", var cache, var tokenizer, var key]:
        DataScale.RunRank(cache, tokenizer, key);
        return 0;
    case ["serving-model", var tokenizer, var width, var output]:
        ServingModel.Write(tokenizer, int.Parse(width), output);
        return 0;
    case ["serving", var ours, .. var rest]:
        string? Setting(string name) => rest.SkipWhile(option => option != name).Skip(1).FirstOrDefault();
        await new ServingLoad(
            new Uri(ours), rest is [var peer, ..] && !peer.StartsWith('-') ? new Uri(peer) : null, double.Parse(Setting("--seconds") ?? "5"),
            int.Parse(Setting("--rounds") ?? "3")).Run();
        return 0;
    case ["serving-overload", var ours, var process, var seconds]:
        await new ServingOverload(new Uri(ours), int.Parse(process), double.Parse(seconds)).Run();
        return 0;
    case ["ranks-memory", .. var steps]:
        new RankMemoryTable(steps is [var asked] ? int.Parse(asked) : 3).Run();
        return 0;
    case ["ranks-scaling", var folder, var single]:
        new RankScaling(folder, single).Run();
        return 0;
    case ["rank-model", var name, var directory]:
        RankModel.Named(name).Write(directory);
        return 0;
    case ["rank-worker", var name, var directory, var output, var sharding, var steps, .. var rank]:
        RankWorker.Train(
            RankModel.Named(name), directory, output, Enum.Parse<Sharding>(sharding), int.Parse(steps), rank is [var lora] ? int.Parse(lora) : null);
        return 0;
    case ["rank-messages", var megabytes, var rounds]:
        RankWorker.Messages(int.Parse(megabytes), int.Parse(rounds));
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
            Usage: RewardModel.Bench run [--quick] [--threads N] [--only NAME] [--python PROGRAM] [--baseline DIRECTORY]
                   RewardModel.Bench optimizers [THREADS]
                   RewardModel.Bench loading DIRECTORY
                   RewardModel.Bench experts [THREADS]
                   RewardModel.Bench data TOKENIZER FILE.jsonl
                   RewardModel.Bench data-scale ROWS DIRECTORY TOKENIZER [--gzip] [--no-cache] [--tokens-per-step]
                   RewardModel.Bench serving-model TOKENIZER WIDTH OUTPUT
                   RewardModel.Bench serving OURS [PEER] [--seconds S] [--rounds N]
                   RewardModel.Bench serving-overload OURS PROCESS SECONDS
                   RewardModel.Bench ranks-memory [STEPS]
                   RewardModel.Bench tokenizers NODE [--quick] DIRECTORY...
            """);
        return 2;
}
