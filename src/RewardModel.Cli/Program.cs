using RewardModel.Cli;

return CommandLine.Run(args, Console.Out, Console.Error);

/// <summary>ASP.NET Core's generator would make it public.</summary>
internal partial class Program;
