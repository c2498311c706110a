namespace RewardModel.Training.Planning;

/// <summary>
/// The order of one rank's step: layers are computed one after the other, messages go over one connection one after the other, and each
/// waits for what it needs of the other. Of the layers' weights two are gathered at a time, and gradients of two are whole at a time.
/// </summary>
internal sealed class StepTimeline
{
    private double computed, connection;

    /// <summary>Seconds of all messages.</summary>
    public double Communication { get; private set; }

    /// <summary>Layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Seconds of a layer's forward pass of one micro-batch.</summary>
    public required double Forward { get; init; }

    /// <summary>Seconds of its backward pass, with what is computed again.</summary>
    public required double Backward { get; init; }

    /// <summary>Seconds to gather the weights outside the layers, and a layer's; 0: they are there.</summary>
    public (double Root, double Layer) Gather { get; init; }

    /// <summary>Seconds to add up the gradients outside the layers, and a layer's.</summary>
    public (double Root, double Layer) Reduce { get; init; }

    /// <summary>Whether gradients are added up after each micro-batch rather than after the last.</summary>
    public bool ReducesEachBatch { get; init; }

    /// <summary>Whether messages travel while layers are computed.</summary>
    public bool Overlaps { get; init; } = true;

    /// <summary>Seconds from the start of the first micro-batch to the end of all computation and messages.</summary>
    public double Run(int batchCount)
    {
        for (var batch = 0; batch < batchCount; batch++)
        {
            var reduces = ReducesEachBatch || batch == batchCount - 1;
            Send(Gather.Root, computed);
            PassThroughLayers(Forward, reduces: false);
            PassThroughLayers(Backward, reduces);
            if (reduces)
                Send(Reduce.Root, computed);
        }
        return Math.Max(computed, connection);
    }

    private void PassThroughLayers(double seconds, bool reduces)
    {
        // When the gradients of the last layer, and of the one before, were added up.
        double last = 0, beforeLast = 0;
        var gathered = Send(Gather.Layer, computed);
        for (var i = 0; i < LayerCount; i++)
        {
            // Weights must be there, and room for gradients.
            computed = Math.Max(Math.Max(computed, gathered), ReducesEachBatch ? beforeLast : 0);
            if (i + 1 < LayerCount)
                gathered = Send(Gather.Layer, computed);
            computed += seconds;
            if (reduces)
                (beforeLast, last) = (last, Send(Reduce.Layer, computed));
        }
    }

    /// <summary>A message that can start at a time; returns when it has arrived.</summary>
    private double Send(double seconds, double from)
    {
        if (seconds == 0)
            return from;
        Communication += seconds;
        connection = Math.Max(connection, from) + seconds;
        if (!Overlaps)
            computed = Math.Max(computed, connection);
        return connection;
    }
}
