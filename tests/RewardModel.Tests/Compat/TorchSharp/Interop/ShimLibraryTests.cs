using TorchSharp;

namespace RewardModel.Tests.Compat;

public sealed class ShimLibraryTests
{
    [Fact]
    public void A_missing_library_says_what_to_install_and_what_to_set()
    {
        var error = Assert.Throws<DllNotFoundException>(() => ShimLibrary.Load("/nowhere/libtorch_shim.so", AppContext.BaseDirectory));
        Assert.StartsWith("'/nowhere/libtorch_shim.so' can't be loaded: ", error.Message);
        Assert.EndsWith(
            "It is compiled from compat/TorchSharp/native against a libtorch (1.13 or later). Install one with its compiler " +
            "(Debian, Ubuntu: apt-get install libtorch-dev libopenblas0-openmp g++), or set LIBTORCH to a folder that has libtorch's " +
            "include/ and lib/; then build again, or run 'build.sh libtorch_shim.so' there and set TORCHSHARP_COMPAT_LIBRARY to the full " +
            "path of its output.",
            error.Message);
    }

    [Fact]
    public void Without_a_path_the_folder_is_looked_in_first()
    {
        var folder = Directory.CreateTempSubdirectory();
        File.WriteAllText(Path.Combine(folder.FullName, "libtorch_shim.so"), "no library");
        var error = Assert.Throws<DllNotFoundException>(() => ShimLibrary.Load(null, folder.FullName));
        Assert.StartsWith($"'{folder.FullName}/libtorch_shim.so' can't be loaded: ", error.Message);
        folder.Delete(recursive: true);
    }

    [Fact]
    public void A_library_of_another_version_is_refused()
    {
        // Has no function that tells a version, as the first shims.
        var error = Assert.Throws<InvalidOperationException>(() => ShimLibrary.Load("libc.so.6", AppContext.BaseDirectory));
        Assert.Equal(
            "'libc.so.6' has version 1 of the shim's interface; expected 3. Compile it again, with the build.sh of this version's " +
            "compat/TorchSharp/native, or unset TORCHSHARP_COMPAT_LIBRARY to use the one that the build makes.",
            error.Message);
    }

    [Fact]
    public void The_library_beside_the_assembly_loads() =>
        Assert.NotEqual(IntPtr.Zero, ShimLibrary.Load("", AppContext.BaseDirectory));

    [Fact]
    public void Blas_is_left_alone_when_asked_when_there_or_when_absent()
    {
        var present = typeof(ShimLibrary).Assembly.Location;
        Assert.Null(ShimLibrary.LoadBlas("system", [], present));
        Assert.Null(ShimLibrary.LoadBlas(null, ["/usr/lib/libopenblas.so.0"], present));
        Assert.Null(ShimLibrary.LoadBlas("", [], "/nowhere/libblas.so.3"));
    }

    [Fact]
    public void Another_blas_can_be_named()
    {
        Assert.Equal("libc.so.6", ShimLibrary.LoadBlas("libc.so.6", ["/usr/lib/libopenblas.so.0"], "/nowhere/libblas.so.3"));
        Assert.Throws<DllNotFoundException>(() => ShimLibrary.LoadBlas("/nowhere/libblas.so", [], ShimLibrary.OpenBlas));
    }
}
