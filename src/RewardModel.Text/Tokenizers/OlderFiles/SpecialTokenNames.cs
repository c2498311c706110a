using System.Text.Json.Nodes;

namespace RewardModel.Tokenizers.OlderFiles;

/// <summary>The special tokens of a tokenizer class where its files don't name them.</summary>
internal static class SpecialTokenNames
{
    private static readonly JsonObject bert = new()
    {
        ["unk_token"] = "[UNK]",
        ["sep_token"] = "[SEP]",
        ["pad_token"] = "[PAD]",
        ["cls_token"] = "[CLS]",
        ["mask_token"] = "[MASK]",
    };

    private static readonly JsonObject roberta = new()
    {
        ["bos_token"] = "<s>",
        ["eos_token"] = "</s>",
        ["sep_token"] = "</s>",
        ["cls_token"] = "<s>",
        ["unk_token"] = "<unk>",
        ["pad_token"] = "<pad>",
        ["mask_token"] = new JsonObject { ["content"] = "<mask>", ["lstrip"] = true },
    };

    private static readonly Dictionary<string, JsonObject> byClass = new()
    {
        ["AlbertTokenizer"] = new()
        {
            ["bos_token"] = "[CLS]",
            ["eos_token"] = "[SEP]",
            ["unk_token"] = "<unk>",
            ["sep_token"] = "[SEP]",
            ["pad_token"] = "<pad>",
            ["cls_token"] = "[CLS]",
            ["mask_token"] = new JsonObject { ["content"] = "[MASK]", ["lstrip"] = true },
        },
        ["BertTokenizer"] = bert,
        ["DebertaV2Tokenizer"] = new()
        {
            ["bos_token"] = "[CLS]",
            ["eos_token"] = "[SEP]",
            ["unk_token"] = "[UNK]",
            ["sep_token"] = "[SEP]",
            ["pad_token"] = "[PAD]",
            ["cls_token"] = "[CLS]",
            ["mask_token"] = "[MASK]",
        },
        ["DistilBertTokenizer"] = bert,
        ["ElectraTokenizer"] = bert,
        ["GPT2Tokenizer"] = new()
        {
            ["bos_token"] = "<|endoftext|>",
            ["eos_token"] = "<|endoftext|>",
            ["unk_token"] = "<|endoftext|>",
        },
        ["LlamaTokenizer"] = new() { ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["unk_token"] = "<unk>" },
        ["Qwen2Tokenizer"] = new()
        {
            ["eos_token"] = "<|endoftext|>",
            ["pad_token"] = "<|endoftext|>",
            ["unk_token"] = "<|endoftext|>",
        },
        ["RobertaTokenizer"] = roberta,
        ["T5Tokenizer"] = new() { ["eos_token"] = "</s>", ["unk_token"] = "<unk>", ["pad_token"] = "<pad>" },
        ["XLMRobertaTokenizer"] = roberta,
    };

    /// <summary>The members of tokenizer_config.json that name special tokens.</summary>
    public static IReadOnlyList<string> Members { get; } =
        ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    /// <summary>The names of the classes.</summary>
    public static IEnumerable<string> Classes => byClass.Keys;

    public static JsonObject Of(string tokenizerClass) => (JsonObject)byClass[tokenizerClass].DeepClone();
}
