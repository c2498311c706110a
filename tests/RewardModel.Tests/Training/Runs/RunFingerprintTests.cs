using System.Runtime.InteropServices;
using System.Security.Cryptography;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Tokenizers;
using RewardModel.Tokenizers;
using RewardModel.Training;
using RewardModel.Training.Data;
using RewardModel.Training.Runs;

namespace RewardModel.Tests.Training.Runs;

public class RunFingerprintTests
{
    private static readonly ScoringRule rule = new(new SpecialTokenRule([1], [], [2]), 64) { ChatTemplate = "{{ messages }}" };

    [Fact]
    public void Everything_that_differs_in_the_rule_and_the_tokenizer_is_told()
    {
        using var model = TinyModel.Create();
        var saved = Of(model) with { Rule = rule, TokenizerFiles = "A" };
        Assert.Empty((saved with { Rule = rule with { SpecialTokens = new SpecialTokenRule([1], [], [2]) } }).DifferencesOf(saved));
        var other = saved with
        {
            Rule = new ScoringRule(new SpecialTokenRule([1], [], []), 32)
            {
                Normalizer = new RewardNormalizer(0.5, 2),
                Encoding = TextEncoding.Joint,
            },
            TokenizerFiles = "B",
        };
        Assert.Equal(
            [
                "the special tokens around prompt and answer are not the same", "the maximum length was 64 and is now 32",
                "the encoding of prompt and answer was Separate and is now Joint",
                "the normaliser is not the same", "the chat template is not the same", "the tokenizer's files are not the same",
            ],
            other.DifferencesOf(saved));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    public void Values_have_the_same_digest_in_pieces_of_any_length(long pieceLength)
    {
        using var values = TorchSharp.torch.arange(21, dtype: TorchSharp.torch.float32).view(3, 7);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        RunFingerprint.AppendValues(hash, values, pieceLength);
        var whole = MemoryMarshal.AsBytes<float>(Enumerable.Range(0, 21).Select(i => (float)i).ToArray());
        Assert.Equal(SHA256.HashData(whole), hash.GetHashAndReset());
    }

    [Fact]
    public void Where_one_run_knows_no_rule_it_makes_no_difference()
    {
        using var model = TinyModel.Create();
        var unknown = Of(model);
        var known = unknown with { Rule = rule, TokenizerFiles = "A" };
        Assert.Empty(unknown.DifferencesOf(known));
        Assert.Empty(known.DifferencesOf(unknown));
    }

    [Fact]
    public void Lists_differ_by_the_prompts_of_single_answers_too()
    {
        using var model = TinyModel.Create();
        string Digest(TokenizedList list) =>
            RunFingerprint.Of(new TrainingOptions().OfEveryStep(), 1, [list], [], model, savedAs: null).TrainLists;
        var list = new TokenizedList([1, 2, 3], [[4], [5]], [1, 0]);
        string[] digests =
        [
            Digest(list), Digest(list with { OwnPromptIds = [[3], null] }), Digest(list with { OwnPromptIds = [null, [3]] }),
            Digest(list with { OwnPromptIds = [[2, 3], null] }),
        ];
        Assert.Equal(4, digests.Distinct().Count());
        // States of the same lists stay the same run.
        Assert.Equal("7FCA2DD52A8147DF4794F86D3CB19610", digests[0]);
    }

    [Fact]
    public void Lists_are_the_same_in_whatever_form_they_are_kept()
    {
        using var model = TinyModel.Create();
        string Digest(IReadOnlyList<TokenizedList> lists, params double[]? weights) =>
            RunFingerprint.Of(new TrainingOptions().OfEveryStep(), 1, lists, [], model, savedAs: null, weights).TrainLists;
        TokenizedList[] lists = [.. Enumerable.Range(0, 9).Select(i => TinyModel.List((ulong)i, 2, 3, 4))];
        using var writer = new CompactListsWriter();
        foreach (var list in lists)
            writer.Add(list, ListKeys.Of(list) with { Source = writer.Count % 2 });
        using var compact = writer.Finish();
        Assert.Equal(Digest(lists, null), Digest(compact, null));
        Assert.Equal(Digest(lists[3..], null), Digest(new ListSubset(compact, [3, 4, 5, 6, 7, 8]), null));
        Assert.Equal(
            5,
            new[]
            {
                Digest(compact, null), Digest(compact, 1, 1), Digest(compact, 1, 0.5), Digest(compact, 0.5, 1), Digest([.. lists.Reverse()], null),
            }.Distinct().Count());
    }

    [Fact]
    public void The_digest_of_a_tokenizer_is_that_of_its_files_names_and_bytes()
    {
        using var first = TokenizerFolder.ByteLevel("""{"eos_token": "</s>"}""");
        using var second = TokenizerFolder.ByteLevel("""{"eos_token": "</s>"}""");
        using var spaced = TokenizerFolder.ByteLevel("""{ "eos_token": "</s>"}""");
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"));
        string? Digest(TokenizerFolder? folder) => RunFingerprint.Of(
            new TrainingOptions().OfEveryStep(), 1, [], [], model,
            new ScoringModel(model, folder is null ? null : HuggingFaceTokenizer.Load(folder.Directory))).TokenizerFiles;
        Assert.Equal(Digest(first), Digest(second));
        Assert.Equal(4, new[] { Digest(first), Digest(spaced), Digest(null), null }.Distinct().Count());
        File.Move(Path.Combine(second.Directory, "tokenizer_config.json"), Path.Combine(second.Directory, "special_tokens_map.json"));
        Assert.NotEqual(Digest(first), Digest(second));
    }

    private static RunFingerprint Of(RewardTransformer model) => RunFingerprint.Of(new TrainingOptions().OfEveryStep(), 1, [], [], model, savedAs: null);
}
