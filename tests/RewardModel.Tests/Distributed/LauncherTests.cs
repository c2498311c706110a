using RewardModel.Distributed;

namespace RewardModel.Tests.Distributed;

public class LauncherTests
{
    [Fact]
    public void Each_launcher_is_known_by_its_variables()
    {
        Assert.Equal(
            new Launcher("mpirun of Open MPI", MpiImplementation.OpenMpi, 4, 3),
            Of(("OMPI_COMM_WORLD_SIZE", "4"), ("OMPI_COMM_WORLD_RANK", "3"), ("PMIX_RANK", "3"), ("SLURM_NTASKS", "8")));
        Assert.Equal(
            new Launcher("mpirun of MPICH or Intel MPI", MpiImplementation.Mpich, 4, 1),
            Of(("PMI_SIZE", "4"), ("PMI_RANK", "1"), ("MPI_LOCALNRANKS", "2"), ("SLURM_STEP_ID", "0"), ("SLURM_STEP_NUM_TASKS", "2")));
        Assert.Equal(
            new Launcher("srun", null, 4, 2),
            Of(("PMI_SIZE", "4"), ("PMI_RANK", "2"), ("SLURM_STEP_ID", "0"), ("SLURM_STEP_NUM_TASKS", "4")));
        Assert.Equal(
            new Launcher("srun", null, 4, 2),
            Of(("SLURM_STEP_ID", "0"), ("SLURM_STEP_NUM_TASKS", "4"), ("SLURM_PROCID", "2"), ("PMIX_RANK", "2")));
    }

    [Fact]
    public void A_process_that_was_started_by_itself_has_none()
    {
        Assert.Null(Of());
        // A job's script, which runs once.
        Assert.Null(Of(("SLURM_NTASKS", "4"), ("SLURM_PROCID", "0")));
        Assert.Null(Of(("OMPI_COMM_WORLD_SIZE", "many")));
    }

    [Fact]
    public void Without_a_launcher_there_is_one_rank()
    {
        var ranks = Collectives.FromEnvironment();
        Assert.Same(SingleProcess.Instance, ranks);
        Assert.Equal(TimeSpan.FromMinutes(10), Collectives.DefaultLimit);
        Assert.Equal("limit", Assert.Throws<ArgumentOutOfRangeException>(() => Collectives.FromEnvironment(TimeSpan.Zero)).ParamName);
        var thrown = Assert.Throws<ArithmeticException>(() => Collectives.Run(ranks, () => throw new ArithmeticException("here")));
        Assert.Equal("here", thrown.Message);
    }

    [Fact]
    public void An_exception_of_this_library_ends_all_ranks_with_its_message_alone()
    {
        Assert.Equal("rank 1 of 2: no MPI", Failure(new DistributedException("no MPI")));
        Assert.StartsWith("rank 1 of 2: System.ArithmeticException: elsewhere\n   at ", Failure(new ArithmeticException("elsewhere")));

        static string Failure(Exception exception) => Assert.Throws<InvalidOperationException>(() => ThreadCollective.Run(2, ranks =>
            Collectives.Run(ranks, () =>
            {
                if (ranks.Rank == 1)
                    throw exception;
                ranks.Gather([], "nothing");
            }))).Message;
    }

    private static Launcher? Of(params (string Name, string Value)[] variables) =>
        Launcher.Of(name => variables.FirstOrDefault(variable => variable.Name == name).Value);
}
