using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using RewardModel.Layers;
using TorchSharp;

namespace RewardModel.Tests.Compat;

public sealed partial class ShimTests
{
    private static readonly string[] Declared =
    [
        .. DeclaredFunction()
            .Matches(File.ReadAllText(Path.Combine(Shared.RepositoryRoot, "compat", "TorchSharp", "native", "torch_shim.h")))
            .Select(match => match.Groups[1].Value)
            .Order(StringComparer.Ordinal),
    ];

    [Fact]
    public void The_library_exports_what_the_header_declares_and_nothing_else()
    {
        var exported = ElfFile.ExportedSymbols(Path.Combine(AppContext.BaseDirectory, "libtorch_shim.so"));
        Assert.Equal(Declared, exported.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_library_uses_every_function_of_the_header()
    {
        var imported = typeof(Shim)
            .GetMethods(BindingFlags.Static | BindingFlags.NonPublic)
            .Where(method => method.GetCustomAttribute<DllImportAttribute>() is not null)
            .Select(method => method.Name);
        Assert.Equal(
            Declared,
            imported.Concat(NativeKernels.Functions).Append(ShimLibrary.VersionFunction).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_structs_have_the_headers_sizes()
    {
        Assert.Equal(16, Marshal.SizeOf<Value>());
        Assert.Equal(56, Marshal.SizeOf<TensorDescription>());
        Assert.Equal(64, Marshal.SizeOf<NativeKernels.Ranges>());
    }

    [GeneratedRegex(@"TS_API [\w *]+?\b(ts_\w+)\(")]
    private static partial Regex DeclaredFunction();
}
