using System.Text;
using RewardModel.Files;

namespace RewardModel.Reading;

/// <summary>What a file holds in place of what its name says, recognised by how it begins.</summary>
/// <param name="What">As in "the file is ...".</param>
/// <param name="Advice">What to do, as a whole sentence.</param>
internal sealed record ForeignContent(string What, string Advice)
{
    /// <summary>How much of a file is enough to look at.</summary>
    public const int StartBytes = 256;

    private const string AskForTheFile = "Download the file itself; with a private or gated model that needs a token.";

    /// <summary>Looks at the first bytes of a file; null where they may be what its name says.</summary>
    public static ForeignContent? Of(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith(Encoding.UTF8.Preamble))
            start = start[Encoding.UTF8.Preamble.Length..];
        if (start.StartsWith("version https://git-lfs.github.com/spec/"u8))
            return new ForeignContent(
                "a Git LFS pointer, not the file",
                "Run `git lfs pull` in the clone, after `git lfs install`, or download the file itself.");
        if (start.StartsWith("GGUF"u8))
            return new ForeignContent(
                "a GGUF file of llama.cpp", "Take the checkpoint that it was converted from, with its config.json and safetensors files.");
        if (start.StartsWith("PK\u0003\u0004"u8))
            return new ForeignContent(
                "a zip archive, as torch.save writes", "Unpack it, or write the model with save_pretrained(safe_serialization=True).");
        var text = Encoding.Latin1.GetString(start[..Math.Min(start.Length, StartBytes)]).TrimStart();
        string[] pages = ["<!doctype", "<html", "<?xml"];
        return pages.Any(page => text.StartsWith(page, StringComparison.OrdinalIgnoreCase))
            ? new ForeignContent("a web page, not the file", AskForTheFile)
            : null;
    }

    /// <summary>Looks at a file; null where it may be what its name says.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kind">What it is read as.</param>
    /// <exception cref="FileRefusedException">It is no file of the kind.</exception>
    public static ForeignContent? OfFile(string path, FileKind kind)
    {
        using var file = InputFile.Open(path, kind);
        Span<byte> start = stackalloc byte[StartBytes];
        return Of(start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]);
    }
}
