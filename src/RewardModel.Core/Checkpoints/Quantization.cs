using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Files;

namespace RewardModel.Checkpoints;

/// <summary>Recognises checkpoints whose weights were quantised: the numbers in the files are then not the weights.</summary>
internal static class Quantization
{
    public const string Advice =
        "Take the checkpoint that it was made from, or load this one in transformers, call dequantize() and write it with save_pretrained; "
        + "MXFP4 is loaded with quantization_config=Mxfp4Config(dequantize=True) instead.";

    // transformers; compressed-tensors before that; MLX.
    private static readonly string[] settings = ["quantization_config", "compression_config", "quantization"];

    // What the methods call the tensors that they add, and the ends of these names; the first that is found decides.
    private static readonly (string Method, string[] Ends)[] tensors =
    [
        ("bitsandbytes, 4 bits",
            [".quant_state.bitsandbytes__nf4", ".quant_state.bitsandbytes__fp4", ".weight.absmax", ".weight.quant_map"]),
        ("bitsandbytes, 8 bits", [".SCB", ".weight_format"]),
        ("GPTQ", [".g_idx"]),
        ("AWQ or GPTQ", [".qweight", ".qzeros"]),
        ("compressed-tensors", [".weight_packed", ".weight_zero_point", ".weight_g_idx"]),
        ("FP8", [".weight_scale_inv", ".weight_scale", ".input_scale", ".activation_scale"]),
        ("MXFP4", ["_proj_blocks", "_proj_scales"]),
        ("MLX", [".scales"]),
    ];

    /// <exception cref="CheckpointException">The configuration says that the weights are quantised.</exception>
    public static void Check(HuggingFaceConfig config)
    {
        if (settings.FirstOrDefault(key => config.Json[key] is not null) is { } key)
            throw new CheckpointException(
                config.FilePath, [$"the checkpoint is quantised ({MethodOf(config.Json[key]!)}), as '{key}' says; this is not supported"],
                Advice);
    }

    /// <exception cref="CheckpointException">Tensors have names that only quantised weights have.</exception>
    public static void Check(string directory, IReadOnlyCollection<string> names)
    {
        foreach (var (method, ends) in tensors)
            if (names.FirstOrDefault(name => ends.Any(end => name.EndsWith(end, StringComparison.Ordinal))) is { } name)
                throw new CheckpointException(
                    directory, [$"the checkpoint is quantised ({method}), as tensor {Quoted.Text(name)} shows; this is not supported"],
                    Advice);
    }

    /// <summary>The name of the type of a safetensors file, where it is one that only quantised weights have.</summary>
    public static bool IsTypeOfQuantized(string type) =>
        type.StartsWith("F8_", StringComparison.Ordinal) || type.StartsWith("F6_", StringComparison.Ordinal) || type is "F4";

    private static string MethodOf(JsonNode setting)
    {
        if (setting is not JsonObject options)
            return Quoted.Json(setting);
        var (four, eight) = (Flag("load_in_4bit"), Flag("load_in_8bit"));
        var method = Text("quant_method") ?? Text("quant_algo") ?? (four || eight ? "bitsandbytes" : null);
        var number = options["bits"]?.GetValueKind() == JsonValueKind.Number ? options["bits"]!.ToJsonString() : null;
        var bits = four ? "4" : eight ? "8" : number;
        string?[] parts = [method ?? "its method has no name", Text("format"), bits is null ? null : $"{bits} bits"];
        return string.Join(", ", parts.OfType<string>());

        bool Flag(string key) => options[key]?.GetValueKind() == JsonValueKind.True;

        string? Text(string key) =>
            options[key]?.GetValueKind() == JsonValueKind.String ? Quoted.Json(options[key]).Trim('"') : null;
    }
}
