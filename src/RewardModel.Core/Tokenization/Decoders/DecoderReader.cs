using RewardModel.Tokenization.Pipeline;

namespace RewardModel.Tokenization.Decoders;

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
            case "ByteLevel":
                // These three matter to encoding and offsets only.
                component.Ignore("add_prefix_space");
                component.Ignore("trim_offsets");
                component.Ignore("use_regex");
                decoder = new ByteLevelDecoder();
                break;
            case "ByteFallback":
                decoder = new ByteFallbackDecoder();
                break;
            case "Fuse":
                decoder = new FuseDecoder();
                break;
            case "Replace":
                decoder = new ReplaceDecoder(component.LiteralPattern(), component.Text("content"));
                break;
            case "Strip":
                decoder = new StripDecoder(component.Character("content"), component.Number("start"), component.Number("stop"));
                break;
            case "Sequence":
                decoder = new DecoderSequence([.. component.Components("decoders").Select(Read)]);
                break;
            case var type:
                component.RejectType(type, "ByteFallback", "ByteLevel", "Fuse", "Replace", "Sequence", "Strip");
                return new JoinDecoder();
        }
        component.RejectUnread();
        return decoder;
    }
}
