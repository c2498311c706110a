using RewardModel.Lists;
using RewardModel.Training.Data;

namespace RewardModel.Fuzz.Seeds;

/// <summary>A file of tokenised lists.</summary>
internal static class ListCacheSeed
{
    /// <summary>What the lists are asked for by.</summary>
    public const string Key = "key";

    /// <summary>Its bytes.</summary>
    public static byte[] Of()
    {
        var folder = Directory.CreateTempSubdirectory("reward-model-fuzz-");
        try
        {
            using (var writer = new ListCache(folder.FullName).Create(Key))
            {
                int[] prompt = [1, 2, 70000];
                Add(writer, new TokenizedList(prompt, [[3, 4], [5]], [1, 0], new SourceLine("a.jsonl", 1)) { Margin = 0.5, Weight = 2, Group = "g" });
                Add(writer, new TokenizedList(prompt, [[3], [5], [6]], [1, 0, 0], new SourceLine("b.jsonl", 2))
                {
                    OwnPromptIds = [null, prompt, [1, 9, 70000]],
                    ScoresAreOrder = true,
                    IsChat = true,
                });
                writer.Finish("notes").Dispose();
            }
            return File.ReadAllBytes(folder.GetFiles("*.lists")[0].FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Add(CompactListsWriter writer, TokenizedList list) => writer.Add(list, ListKeys.Of(list));
}
