namespace RewardModel.Cli;

/// <summary>The entry point; written out, because ASP.NET Core makes the class of top-level statements public.</summary>
internal static class Program
{
    private static int Main(string[] args) => CommandLine.Run(args, Console.Out, Console.Error);
}
