using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using RewardModel.Tokenization;

namespace RewardModel.Bench;

/// <summary>Our side of the comparison of tokenizers, in a process of its own; <c>tokenizers.cjs</c> has the same commands.</summary>
internal sealed class TokenizerWorker(string directory, string textFile)
{
    private readonly string[] lines = File.ReadAllText(textFile).Split('\n');
    private HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.Load(directory);

    public void Run()
    {
        Answer(new { ready = true });
        while (Console.ReadLine() is { } line)
            switch (line.Split(' '))
            {
                // A fresh tokenizer, whose cache is empty.
                case ["load"]:
                    tokenizer = HuggingFaceTokenizer.Load(directory);
                    Answer(new { });
                    break;
                case ["hash"]:
                    Answer(Hash());
                    break;
                case ["encode"]:
                    Answer(new { seconds = Encode(lines).Seconds });
                    break;
                case ["letters", var count]:
                    var (ids, seconds) = Encode([new string('a', int.Parse(count))]);
                    Answer(new { seconds, tokens = ids[0].Count });
                    break;
                default:
                    throw new ArgumentException($"unknown command '{line}'");
            }
    }

    private (IReadOnlyList<int>[] Ids, double Seconds) Encode(string[] texts)
    {
        var start = Stopwatch.GetTimestamp();
        var ids = new IReadOnlyList<int>[texts.Length];
        for (var i = 0; i < texts.Length; i++)
            ids[i] = tokenizer.Encode(texts[i], addSpecialTokens: false);
        return (ids, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private object Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var tokens = 0;
        foreach (var ids in Encode(lines).Ids)
        {
            tokens += ids.Count;
            hash.AppendData(Encoding.ASCII.GetBytes($"{string.Join(' ', ids)}\n"));
        }
        return new { hash = Convert.ToHexStringLower(hash.GetHashAndReset()), tokens };
    }

    private static void Answer(object value) => Console.WriteLine(JsonSerializer.Serialize(value));
}
