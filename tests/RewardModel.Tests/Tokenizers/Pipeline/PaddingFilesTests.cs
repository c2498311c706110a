using System.Text;
using RewardModel.Tokenizers;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tests.Tokenizers.Pipeline;

public class PaddingFilesTests
{
    [Fact]
    public void Files_that_name_the_token_already_stay_as_they_are()
    {
        using var folder = TokenizerFolder.ByteLevel("""{"pad_token": {"content": "<s>", "lstrip": false}}""");
        folder.Write("special_tokens_map.json", """{"pad_token": "<s>"}""");
        folder.Replace("\"padding\": null", """ "padding": {"pad_id": 262, "pad_token": "<s>"}""");
        Assert.Empty(Changed(folder));
    }

    [Fact]
    public void Files_that_name_another_or_none_are_changed_in_nothing_else()
    {
        using var folder = TokenizerFolder.ByteLevel("""{ "eos_token": "</s>",  "pad_token": "</s>" }""");
        folder.Write("special_tokens_map.json", """{"eos_token": "</s>"}""");
        folder.Replace("\"padding\": null", """ "padding": {"direction": "Right", "pad_id": 263, "pad_type_id": 0, "pad_token": "</s>"}""");
        var before = File.ReadAllText(Path.Combine(folder.Directory, "tokenizer.json"));
        var changed = Changed(folder);
        Assert.Equal("""{ "eos_token": "</s>",  "pad_token": "<s>" }""", changed["tokenizer_config.json"]);
        Assert.Equal("""{"pad_token": "<s>","eos_token": "</s>"}""", changed["special_tokens_map.json"]);
        Assert.Equal(
            before.Replace(
                """ "pad_id": 263, "pad_type_id": 0, "pad_token": "</s>" """.Trim(), """ "pad_id": 262, "pad_type_id": 0, "pad_token": "<s>" """.Trim()),
            changed["tokenizer.json"]);
    }

    [Fact]
    public void Of_several_entries_the_last_counts()
    {
        using var folder = TokenizerFolder.ByteLevel("""{"pad_token": "<s>", "pad_token": "</s>"}""");
        Assert.Equal("""{"pad_token": "<s>", "pad_token": "<s>"}""", Assert.Single(Changed(folder)).Value);
    }

    [Fact]
    public void The_file_that_names_it_is_made_where_it_is_missing()
    {
        using var folder = TokenizerFolder.ByteLevel();
        Assert.Equal(KeyValuePair.Create("tokenizer_config.json", "{\"pad_token\": \"<s>\"}\n"), Assert.Single(Changed(folder)));
    }

    private static Dictionary<string, string> Changed(TokenizerFolder folder) =>
        PaddingFiles.Changed(HuggingFaceTokenizer.Load(folder.Directory).Files, 262, "<s>")
            .ToDictionary(file => file.Key, file => Encoding.UTF8.GetString(file.Value));
}
