using System.CommandLine;
using System.Text.RegularExpressions;

namespace RewardModel.Cli;

/// <summary>A command as it can be given to a shell again.</summary>
internal static partial class CommandText
{
    private const string program = "reward-model";

    /// <summary>The command that was parsed.</summary>
    public static string Of(ParseResult parsed) => Of(parsed.Tokens.Select(token => token.Value));

    /// <summary>The command with these arguments, quoted where POSIX shells need it.</summary>
    public static string Of(IEnumerable<string> arguments) => string.Join(' ', [program, .. arguments.Select(Quoted)]);

    private static string Quoted(string argument) =>
        Plain().IsMatch(argument) ? argument : $"'{argument.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    [GeneratedRegex(@"\A[A-Za-z0-9_%+=:,./@-]+\z")]
    private static partial Regex Plain();
}
