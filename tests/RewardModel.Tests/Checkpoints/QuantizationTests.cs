using System.Text;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using static TorchSharp.torch;

namespace RewardModel.Tests.Checkpoints;

public sealed class QuantizationTests : IDisposable
{
    private const string Advice =
        "Take the checkpoint that it was made from, or load this one in transformers, call dequantize() and write it with save_pretrained; "
        + "MXFP4 is loaded with quantization_config=Mxfp4Config(dequantize=True) instead.";

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("quantization_config", """{"load_in_4bit": true, "quant_method": "bitsandbytes"}""", "bitsandbytes, 4 bits")]
    [InlineData("quantization_config", """{"load_in_8bit": true}""", "bitsandbytes, 8 bits")]
    [InlineData("quantization_config", """{"bits": 4, "group_size": 128, "quant_method": "gptq"}""", "gptq, 4 bits")]
    [InlineData("quantization_config", """{"bits": 4, "version": "gemm", "zero_point": true, "quant_method": "awq"}""", "awq, 4 bits")]
    [InlineData("quantization_config", """{"activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8"}""", "fp8")]
    [InlineData(
        "quantization_config", """{"format": "pack-quantized", "quant_method": "compressed-tensors"}""",
        "compressed-tensors, pack-quantized")]
    [InlineData("quantization_config", """{"modules_to_not_convert": [], "quant_method": "mxfp4"}""", "mxfp4")]
    [InlineData("quantization_config", "{}", "its method has no name")]
    [InlineData("compression_config", """{"format": "float-quantized"}""", "its method has no name, float-quantized")]
    [InlineData("quantization", """{"group_size": 64, "bits": 4}""", "its method has no name, 4 bits")]
    public void The_configuration_says_so(string key, string setting, string method)
    {
        var config = TinyModel.Config("llama");
        config[key] = JsonNode.Parse(setting);
        File.WriteAllText(directory["config.json"], config.ToJsonString());
        Assert.Equal(
            $"{directory["config.json"]}: the checkpoint is quantised ({method}), as '{key}' says; this is not supported. {Advice}",
            Assert.Throws<CheckpointException>(() => RewardTransformer.Load(directory.Path)).Message);
        Assert.Contains(
            ModelInspection.Of(directory.Path).Problems,
            problem => problem.StartsWith("the checkpoint is quantised", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("model.layers.0.mlp.up_proj.weight.absmax", "bitsandbytes, 4 bits")]
    [InlineData("model.layers.0.mlp.up_proj.weight.quant_state.bitsandbytes__nf4", "bitsandbytes, 4 bits")]
    [InlineData("model.layers.0.mlp.up_proj.SCB", "bitsandbytes, 8 bits")]
    [InlineData("model.layers.0.mlp.up_proj.g_idx", "GPTQ")]
    [InlineData("model.layers.0.mlp.up_proj.qweight", "AWQ or GPTQ")]
    [InlineData("model.layers.0.mlp.up_proj.weight_packed", "compressed-tensors")]
    [InlineData("model.layers.0.mlp.up_proj.weight_scale_inv", "FP8")]
    [InlineData("model.layers.0.mlp.experts.down_proj_blocks", "MXFP4")]
    [InlineData("model.layers.0.mlp.up_proj.scales", "MLX")]
    public void Tensors_show_it_where_the_configuration_says_nothing(string name, string method)
    {
        using (var model = TinyModel.Create())
        {
            using var scope = NewDisposeScope();
            CheckpointWriter.Write(
                directory.Path, [.. model.CheckpointParameters.Select(pair => (pair.Name, (Tensor)pair.Parameter)), (name, zeros(2))]);
            model.Config.Write(directory.Path);
        }
        Assert.Equal(
            $"{directory.Path}: the checkpoint is quantised ({method}), as tensor '{name}' shows; this is not supported. {Advice}",
            Assert.Throws<CheckpointException>(() => RewardTransformer.Load(directory.Path)).Message);
    }

    [Fact]
    public void Numbers_of_8_bits_show_it_once_for_all_tensors()
    {
        File.WriteAllText(directory["config.json"], TinyModel.Config("llama").ToJsonString());
        const string tensors = """
            {"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F8_E5M2","shape":[1],"data_offsets":[1,2]}}
            """;
        File.WriteAllBytes(
            directory["model.safetensors"], [.. BitConverter.GetBytes((long)tensors.Length), .. Encoding.UTF8.GetBytes(tensors), 0, 0]);
        Assert.Equal(
            $"{directory.Path}: 'model.safetensors': the checkpoint is quantised (8-bit numbers), as tensor 'a' of the dtype 'F8_E4M3' "
            + $"shows; this is not supported. {Advice}",
            Assert.Throws<CheckpointException>(() => RewardTransformer.Load(directory.Path)).Message);
    }
}
