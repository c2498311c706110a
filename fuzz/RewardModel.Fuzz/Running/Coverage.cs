using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace RewardModel.Fuzz.Running;

/// <summary>
/// Which branches of instrumented assemblies inputs have taken: for each edge how often, in powers of two, as AFL counts them. Without
/// instrumentation nothing is ever new.
/// </summary>
internal sealed unsafe class Coverage
{
    private const int Size = 1 << 16;

    private static readonly byte[] buckets = Buckets();

    private static readonly byte* counts = (byte*)NativeMemory.AllocZeroed(Size);

    private readonly byte[] seen = new byte[Size];

    /// <summary>How many edges were taken so far.</summary>
    public int EdgeCount { get; private set; }

    /// <summary>Has what is instrumented count here: before anything of it runs.</summary>
    public static void Start() => Trace.SharedMem = counts;

    /// <summary>Begins an input.</summary>
    public static void Clear()
    {
        new Span<byte>(counts, Size).Clear();
        Trace.PrevLocation = 0;
    }

    /// <summary>Whether the input that has ended took an edge that none before it did, or one as often as none did.</summary>
    public bool AddIsNew()
    {
        var isNew = false;
        var words = new ReadOnlySpan<ulong>(counts, Size / sizeof(ulong));
        for (var word = 0; word < words.Length; word++)
            if (words[word] != 0)
                for (var i = word * sizeof(ulong); i < (word + 1) * sizeof(ulong); i++)
                {
                    var bucket = buckets[counts[i]];
                    if ((bucket & ~seen[i]) == 0)
                        continue;
                    if (seen[i] == 0)
                        EdgeCount++;
                    seen[i] |= bucket;
                    isNew = true;
                }
        return isNew;
    }

    private static byte[] Buckets()
    {
        var result = new byte[256];
        for (var count = 1; count < result.Length; count++)
            result[count] = (byte)(count switch { 1 => 1, 2 => 2, 3 => 4, < 8 => 8, < 16 => 16, < 32 => 32, < 128 => 64, _ => 128 });
        return result;
    }
}
