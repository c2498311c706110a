using System.Text.Json;

namespace RewardModel.Tests.Tokenizers;

/// <summary>The files of Goldens/, whose README says what has written them.</summary>
internal static class Goldens
{
    public static JsonElement Read(string name)
    {
        var path = Path.Combine(Shared.RepositoryRoot, "tests", "RewardModel.Tests", "Tokenizers", "Goldens", name);
        return JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
    }
}
