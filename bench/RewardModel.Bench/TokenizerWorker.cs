using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using RewardModel.Tokenizers;

namespace RewardModel.Bench;

/// <summary>Our side of the comparison of tokenizers, in a process of its own; <c>tokenizers.cjs</c> has the same commands.</summary>
internal sealed class TokenizerWorker(string directory, string textFile)
{
    private const int WordLength = 200;

    private readonly string[] lines = File.ReadAllText(textFile).Split('\n');
    private HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.Load(directory);

    public void Run()
    {
        Wire.Answer(new { ready = true });
        while (Console.ReadLine() is { } line)
            switch (line.Split(' '))
            {
                // A fresh tokenizer, whose cache is empty.
                case ["load"]:
                    tokenizer = HuggingFaceTokenizer.Load(directory);
                    Wire.Answer(new { });
                    break;
                case ["hash", var threads]:
                    Wire.Answer(Hash(lines, int.Parse(threads)));
                    break;
                case ["hash-letters", var count]:
                    Wire.Answer(Hash([new string('a', int.Parse(count))], maxThreads: 1));
                    break;
                case ["encode"]:
                    Wire.Answer(new { seconds = Encode(lines, maxThreads: 1).Seconds });
                    break;
                case ["encode", var threads]:
                    Wire.Answer(new { seconds = Encode(lines, int.Parse(threads)).Seconds });
                    break;
                case ["letters", var count]:
                    Wire.Answer(new { seconds = Encode([new string('a', int.Parse(count))], maxThreads: 1).Seconds });
                    break;
                case ["distinct", var first, var count]:
                    EncodeDistinct(int.Parse(first), int.Parse(count));
                    Wire.Answer(new { });
                    break;
                case ["heap"]:
                    Wire.Answer(new { mib = GC.GetTotalMemory(forceFullCollection: true) / (1024.0 * 1024) });
                    break;
                default:
                    throw new ArgumentException($"unknown command '{line}'");
            }
    }

    private (IReadOnlyList<int>[] Ids, double Seconds) Encode(string[] texts, int maxThreads)
    {
        var start = Stopwatch.GetTimestamp();
        var ids = tokenizer.EncodeBatch(texts, addSpecialTokens: false, maxThreads);
        return (ids, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>Encodes long words of letters, each once.</summary>
    private void EncodeDistinct(int first, int count)
    {
        var word = new char[WordLength];
        for (var i = first; i < first + count; i++)
        {
            var rest = i;
            for (var k = 0; k < word.Length; k++, rest /= 26)
                word[k] = (char)('a' + rest % 26);
            tokenizer.Encode(new string(word), addSpecialTokens: false);
        }
    }

    private object Hash(string[] texts, int maxThreads)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var tokens = 0;
        foreach (var ids in Encode(texts, maxThreads).Ids)
        {
            tokens += ids.Count;
            hash.AppendData(Encoding.ASCII.GetBytes($"{string.Join(' ', ids)}\n"));
        }
        return new { hash = Convert.ToHexStringLower(hash.GetHashAndReset()), tokens };
    }
}
