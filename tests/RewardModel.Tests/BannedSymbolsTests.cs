using System.Reflection;
using TorchSharp;

namespace RewardModel.Tests;

/// <summary>The analyzer passes over a name that nothing has: a typing error would ban nothing.</summary>
public class BannedSymbolsTests
{
    private static readonly Assembly[] assemblies =
        [typeof(Console).Assembly, typeof(object).Assembly, typeof(torch).Assembly, Assembly.Load("System.Runtime.Serialization.Formatters")];

    [Theory]
    [InlineData("BannedSymbols.txt")]
    [InlineData("BannedSymbols.Libraries.txt")]
    public void Everything_banned_exists_and_has_a_reason(string file) => Assert.All(
        File.ReadAllLines(Path.Combine(Shared.RepositoryRoot, "src", file)),
        line =>
        {
            var parts = line.Split(';', 2);
            Assert.Contains(parts[0], Names(TypeOf(parts[0])));
            Assert.True(parts.Length == 2 && parts[1].Length > 10, $"{parts[0]} has no reason");
        });

    private static Type TypeOf(string id)
    {
        var name = id[2..].Split('(')[0];
        for (var outer = name; ; outer = outer[..outer.LastIndexOf('.')])
            if (assemblies.SelectMany(assembly => assembly.GetTypes()).FirstOrDefault(type => IdOf(type) == outer) is { } found)
                return found;
            else
                Assert.Contains('.', outer);
    }

    /// <summary>What the compiler's documentation comments call a type and its members.</summary>
    private static IEnumerable<string> Names(Type type) =>
    [
        $"T:{IdOf(type)}",
        .. type.GetProperties().Select(property => $"P:{IdOf(type)}.{property.Name}"),
        .. type.GetMethods().Select(method => $"M:{IdOf(type)}.{method.Name}{Parameters(method)}"),
    ];

    private static string Parameters(MethodInfo method) => method.GetParameters() is { Length: > 0 } parameters
        ? $"({string.Join(",", parameters.Select(parameter => IdOf(parameter.ParameterType)))})"
        : "";

    private static string IdOf(Type type) => (type.FullName ?? type.Name).Replace('+', '.');
}
