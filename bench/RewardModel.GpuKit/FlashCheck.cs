using System.Runtime.InteropServices;
using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.GpuKit;

/// <summary>
/// Flash attention beside the composition of the same numbers in float32: the largest differences of results and gradients, as shares of
/// the largest of them.
/// </summary>
/// <param name="Case">Query heads, key heads, size of a head, and what is seen.</param>
/// <param name="Problem">What was thrown, if so.</param>
internal sealed record FlashCheck(string Case, double Result, double Gradient, string? Problem)
{
    /// <summary>A bfloat16 has 8 bits.</summary>
    public const double Tolerance = 0.02;

    public bool Passes => Problem is null && Result <= Tolerance && Gradient <= Tolerance;

    public static IReadOnlyList<FlashCheck> Run(string device)
    {
        // There is none for the CPU.
        if (device == "cpu")
            return [];
        var checks = new List<FlashCheck>();
        foreach (var (heads, keyHeads, size) in new[] { (4, 4, 64), (6, 2, 128), (3, 1, 32), (2, 2, 8), (2, 1, 256) })
        {
            Add("shared prompts", AttentionReach.Causal, shares: true, scoredOnly: false);
            Add("shared prompts, scored rows", AttentionReach.Causal, shares: true, scoredOnly: true);
            Add("a prompt each", AttentionReach.Causal, shares: false, scoredOnly: false);
            Add("a window", AttentionReach.Window(6), shares: false, scoredOnly: false);
            Add("all keys", new AttentionReach(int.MaxValue, int.MaxValue), shares: false, scoredOnly: false);

            void Add(string what, AttentionReach reach, bool shares, bool scoredOnly) => checks.Add(
                Compare($"{heads} / {keyHeads} heads of {size}: {what}", device, heads, keyHeads, size, reach, shares, scoredOnly));
        }
        return checks;
    }

    private static FlashCheck Compare(
        string name, string device, int heads, int keyHeads, int size, AttentionReach reach, bool shares, bool scoredOnly)
    {
        using var scope = NewDisposeScope();
        TokenizedList[] lists = [List(9, 5, 1, 12, 3), List(0, 4, 2), List(300, 70, 150, 1), List(20, 40, 2, 3, 39)];
        using var sequences = PackedSequences.Pack(lists, shares, device);
        var rows = new QueryRows(sequences, scoredOnly);
        var options = new AttentionOptions(1 / Math.Sqrt(size)) { Reach = reach };
        // Numbers that bfloat16 has.
        var numbers = randn([sequences.TokenCount, heads + 2 * keyHeads, size], device: device).to(bfloat16);
        var weights = randn([rows.Of(numbers).size(0), heads * size], device: device).to(bfloat16);

        (Tensor Result, Tensor Gradient) Run(ScalarType type, Func<Tensor, Tensor, Tensor, Tensor> attention)
        {
            var qkv = numbers.to(float32).requires_grad_();
            var typed = qkv.to(type);
            var result = attention(
                rows.Of(typed.narrow(1, 0, heads)), typed.narrow(1, heads, keyHeads), typed.narrow(1, heads + keyHeads, keyHeads));
            result.to(float32).mul(weights.to(float32)).sum().backward();
            KernelErrors.Throw();
            return (result.to(float32).detach(), qkv.grad!);
        }

        try
        {
            var expected = Run(float32, (q, k, v) => Attention.Compose(q, k, v, rows, options));
            var found = Run(bfloat16, (q, k, v) => Attention.Flash(q, k, v, rows, options));
            return new FlashCheck(name, Difference(expected.Result, found.Result), Difference(expected.Gradient, found.Gradient), null);
        }
        catch (ExternalException exception)
        {
            return new FlashCheck(name, 1, 1, exception.Message.Split('\n')[0]);
        }
    }

    private static double Difference(Tensor expected, Tensor found) =>
        expected.sub(found).abs().max().div(expected.abs().max()).cpu().item<float>();

    private static TokenizedList List(int prompt, params int[] answers) =>
        new(new int[prompt], [.. answers.Select(length => new int[length])], RankedList.ScoresOfOrder(answers.Length));
}
