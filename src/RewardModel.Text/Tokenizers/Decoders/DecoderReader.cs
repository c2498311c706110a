using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Decoders;

/// <summary>Reads the "decoder" of a tokenizer.json.</summary>
internal static class DecoderReader
{
    /// <summary>The decoder; what can't be used is among the problems.</summary>
    public static ITokenDecoder Read(JsonComponent? component)
    {
        if (component is null)
            return new JoinDecoder();
        ITokenDecoder decoder;
        switch (component.Text("type"))
        {
            case "BPEDecoder":
                decoder = new SuffixDecoder(component.OptionalText("suffix") ?? "</w>");
                break;
            case "ByteFallback":
                decoder = new ByteFallbackDecoder();
                break;
            case "ByteLevel":
                // These three matter to encoding and offsets only.
                component.Ignore("add_prefix_space");
                component.Ignore("trim_offsets");
                component.Ignore("use_regex");
                decoder = new ByteLevelDecoder();
                break;
            case "Fuse":
                decoder = new FuseDecoder();
                break;
            case "Metaspace":
                component.Ignore("str_rep");
                component.Ignore("split");
                var dropsFirst = component.OptionalText("prepend_scheme") is { } scheme
                    ? scheme != "never"
                    : component.OptionalFlag("add_prefix_space") ?? true;
                component.Ignore("add_prefix_space");
                decoder = new MetaspaceDecoder(component.Character("replacement"), dropsFirst);
                break;
            case "Replace":
                var content = component.Text("content");
                decoder = TextPattern.Read(component) is { } pattern ? new ReplaceDecoder(pattern, content) : new JoinDecoder();
                break;
            case "Sequence":
                decoder = new DecoderSequence([.. component.Steps("decoders").Select(Read)]);
                break;
            case "Strip":
                decoder = new StripDecoder(component.Character("content"), component.Number("start"), component.Number("stop"));
                break;
            case "WordPiece":
                decoder = new WordPieceDecoder(component.OptionalText("prefix") ?? "##", component.OptionalFlag("cleanup") ?? true);
                break;
            case var type:
                component.RejectType(
                    type, "BPEDecoder", "ByteFallback", "ByteLevel", "Fuse", "Metaspace", "Replace", "Sequence", "Strip", "WordPiece");
                return new JoinDecoder();
        }
        component.RejectUnread();
        return decoder;
    }
}
