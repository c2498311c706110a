using RewardModel.Distributed;

namespace RewardModel.Tests.Distributed;

/// <summary>
/// Ranks that are processes, with each MPI that is installed. What they compute they check themselves: <see cref="RankProgram"/>.
/// </summary>
[Collection(nameof(RunsAlone))]
public class MpiCollectiveTests
{
    /// <summary>All that waits for another rank is over by then.</summary>
    private static readonly TimeSpan soon = TimeSpan.FromSeconds(15);

    public static TheoryData<string> Implementations => [.. MpiRun.Installed.Select(implementation => $"{implementation}")];

    public static TheoryData<string, int> Sizes
    {
        get
        {
            var sizes = new TheoryData<string, int>();
            foreach (var implementation in MpiRun.Installed)
                for (var count = 1; count <= 4; count++)
                    sizes.Add($"{implementation}", count);
            return sizes;
        }
    }

    [MpiTheory]
    [MemberData(nameof(Sizes))]
    public void Every_operation_gives_what_it_says_and_the_same_bits_again(string implementation, int count)
    {
        var first = MpiRun.Output(Parse(implementation), count, "operations", $"{MpiCollective.LargestPiece}");
        Assert.Equal(64, first.Length);
        if (count == 3)
            Assert.Equal(first, MpiRun.Output(Parse(implementation), count, "operations", $"{MpiCollective.LargestPiece}"));
    }

    /// <summary>As tensors of more than a gibibyte do.</summary>
    [MpiTheory]
    [MemberData(nameof(Implementations))]
    public void What_is_too_large_for_one_call_goes_in_pieces(string implementation) =>
        Assert.Equal(64, MpiRun.Output(Parse(implementation), 3, "operations", "4004").Length);

    [MpiTheory]
    [MemberData(nameof(Implementations))]
    public void Ranks_of_the_environment_know_their_places(string implementation)
    {
        var lines = MpiRun.Output(Parse(implementation), 3, "place").Split('\n');
        Assert.Matches(
            implementation == nameof(MpiImplementation.OpenMpi)
                ? @"^Open MPI \d+\.\d+\.\d+\w* \(libmpi\.so[.\d]*\), 3 ranks on 1 machine$"
                : @"^(MPICH|Intel\(R\) MPI Library) \d+\.[.\d]*.* \(libmpi(ch)?\.so[.\d]*\), 3 ranks on 1 machine$",
            lines[0]);
        Assert.Equal("0/3 1/3 2/3", lines[1]);
        // MPI is not started for one.
        Assert.Equal("one process\n0/1", MpiRun.Output(Parse(implementation), 1, "place"));
    }

    [MpiTheory]
    [MemberData(nameof(Implementations))]
    public void An_operation_is_done_while_its_caller_computes(string implementation) =>
        Assert.Equal("", MpiRun.Output(Parse(implementation), 2, "overlap"));

    [MpiTheory]
    [MemberData(nameof(Implementations))]
    public void Wrong_calls_are_refused_before_another_rank_waits_for_them(string implementation) =>
        Assert.Equal("all refused", MpiRun.Output(Parse(implementation), 2, "misuse"));

    [MpiTheory]
    [MemberData(nameof(Implementations))]
    public void An_exception_on_one_rank_ends_all_with_its_message(string implementation)
    {
        var (exitCode, _, error, time) = MpiRun.Ranks(Parse(implementation), 3, [], "throw", "1");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("rank 1 of 3: System.ArithmeticException: there is no such number\n   at ", error, StringComparison.Ordinal);
        Assert.InRange(time, TimeSpan.Zero, soon);
    }

    [MpiTheory]
    [MemberData(nameof(Implementations))]
    public void A_rank_that_is_killed_within_an_operation_ends_all(string implementation)
    {
        var (exitCode, _, _, time) = MpiRun.Ranks(Parse(implementation), 3, [], "die", "1");
        Assert.NotEqual(0, exitCode);
        Assert.InRange(time, TimeSpan.Zero, soon);
    }

    [MpiTheory]
    [MemberData(nameof(Implementations))]
    public void A_rank_that_hangs_is_named_and_ends_all(string implementation)
    {
        using var directory = new TemporaryDirectory();
        var (exitCode, _, error, time) = MpiRun.Ranks(Parse(implementation), 3, [], "hang", "1", directory["ranks"]);
        Assert.NotEqual(0, exitCode);
        Assert.InRange(time, TimeSpan.FromSeconds(3), soon);
        Assert.Matches(
            @"rank [02] of 3: operation 4 \(gradients of layer 2\) has taken [34] s, and at most 3 s were expected: another rank hangs, or "
            + @"computes much longer; rank 1 has done operation 3 \(tokens of the step\) [234] s ago, and no other since, all others have "
            + @"come to 4\. All ranks are ended; look at what that one does, or set a longer limit\.",
            error);
    }

    [MpiTheory]
    [MemberData(nameof(Implementations))]
    public void Ranks_that_end_well_leave_no_files_not_even_those_of_more_ranks_before(string implementation)
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["ranks"]);
        foreach (var killed in new[] { "rank-1", "rank-2", "rank-3" })
            File.WriteAllText(directory["ranks/" + killed], "7 in gradients\n");
        MpiRun.Output(Parse(implementation), 2, "end", directory["ranks"]);
        Assert.Empty(directory.FileNames());
    }

    [BothMpisFact]
    public void A_launcher_of_one_MPI_with_the_library_of_another_is_refused()
    {
        Assert.Matches(
            @"start of MPI: mpirun of Open MPI has started 2 processes, of which MPICH [\d.]+ \(libmpich\.so\.12\) finds 1: the launcher "
            + "and the library are of different MPIs, and know nothing of each other. Expected both of one: start with the mpirun of MPICH "
            + @"or Intel MPI, or name the file of the launcher's own library in REWARD_MODEL_MPI \(libmpi\.so\.40\)\.",
            Error(MpiImplementation.OpenMpi, "libmpich.so.12"));
        Assert.Matches(
            @"start of MPI: mpirun of MPICH or Intel MPI has started 2 processes, of which Open MPI [\d.]+ \(libmpi\.so\.40\) finds 1: the "
            + "launcher and the library are of different MPIs, and know nothing of each other. Expected both of one: start with the mpirun "
            + @"of Open MPI, or name the file of the launcher's own library in REWARD_MODEL_MPI \(libmpich\.so\.12 or libmpi\.so\.12\)\.",
            Error(MpiImplementation.Mpich, "libmpi.so.40"));

        static string Error(MpiImplementation launcher, string library)
        {
            var (exitCode, _, error, time) = MpiRun.Ranks(launcher, 2, [(Mpi.LibraryVariable, library)], "place");
            Assert.NotEqual(0, exitCode);
            Assert.InRange(time, TimeSpan.Zero, soon);
            return error;
        }
    }

    private static MpiImplementation Parse(string name) => Enum.Parse<MpiImplementation>(name);
}
