using System.Reflection;
using System.Runtime.InteropServices;
using RewardModel.Distributed;

namespace RewardModel.Tests.Distributed;

public class MpiTests
{
    private static readonly Launcher launcher = new("mpirun of Open MPI", MpiImplementation.OpenMpi, 4, 0);

    [MpiTheory]
    [MemberData(nameof(MpiCollectiveTests.Implementations), MemberType = typeof(MpiCollectiveTests))]
    public void Every_function_that_is_called_is_there(string implementation)
    {
        var mpi = Mpi.Open(launcher with { Implementation = Enum.Parse<MpiImplementation>(implementation) }, null);
        Assert.Equal(implementation, $"{mpi.Implementation}");
        var library = NativeLibrary.Load(mpi.Description.Split('(')[^1].TrimEnd(')'));
        string[] names = mpi.Implementation == MpiImplementation.OpenMpi ? [.. Mpi.Functions, .. Mpi.OpenMpiHandles] : Mpi.Functions;
        Assert.All(names, name => Assert.True(NativeLibrary.TryGetExport(library, name, out _), name));
        // No other one is.
        var pointers = typeof(Mpi).GetFields(BindingFlags.Instance | BindingFlags.NonPublic)
            .Where(field => field.FieldType.IsFunctionPointer);
        Assert.Equal(Mpi.Functions.Length, pointers.Count());
    }

    [Fact]
    public void A_library_that_is_missing_or_another_one_is_told()
    {
        var missing = Assert.Throws<DistributedException>(() => Mpi.Open(launcher, "/no/libmpi.so"));
        Assert.Equal(
            "mpirun of Open MPI has started 4 processes, and there is no MPI library to connect them: REWARD_MODEL_MPI names /no/libmpi.so "
            + "(/no/libmpi.so: cannot open shared object file: No such file or directory). Expected Open MPI or MPICH (or Intel MPI, which "
            + "is like it), of MPI 3.0 or newer, the same as the launcher's: install openmpi-bin or mpich (Debian and Ubuntu; openmpi or "
            + "mpich with Fedora and RHEL, where `module load mpi` may be needed), or name the library's file in the environment variable "
            + "REWARD_MODEL_MPI.",
            missing.Message);
        var other = Assert.Throws<DistributedException>(() => Mpi.Open(launcher, "libm.so.6"));
        Assert.StartsWith("libm.so.6 has no MPI_Abort. Expected Open MPI or MPICH", other.Message);
    }

    [Theory]
    [InlineData("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4, May 26, 2022", "Open MPI 4.1.4")]
    [InlineData("MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7 12:34:45 CDT 2022\n", "MPICH 4.0.2")]
    [InlineData("Intel(R) MPI Library 2021.9 for Linux* OS\n\0", "Intel(R) MPI Library 2021.9 for Linux* OS")]
    public void Versions_are_short(string text, string expected) => Assert.Equal(expected, Mpi.ShortVersion(text));
}
