using System.Buffers;

namespace RewardModel.Training.Checks;

/// <summary>
/// Finds special tokens that are spelled out in texts: mostly left over from a template, which is then applied a second time.
/// </summary>
/// <param name="ofTokenizer">Those of the tokenizer.</param>
internal sealed class SpecialTokenSearch(IEnumerable<string> ofTokenizer)
{
    private static readonly string[] wellKnown =
    [
        "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
        "<|eot_id|>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>", "<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "</s>",
        "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]", "<pad>", "<unk>", "<mask>",
    ];

    // What is so short, or a word, stands in texts by itself.
    private readonly SearchValues<string> tokens = SearchValues.Create(
        [.. wellKnown.Concat(ofTokenizer.Where(token => token.Length > 2 && !token.All(char.IsLetterOrDigit) && token.Trim() != "")).Distinct()],
        StringComparison.Ordinal);

    public bool IsIn(string text) => text.AsSpan().ContainsAny(tokens);
}
