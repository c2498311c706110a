namespace RewardModel.Tests.Kernels;

/// <summary>The tests of this folder run at each width of vectors: test.sh sets these variables.</summary>
public class VectorWidthTests
{
    [Theory]
    [InlineData("DOTNET_EnableAVX512", 512)]
    [InlineData("DOTNET_EnableAVX2", 256)]
    public void A_width_that_is_switched_off_is_not_used(string variable, int bits)
    {
        Assert.InRange(int.Parse(ChildProgram.Run([(variable, "0")], "vectors")), 64, bits / 2);
        if (Environment.GetEnvironmentVariable(variable) == "0")
            Assert.InRange(ChildProgram.WidestVector, 64, bits / 2);
    }
}
