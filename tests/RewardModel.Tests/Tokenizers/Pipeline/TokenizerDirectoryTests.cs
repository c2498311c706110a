using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers.Pipeline;

public class TokenizerDirectoryTests
{
    [Fact]
    public void A_directory_without_tokenizer_json_is_an_error()
    {
        using var folder = new TokenizerFolder(null);
        Assert.Equal(
            $"{folder.Directory}: tokenizer.json is missing; save the tokenizer with transformers' fast tokenizers to get one",
            Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory)).Message);
    }

    [Fact]
    public void All_problems_of_all_files_are_in_one_message()
    {
        using var folder = new TokenizerFolder(
            """
            {
              "version": "1.0", "colour": "red",
              "added_tokens": [{"id": 7, "content": "a"}, {"id": 1, "content": "<s>"}, {"id": 9, "content": "<x>", "weight": 2}],
              "normalizer": {"type": "Uppercase"},
              "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digit"}]},
              "post_processor": {"type": "Bert"},
              "decoder": {"type": "X"},
              "model": {"type": "BPE", "dropout": 0.5, "vocab": {"a": 0, "b": 1}, "merges": []}
            }
            """,
            """{"bos_token": "<bos>"}""");
        const string normalizers =
            "BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, Replace, Sequence, Strip, StripAccents";
        const string preTokenizers =
            "BertPreTokenizer, ByteLevel, Digits, Metaspace, Punctuation, Sequence, Split, Whitespace, WhitespaceSplit";
        const string postProcessors = "BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing";
        const string decoders =
            "BPEDecoder, ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip, WordPiece";
        var error = Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory));
        Assert.Equal(
            $"""
            {folder.Directory}: 10 problems
            - tokenizer.json: added_tokens[2]: the option 'weight' is not supported
            - tokenizer.json: normalizer: the type 'Uppercase' is not supported; supported are {normalizers}
            - tokenizer.json: pre_tokenizer.pretokenizers[0]: the type 'Digit' is not supported; supported are {preTokenizers}
            - tokenizer.json: post_processor: the type 'Bert' is not supported; supported are {postProcessors}
            - tokenizer.json: decoder: the type 'X' is not supported; supported are {decoders}
            - tokenizer.json: model: 'dropout' is 0.5, which is not supported; expected null
            - tokenizer.json: the option 'colour' is not supported
            - tokenizer.json: the added token 'a' has the id 7, but elsewhere the id 0
            - tokenizer.json: the added token '<s>' has the id 1 of the token 'b'
            - tokenizer_config.json: 'bos_token' is '<bos>', which is not in the vocabulary
            """,
            error.Message);
    }

    [Fact]
    public void A_file_without_a_model_is_an_error()
    {
        using var folder = new TokenizerFolder("""{"version": "1.0"}""");
        Assert.Equal(
            $"{folder.Directory}: tokenizer.json: 'model' is missing, expected an object",
            Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory)).Message);
    }

    [Fact]
    public void Special_tokens_without_a_place_in_the_vocabulary_are_an_error()
    {
        using var folder = TokenizerFolder.ByteLevel(postProcessor:
            """
            {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}],
             "special_tokens": {"<s>": {"ids": [265]}}}
            """);
        Assert.Equal(
            $"{folder.Directory}: tokenizer.json: post_processor: the id 265 is not in the vocabulary",
            Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory)).Message);
    }

    [Fact]
    public void Truncation_and_padding_saved_by_transformers_change_nothing()
    {
        using var folder = TokenizerFolder.ByteLevel();
        folder.Replace("\"truncation\": null", "\"truncation\": {\"max_length\": 1}");
        Assert.Equal([259, 260], HuggingFaceTokenizer.Load(folder.Directory).Encode("hello w", addSpecialTokens: true));
    }
}
