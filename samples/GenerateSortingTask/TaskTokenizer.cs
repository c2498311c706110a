using System.Text.Json.Nodes;

namespace GenerateSortingTask;

/// <summary>A byte-level BPE tokenizer in Hugging Face's format, in which every word of the task is one token.</summary>
/// <param name="Json">What goes into tokenizer.json.</param>
/// <param name="VocabularySize">The number of tokens, the special ones included.</param>
/// <param name="EndOfTextId">The id of the token that ends an answer.</param>
/// <param name="PaddingId">The id of the padding token.</param>
internal sealed record TaskTokenizer(JsonObject Json, int VocabularySize, int EndOfTextId, int PaddingId)
{
    private const string EndOfText = "<|endoftext|>";

    /// <summary>Apart from the end token, because transformers reads a reward before the first padding token.</summary>
    private const string Padding = "<|pad|>";

    /// <summary>Stands for the space before a word, as in every byte-level BPE.</summary>
    private const char Space = '\u0120';

    public static TaskTokenizer Build()
    {
        var vocabulary = new List<string>(ByteSymbols());
        var merges = new JsonArray();
        string[] words = ["Sort", "ascending", "descending", .. Enumerable.Range(1, Sizes.LargestItem).Select(item => $"{item}")];
        foreach (var word in words)
            // A word grows from its first letter on: " 1", " 12". All merges begin with the space, so none can cut into another word.
            for (var length = 1; length <= word.Length; length++)
            {
                var token = Space + word[..length];
                if (vocabulary.Contains(token))
                    continue;
                merges.Add(new JsonArray(token[..^1], token[^1..]));
                vocabulary.Add(token);
            }

        var endOfTextId = vocabulary.Count;
        var paddingId = vocabulary.Count + 1;
        var json = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray(SpecialToken(EndOfText, endOfTextId), SpecialToken(Padding, paddingId)),
            ["normalizer"] = null,
            // The prefix space makes the first item of an answer the same token as anywhere else.
            ["pre_tokenizer"] = ByteLevel(),
            ["post_processor"] = ByteLevel(),
            ["decoder"] = ByteLevel(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = false,
                ["vocab"] = new JsonObject(vocabulary.Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id))),
                ["merges"] = merges,
            },
        };
        return new TaskTokenizer(json, vocabulary.Count + 2, endOfTextId, paddingId);
    }

    public static JsonObject Config() => new()
    {
        ["tokenizer_class"] = "GPT2TokenizerFast",
        ["add_prefix_space"] = true,
        ["eos_token"] = EndOfText,
        ["pad_token"] = Padding,
        ["model_max_length"] = Sizes.MaxPositions,
        ["clean_up_tokenization_spaces"] = false,
    };

    private static JsonObject SpecialToken(string content, int id) => new()
    {
        ["id"] = id,
        ["content"] = content,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = false,
        ["special"] = true,
    };

    private static JsonObject ByteLevel() => new()
    {
        ["type"] = "ByteLevel",
        ["add_prefix_space"] = true,
        ["trim_offsets"] = true,
        ["use_regex"] = true,
    };

    /// <summary>A visible character for each of the 256 bytes: printable Latin-1 for itself, the others from U+0100 on in order.</summary>
    private static IEnumerable<string> ByteSymbols()
    {
        var next = '\u0100';
        for (var value = 0; value < 256; value++)
        {
            var isVisible = value is >= '!' and <= '~' or >= 0xa1 and <= 0xac or >= 0xae;
            yield return $"{(isVisible ? (char)value : next++)}";
        }
    }
}
