using RewardModel.Training.Checks;

namespace RewardModel.Tests.Training.Checks;

public class NearDuplicatesTests
{
    private const double similarity = 0.8;

    /// <summary>Sentences of forty words, so that one word is less than a tenth of them.</summary>
    private static string Sentence(int seed, int words = 40) => string.Join(
        ' ', Enumerable.Range(0, words).Select(i => $"{(char)('a' + (seed * 7 + i * 5) % 26)}{seed * 31 + i * i * 17 % 97}x"));

    [Fact]
    public void A_word_more_is_nearly_the_same_and_half_of_the_words_is_not()
    {
        var text = Sentence(1);
        Assert.Equal(
            [0, 0, 0, 1, 2],
            Clusters([text, text + " more", text.ToUpperInvariant() + "\n", Sentence(1, 20) + " " + Sentence(2, 20), Sentence(3)]));
    }

    [Fact]
    public void What_is_like_a_third_is_like_the_others()
    {
        // Ten words of each end are exchanged in nine steps of a word or so: neighbours are alike, the ends are not.
        string[] chain = [.. Enumerable.Range(0, 20).Select(step => string.Join(' ', Enumerable.Range(step, 40).Select(i => $"word{i * i}")))];
        Assert.Equal([0, 1], Clusters([chain[0], chain[^1]]));
        Assert.Single(Clusters(chain).Distinct());
    }

    [Fact]
    public void The_estimated_share_is_the_share_of_common_pieces()
    {
        // Of 100 ids each, 98 pieces; with 4 other ids at the end 94 are common: 94 / 102 = 0.92. With 20 it is 78 / 118 = 0.66.
        static bool AreAlike(int others, int seed)
        {
            var found = new NearDuplicates();
            found.Add([.. Enumerable.Range(seed * 1000, 100)]);
            found.Add([.. Enumerable.Range(seed * 1000, 100 - others), .. Enumerable.Range(1_000_000 + seed * 1000, others)]);
            return found.Sets(similarity).Find(1) == 0;
        }
        Assert.InRange(Enumerable.Range(0, 200).Count(seed => AreAlike(4, seed)), 196, 200);
        Assert.InRange(Enumerable.Range(0, 200).Count(seed => AreAlike(20, seed)), 0, 4);
    }

    [Fact]
    public void A_form_that_many_prompts_are_put_into_does_not_make_them_alike()
    {
        const string form = "Below is an instruction that describes a task. Write a response that completes the request. "
            + "Think step by step, be polite, say where you are not sure, and answer in the language of the question.\n\n### Instruction:\n";
        string[] questions = [.. Enumerable.Range(0, 60).Select(i => Sentence(i + 1, 3))];
        Assert.Equal(60, Clusters([.. questions.Select(question => form + question)]).Distinct().Count());
        // Nor where the form is learnt before the last prompts come.
        string[] many = [.. Enumerable.Range(0, 1200).Select(i => form + Sentence(i + 1, 4))];
        Assert.Equal(Enumerable.Range(0, 1200), Clusters(many));
        // A few prompts don't tell what a form is.
        Assert.Single(Clusters([.. questions.Take(10).Select(question => form + question)]).Distinct());
    }

    [Fact]
    public void Equal_texts_are_one_cluster_however_many_and_however_short()
    {
        string[] texts = [.. Enumerable.Range(0, 3000).Select(i => (i % 3) switch { 0 => "", 1 => "a", _ => "Hi  there" })];
        Assert.Equal([.. Enumerable.Range(0, 3000).Select(i => i % 3)], Clusters(texts));
    }

    [Fact]
    public void The_order_of_texts_makes_no_difference()
    {
        string[] texts = [.. Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? Sentence(i) : Sentence(i - 1) + " more")];
        Assert.Equal([.. Enumerable.Range(0, 40).Select(i => i / 2)], Clusters(texts));
        Assert.Equal([.. Enumerable.Range(0, 40).Select(i => i / 2)], Clusters([.. texts.Reverse()]));
    }

    private static int[] Clusters(IReadOnlyList<string> texts)
    {
        var found = new NearDuplicates();
        foreach (var text in texts)
            found.Add(text);
        return found.Sets(similarity).Ids();
    }
}
