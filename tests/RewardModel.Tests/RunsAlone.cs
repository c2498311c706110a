namespace RewardModel.Tests;

/// <summary>The collection of tests that no other test may run beside.</summary>
[CollectionDefinition(nameof(RunsAlone), DisableParallelization = true)]
public class RunsAlone;
