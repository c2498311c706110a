using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

public class RankGroupTests
{
    [Fact]
    public void A_ring_of_one_node_takes_its_volume_and_its_messages()
    {
        var ring = new RankGroup(4, 1, LinkBandwidth: 100, NodeBandwidth: 1, LinkLatency: 0.5, NodeLatency: 1000);
        // Three messages of 200 of 800 bytes.
        Assert.Equal(600, ring.BytesSent(800));
        Assert.Equal(600 / 100.0 + 3 * 0.5, ring.Seconds(800), 1e-12);
        Assert.Equal(2 * (6 + 1.5), ring.AllReduceSeconds(800), 1e-12);
        // A rank a node is a ring as well.
        var between = new RankGroup(1, 4, 1, 100, 1000, 0.5);
        Assert.Equal(ring.Seconds(800), between.Seconds(800), 1e-12);
    }

    [Fact]
    public void Nodes_exchange_each_ranks_part()
    {
        var group = new RankGroup(8, 16, LinkBandwidth: 450e9, NodeBandwidth: 400e9, LinkLatency: 3e-6, NodeLatency: 5e-6);
        const double bytes = 4e9;
        // 7/8 over links; then every rank has an eighth, of which 15/16 leave the node, eight ranks together.
        Assert.Equal(3.5e9 / 450e9 + 7 * 3e-6 + 8 * (4e9 / 8 * 15 / 16) / 400e9 + 15 * 5e-6, group.Seconds(bytes), 1e-9);
        // A rank's parts add up to (N - 1) / N.
        Assert.Equal(3.5e9 + 0.5e9 * 15 / 16, group.BytesSent(bytes), 1);
    }

    [Fact]
    public void One_rank_sends_nothing() =>
        Assert.Equal((0.0, 0.0), (new RankGroup(1, 1, 1, 1, 1, 1).Seconds(1e9), new RankGroup(1, 1, 1, 1, 1, 1).BytesSent(1e9)));
}
