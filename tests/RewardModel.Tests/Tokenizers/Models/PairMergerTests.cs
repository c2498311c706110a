using RewardModel.Tokenizers.Models;

namespace RewardModel.Tests.Tokenizers.Models;

public class PairMergerTests
{
    /// <summary>The definition, step by step: merge the leftmost of the most important pairs until there is none.</summary>
    [Theory]
    [InlineData(8)]
    [InlineData(48)]
    [InlineData(49)]
    [InlineData(400)]
    public void Words_of_any_length_are_merged_by_the_definition(int length)
    {
        var random = new Random(length);
        // Four letters and twelve merges of earlier tokens, in random order of importance.
        var merges = new Dictionary<(int, int), (int Rank, int Id)>();
        for (var id = 4; id < 16; id++)
            while (!merges.TryAdd((random.Next(id), random.Next(id)), (random.Next(1000), id)))
            {
            }
        for (var repetition = 0; repetition < 200; repetition++)
        {
            var word = Enumerable.Range(0, length).Select(i => new WordToken(random.Next(4), i, i + 1)).ToArray();
            var expected = MergeByDefinition([.. word], merges);
            var count = new PairMerger(merges).Merge(word);
            Assert.Equal(expected, word[..count]);
        }
    }

    private static List<WordToken> MergeByDefinition(List<WordToken> tokens, Dictionary<(int, int), (int Rank, int Id)> merges)
    {
        while (true)
        {
            var best = Enumerable.Range(0, Math.Max(0, tokens.Count - 1))
                .Where(i => merges.ContainsKey((tokens[i].Id, tokens[i + 1].Id)))
                .OrderBy(i => merges[(tokens[i].Id, tokens[i + 1].Id)].Rank)
                .FirstOrDefault(-1);
            if (best < 0)
                return tokens;
            tokens[best] = new WordToken(merges[(tokens[best].Id, tokens[best + 1].Id)].Id, tokens[best].Start, tokens[best + 1].End);
            tokens.RemoveAt(best + 1);
        }
    }
}
