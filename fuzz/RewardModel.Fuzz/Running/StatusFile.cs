using System.IO.MemoryMappedFiles;
using RewardModel.Fuzz.Targets;

namespace RewardModel.Fuzz.Running;

/// <summary>Where a child tells its parent what it does; what it last told is there after it has died.</summary>
internal sealed class StatusFile : IDisposable
{
    private const int CasesAt = 0, StartedAt = 8, EdgesAt = 16, CorpusAt = 24, LengthAt = 32, InputAt = 40;

    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;

    /// <param name="path">The file, which is made where there is none.</param>
    public StatusFile(string path)
    {
        file = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, null, InputAt + FuzzTarget.MaxInputBytes);
        view = file.CreateViewAccessor();
    }

    /// <summary>How many inputs were read.</summary>
    public long CaseCount
    {
        get => view.ReadInt64(CasesAt);
        set => view.Write(CasesAt, value);
    }

    /// <summary>When the present input was begun, in milliseconds since the system started; 0: none is being read.</summary>
    public long CaseStart
    {
        get => view.ReadInt64(StartedAt);
        set => view.Write(StartedAt, value);
    }

    /// <summary>How many edges were taken.</summary>
    public long EdgeCount
    {
        get => view.ReadInt64(EdgesAt);
        set => view.Write(EdgesAt, value);
    }

    /// <summary>How many inputs the corpus has.</summary>
    public long CorpusCount
    {
        get => view.ReadInt64(CorpusAt);
        set => view.Write(CorpusAt, value);
    }

    /// <summary>The present input, or the last one.</summary>
    public byte[] Input
    {
        get
        {
            var bytes = new byte[Math.Clamp(view.ReadInt32(LengthAt), 0, FuzzTarget.MaxInputBytes)];
            view.ReadArray(InputAt, bytes, 0, bytes.Length);
            return bytes;
        }
        set
        {
            view.Write(LengthAt, value.Length);
            view.WriteArray(InputAt, value, 0, value.Length);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        view.Dispose();
        file.Dispose();
    }
}
