namespace RewardModel.Distributed;

/// <summary>The two binary interfaces that MPI libraries have.</summary>
internal enum MpiImplementation
{
    /// <summary>Open MPI: handles are addresses of what the library exports.</summary>
    OpenMpi,

    /// <summary>MPICH, Intel MPI, MVAPICH and Cray MPICH, which have agreed on one: handles are numbers.</summary>
    Mpich,
}
