using System.Reflection;
using Microsoft.ML.Tokenizers;
using TorchSharp;

namespace RewardModel.Tests.Compat;

/// <summary>
/// The compat libraries hold what this repository uses of the libraries they stand in for, and no more. An unused member stays in
/// these cases only, because without it the used ones would mean something else than in the real library:
/// <list type="bullet">
/// <item>an overload of a used method, and an operator or conversion: a call or an expression would bind to another one;</item>
/// <item>the parameterless constructor of a struct: without it the same <c>new()</c> gives zeros;</item>
/// <item>the other accessor of a used property;</item>
/// <item>an override or a member of an interface: a type owes it to its base;</item>
/// <item>a virtual member of an abstract class: those who derive from it choose what to override;</item>
/// <item>a value of an enumeration: the number behind it is libtorch's.</item>
/// </list>
/// </summary>
public sealed class SurfaceTests
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    // Everything under src/, and the tests of it. The samples reach the compat libraries through these alone.
    private static readonly Type[] users =
    [
        .. Assembly.Load("RewardModel.Core").GetTypes(),
        .. Assembly.Load("RewardModel.Training").GetTypes(),
        .. Assembly.Load("reward-model").GetTypes(),
        .. typeof(SurfaceTests).Assembly.GetTypes().Where(type => !IsOfCompat(type)),
    ];

    [Fact]
    public void TorchSharp_has_no_member_that_is_not_used() => AssertAllUsed(typeof(torch).Assembly);

    [Fact]
    public void Microsoft_ML_Tokenizers_has_no_member_that_is_not_used() => AssertAllUsed(typeof(Tokenizer).Assembly);

    private static void AssertAllUsed(Assembly library)
    {
        var unused = Unused(library);
        Assert.True(unused.Length == 0, $"Nothing uses these members: remove them, or make them internal.\n{string.Join('\n', unused)}");
    }

    private static bool IsOfCompat(Type type) =>
        type.FullName!.StartsWith(typeof(SurfaceTests).Namespace + ".", StringComparison.Ordinal);

    private static string[] Unused(Assembly library)
    {
        var use = new MemberUse(library.ManifestModule, users);
        var members = library.GetExportedTypes().Where(type => !type.IsEnum).SelectMany(VisibleMembers).ToArray();
        var kept = members.Where(member => use.Uses(member) || MustStay(member, use)).ToHashSet();
        var named = kept.SelectMany(member => TypesNamedBy(member).Append(member.DeclaringType!)).SelectMany(TypeAndOuterTypes).ToHashSet();
        return
        [
            .. members.Except(kept).Select(member => $"{member.DeclaringType}: {member}"),
            .. library.GetExportedTypes().Where(type => !named.Contains(type)).Select(type => type.ToString()),
        ];
    }

    private static IEnumerable<MemberInfo> VisibleMembers(Type type) => type.GetMembers(Declared).Where(member => member switch
    {
        MethodBase { IsStatic: true, IsConstructor: true } => false,
        MethodBase method => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly,
        FieldInfo field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly,
        _ => false,
    });

    private static bool MustStay(MemberInfo member, MemberUse use) =>
        member is MethodBase method
        && (OverloadsAndAccessors(method).Any(use.Uses) || IsOperator(method) || IsDefaultOfStruct(method)
            || IsOwedToBase(method) || IsOpenToDerived(method));

    private static bool IsOperator(MethodBase method) => method.IsSpecialName && method.Name.StartsWith("op_", StringComparison.Ordinal);

    private static IEnumerable<MemberInfo> OverloadsAndAccessors(MethodBase method)
    {
        var name = NameOf(method);
        return method.DeclaringType!.GetMembers(Declared).OfType<MethodBase>().Where(other => NameOf(other) == name);
    }

    // The property's own name for an accessor.
    private static string NameOf(MethodBase method) =>
        method.IsSpecialName && method.Name[..4] is "get_" or "set_" ? method.Name[4..] : method.Name;

    private static bool IsDefaultOfStruct(MethodBase method) =>
        method is ConstructorInfo { DeclaringType.IsValueType: true } && method.GetParameters().Length == 0;

    private static bool IsOwedToBase(MethodBase method) =>
        (method is MethodInfo { IsVirtual: true } overriding && overriding.GetBaseDefinition() != overriding)
        || method.DeclaringType!.GetInterfaces().Any(type => ImplementsFrom(type, method));

    private static bool ImplementsFrom(Type type, MethodBase method) =>
        method.DeclaringType!.GetInterfaceMap(type).TargetMethods.Contains(method);

    private static bool IsOpenToDerived(MethodBase method) =>
        method.DeclaringType!.IsAbstract && method is { IsVirtual: true, IsFinal: false };

    private static IEnumerable<Type> TypesNamedBy(MemberInfo member) => member switch
    {
        MethodInfo method => [.. ParameterTypes(method), .. Parts(method.ReturnType)],
        MethodBase constructor => ParameterTypes(constructor),
        FieldInfo field => Parts(field.FieldType),
        _ => [],
    };

    private static IEnumerable<Type> ParameterTypes(MethodBase method) =>
        method.GetParameters().SelectMany(parameter => Parts(parameter.ParameterType));

    private static IEnumerable<Type> Parts(Type type)
    {
        if (type.HasElementType)
            return Parts(type.GetElementType()!);
        return type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Append(type.GetGenericTypeDefinition()) : [type];
    }

    private static IEnumerable<Type> TypeAndOuterTypes(Type type)
    {
        for (Type? outer = type; outer is not null; outer = outer.DeclaringType)
            yield return outer;
    }
}
