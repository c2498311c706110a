using System.IO.Compression;
using System.Text;
using RewardModel.Training.Data;

namespace RewardModel.Bench;

/// <summary>
/// Files of made-up pairs, the same on every machine: a prompt of 20 to 60 words and two answers of 8 to 30 words, which are as frequent as
/// those of a language. The number of its row stands in a prompt, so that all are different.
/// </summary>
internal static class PairFiles
{
    /// <summary>Rows of a file, but for the last one.</summary>
    public const int RowsPerFile = 1_000_000;

    /// <summary>How many draws of a word there are: each word has as many of them as it is frequent.</summary>
    private const int drawCount = 1 << 16;

    /// <summary>Writes the files that are not there yet, as many at a time as there are processors.</summary>
    /// <param name="directory">Where they lie.</param>
    /// <param name="rowCount">Rows of all files.</param>
    /// <param name="isCompressed">Whether they are compressed by gzip.</param>
    /// <returns>Their paths.</returns>
    public static string[] Write(string directory, int rowCount, bool isCompressed)
    {
        Directory.CreateDirectory(directory);
        var draws = Draws();
        var files = Enumerable.Range(0, (rowCount + RowsPerFile - 1) / RowsPerFile).Select(file => (
            Path: Path.Combine(directory, $"pairs-{file:D4}-{RowsOf(file)}.jsonl{(isCompressed ? ".gz" : "")}"), Number: file)).ToArray();
        Parallel.ForEach(files.Where(file => !File.Exists(file.Path)), file =>
        {
            using (var stream = File.Create(file.Path + ".tmp", 1 << 20))
            using (Stream rows = isCompressed ? new GZipStream(stream, CompressionLevel.Fastest) : new BufferedStream(stream))
                Write(rows, draws, file.Number, RowsOf(file.Number));
            File.Move(file.Path + ".tmp", file.Path);
        });
        return [.. files.Select(file => file.Path)];

        int RowsOf(int file) => Math.Min(RowsPerFile, rowCount - file * RowsPerFile);
    }

    private static void Write(Stream stream, byte[][] draws, int file, int rowCount)
    {
        var random = new SplitMix64((ulong)file);
        for (var row = 0; row < rowCount; row++)
        {
            stream.Write("{\"prompt\": \""u8);
            WriteWords(20 + random.NextBelow(41));
            stream.Write(Encoding.UTF8.GetBytes($"{(long)file * RowsPerFile + row}\", \"chosen\": \""));
            WriteWords(8 + random.NextBelow(23));
            stream.Write("\", \"rejected\": \""u8);
            WriteWords(8 + random.NextBelow(23));
            stream.Write("\"}\n"u8);
        }

        void WriteWords(int count)
        {
            for (; count > 0; count -= 4)
            {
                // Sixteen bits of a random number draw a word.
                var bits = random.Next();
                for (var i = 0; i < Math.Min(count, 4); i++, bits >>= 16)
                    stream.Write(draws[bits & (drawCount - 1)]);
            }
        }
    }

    private static byte[][] Draws()
    {
        var words = MixedText.Words();
        var draws = new byte[drawCount][];
        for (var i = 0; i < draws.Length; i++)
            draws[i] = Encoding.UTF8.GetBytes(words[MixedText.RankAt(i / (double)drawCount, words.Count)] + " ");
        return draws;
    }
}
