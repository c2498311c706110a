using System.Text;
using RewardModel.Fuzz.Mutation;
using RewardModel.Fuzz.Seeds;
using RewardModel.Tokenizers;

namespace RewardModel.Fuzz.Targets;

/// <summary>A tokenizer's files, of both generations.</summary>
internal static class TokenizerTargets
{
    private const int MaxTextLength = 2000;

    private static readonly JsonMutation json = new(
    [
        .. SeedText.WordsOf([.. TokenizerSeeds.Tokenizers, .. TokenizerSeeds.Configs, .. TokenizerSeeds.SpecialTokens]), .. TokenizerSeeds.MoreWords,
    ]);

    /// <summary>The targets.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("tokenizer",
            [.. TokenizerSeeds.Tokenizers.Select((tokenizer, i) => Joined(tokenizer, TokenizerSeeds.Configs[i % 2], TokenizerSeeds.SpecialTokens[0]))],
            new PartMutation(new MixedMutation(json), new MixedMutation(json), json),
            (input, folder) => Read(input, folder, "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"), typeof(TokenizerException)),
        new("tokenizer-json", SeedText.Of(TokenizerSeeds.Tokenizers), json,
            (input, folder) => Load(input, folder, ("tokenizer.json", input)), typeof(TokenizerException)),
        new("older-vocabulary",
            [Joined("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\nc", """{"tokenizer_class": "BertTokenizer"}""", """{"a": 5}""")],
            new PartMutation(new TokenMutation(["[UNK]", "##", "\n", "\r\n", "a", "[CLS]", "é"]), new MixedMutation(json), json),
            (input, folder) => Read(input, folder, "vocab.txt", "tokenizer_config.json", "added_tokens.json"), typeof(TokenizerException)),
        new("older-merges",
            [
                Joined("""{"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3, "Ġ": 4}""", "#version: 0.2\na b", """{"tokenizer_class": "GPT2Tokenizer"}"""),
                Joined("""{"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5, "ab": 6, "<mask>": 7}""", "a b", """{"tokenizer_class": "RobertaTokenizer"}"""),
            ],
            new PartMutation(new MixedMutation(json), new TokenMutation(["a", "b", " ", "\n", "ab", "#version", "Ġ", "é"]), json),
            (input, folder) => Read(input, folder, "vocab.json", "merges.txt", "tokenizer_config.json"), typeof(TokenizerException)),
        new("sentencepiece",
            [
                .. TokenizerSeeds.SentencePieces.Zip(
                    ["LlamaTokenizer", "T5Tokenizer"], (model, name) => InputParts.Join(model, Encoding.UTF8.GetBytes($$"""{"tokenizer_class": "{{name}}"}"""))),
                InputParts.Join(TokenizerSeeds.SentencePieces[1], Encoding.UTF8.GetBytes("""{"tokenizer_class": "AlbertTokenizer", "extra_ids": 2}""")),
            ],
            new PartMutation(new MixedMutation(new ProtobufMutation()), json),
            (input, folder) => Read(input, folder, "tokenizer.model", "tokenizer_config.json"), typeof(TokenizerException)),
    ];

    private static byte[] Joined(params IEnumerable<string> parts) => InputParts.Join(SeedText.Of(parts));

    private static void Read(byte[] input, string folder, params string[] names) =>
        Load(input, folder, [.. names.Zip(InputParts.Split(input, names.Length))]);

    private static void Load(byte[] input, string folder, params IReadOnlyList<(string, byte[])> files)
    {
        TargetFolder.Write(folder, files);
        if (!HuggingFaceTokenizer.IsIn(folder))
            return;
        var tokenizer = HuggingFaceTokenizer.Load(folder);
        foreach (var text in TokenizerSeeds.Texts.Append(Encoding.UTF8.GetString(input.AsSpan(0, Math.Min(input.Length, MaxTextLength)))))
        {
            var ids = tokenizer.Encode(text, addSpecialTokens: true);
            tokenizer.Decode(ids, skipSpecialTokens: text.Length % 2 == 0);
            tokenizer.PlainTextTokenizer.EncodeToIds(text);
        }
    }
}
