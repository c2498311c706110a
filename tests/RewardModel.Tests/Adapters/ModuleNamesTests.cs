using RewardModel.Adapters;
using RewardModel.Backbones;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Adapters;

public class ModuleNamesTests
{
    public static TheoryData<string, string, string> Layers => new()
    {
        { "bert", "query key value attention.output.dense", "intermediate.dense output.dense" },
        { "bloom", "query_key_value self_attention.dense", "dense_h_to_4h dense_4h_to_h" },
        { "deberta_v2_v2style", "query_proj key_proj value_proj pos_key_proj pos_query_proj attention.output.dense", "embed_proj intermediate.dense output.dense" },
        { "electra", "query key value attention.output.dense", "embeddings_project intermediate.dense output.dense" },
        { "ernie", "query key value attention.output.dense", "intermediate.dense output.dense" },
        { "falcon", "query_key_value self_attention.dense", "dense_h_to_4h dense_4h_to_h" },
        { "gemma2", "q_proj k_proj v_proj o_proj", "gate_proj up_proj down_proj" },
        { "gemma3_text", "q_proj k_proj v_proj o_proj", "gate_proj up_proj down_proj" },
        { "glm", "q_proj k_proj v_proj o_proj", "gate_up_proj down_proj" },
        { "glm4", "q_proj k_proj v_proj o_proj", "gate_up_proj down_proj" },
        { "gpt2", "c_attn attn.c_proj", "c_fc mlp.c_proj" },
        { "gpt_neox", "query_key_value attention.dense", "dense_h_to_4h dense_4h_to_h" },
        { "gptj", "q_proj k_proj v_proj out_proj", "fc_in fc_out" },
        { "gpt_oss", "q_proj k_proj v_proj o_proj", "router" },
        { "llama", "q_proj k_proj v_proj o_proj", "gate_proj up_proj down_proj" },
        { "mistral", "q_proj k_proj v_proj o_proj", "gate_proj up_proj down_proj" },
        { "mixtral", "q_proj k_proj v_proj o_proj", "gate w1 w2 w3" },
        { "modernbert", "Wqkv attn.Wo", "Wi mlp.Wo" },
        { "nemotron", "q_proj k_proj v_proj o_proj", "up_proj down_proj" },
        { "olmo2", "q_proj k_proj v_proj o_proj", "gate_proj up_proj down_proj" },
        { "olmo3", "q_proj k_proj v_proj o_proj", "gate_proj up_proj down_proj" },
        { "opt_350m_style", "q_proj k_proj v_proj out_proj", "fc1 fc2 project_in project_out" },
        { "phi", "q_proj k_proj v_proj self_attn.dense", "fc1 fc2" },
        { "phi3", "qkv_proj o_proj", "gate_up_proj down_proj" },
        { "qwen2", "q_proj k_proj v_proj o_proj", "gate_proj up_proj down_proj" },
        { "qwen2_moe", "q_proj k_proj v_proj o_proj", "gate shared_expert_gate gate_proj up_proj down_proj" },
        { "qwen3", "q_proj k_proj v_proj o_proj", "gate_proj up_proj down_proj" },
        { "qwen3_moe", "q_proj k_proj v_proj o_proj", "gate gate_proj up_proj down_proj" },
        { "roberta", "query key value attention.output.dense", "intermediate.dense output.dense" },
        { "smollm3", "q_proj k_proj v_proj o_proj", "gate_proj up_proj down_proj" },
        { "stablelm", "q_proj k_proj v_proj o_proj", "gate_proj up_proj down_proj" },
        { "starcoder2", "q_proj k_proj v_proj o_proj", "c_fc mlp.c_proj" },
        { "xlm_roberta", "query key value attention.output.dense", "intermediate.dense output.dense" },
    };

    [Theory, MemberData(nameof(Layers))]
    public void Attention_and_all_linear_are_these(string name, string attention, string others)
    {
        using var model = ParityModel.Random(name);
        string[] names = [.. ModelAdapter.LayersOf(model).Select(pair => pair.Name)];
        var ofAttention = ModuleNames.Targeted(LoraOptions.AttentionTargets, names);
        Assert.Equal(
            names.Where(layer => attention.Split(' ').Any(end => ModuleNames.EndsWith(layer, end))), ofAttention);
        Assert.Equal(names, ModuleNames.Targeted(LoraOptions.AllLinearTargets, names));
        Assert.All(names.Except(ofAttention), layer => Assert.Contains(others.Split(' '), end => ModuleNames.EndsWith(layer, end)));
        Assert.All($"{attention} {others}".Split(' '), end => Assert.Contains(names, layer => ModuleNames.EndsWith(layer, end)));
        // What is written for peft stands for these layers and no other, of the head neither.
        string[] all = [.. names, .. ModelAdapter.LayersOf(model.Head).Select(pair => pair.Name)];
        foreach (var chosen in new[] { ofAttention, names, names[..1] })
        {
            var ends = ModuleNames.ShortestEnds([.. chosen], all);
            Assert.Equal(chosen, all.Where(layer => ends.Any(end => ModuleNames.EndsWith(layer, end))));
        }
    }

    [Fact]
    public void Every_architecture_is_among_them() => Assert.Equal(
        Backbone.ModelTypes,
        Layers.Select(row =>
        {
            using var model = ParityModel.Random((string)row[0]);
            return model.Architecture;
        }).Order(StringComparer.Ordinal));

    [Fact]
    public void Names_of_all_layers_are_short()
    {
        using var model = ParityModel.Random("gpt2");
        string[] names = [.. ModelAdapter.LayersOf(model).Select(pair => pair.Name)];
        Assert.Equal(["attn.c_proj", "c_attn"], ModuleNames.ShortestEnds([.. ModuleNames.Targeted("attention", names)], names));
        Assert.Equal(["c_attn", "c_fc", "c_proj"], ModuleNames.ShortestEnds(names, names));
        Assert.Equal(["1.attn.c_attn"], ModuleNames.ShortestEnds(["transformer.h.1.attn.c_attn"], names));
    }

    [Fact]
    public void Unknown_names_are_told_with_those_that_exist()
    {
        using var model = TinyModel.Create("llama");
        Assert.Equal(
            "No linear layer of the transformer has a name that ends with 'query' or 'proj'; expected attention, all-linear, q_proj, k_proj, "
            + "v_proj, o_proj, gate_proj, up_proj, down_proj.",
            Assert.Throws<ArgumentException>(() => model.AddAdapter(new LoraOptions(2) { Targets = "q_proj,query,proj" })).Message);
        Assert.Equal(
            "No module of the transformer has a name that ends with 'wte'; expected embed_tokens, layers, norm, input_layernorm, self_attn, "
            + "post_attention_layernorm, mlp, q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj.",
            Assert.Throws<ArgumentException>(() => model.AddAdapter(new LoraOptions(2) { ModulesToSave = "wte" })).Message);
        Assert.Null(model.Adapter);
    }
}
