using System.Diagnostics;

namespace RewardModel.Tests.Compat;

public sealed class BuildScriptTests
{
    [Fact]
    public void A_missing_libtorch_is_named_with_what_to_install() =>
        Assert.Equal(
            "torch_shim: '/nowhere/include/ATen/ATen.h' does not exist: apt-get install libtorch-dev g++,\n" +
            "torch_shim: or set LIBTORCH to a folder with libtorch's include/ and lib/ (LIBTORCH is '/nowhere')\n",
            ErrorOf("out.so", ("LIBTORCH", "/nowhere")));

    [Fact]
    public void A_missing_compiler_is_named_with_what_to_install() =>
        Assert.Equal(
            "torch_shim: no C++ compiler 'no-such-compiler': apt-get install g++, or set CXX\n",
            ErrorOf("out.so", ("CXX", "no-such-compiler")));

    [Fact]
    public void The_output_must_be_named() =>
        Assert.Equal("torch_shim: expected an argument, the file to write: build.sh libtorch_shim.so\n", ErrorOf(""));

    private static string ErrorOf(string output, params (string Name, string Value)[] environment)
    {
        var script = Path.Combine(Shared.RepositoryRoot, "compat", "TorchSharp", "native", "build.sh");
        var start = new ProcessStartInfo("bash", $"{script} {output}") { RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(1, process.ExitCode);
        return error;
    }
}
