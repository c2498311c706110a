using System.IO.Hashing;
using RewardModel.Fuzz.Mutation;

namespace RewardModel.Fuzz.Running;

/// <summary>Inputs that each took a branch that none before them did. They are kept in a folder, for the next run.</summary>
/// <param name="folder">The folder.</param>
internal sealed class Corpus(string folder)
{
    // As many of the newest as are as likely to be taken as all others together.
    private const int NewestCount = 32;

    private readonly List<byte[]> inputs = [];

    /// <summary>How many there are.</summary>
    public int Count => inputs.Count;

    /// <summary>What the folder holds from runs before, the shortest first.</summary>
    public byte[][] Saved() => !Directory.Exists(folder) ? [] :
        [.. Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes).OrderBy(input => input.Length)];

    /// <summary>Adds an input.</summary>
    public void Add(byte[] input)
    {
        inputs.Add(input);
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{XxHash64.HashToUInt64(input):x16}");
        if (!File.Exists(path))
            File.WriteAllBytes(path, input);
    }

    /// <summary>One of them.</summary>
    public byte[] Draw(FuzzRandom random) =>
        random.OneIn(2) ? inputs[^(1 + random.Below(Math.Min(NewestCount, inputs.Count)))] : random.Pick(inputs);
}
