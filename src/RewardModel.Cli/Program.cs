using RewardModel.Cli;

return CommandLine.Run(args, Console.Out, Console.Error);

// ASP.NET Core makes it public otherwise.
internal sealed partial class Program;
