using System.Runtime.CompilerServices;
using RewardModel.Kernels;

namespace RewardModel.Tests;

/// <summary>Tests may touch TorchSharp before they touch the library.</summary>
internal static class TestStart
{
    [ModuleInitializer]
    public static void LoadTorch() => TorchLibraries.Load();
}
