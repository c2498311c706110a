using TorchSharp;

namespace RewardModel.Tests.Compat;

public sealed class SignatureTests
{
    private const string List = "torchsharp-signatures.txt";

    // Public in TorchSharp under these names; the list gives no section to enumerations, nor to what register_forward_hook returns.
    private static readonly string[] Unlisted =
    [
        "TorchSharp.DeviceType", "TorchSharp.PaddingModes", "TorchSharp.torch.ScalarType", "TorchSharp.torch.RoundingMode",
        "TorchSharp.torch.nn.Reduction", "TorchSharp.torch.nn.HookableModule`2.HookRemover",
    ];

    [SharedFact(List)]
    public void Every_public_member_has_the_signature_it_has_in_TorchSharp()
    {
        var sections = Sections();
        var unknown =
            from type in typeof(torch).Assembly.GetExportedTypes()
            let name = NameOf(type)
            where !Unlisted.Contains(name)
            let listed = sections.GetValueOrDefault(name, [])
            from member in SignatureText.OfMembers(type)
            where !listed.Contains(member)
            select $"{name}: {member}";
        Assert.Empty(unknown);
    }

    [Fact]
    public void Members_are_written_as_in_the_list()
    {
        var tensor = SignatureText.OfMembers(typeof(torch.Tensor)).ToArray();
        Assert.Contains("prop Tensor this[params TensorIndex[] indices] { get; set; }", tensor);
        Assert.Contains("(Tensor, Tensor) topk(int k, int dim = -1, bool largest = true, bool sorted = true)", tensor);
        Assert.Contains("protected virtual void Dispose(bool disposing)", tensor);
        Assert.Contains("static Tensor op_Addition(float left, Tensor right)", tensor);
        Assert.DoesNotContain(tensor, member => member.Contains("ToString", StringComparison.Ordinal));
        Assert.Contains(
            "static Tensor mse_loss(Tensor input, Tensor target, nn.Reduction reduction = Reduction.Mean)",
            SignatureText.OfMembers(typeof(torch.nn.functional)));
        Assert.Contains(
            "static T cpu<T>(this T module, bool non_blocking = false)", SignatureText.OfMembers(typeof(ModuleExtensionMethods)));
    }

    private static Dictionary<string, HashSet<string>> Sections()
    {
        var sections = new Dictionary<string, HashSet<string>>();
        var current = new HashSet<string>();
        foreach (var line in File.ReadLines(Shared.PathOf(List)))
            if (line.StartsWith("### ", StringComparison.Ordinal))
                sections[FullName(line[4..])] = current = [];
            else
                current.Add(line);
        return sections;
    }

    private static string FullName(string heading) => heading switch
    {
        "torch (static)" => "TorchSharp.torch",
        "torch.Tensor" => "TorchSharp.torch.Tensor",
        _ => heading,
    };

    private static string NameOf(Type type) => type.FullName!.Replace('+', '.');
}
