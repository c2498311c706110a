namespace RewardModel.Training.Planning;

/// <summary>What connects the nodes of a cluster.</summary>
/// <param name="Name">As <c>--network</c> takes it.</param>
/// <param name="Bandwidth">Bytes a second between a node and the others, in one direction.</param>
/// <param name="Latency">Seconds of a message.</param>
internal sealed record NodeNetwork(string Name, double Bandwidth, double Latency)
{
    /// <summary>
    /// All that are known, the default first. InfiniBand NDR has 400 Gbit/s an adapter, of which DGX H100's data sheet has eight; Ethernet
    /// is one adapter a node. Latencies are assumed: a few microseconds with remote memory access, tens with TCP.
    /// </summary>
    public static IReadOnlyList<NodeNetwork> All { get; } =
    [
        new("infiniband", 400e9, 5e-6),
        new("ethernet-100g", 12.5e9, 30e-6),
        new("ethernet-10g", 1.25e9, 50e-6),
    ];

    /// <summary>The network of a name.</summary>
    /// <exception cref="ArgumentException">There is none of that name; the message lists those that exist.</exception>
    public static NodeNetwork Named(string name) => All.FirstOrDefault(network => network.Name == name) ?? throw new ArgumentException(
        $"The network '{name}' is not known; expected one of: {string.Join(", ", All.Select(network => network.Name))}. Give the nearest "
        + "one, and its figures by --node-bandwidth and --node-latency.");
}
