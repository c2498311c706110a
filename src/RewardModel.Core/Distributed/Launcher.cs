using System.Globalization;

namespace RewardModel.Distributed;

/// <summary>The program that has started this process and others with it, as the environment variables that it sets tell.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Implementation">Whose it is; null for srun, which starts processes of every MPI.</param>
/// <param name="Size">Number of processes that it has started.</param>
/// <param name="Rank">This process among them, from 0.</param>
internal sealed record Launcher(string Name, MpiImplementation? Implementation, int Size, int Rank)
{
    /// <summary>
    /// None where this process was started by itself. MPICH's and Intel MPI's launchers set PMI_SIZE, also within Slurm. SLURM_NTASKS is no
    /// sign: it is what a job has asked for, and its script has it, too.
    /// </summary>
    /// <param name="variable">The value of an environment variable, null if it is not set.</param>
    public static Launcher? Of(Func<string, string?> variable)
    {
        if (Number("OMPI_COMM_WORLD_SIZE") is { } openMpi)
            return new Launcher("mpirun of Open MPI", MpiImplementation.OpenMpi, openMpi, Number("OMPI_COMM_WORLD_RANK") ?? 0);
        if (Number("PMI_SIZE") is { } pmi)
            return variable("MPI_LOCALNRANKS") is null && variable("SLURM_STEP_ID") is not null
                ? new Launcher("srun", null, pmi, Number("PMI_RANK") ?? 0)
                : new Launcher("mpirun of MPICH or Intel MPI", MpiImplementation.Mpich, pmi, Number("PMI_RANK") ?? 0);
        if (variable("SLURM_STEP_ID") is not null && Number("SLURM_STEP_NUM_TASKS") is { } slurm)
            return new Launcher("srun", null, slurm, Number("SLURM_PROCID") ?? 0);
        return null;

        int? Number(string name) =>
            int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
