using System.Text.Json;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers;

/// <summary>What Hugging Face's tokenizers give for 300 texts each: ids, ids with special tokens, and both ways of decoding.</summary>
public class HuggingFaceTokenizerGoldenTests
{
    private const string Folder = "data/tokenizers";

    [SharedTheory(Folder)]
    [InlineData("gpt2")]
    [InlineData("llama2")]
    [InlineData("qwen3")]
    public void All_300_texts_have_the_ids_and_decodings_of_Hugging_Face(string name)
    {
        var directory = Shared.PathOf(Path.Combine(Folder, name));
        var tokenizer = HuggingFaceTokenizer.Load(directory);
        using var goldens = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory, "goldens.json")));
        var differences = new List<string>();
        foreach (var golden in goldens.RootElement.EnumerateArray())
        {
            var text = golden.GetProperty("text").GetString()!;
            var ids = Ids(golden, "ids");
            Compare(golden, "ids", string.Join(' ', ids), string.Join(' ', tokenizer.Encode(text, addSpecialTokens: false)));
            Compare(
                golden, "ids of tokens", string.Join(' ', ids),
                string.Join(' ', tokenizer.Tokenizer.EncodeToTokens(text, out _).Select(token => token.Id)));
            Compare(
                golden, "ids_with_special", string.Join(' ', Ids(golden, "ids_with_special")),
                string.Join(' ', tokenizer.Encode(text, addSpecialTokens: true)));
            Compare(golden, "decoded", golden.GetProperty("decoded").GetString()!, tokenizer.Decode(ids, skipSpecialTokens: false));
            Compare(
                golden, "decoded_skip_special", golden.GetProperty("decoded_skip_special").GetString()!,
                tokenizer.Decode(ids, skipSpecialTokens: true));
        }
        Assert.Equal(300, goldens.RootElement.GetArrayLength());
        Assert.Empty(differences);

        void Compare(JsonElement golden, string what, string expected, string actual)
        {
            if (expected != actual)
                differences.Add($"{what} of {golden.GetProperty("text").GetRawText()}: expected '{expected}', found '{actual}'");
        }
    }

    private static int[] Ids(JsonElement golden, string name) => [.. golden.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}
