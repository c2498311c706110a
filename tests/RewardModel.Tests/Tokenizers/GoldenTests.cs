using System.Text.Json;
using RewardModel.Lists;
using RewardModel.Tokenizers;
using RewardModel.Tokenizers.Decoders;
using RewardModel.Tokenizers.Normalizers;
using RewardModel.Tokenizers.Pipeline;
using RewardModel.Tokenizers.PreTokenizers;

namespace RewardModel.Tests.Tokenizers;

/// <summary>What Hugging Face's tokenizers library gives; Goldens/make_goldens.mjs has asked it.</summary>
public class GoldenTests
{
    private static readonly string[] texts = Goldens.Read("texts.json").Deserialize<string[]>()!;
    private static readonly JsonElement components = Goldens.Read("components.json");

    [Theory]
    [InlineData("affixes")]
    [InlineData("bert-cased")]
    [InlineData("bert-uncased")]
    [InlineData("byte-fallback")]
    [InlineData("falcon")]
    [InlineData("llama3")]
    [InlineData("qwen2")]
    [InlineData("roberta")]
    [InlineData("unigram")]
    [InlineData("unigram-bytes")]
    [InlineData("unigram-first")]
    [InlineData("unknown-apart")]
    [InlineData("unknown-fused")]
    [InlineData("word-level")]
    public void A_tokenizer_has_the_ids_and_decodings_of_Hugging_Face(string name)
    {
        var golden = Goldens.Read($"{name}.json");
        using var files = new TokenizerFolder(golden.GetProperty("tokenizer").GetRawText());
        var tokenizer = HuggingFaceTokenizer.Load(files.Directory);
        var differences = new List<string>();
        var cases = golden.GetProperty("cases");
        Assert.Equal(texts.Length, cases.GetArrayLength());
        foreach (var (text, item) in texts.Zip(cases.EnumerateArray()))
        {
            var ids = item.GetProperty("ids").GetString()!;
            var around = item.GetProperty("around").Deserialize<int[][]>()!;
            int[] idList = [.. ids.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
            Compare("ids", ids, Join(tokenizer.Encode(text, addSpecialTokens: false)));
            Compare("ids of tokens", ids, Join(tokenizer.Tokenizer.EncodeToTokens(text, out _).Select(token => token.Id)));
            Compare("ids with special tokens", Join([.. around[0], .. idList, .. around[1]]), Join(tokenizer.Encode(text, true)));
            Compare("decoded", item.GetProperty("decoded").GetString()!, tokenizer.Decode(idList, skipSpecialTokens: false));
            Compare("decoded without", item.GetProperty("skipped").GetString()!, tokenizer.Decode(idList, skipSpecialTokens: true));

            void Compare(string what, string expected, string actual)
            {
                if (expected != actual)
                    differences.Add($"{what} of {JsonSerializer.Serialize(text)}: expected '{expected}', found '{actual}'");
            }
        }
        Assert.True(differences.Count == 0, string.Join("\n", differences));
    }

    /// <summary>
    /// Tokens with every combination of what can be said of them, and such that overlap, in texts where they stand alone, side by side, at
    /// the ends, within words and between all kinds of white space.
    /// </summary>
    [Theory]
    [InlineData("lower-case")]
    [InlineData("byte-level")]
    [InlineData("byte-level normalizer")]
    [InlineData("prepended sign")]
    [InlineData("sign before the first word")]
    [InlineData("compatibility")]
    public void Added_tokens_are_found_and_decoded_as_in_Hugging_Face(string name)
    {
        var golden = Goldens.Read("added-tokens.json");
        var rule = golden.GetProperty("rules").EnumerateArray().Single(item => item.GetProperty("name").GetString() == name);
        using var files = new TokenizerFolder(rule.GetProperty("tokenizer").GetRawText());
        var tokenizer = HuggingFaceTokenizer.Load(files.Directory);
        Compare(golden.GetProperty("texts").Deserialize<string[]>()!, rule.GetProperty("cases"), (text, expected) =>
        {
            var ids = tokenizer.Encode(text, addSpecialTokens: false);
            return (
                $"{expected.GetProperty("ids")} | {expected.GetProperty("decoded")} | {expected.GetProperty("skipped")}",
                $"{Join(ids)} | {tokenizer.Decode(ids, skipSpecialTokens: false)} | {tokenizer.Decode(ids, skipSpecialTokens: true)}");
        });
    }

    /// <summary>Encoders, in whose rule prompt and answer are the two texts of a pair.</summary>
    [Theory]
    [InlineData("bert-cased")]
    [InlineData("bert-uncased")]
    [InlineData("roberta")]
    [InlineData("unigram")]
    public void An_encoder_reads_prompt_and_answer_as_Hugging_Face_does_a_pair(string name)
    {
        var golden = Goldens.Read($"{name}.json");
        using var files = new TokenizerFolder(golden.GetProperty("tokenizer").GetRawText());
        var tokenizer = HuggingFaceTokenizer.Load(files.Directory);
        var (list, _) = new ListTokenizer(tokenizer, tokenizer.SpecialTokenRule, maxLength: 100)
            .Tokenize(RankedList.BestFirst("harbour", "boats"));
        var pair = golden.GetProperty("pair");
        Assert.Equal(pair.GetProperty("ids").Deserialize<int[]>(), list.PromptIds.Concat(list.AnswerIds[0]));
        int[] types = [.. list.PromptIds.Select(_ => 0), .. list.AnswerIds[0].Select(_ => list.AnswerTokenType)];
        Assert.Equal(pair.GetProperty("types").Deserialize<int[]>(), types);
    }

    /// <summary>
    /// Prompts and answers cut out of the texts, and put together anew. The ids are those of the whole, and where the prompt ends is where
    /// the tokens' places in the normalised text say.
    /// </summary>
    [Theory]
    [InlineData("affixes")]
    [InlineData("bert-uncased")]
    [InlineData("byte-fallback")]
    [InlineData("falcon")]
    [InlineData("llama3")]
    [InlineData("qwen2")]
    [InlineData("roberta")]
    [InlineData("unigram")]
    [InlineData("unigram-bytes")]
    [InlineData("unigram-first")]
    [InlineData("unknown-apart")]
    [InlineData("unknown-fused")]
    [InlineData("word-level")]
    public void Prompt_and_answer_encoded_as_one_text_are_divided_by_the_places_of_tokens(string name)
    {
        using var files = new TokenizerFolder(Goldens.Read($"{name}.json").GetProperty("tokenizer").GetRawText());
        var tokenizer = HuggingFaceTokenizer.Load(files.Directory);
        var differences = new List<string>();
        var dividedCount = 0;
        string[] wellFormed = [.. texts.Select(WellFormedText.Of)];
        for (var i = 0; i < wellFormed.Length; i++)
        {
            var text = wellFormed[i];
            var middle = text.Length / 2 - (text.Length > 1 && char.IsLowSurrogate(text[text.Length / 2]) ? 1 : 0);
            foreach (var (prompt, answer) in new[]
            {
                (text[..middle], text[middle..]), (text, wellFormed[(i + 1) % wellFormed.Length]), (text, ""), ("", text),
            })
            {
                var (ids, promptCount) = tokenizer.EncodeParts(prompt, answer);
                var tokens = tokenizer.PlainTextTokenizer.EncodeToTokens(prompt + answer, out var normalized);
                tokenizer.PlainTextTokenizer.EncodeToTokens(prompt, out var normalizedPrompt);
                // What the interface leaves null is the text itself.
                var end = answer.Length == 0 ? int.MaxValue
                    : (normalized ?? prompt + answer).AsSpan().CommonPrefixLength(normalizedPrompt ?? prompt);
                var expected = tokens
                    .TakeWhile(token => token.Offset.Start.Value < end && token.Offset.End.Value <= end).Count();
                if (!tokens.Select(token => token.Id).SequenceEqual(ids) || promptCount != expected)
                    differences.Add(
                        $"{JsonSerializer.Serialize(prompt)} + {JsonSerializer.Serialize(answer)}: {promptCount}, not {expected}");
                dividedCount += promptCount > 0 && promptCount < ids.Length ? 1 : 0;
            }
        }
        Assert.True(differences.Count == 0, string.Join("\n", differences));
        Assert.True(dividedCount > texts.Length / 2);
    }

    public static TheoryData<int> Normalizers => Indices("normalizers");

    public static TheoryData<int> PreTokenizers => Indices("pre_tokenizers");

    public static TheoryData<int> Decoders => Indices("decoders");

    [Theory]
    [MemberData(nameof(Normalizers))]
    public void A_normalizer_rewrites_as_in_Hugging_Face(int index)
    {
        var (component, results) = Component("normalizers", index);
        var normalizer = NormalizerReader.Read(component)!;
        Compare(texts, results, (text, expected) => (expected.GetString()!, normalizer.Normalize(text)));
    }

    [Theory]
    [MemberData(nameof(PreTokenizers))]
    public void A_pre_tokenizer_cuts_as_in_Hugging_Face(int index)
    {
        var (component, results) = Component("pre_tokenizers", index);
        var preTokenization = PreTokenizerReader.Read(component);
        if (preTokenization.EndsInBytes)
            preTokenization = new PreTokenization([.. preTokenization.Steps, new ByteSpellingStep()], endsInBytes: false);
        Compare(texts, results, (text, expected) =>
        {
            var list = new WordList(text, startsText: true, keepsOrigins: false);
            preTokenization.Apply(list);
            var words = list.Words.Select(word => list.Text.Substring(word.Start, word.Length));
            return (string.Join('|', expected.Deserialize<string[]>()!), string.Join('|', words));
        });
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public void A_decoder_joins_as_in_Hugging_Face(int index)
    {
        var (component, results) = Component("decoders", index);
        var decoder = DecoderReader.Read(component);
        Compare(
            components.GetProperty("decoder_tokens").Deserialize<string[][]>()!, results,
            (tokens, expected) => (expected.GetString()!, string.Concat(decoder.Decode(tokens))));
    }

    private static void Compare<T>(T[] inputs, JsonElement results, Func<T, JsonElement, (string Expected, string Actual)> compute)
    {
        Assert.Equal(inputs.Length, results.GetArrayLength());
        string[] differences =
        [
            .. from pair in inputs.Zip(results.EnumerateArray())
               let result = compute(pair.First, pair.Second)
               where result.Expected != result.Actual
               select $"{JsonSerializer.Serialize(pair.First)}: expected '{result.Expected}', found '{result.Actual}'",
        ];
        Assert.True(differences.Length == 0, string.Join("\n", differences));
    }

    private static (JsonComponent Component, JsonElement Results) Component(string kind, int index)
    {
        var item = components.GetProperty(kind)[index];
        var (component, found) = Json.Component(item.GetProperty("json").GetRawText());
        Assert.Empty(found);
        return (component, item.GetProperty("results"));
    }

    private static TheoryData<int> Indices(string kind) => [.. Enumerable.Range(0, components.GetProperty(kind).GetArrayLength())];

    private static string Join(IEnumerable<int> ids) => string.Join(' ', ids);
}
