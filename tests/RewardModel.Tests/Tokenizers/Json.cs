using System.Text.Json;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tests.Tokenizers;

/// <summary>Components of tokenizer files from literal JSON.</summary>
internal static class Json
{
    /// <summary>The outermost object of a file named file.json, and the list that its problems are added to.</summary>
    public static (JsonComponent Component, List<string> Problems) Component(string json)
    {
        var problems = new List<string>();
        return (new JsonComponent("file.json", "", JsonDocument.Parse(json).RootElement, problems), problems);
    }
}
