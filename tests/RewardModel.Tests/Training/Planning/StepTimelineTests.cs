using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

public class StepTimelineTests
{
    [Fact]
    public void Without_messages_it_is_the_computation() => Assert.Equal(
        3 * 4 * (1 + 2), new StepTimeline { LayerCount = 4, Forward = 1, Backward = 2 }.Run(3));

    [Fact]
    public void Gradients_are_added_up_behind_the_last_micro_batch()
    {
        // Of the last of two: ends of layers at 6 + 2, 4 ... each message takes 1, the last group's begins at 12.
        var timeline = new StepTimeline { LayerCount = 2, Forward = 1, Backward = 2, Reduce = (0.25, 1) };
        Assert.Equal(12 + 1 + 0.25, timeline.Run(2));
        Assert.Equal(2.25, timeline.Communication);
        // Slower ones: the first begins at 10 and the second behind it.
        Assert.Equal(10 + 5 + 5 + 0.25, new StepTimeline { LayerCount = 2, Forward = 1, Backward = 2, Reduce = (0.25, 5) }.Run(2));
    }

    [Fact]
    public void After_each_micro_batch_they_leave_room_for_two_layers()
    {
        // Three layers of 1 backwards and messages of 10: the third waits until the first's message is there, at 3 + 1 + 10.
        var timeline = new StepTimeline { LayerCount = 3, Forward = 1, Backward = 1, Reduce = (0, 10), ReducesEachBatch = true };
        Assert.Equal(3 + 1 + 30, timeline.Run(1));
        Assert.Equal(30, timeline.Communication);
    }

    [Fact]
    public void Weights_of_the_next_layer_travel_while_one_is_computed()
    {
        // The first ones are waited for, in both passes; the others are there in time.
        var fast = new StepTimeline { LayerCount = 3, Forward = 2, Backward = 4, Gather = (0.5, 1) };
        Assert.Equal(0.5 + 1 + 6 + 1 + 12, fast.Run(1));
        Assert.Equal(0.5 + 6, fast.Communication);
        // Slow ones decide.
        var slow = new StepTimeline { LayerCount = 3, Forward = 2, Backward = 4, Gather = (0.5, 10) };
        Assert.Equal(0.5 + 30 + 2 + 30 + 4, slow.Run(1));
    }

    [Fact]
    public void Where_nothing_overlaps_all_is_added_up()
    {
        var timeline = new StepTimeline
        {
            LayerCount = 3,
            Forward = 2,
            Backward = 4,
            Gather = (0.5, 1),
            Reduce = (0.25, 1),
            ReducesEachBatch = true,
            Overlaps = false,
        };
        Assert.Equal(2 * (18 + 0.5 + 6 + 0.25 + 3), timeline.Run(2), 1e-12);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(1)]
    [InlineData(7)]
    public void It_is_never_shorter_than_either_part_nor_longer_than_both(double message)
    {
        var timeline = new StepTimeline
        {
            LayerCount = 5,
            Forward = 1,
            Backward = 3,
            Gather = (message, message),
            Reduce = (message, message),
            ReducesEachBatch = true,
        };
        var seconds = timeline.Run(4);
        Assert.InRange(seconds, Math.Max(80, timeline.Communication), 80 + timeline.Communication);
    }
}
