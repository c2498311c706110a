using RewardModel.Cli;

return CommandLine.Run(args, Console.Out, Console.Error);
