namespace RewardModel.Tests.Tokenizers;

/// <summary>A directory with the files of a small tokenizer, removed when disposed.</summary>
internal sealed class TokenizerFolder : IDisposable
{
    public TokenizerFolder(string? tokenizerJson, string? configJson = null, string? specialTokensJson = null)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("tokenizer-").FullName;
        var contents = new[]
        {
            ("tokenizer.json", tokenizerJson), ("tokenizer_config.json", configJson), ("special_tokens_map.json", specialTokensJson),
        };
        foreach (var (name, content) in contents)
            if (content is not null)
                Write(name, content);
    }

    public string Directory { get; }

    /// <summary>
    /// Byte level. Every byte's id is its value; the merges make he 256, ll 257, hell 258, hello 259, " w" 260, " wo" 261; special
    /// tokens are &lt;s&gt; 262 and &lt;/s&gt; 263; &lt;tool&gt; 264 is added, but not special.
    /// </summary>
    public static TokenizerFolder ByteLevel(string? configJson = null, string postProcessor = "null", string modelOptions = "") => new(
        $$$"""
        {
          "version": "1.0", "truncation": null, "padding": null,
          "added_tokens": [
            {"id": 262, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
            {"id": 263, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
            {"id": 264, "content": "<tool>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false}
          ],
          "normalizer": null,
          "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
          "post_processor": {{{postProcessor}}},
          "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
          "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "", "end_of_word_suffix": "",
            "fuse_unk": false, "byte_fallback": false, {{{modelOptions}}}
            "vocab": { {{{ByteEntries()}}}, "he": 256, "ll": 257, "hell": 258, "hello": 259, "Ġw": 260, "Ġwo": 261},
            "merges": ["h e", "l l", "he ll", ["hell", "o"], "Ġ w", "Ġw o"]
          }
        }
        """,
        configJson);

    /// <summary>
    /// Like Llama's. &lt;unk&gt; 0, &lt;s&gt; 1 and &lt;/s&gt; 2 are special; byte b is 3 + b; ▁ 259, a 260, b 261, ▁a 262, ab 263,
    /// ▁ab 264. &lt;s&gt; goes before every text.
    /// </summary>
    public static TokenizerFolder SentencePiece(string? configJson = null) => new(
        $$$"""
        {
          "version": "1.0", "truncation": null, "padding": null,
          "added_tokens": [
            {"id": 0, "content": "<unk>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
            {"id": 1, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
            {"id": 2, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}
          ],
          "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
          "pre_tokenizer": null,
          "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"] } } },
          "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
          "model": {
            "type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null, "end_of_word_suffix": null,
            "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
            "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, {{{FallbackEntries()}}},
              "▁": 259, "a": 260, "b": 261, "▁a": 262, "ab": 263, "▁ab": 264},
            "merges": ["▁ a", "a b", "▁a b"]
          }
        }
        """,
        configJson);

    /// <summary>Adds a file.</summary>
    public void Write(string name, string content) => File.WriteAllText(Path.Combine(Directory, name), content);

    /// <inheritdoc cref="Write(string, string)"/>
    public void Write(string name, byte[] content) => File.WriteAllBytes(Path.Combine(Directory, name), content);

    /// <summary>Replaces a part of tokenizer.json.</summary>
    public void Replace(string old, string replacement)
    {
        var path = Path.Combine(Directory, "tokenizer.json");
        var content = File.ReadAllText(path);
        Assert.Contains(old, content);
        File.WriteAllText(path, content.Replace(old, replacement, StringComparison.Ordinal));
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);

    private static string ByteEntries()
    {
        var others = 0;
        var entries = new string[256];
        for (var value = 0; value < 256; value++)
        {
            var isPrintable = value is > 0x20 and < 0x7F or > 0xA0 and < 0xAD or > 0xAD;
            entries[value] = $"\"\\u{(isPrintable ? value : 0x100 + others++):X4}\": {value}";
        }
        return string.Join(", ", entries);
    }

    private static string FallbackEntries() =>
        string.Join(", ", Enumerable.Range(0, 256).Select(value => $"\"<0x{value:X2}>\": {value + 3}"));
}
