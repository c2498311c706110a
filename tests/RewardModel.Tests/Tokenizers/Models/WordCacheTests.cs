using RewardModel.Tokenizers.Models;

namespace RewardModel.Tests.Tokenizers.Models;

public class WordCacheTests
{
    [Fact]
    public void Words_are_found_again()
    {
        var cache = new WordCache();
        Assert.False(cache.TryGet("word", out _));
        cache.Add("word", [7, 9]);
        Assert.True(cache.TryGet("word", out var found));
        Assert.Equal([7, 9], found);
    }

    [Fact]
    public void Long_words_are_not_kept()
    {
        var cache = new WordCache();
        cache.Add(new string('a', 256), []);
        cache.Add(new string('a', 257), []);
        Assert.True(cache.TryGet(new string('a', 256), out _));
        Assert.False(cache.TryGet(new string('a', 257), out _));
    }

    [Fact]
    public void A_full_cache_starts_again()
    {
        var cache = new WordCache();
        for (var i = 0; i < WordCache.Capacity; i++)
            cache.Add($"{i}", []);
        Assert.True(cache.TryGet("0", out _));
        cache.Add("one more", []);
        Assert.False(cache.TryGet("0", out _));
        Assert.True(cache.TryGet("one more", out _));
    }
}
