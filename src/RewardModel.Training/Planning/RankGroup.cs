namespace RewardModel.Training.Planning;

/// <summary>
/// Ranks that talk to each other, as many in each node, and how long that takes: ring algorithms (Thakur, Rabenseifner and Gropp,
/// "Optimization of collective communication operations in MPICH", 2005) within a node, and between nodes on each rank's part of that.
/// </summary>
/// <param name="Inside">Ranks of a node.</param>
/// <param name="Nodes">Nodes.</param>
/// <param name="LinkBandwidth">Bytes a second from a rank to another of its node.</param>
/// <param name="NodeBandwidth">Bytes a second from a node to the others, for all its ranks together.</param>
/// <param name="LinkLatency">Seconds of a message in a node.</param>
/// <param name="NodeLatency">Seconds of a message between nodes.</param>
internal sealed record RankGroup(
    int Inside, int Nodes, double LinkBandwidth, double NodeBandwidth, double LinkLatency, double NodeLatency)
{
    /// <summary>Ranks in all.</summary>
    public int Size => Inside * Nodes;

    /// <summary>
    /// Bytes that a rank sends in a reduce-scatter or an all-gather of V bytes: V (N - 1) / N, of which (G - 1) / G stay in its node of G
    /// ranks. An all-reduce is one after the other, and sends twice as much.
    /// </summary>
    public double BytesSent(double bytes) => bytes * (Size - 1) / Size;

    /// <summary>
    /// Seconds of a reduce-scatter or an all-gather: V (G - 1) / G over a link and G - 1 messages, and with K nodes V (K - 1) / K over a
    /// node's connection, which its ranks share for a part of V / G each, and K - 1 messages.
    /// </summary>
    public double Seconds(double bytes) =>
        bytes * (Inside - 1) / Inside / LinkBandwidth + (Inside - 1) * LinkLatency
        + bytes * (Nodes - 1) / Nodes / NodeBandwidth + (Nodes - 1) * NodeLatency;

    /// <summary>Seconds of an all-reduce.</summary>
    public double AllReduceSeconds(double bytes) => 2 * Seconds(bytes);
}
