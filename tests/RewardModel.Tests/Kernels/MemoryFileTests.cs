using RewardModel.Kernels;

namespace RewardModel.Tests.Kernels;

public class MemoryFileTests
{
    [Fact]
    public void Its_content_is_read_at_its_path_and_nowhere_once_it_is_disposed_of()
    {
        byte[] content = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i % 251))];
        string path;
        using (var file = new MemoryFile("some name", content))
        {
            path = file.Path;
            Assert.Equal(content, File.ReadAllBytes(path));
            // No folder has it, so nobody else opens it by a name.
            Assert.Equal("/memfd:some name (deleted)", new FileInfo(path).LinkTarget);
        }
        Assert.NotEqual("/memfd:some name (deleted)", new FileInfo(path).LinkTarget);
    }

    [Fact]
    public void A_name_that_the_system_refuses_is_an_error()
    {
        var exception = Assert.Throws<IOException>(() => new MemoryFile(new string('x', 1000), []));
        Assert.StartsWith("The system cannot create a file in memory: ", exception.Message);
    }
}
