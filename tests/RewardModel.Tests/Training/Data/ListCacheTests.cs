using System.IO.Hashing;
using System.Runtime.InteropServices;
using RewardModel.Lists;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Training.Data;

public sealed class ListCacheTests : IDisposable
{
    private static readonly TokenizedList[] lists = [.. Enumerable.Range(0, 50).Select(i => TinyModel.List((ulong)i, 2 + i % 7, 3, 4))];

    private readonly TemporaryDirectory directory = new();
    private readonly ListCache cache;

    public ListCacheTests() => cache = new ListCache(directory["cache"]);

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Lists_are_found_by_their_key_with_their_notes()
    {
        Assert.False(cache.TryOpen("key", out _));
        Fill("key", "{\"cut\": 3}");
        Assert.False(cache.TryOpen("other key", out _));
        Assert.True(cache.TryOpen("key", out var found));
        using var opened = found;
        Assert.Equal("{\"cut\": 3}", found.Notes);
        Assert.Equal(lists.Select(ListKeys.ContentOf), found.Select(ListKeys.ContentOf));
    }

    [Fact]
    public void Lists_that_are_not_finished_are_not_found()
    {
        using (var writer = cache.Create("key"))
            writer.Add(lists[0], default);
        Assert.False(cache.TryOpen("key", out _));
        Assert.Empty(Files);
    }

    [Fact]
    public void A_file_that_is_damaged_anywhere_is_made_anew()
    {
        Fill("key");
        var path = Assert.Single(Files);
        var whole = File.ReadAllBytes(path);
        foreach (var position in Enumerable.Range(0, whole.Length / 101).Select(i => i * 101).Concat(Enumerable.Range(whole.Length - 60, 60)))
        {
            var damaged = (byte[])whole.Clone();
            damaged[position] ^= 4;
            File.WriteAllBytes(path, damaged);
            Assert.False(cache.TryOpen("key", out _), $"byte {position} of {whole.Length}");
        }
        foreach (var length in new[] { 0, 1, whole.Length / 2, whole.Length - 1 })
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.False(cache.TryOpen("key", out _));
        }
        File.WriteAllBytes(path, [.. whole, 0]);
        Assert.False(cache.TryOpen("key", out _));
        Fill("key");
        Assert.Equal(whole, File.ReadAllBytes(path));
    }

    [Fact]
    public void A_file_that_another_process_has_checked_is_not_gone_through_again()
    {
        Fill("key").Dispose();
        var path = Assert.Single(Files);
        var damaged = File.ReadAllBytes(path);
        damaged[0] ^= 4;
        File.WriteAllBytes(path, damaged);
        Assert.False(cache.TryOpen("key", out _));
        Assert.True(cache.TryOpen("key", out var found, isChecked: true));
        using var opened = found;
        Assert.NotEqual(lists[0].Scores, found[0].Scores);
        SomeLists.AssertSame(lists[1], found[1]);
        Assert.False(cache.TryOpen("other key", out _, isChecked: true));
        // Of one that was cut, lists would be missing.
        File.WriteAllBytes(path, damaged[..^1]);
        Assert.False(cache.TryOpen("key", out _, isChecked: true));
    }

    [Fact]
    public void Temporary_lists_leave_no_file()
    {
        CompactLists Create()
        {
            using var writer = cache.Create("key", isTemporary: true);
            foreach (var list in lists)
                writer.Add(list, ListKeys.Of(list));
            return writer.Finish("notes");
        }
        using (var first = Create())
        using (var second = Create())
        {
            if (!OperatingSystem.IsWindows())
                Assert.Empty(Files);
            Assert.Equal("notes", second.Notes);
            Assert.Equal(lists.Select(ListKeys.ContentOf), first.Select(ListKeys.ContentOf));
            Assert.Equal(lists.Select(ListKeys.ContentOf), second.Select(ListKeys.ContentOf));
        }
        Assert.Empty(Files);
        Assert.False(cache.TryOpen("key", out _));
    }

    [Fact]
    public void Threads_read_lists_of_a_file_at_once()
    {
        using var found = Fill("key");
        var contents = new UInt128[lists.Length * 200];
        Parallel.For(0, contents.Length, i => contents[i] = ListKeys.ContentOf(found[i * 7 % lists.Length]));
        Assert.Equal(Enumerable.Range(0, contents.Length).Select(i => ListKeys.ContentOf(lists[i * 7 % lists.Length])), contents);
    }

    [Fact]
    public void A_file_has_the_same_bytes_for_ever()
    {
        // If not, it is of another version of the format.
        Fill("key").Dispose();
        Assert.Equal((3, "8b2971a0db39c5dd16fde5e850213473"), (ListStoreFile.Version, ContentDigest.Of(Files)));
    }

    [Fact]
    public void Two_that_write_the_same_lists_at_once_do_not_disturb_each_other()
    {
        using var first = cache.Create("key");
        using var second = cache.Create("key");
        foreach (var list in lists)
        {
            first.Add(list, default);
            second.Add(list, default);
        }
        using var ofFirst = first.Finish();
        using var ofSecond = second.Finish();
        Assert.Single(Files);
        SomeLists.AssertSame(lists[7], ofFirst[7]);
        SomeLists.AssertSame(lists[7], ofSecond[7]);
    }

    [Fact]
    public void Lists_that_are_read_may_be_replaced()
    {
        using var before = Fill("key");
        using var after = Fill("key");
        SomeLists.AssertSame(lists[3], before[3]);
    }

    [Fact]
    public void What_a_killed_process_left_is_removed()
    {
        Fill("key").Dispose();
        var left = $"{Assert.Single(Files)}.left.tmp";
        File.WriteAllText(left, "half");
        Fill("key").Dispose();
        Assert.False(File.Exists(left));
    }

    /// <summary>As of a stranger, who knows how to compute checksums.</summary>
    [Fact]
    public void A_file_that_says_that_it_is_whole_but_is_damaged_gives_exceptions_and_no_other_memory()
    {
        Fill("key", "notes").Dispose();
        var path = Assert.Single(Files);
        var whole = File.ReadAllBytes(path);
        var random = new SplitMix64(1);
        var (openedCount, refusedCount) = (0, 0);
        for (var i = 0; i < 400; i++)
        {
            var damaged = (byte[])whole.Clone();
            // The footer of 56 bytes and what stands before it decide where all else is.
            var place = i % 2 == 0 ? random.NextBelow(whole.Length - 16) : whole.Length - 17 - random.NextBelow(80);
            damaged[place] = (byte)random.Next();
            WithChecksum(damaged);
            File.WriteAllBytes(path, damaged);
            if (!cache.TryOpen("key", out var opened))
            {
                refusedCount++;
                continue;
            }
            using var found = opened;
            openedCount++;
            for (var k = 0; k < found.Count; k++)
                try
                {
                    _ = (found[k], found.ScoresOf(k), found.SourceOf(k));
                }
                catch (InvalidDataException exception)
                {
                    Assert.StartsWith("Bytes of tokenised lists are not as they were written", exception.Message, StringComparison.Ordinal);
                }
        }
        Assert.InRange(openedCount, 100, 399);
        Assert.InRange(refusedCount, 1, 300);
    }

    private static void WithChecksum(byte[] file)
    {
        var content = file.AsSpan(0, file.Length - 16);
        UInt128[] digests = [XxHash128.HashToUInt128(content), (UInt128)content.Length];
        var checksum = XxHash128.HashToUInt128(MemoryMarshal.AsBytes<UInt128>(digests));
        MemoryMarshal.Write(file.AsSpan(content.Length), in checksum);
    }

    private string[] Files => Directory.GetFiles(directory["cache"]);

    private CompactLists Fill(string key, string notes = "")
    {
        using var writer = cache.Create(key);
        foreach (var list in lists)
            writer.Add(list, ListKeys.Of(list));
        return writer.Finish(notes);
    }
}
