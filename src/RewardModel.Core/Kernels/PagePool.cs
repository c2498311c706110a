using System.Runtime.InteropServices;

namespace RewardModel.Kernels;

/// <summary>
/// Memory for large tensors: no more of it than such tensors have needed at once. Places are whole pages of one reserved range of
/// addresses. What a tensor leaves keeps its pages and is given to the next one that fits; where none does, pages of free places go back to
/// the system before new ones are touched. Linux only.
/// </summary>
/// <remarks>
/// glibc's allocator, which libtorch uses, cuts an aligned block out of a larger one, so that the place which a tensor leaves is too small
/// for the next tensor of the same size; and blocks above its limit cost a page fault for every page whenever they are asked for anew.
/// </remarks>
internal sealed unsafe partial class PagePool
{
    /// <summary>Sizes of places are multiples of this: of a page on any system, and of what libtorch aligns to.</summary>
    private const long granularity = 1 << 16;

    private readonly Lock access = new();
    private readonly Dictionary<long, long> taken = [];
    private readonly FreePlaces withPages = new(), withoutPages = new();
    private readonly long start, end, largest;

    /// <summary>From here on no place was ever taken.</summary>
    private long untouched;

    /// <param name="memory">Bytes that the machine has: no place is larger.</param>
    public PagePool(long memory)
    {
        const int readAndWrite = 1 | 2, privateAnonymousUnreserved = 2 | 0x20 | 0x4000, hugePages = 14;
        largest = memory;
        // Several times as many addresses, because free places without pages take some too. They cost nothing until they are written to.
        var size = (nuint)(4 * memory);
        var address = Map(0, size, readAndWrite, privateAnonymousUnreserved, -1, 0);
        // Refused under a limit on addresses, or by a system that promises no more than it has.
        if (address == -1)
            return;
        start = untouched = address;
        end = start + (long)size;
        // A fault for each two mebibytes instead of for each page, where the system offers that.
        _ = Advise((void*)start, size, hugePages);
    }

    /// <summary>A place of at least that many bytes; null where there is none.</summary>
    public void* Take(long bytes)
    {
        if (bytes > largest || start == 0)
            return null;
        var size = (bytes + granularity - 1) / granularity * granularity;
        lock (access)
        {
            var place = withPages.Take(size);
            if (place == 0)
            {
                GiveBackPages(size);
                place = withoutPages.Take(size);
            }
            if (place == 0 && size <= end - untouched)
            {
                place = untouched;
                untouched += size;
            }
            if (place != 0)
                taken.Add(place, size);
            return (void*)place;
        }
    }

    /// <summary>Takes a place back.</summary>
    public void Release(void* data)
    {
        lock (access)
        {
            taken.Remove((long)data, out var size);
            withPages.Add((long)data, size);
        }
    }

    /// <summary>Gives the pages of all free places back to the system.</summary>
    public void ReleaseFree()
    {
        lock (access)
            GiveBackPages(long.MaxValue);
    }

    /// <summary>Of free places, up to that many bytes, from the largest places.</summary>
    private void GiveBackPages(long bytes)
    {
        const int dontNeed = 4;
        while (bytes > 0 && withPages.TakeOfLargest(bytes) is var (place, size) && size > 0)
        {
            _ = Advise((void*)place, (nuint)size, dontNeed);
            withoutPages.Add(place, size);
            bytes -= size;
        }
    }

    // mmap(2) and madvise(2), with Linux's numbers.
    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint size, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint size, int advice);

    /// <summary>Free places by address; neighbours are one. There are few at a time.</summary>
    private sealed class FreePlaces
    {
        private readonly List<(long Start, long Size)> places = [];

        public void Add(long start, long size)
        {
            var next = places.FindIndex(place => place.Start > start);
            next = next < 0 ? places.Count : next;
            if (next < places.Count && start + size == places[next].Start)
            {
                size += places[next].Size;
                places.RemoveAt(next);
            }
            if (next > 0 && places[next - 1].Start + places[next - 1].Size == start)
                places[next - 1] = (places[next - 1].Start, places[next - 1].Size + size);
            else
                places.Insert(next, (start, size));
        }

        /// <summary>The smallest place that is large enough, or 0. What it has beyond the size stays free.</summary>
        public long Take(long size)
        {
            var best = -1;
            for (var i = 0; i < places.Count; i++)
                if (places[i].Size >= size && (best < 0 || places[i].Size < places[best].Size))
                    best = i;
            return best < 0 ? 0 : Cut(best, size);
        }

        /// <summary>At most that much of the largest place; nothing where there is none.</summary>
        public (long Start, long Size) TakeOfLargest(long size)
        {
            if (places.Count == 0)
                return default;
            var largest = places.MaxBy(place => place.Size);
            size = Math.Min(size, largest.Size);
            return (Cut(places.IndexOf(largest), size), size);
        }

        private long Cut(int index, long size)
        {
            var (start, whole) = places[index];
            if (whole == size)
                places.RemoveAt(index);
            else
                places[index] = (start + size, whole - size);
            return start;
        }
    }
}
