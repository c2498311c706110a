using System.Runtime.InteropServices;

namespace RewardModel.Kernels;

/// <summary>
/// Memory of the calling thread for one task of a kernel at a time: kept for the next task, and as large as the largest has needed.
/// </summary>
internal unsafe struct Scratch
{
    /// <summary>Of the places that are handed out: a cache line and the widest vector.</summary>
    private const int alignment = 64;

    [ThreadStatic]
    private static Block? ofThread;

    private byte* next;

    /// <summary>Takes the thread's memory for a task.</summary>
    /// <param name="lengths">Elements of the places that <see cref="Take"/> will be asked for.</param>
    public Scratch(params ReadOnlySpan<nint> lengths)
    {
        nuint bytes = 0;
        foreach (var length in lengths)
            bytes += BytesOf(length);
        ofThread ??= new Block();
        next = ofThread.AtLeast(bytes);
    }

    /// <summary>A place of float32 numbers, which have any value.</summary>
    public float* Take(nint length)
    {
        var place = next;
        next += BytesOf(length);
        return (float*)place;
    }

    private static nuint BytesOf(nint length) => ((nuint)length * sizeof(float) + alignment - 1) / alignment * alignment;

    private sealed class Block
    {
        private byte* start;
        private nuint size;

        public byte* AtLeast(nuint bytes)
        {
            if (bytes > size)
            {
                NativeMemory.AlignedFree(start);
                start = null;
                size = 0;
                start = (byte*)NativeMemory.AlignedAlloc(bytes, alignment);
                size = bytes;
            }
            return start;
        }

        // When its thread is gone.
        ~Block() => NativeMemory.AlignedFree(start);
    }
}
