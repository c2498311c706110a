using System.Text.RegularExpressions;
using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training;

namespace RewardModel.Tests;

/// <summary>ARCHITECTURE.md's table of rooms, held against the assemblies: what a room knows, it knows by name there.</summary>
public partial class ArchitectureTests
{
    private static readonly string document = File.ReadAllText(Path.Combine(Shared.RepositoryRoot, "ARCHITECTURE.md"));

    private static readonly Dictionary<string, string[]> table = Row().Matches(document).ToDictionary(
        row => row.Groups["room"].Value,
        row => Names().Matches(row.Groups["knows"].Value).Select(name => name.Value).ToArray());

    private static readonly Lazy<ILookup<string, string>> found = new(() =>
    {
        var architecture = new ArchLoader().LoadAssemblies(
            typeof(RankedList).Assembly, typeof(RewardTransformer).Assembly, typeof(Trainer).Assembly, typeof(RewardModel.Data.DuckDbTables).Assembly,
            typeof(RewardModel.Server.RewardServerOptions).Assembly, typeof(RewardModel.Client.RewardClient).Assembly,
            typeof(RewardModel.Cli.CommandLine).Assembly).Build();
        var arrows = from type in architecture.Types
                     from dependency in type.Dependencies
                     let room = RoomOf(type)
                     let known = RoomOf(dependency.Target)
                     where room is not null && known is not null && room != known
                     select (Room: room, Known: known);
        return arrows.Distinct().ToLookup(arrow => arrow.Room, arrow => arrow.Known);
    });

    [Fact]
    public void Every_room_knows_exactly_the_rooms_that_the_table_names()
    {
        static string Lines(IEnumerable<string> rooms, Func<string, IEnumerable<string>> known) => string.Join('\n', rooms
            .Order(StringComparer.Ordinal).Select(room => $"{room}: {string.Join(", ", known(room).Order(StringComparer.Ordinal))}"));
        Assert.NotEmpty(table);
        Assert.Equal(
            Lines(table.Keys, room => table[room]),
            Lines(found.Value.Select(arrows => arrows.Key).Union(table.Keys), room => found.Value[room]));
    }

    [Fact]
    public void No_room_knows_one_that_knows_it()
    {
        // A room stands below those that know it: rooms are taken away from the bottom until none is left.
        var left = table.ToDictionary(pair => pair.Key, pair => pair.Value.ToHashSet());
        while (left.Where(pair => pair.Value.Count == 0).Select(pair => pair.Key).ToArray() is { Length: > 0 } bottom)
            foreach (var room in bottom)
            {
                left.Remove(room);
                foreach (var others in left.Values)
                    others.Remove(room);
            }
        Assert.Empty(left.Keys);
    }

    [Fact]
    public void Text_knows_no_tensors() => Assert.DoesNotContain(
        typeof(RankedList).Assembly.GetReferencedAssemblies(), assembly => assembly.Name == "TorchSharp");

    private static string? RoomOf(IType type)
    {
        var match = Room().Match(type.Namespace?.FullName ?? "");
        return match.Success && match.Groups[1].Value != "" ? match.Groups[1].Value : null;
    }

    /// <summary>What lies in a project's root namespace (its nouns, known to all) is no room, but for those of Training, Server and Cli.</summary>
    [GeneratedRegex(@"^RewardModel\.?((?:(?:Training|Server)\.)?\w*)")]
    private static partial Regex Room();

    /// <summary>A line such as: | `Packing` | what | `Lists`, `Kernels` |</summary>
    [GeneratedRegex(@"^\| `(?<room>[\w.]+)` \|[^|]*\|(?<knows>[^|]*)\|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"[\w.]+")]
    private static partial Regex Names();
}
