using ZstdSharp;

namespace RewardModel.Reading;

/// <summary>What a Zstandard stream decompresses to, which is an error where it is damaged or cut off.</summary>
/// <param name="compressed">The whole of the file; is not owned.</param>
/// <param name="path">The file, for messages.</param>
internal sealed class WholeZstdStream(Stream compressed, string path) : ReadOnlyStream
{
    private readonly DecompressionStream zstd = new(compressed, leaveOpen: true);

    public override int Read(Span<byte> buffer)
    {
        try
        {
            return zstd.Read(buffer);
        }
        catch (Exception e) when (e is ZstdException or EndOfStreamException)
        {
            throw new RankedDataException(
                $"{DataPath.Quoted(path)} is damaged zstd, or only the beginning of it. Copy or compress it again.", e);
        }
    }
}
