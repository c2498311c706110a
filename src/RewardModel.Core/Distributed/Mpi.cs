using System.Runtime.InteropServices;
using System.Text;

namespace RewardModel.Distributed;

/// <summary>
/// MPI's C interface (MPI 3.0), in the binary forms of Open MPI and of MPICH. Every function of MPI that is called is here. But for the
/// version, all calls come from the thread that has called <see cref="Initialize"/>.
/// </summary>
internal sealed unsafe class Mpi
{
    /// <summary>The environment variable that names the file of the library to use.</summary>
    public const string LibraryVariable = "REWARD_MODEL_MPI";

    /// <summary>The functions that are called here.</summary>
    internal static readonly string[] Functions =
    [
        "MPI_Abort", "MPI_Allgather", "MPI_Allgatherv", "MPI_Allreduce", "MPI_Bcast", "MPI_Comm_free", "MPI_Comm_rank",
        "MPI_Comm_set_errhandler", "MPI_Comm_size", "MPI_Comm_split_type", "MPI_Error_string", "MPI_Finalize", "MPI_Get_library_version",
        "MPI_Get_version", "MPI_Init_thread", "MPI_Initialized", "MPI_Reduce", "MPI_Reduce_scatter",
    ];

    /// <summary>What Open MPI exports for its handles; MPICH's are numbers.</summary>
    internal static readonly string[] OpenMpiHandles =
    [
        "ompi_mpi_byte", "ompi_mpi_comm_world", "ompi_mpi_double", "ompi_mpi_errors_return", "ompi_mpi_float", "ompi_mpi_info_null",
        "ompi_mpi_op_sum",
    ];

    private const string expected =
        "Expected Open MPI or MPICH (or Intel MPI, which is like it), of MPI 3.0 or newer, the same as the launcher's: install openmpi-bin "
        + "or mpich (Debian and Ubuntu; openmpi or mpich with Fedora and RHEL, where `module load mpi` may be needed), or name the "
        + "library's file in the environment variable " + LibraryVariable + ".";

    private const int funneled = 1, longestText = 8192;

    private static readonly string[] openMpiFiles = ["libmpi.so.40", "libmpi.so"], mpichFiles = ["libmpi.so.12", "libmpich.so.12"];

    private readonly IntPtr library;
    private readonly string file;
    // MPI_Comm, MPI_Datatype, MPI_Op, MPI_Errhandler and MPI_Info are pointers or 32 bits, which a register has in its lower half.
    private readonly nint world, float32, float64, bytes, sum, errorsReturn, noInfo, inPlace;
    private readonly int sharedMemory;
    private readonly delegate* unmanaged<nint, int, int> abort;
    private readonly delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int> allGather;
    private readonly delegate* unmanaged<void*, int, nint, void*, int*, int*, nint, nint, int> allGatherParts;
    private readonly delegate* unmanaged<void*, void*, int, nint, nint, nint, int> allReduce;
    private readonly delegate* unmanaged<void*, int, nint, int, nint, int> broadcast;
    private readonly delegate* unmanaged<nint*, int> freeGroup;
    private readonly delegate* unmanaged<nint, int*, int> getRank;
    private readonly delegate* unmanaged<nint, nint, int> setErrorHandler;
    private readonly delegate* unmanaged<nint, int*, int> getSize;
    private readonly delegate* unmanaged<nint, int, int, nint, nint*, int> splitByType;
    private readonly delegate* unmanaged<int, byte*, int*, int> getErrorText;
    private readonly delegate* unmanaged<int> end;
    private readonly delegate* unmanaged<byte*, int*, int> getLibraryVersion;
    private readonly delegate* unmanaged<int*, int*, int> getVersion;
    private readonly delegate* unmanaged<int*, byte***, int, int*, int> initialize;
    private readonly delegate* unmanaged<int*, int> isInitialized;
    private readonly delegate* unmanaged<void*, void*, int, nint, nint, int, nint, int> reduce;
    private readonly delegate* unmanaged<void*, void*, int*, nint, nint, nint, int> reduceScatter;

    private Mpi(IntPtr library, string file)
    {
        this.library = library;
        this.file = Path.GetFileName(file);
        Implementation = NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out _)
            ? MpiImplementation.OpenMpi : MpiImplementation.Mpich;
        if (Implementation == MpiImplementation.OpenMpi)
        {
            (world, sum, errorsReturn, noInfo) = (
                Export("ompi_mpi_comm_world"), Export("ompi_mpi_op_sum"), Export("ompi_mpi_errors_return"), Export("ompi_mpi_info_null"));
            (float32, float64, bytes) = (Export("ompi_mpi_float"), Export("ompi_mpi_double"), Export("ompi_mpi_byte"));
            (inPlace, sharedMemory) = (1, 0);
        }
        else
        {
            (world, sum, errorsReturn, noInfo) = (0x44000000, 0x58000003, 0x54000001, 0x1c000000);
            (float32, float64, bytes) = (0x4c00040a, 0x4c00080b, 0x4c00010d);
            (inPlace, sharedMemory) = (-1, 1);
        }
        abort = (delegate* unmanaged<nint, int, int>)Export("MPI_Abort");
        allGather = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int>)Export("MPI_Allgather");
        allGatherParts = (delegate* unmanaged<void*, int, nint, void*, int*, int*, nint, nint, int>)Export("MPI_Allgatherv");
        allReduce = (delegate* unmanaged<void*, void*, int, nint, nint, nint, int>)Export("MPI_Allreduce");
        broadcast = (delegate* unmanaged<void*, int, nint, int, nint, int>)Export("MPI_Bcast");
        freeGroup = (delegate* unmanaged<nint*, int>)Export("MPI_Comm_free");
        getRank = (delegate* unmanaged<nint, int*, int>)Export("MPI_Comm_rank");
        setErrorHandler = (delegate* unmanaged<nint, nint, int>)Export("MPI_Comm_set_errhandler");
        getSize = (delegate* unmanaged<nint, int*, int>)Export("MPI_Comm_size");
        splitByType = (delegate* unmanaged<nint, int, int, nint, nint*, int>)Export("MPI_Comm_split_type");
        getErrorText = (delegate* unmanaged<int, byte*, int*, int>)Export("MPI_Error_string");
        end = (delegate* unmanaged<int>)Export("MPI_Finalize");
        getLibraryVersion = (delegate* unmanaged<byte*, int*, int>)Export("MPI_Get_library_version");
        getVersion = (delegate* unmanaged<int*, int*, int>)Export("MPI_Get_version");
        initialize = (delegate* unmanaged<int*, byte***, int, int*, int>)Export("MPI_Init_thread");
        isInitialized = (delegate* unmanaged<int*, int>)Export("MPI_Initialized");
        reduce = (delegate* unmanaged<void*, void*, int, nint, nint, int, nint, int>)Export("MPI_Reduce");
        reduceScatter = (delegate* unmanaged<void*, void*, int*, nint, nint, nint, int>)Export("MPI_Reduce_scatter");
    }

    public MpiImplementation Implementation { get; }

    /// <summary>Name, version and file: "Open MPI 4.1.4 (libmpi.so.40)".</summary>
    public string Description
    {
        get
        {
            var text = stackalloc byte[longestText];
            int length;
            Check(getLibraryVersion(text, &length), "MPI_Get_library_version");
            return $"{ShortVersion(Encoding.UTF8.GetString(text, length))} ({file})";
        }
    }

    /// <summary>Rank and number of ranks of all processes.</summary>
    public (int Rank, int Size) World => Place(world);

    /// <summary>
    /// The library that <see cref="LibraryVariable"/> names, or the first that is found; the launcher's own MPI is looked for first.
    /// </summary>
    /// <exception cref="DistributedException">There is none, or it is too old.</exception>
    public static Mpi Open(Launcher launcher, string? named)
    {
        var files = !string.IsNullOrEmpty(named) ? [named]
            : launcher.Implementation == MpiImplementation.Mpich ? [.. mpichFiles, .. openMpiFiles]
            : (string[])[.. openMpiFiles, .. mpichFiles];
        var reasons = new List<string>();
        foreach (var file in files)
            if (TryLoad(file, reasons, out var library))
                return new Mpi(library, file).OfVersion3();
        throw new DistributedException(
            $"{launcher.Name} has started {launcher.Size} processes, and there is no MPI library to connect them: "
            + $"{(string.IsNullOrEmpty(named) ? "" : $"{LibraryVariable} names ")}{string.Join("; ", reasons)}. {expected}");
    }

    /// <summary>Starts MPI, once per process; errors are exceptions from here on.</summary>
    public void Initialize()
    {
        int isDone, provided = -1, code = 0;
        Check(isInitialized(&isDone), "MPI_Initialized");
        if (isDone != 0)
            throw new DistributedException(
                "MPI has been started in this process already, which can be done once. Keep the ICollective of the first start.");
        SystemCalls.KeepingErrorHandlers(() =>
        {
            int found;
            code = initialize(null, null, funneled, &found);
            provided = found;
        });
        Check(code, "MPI_Init_thread");
        Check(setErrorHandler(world, errorsReturn), "MPI_Comm_set_errhandler");
        if (provided < funneled)
            throw new DistributedException($"{Description} was built without threads. {expected}");
    }

    /// <summary>This process among those that share its machine's memory, and how many they are.</summary>
    public (int Rank, int Size) PlaceOnMachine()
    {
        nint machine = 0;
        Check(splitByType(world, sharedMemory, World.Rank, noInfo, &machine), "MPI_Comm_split_type");
        var place = Place(machine);
        Check(freeGroup(&machine), "MPI_Comm_free");
        return place;
    }

    public void AllReduce(void* numbers, int count, bool isDouble) =>
        Check(allReduce((void*)inPlace, numbers, count, TypeOf(isDouble), sum, world), "MPI_Allreduce");

    /// <param name="numbers">What this rank adds.</param>
    /// <param name="result">Gets the sum on the root.</param>
    /// <param name="count">Number of numbers.</param>
    /// <param name="isDouble">Whether they are float64 and not float32.</param>
    /// <param name="root">The rank that gets it.</param>
    public void Reduce(void* numbers, void* result, int count, bool isDouble, int root) =>
        Check(reduce(numbers, result, count, TypeOf(isDouble), sum, root, world), "MPI_Reduce");

    public void ReduceScatter(void* numbers, void* part, int[] counts, bool isDouble)
    {
        fixed (int* countsStart = counts)
            Check(reduceScatter(numbers, part, countsStart, TypeOf(isDouble), sum, world), "MPI_Reduce_scatter");
    }

    /// <summary>Each rank's part lies at its place already. Counts and places are in elements.</summary>
    public void AllGatherInPlace(void* all, int[] counts, int[] starts, int elementSize)
    {
        fixed (int* countsStart = counts, startsStart = starts)
            Check(
                allGatherParts((void*)inPlace, 0, TypeOf(elementSize), all, countsStart, startsStart, TypeOf(elementSize), world),
                "MPI_Allgatherv");
    }

    /// <summary>As many bytes of every rank, by ranks.</summary>
    public void AllGather(void* own, void* all, int byteCount) =>
        Check(allGather(own, byteCount, bytes, all, byteCount, bytes, world), "MPI_Allgather");

    public void Broadcast(void* elements, int count, int elementSize, int root) =>
        Check(broadcast(elements, count, TypeOf(elementSize), root, world), "MPI_Bcast");

    /// <summary>Ends all processes, this one too.</summary>
    public void Abort(int exitCode) => _ = abort(world, exitCode);

    /// <summary>Waits for all ranks to come to their ends.</summary>
    public void End() => Check(end(), "MPI_Finalize");

    /// <summary>What libraries call themselves, in a few words.</summary>
    internal static string ShortVersion(string text)
    {
        // "Open MPI v4.1.4, package: ...", "MPICH Version:      4.0.2\n...", "Intel(R) MPI Library 2021.9 for Linux* OS\n".
        var line = text.Split('\n')[0].Split(',')[0].Replace("MPI v", "MPI ", StringComparison.Ordinal)
            .Replace("Version:", " ", StringComparison.OrdinalIgnoreCase);
        return string.Join(' ', line.Split((char[])[' ', '\t', '\0'], StringSplitOptions.RemoveEmptyEntries));
    }

    private static bool TryLoad(string file, List<string> reasons, out IntPtr library)
    {
        IntPtr found = 0;
        try
        {
            SystemCalls.KeepingErrorHandlers(() => found = NativeLibrary.Load(file));
            library = found;
            return true;
        }
        catch (Exception reason) when (reason is DllNotFoundException or BadImageFormatException)
        {
            // .NET's last line is what the system said.
            reasons.Add($"{file} ({reason.Message.TrimEnd().Split('\n')[^1].TrimEnd('.')})");
            library = 0;
            return false;
        }
    }

    private Mpi OfVersion3()
    {
        int version, subversion;
        Check(getVersion(&version, &subversion), "MPI_Get_version");
        return version >= 3
            ? this
            : throw new DistributedException($"{Description} is a library of MPI {version}.{subversion}. {expected}");
    }

    private nint TypeOf(bool isDouble) => isDouble ? float64 : float32;

    private nint TypeOf(int elementSize) => elementSize switch { 1 => bytes, 4 => float32, _ => float64 };

    private (int Rank, int Size) Place(nint group)
    {
        int rank, size;
        Check(getRank(group, &rank), "MPI_Comm_rank");
        Check(getSize(group, &size), "MPI_Comm_size");
        return (rank, size);
    }

    private void Check(int code, string function)
    {
        if (code == 0)
            return;
        var text = stackalloc byte[longestText];
        int length;
        var reason = getErrorText(code, text, &length) == 0 ? Encoding.UTF8.GetString(text, length).Trim() : $"error {code}";
        throw new DistributedException($"{function} of {file} failed: {reason}");
    }

    private nint Export(string name) => NativeLibrary.TryGetExport(library, name, out var address)
        ? address
        : throw new DistributedException($"{file} has no {name}. {expected}");
}
