using TorchSharp;
using TorchSharp.Utils;

namespace RewardModel.Tests.Compat;

public sealed class SignatureTests
{
    private const string List = "torchsharp-signatures.txt";

    [SharedFact(List)]
    public void Every_public_member_has_the_signature_it_has_in_TorchSharp()
    {
        var sections = Sections();
        var unknown =
            from type in typeof(torch).Assembly.GetExportedTypes()
            // The list gives no section to enumerations.
            where !type.IsEnum
            let name = NameOf(type)
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
        Assert.Contains("prop Span<byte> bytes { get; set; }", tensor);
        Assert.Contains("(Tensor, Tensor) max(long dim, bool keepdim = false)", tensor);
        Assert.Contains("Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None)", tensor);
        Assert.Contains("static Tensor op_Addition(float left, Tensor right)", tensor);
        Assert.DoesNotContain(tensor, member => member.Contains("ToString", StringComparison.Ordinal));
        Assert.Contains("protected virtual void RegisterComponents()", SignatureText.OfMembers(typeof(torch.nn.Module)));
        Assert.Contains("prop T this[params long[] indices] { get; set; }", SignatureText.OfMembers(typeof(TensorAccessor<>)));
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
