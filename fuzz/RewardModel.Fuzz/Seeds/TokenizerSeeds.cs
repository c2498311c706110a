using System.Text;
using RewardModel.Fuzz.Mutation;

namespace RewardModel.Fuzz.Seeds;

/// <summary>Files of tokenizers.</summary>
internal static class TokenizerSeeds
{
    /// <summary>tokenizer.json of each model, with the steps around it.</summary>
    public static IReadOnlyList<string> Tokenizers { get; } =
    [
        """
        {"version": "1.0", "added_tokens": [{"id": 8, "content": "<s>", "special": true, "normalized": false, "lstrip": false, "rstrip": false,
         "single_word": false}, {"id": 9, "content": "</s>", "special": true, "normalized": true, "lstrip": true, "rstrip": true, "single_word": true}],
         "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
         "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "\\p{L}+|\\s+"}, "behavior": "Isolated",
         "invert": false}, {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}]},
         "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
         "special_tokens": {"<s>": {"id": "<s>", "ids": [8], "tokens": ["<s>"]}}},
         "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
         "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
         "vocab": {"a": 0, "b": 1, "c": 2, "Ġ": 3, "ab": 4, "Ġa": 5, "Ã": 6, "©": 7}, "merges": [["a", "b"], "Ġ a"]}}
        """,
        """
        {"added_tokens": [], "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
         "lowercase": true}, "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2],
         "cls": ["[CLS]", 1]}, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
         "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "##b": 4, "c": 5}}}
        """,
        """
        {"added_tokens": [{"id": 0, "content": "<unk>", "special": true}], "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
         {"type": "Lowercase"}, {"type": "StripAccents"}, {"type": "Strip", "strip_left": true, "strip_right": true}, {"type": "NFKD"}]},
         "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
         "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["<s>", 2], "add_prefix_space": false, "trim_offsets": true},
         "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
         {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
         "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": [["<unk>", 0.0], ["</s>", 0.0], ["<s>", 0.0], ["▁a", -1.5], ["b", -2.0],
         ["<0x41>", -9.0]]}}
        """,
        """
        {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "MergedWithPrevious"},
         {"type": "Digits", "individual_digits": true}, {"type": "CharDelimiterSplit", "delimiter": "-"}]}, "decoder": {"type": "BPEDecoder", "suffix": "</w>"},
         "truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}, "padding": {"strategy": "BatchLongest",
         "pad_id": 0, "pad_token": "<pad>", "pad_type_id": 0, "direction": "Right"}, "model": {"type": "WordLevel", "unk_token": "u",
         "vocab": {"u": 0, "word": 1, "<pad>": 2}}}
        """,
    ];

    /// <summary>tokenizer_config.json.</summary>
    public static IReadOnlyList<string> Configs { get; } =
    [
        """
        {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": false}, "pad_token": null, "unk_token": "<unk>",
         "add_bos_token": true, "add_eos_token": false, "model_max_length": 64, "chat_template": [{"name": "default", "template": "{{ bos_token }}"}],
         "added_tokens_decoder": {"9": {"content": "</s>", "special": true}}, "additional_special_tokens": ["<x>"]}
        """,
        """{"bos_token": "[CLS]", "chat_template": "{{ messages }}", "model_max_length": 1e30, "do_lower_case": true, "extra_ids": 3, "legacy": false}""",
    ];

    /// <summary>special_tokens_map.json.</summary>
    public static IReadOnlyList<string> SpecialTokens { get; } =
        ["""{"bos_token": "<s>", "eos_token": {"content": "</s>", "normalized": false}, "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "a"}"""];

    /// <summary>Names that stand in no seed.</summary>
    public static IReadOnlyList<string> MoreWords { get; } =
    [
        "NFD", "NFKC", "Nmt", "Precompiled", "precompiled_charsmap", "ByteLevel", "Whitespace", "UnicodeScripts", "FixedLength", "Removed", "MergedWithNext",
        "Contiguous", "CTC", "word_delimiter_token", "never", "first", "SequenceProcessing", "processors", "AAAA", "BertTokenizer", "LlamaTokenizer",
        "T5Tokenizer", "XLMRobertaTokenizer", "AlbertTokenizer", "DebertaV2Tokenizer", "GPT2Tokenizer", "RobertaTokenizer", "Qwen2Tokenizer",
        "(?<!a)b(?=c)", "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+", "(a*)*b", "\\p{Han}", "$", "\\G", "keep_accents", "split_by_punct", "do_basic_tokenize",
    ];

    /// <summary>SentencePiece models of both types.</summary>
    public static IReadOnlyList<byte[]> SentencePieces { get; } = [Model(type: 2), Model(type: 1)];

    /// <summary>Texts that are encoded, beside the input itself.</summary>
    public static IReadOnlyList<string> Texts { get; } =
        ["", "ab a  b\nc", "<s>a</s> é a\u0301 \U0001f600 漢字 \ud800 123-4", new string('a', 40) + new string(' ', 20) + "word"];

    private static byte[] Model(int type)
    {
        string[] pieces = ["<unk>", "<s>", "</s>", "▁", "a", "b", "ab", "▁a", "<0x0A>"];
        var kinds = new[] { 2, 3, 3, 1, 1, 1, 1, 1, 6 };
        return
        [
            .. pieces.SelectMany((piece, i) => Field(1,
                [.. Field(1, Encoding.UTF8.GetBytes(piece)), .. ProtobufMutation.BytesOf((2 << 3) | 5, BitConverter.GetBytes(-(float)i)),
                .. Number(3, kinds[i])])),
            .. Field(2, [.. Number(3, type), .. Number(35, 1), .. Number(40, 0), .. Field(45, "<unk>"u8)]),
            .. Field(3, [.. Field(1, "identity"u8), .. type == 1 ? Field(2, [8, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 97, 0]) : []]),
        ];
    }

    private static byte[] Field(int number, ReadOnlySpan<byte> value) => ProtobufMutation.BytesOf(((ulong)number << 3) | 2, value.ToArray());

    private static byte[] Number(int number, int value) => ProtobufMutation.BytesOf((ulong)number << 3, ProtobufMutation.Varint((ulong)value));
}
