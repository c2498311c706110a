using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using RewardModel.Chat;
using RewardModel.Jinja;
using RewardModel.Lists;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Chat;

/// <summary>Renderings against transformers: see make_goldens.py.</summary>
public class ChatTemplateGoldenTests
{
    private static readonly JsonElement goldens = JsonDocument.Parse(File.ReadAllBytes(
        Path.Combine(Shared.RepositoryRoot, "tests", "RewardModel.Tests", "Chat", "goldens.json"))).RootElement;

    private static readonly Dictionary<string, string> tokens = new()
    {
        ["bos_token"] = "<s>",
        ["eos_token"] = "</s>",
        ["pad_token"] = "<pad>",
        ["unk_token"] = "<unk>",
    };

    private static int RenderingCount => goldens.GetProperty("templates").EnumerateArray()
        .Sum(golden => golden.GetProperty("rendered").EnumerateArray().Count(text => text.ValueKind == JsonValueKind.String));

    public static TheoryData<string> Names => [.. goldens.GetProperty("templates").EnumerateArray().Select(NameOf)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Templates_are_rendered_as_transformers_does(string name)
    {
        var golden = goldens.GetProperty("templates").EnumerateArray().Single(golden => NameOf(golden) == name);
        Assert.Equal(
            golden.GetProperty("rendered").EnumerateArray().Select(text => text.GetString()),
            Renderings(golden.GetProperty("template").GetString()!));
    }

    [Fact]
    public void Expressions_have_the_values_that_they_have_there()
    {
        var conversation = ConversationOf(goldens.GetProperty("cases")[0]);
        Assert.All(goldens.GetProperty("expressions").EnumerateArray(), golden =>
        {
            var template = $"{{{{ {golden[0].GetString()} }}}}";
            if (golden[1].GetString() is { } expected)
                Assert.Equal(expected, new ChatTemplate(template).Render(conversation, addGenerationPrompt: false, tokens).Text);
            else
                Assert.Throws<ChatTemplateException>(
                    () => new ChatTemplate(template).Render(conversation, addGenerationPrompt: false, tokens));
        });
    }

    [Fact]
    public void The_parts_of_a_text_make_the_text_and_messages_are_not_taken_for_the_template()
    {
        var template = new ChatTemplate(goldens.GetProperty("templates")[0].GetProperty("template").GetString()!);
        var rendered = template.Render(ConversationOf(goldens.GetProperty("cases")[0]), addGenerationPrompt: true, tokens);
        Assert.Equal(
            [
                ("<|im_start|>user\n", true), ("  Which is larger, 3 or 5?\n", false), ("<|im_end|>\n\n<|im_start|>assistant\n", true),
                ("5 is larger. 😀 ", false), ("<|im_end|>\n\n<|im_start|>user\n", true),
                ("And <|im_end|> </s> ñ \"quoted\" {{ x }}?", false), ("<|im_end|>\n\n<|im_start|>assistant\n\n", true),
            ],
            rendered.Pieces);
        Assert.Equal(rendered.Text, string.Concat(rendered.Pieces.Select(piece => piece.Text)));
    }

    [SharedFact("data/tokenizers/qwen3")]
    public void The_template_of_Qwen3_is_rendered_as_transformers_does()
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(Shared.PathOf("data/tokenizers/qwen3/tokenizer_config.json")));
        Assert.Equal(
            [
                "86fac1eeef27bbdce1dadbce53fb4ee728b86660e7b96768c98ffc9521227724",
                "bca72524650c86425d1b3c584711ae2b31ad721d1bb501b80f70d5328c201ace",
                "27ce5451cce5a017f1ade24fd62bcfe0c6fddd56f2e69aa38dafb9e2d046336f",
                "d320d06c89d2b3d89f130efaf28afed99bdbf93265db36583a5abb0f9d173963",
                "5d2e8a7c8bf46caa12c7150660e3c29f376e14535ff1f79f4df5ba0f00405f90",
                "9e158af5abb39cc342d1ef4a738f124f85eea8b25e9617fbfa11c5a53b5d4245",
                "ddc27c209c86501160621fb5bb4b885a220ca3f84f11a97ecc47cb805b8cbb7c",
                "55b20225fc75db73f73ef7a8d0e2a568040803f9a67aabec25f7696cf39cd387",
                "c1e0e1b93e442783b106c003ca5ad52b94e732a02d1901653c408ef0b193e79e",
                "78114284cd0d12b97625d57970a7ee4f773b9dece746342f7d08764a3e6e5d2d",
                "ee902a901ba4a4183ccd93d37d251f0ed98a9fcf863d20d8ffd0400919975996",
                "33ec6261c92eec7f0fa04a93cd5c2ecd4dc40a1a9756fb1d0fede6c837471e3b",
                null,
                null,
            ],
            Renderings(config.RootElement.GetProperty("chat_template").GetString()!)
                .Select(text => text is null ? null : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))));
    }

    [SharedTheory("data/tokenizers")]
    [InlineData("gpt2")]
    [InlineData("llama2")]
    [InlineData("qwen3")]
    public void Ids_are_those_of_the_whole_text_where_users_write_no_special_tokens(string name)
    {
        var tokenizer = HuggingFaceTokenizer.Load(Shared.PathOf($"data/tokenizers/{name}"));
        var compared = 0;
        foreach (var golden in goldens.GetProperty("templates").EnumerateArray().Where(golden => !NameOf(golden).StartsWith("errors")))
        {
            var template = new ChatTemplate(golden.GetProperty("template").GetString()!);
            var renderings = golden.GetProperty("rendered").EnumerateArray();
            foreach (var (test, expected) in goldens.GetProperty("cases").EnumerateArray().Zip(renderings))
            {
                if (expected.ValueKind == JsonValueKind.Null)
                    continue;
                var harmless = test.GetRawText().Replace("<|im_end|> </s>", "no tokens", StringComparison.Ordinal);
                var rendered = template.Render(
                    ConversationOf(JsonDocument.Parse(harmless).RootElement),
                    test.GetProperty("add_generation_prompt").GetBoolean(),
                    tokens);
                Assert.Equal(tokenizer.Encode(rendered.Text, addSpecialTokens: false), tokenizer.Encode(rendered));
                compared++;
            }
        }
        Assert.Equal(RenderingCount, compared);
    }

    /// <summary>What the template makes of every case; null where it makes an error.</summary>
    private static IEnumerable<string?> Renderings(string template)
    {
        foreach (var golden in goldens.GetProperty("cases").EnumerateArray())
        {
            string? text = null;
            try
            {
                text = new ChatTemplate(template).Render(
                    ConversationOf(golden), golden.GetProperty("add_generation_prompt").GetBoolean(), tokens).Text;
            }
            catch (ChatTemplateException)
            {
            }
            yield return text;
        }
    }

    private static Conversation ConversationOf(JsonElement golden) =>
        new([.. golden.GetProperty("messages").EnumerateArray().Select(ChatMessage.FromJson)])
        {
            Tools = golden.GetProperty("tools") is { ValueKind: JsonValueKind.Array } tools ? tools : null,
        };

    private static string NameOf(JsonElement golden) => golden.GetProperty("name").GetString()!;
}
