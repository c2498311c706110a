using System.Globalization;
using System.Reflection;
using Microsoft.ML.Tokenizers;

namespace RewardModel.Tests.Compat.Tokenizers;

public class SignatureTests
{
    private const string Listing = "tokenizers-signatures.txt";

    /// <summary>Every public or protected member must exist, with the same signature, in the library it stands in for.</summary>
    [SharedFact(Listing)]
    public void Every_public_member_is_one_of_Microsoft_ML_Tokenizers()
    {
        var listed = File.ReadAllLines(Shared.PathOf(Listing)).ToHashSet();
        var types = typeof(Tokenizer).Assembly.GetExportedTypes();
        Assert.Contains(typeof(BpeTokenizer), types);
        string[] unlisted = [.. types.SelectMany(Signatures).Where(signature => !listed.Contains(signature))];
        Assert.Empty(unlisted);
    }

    private static IEnumerable<string> Signatures(Type type)
    {
        yield return $"## {Head(type)}";
        const BindingFlags all =
            BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;
        foreach (var constructor in type.GetConstructors(all).Where(constructor => IsVisible(constructor) && !constructor.IsStatic))
            yield return $"{type.FullName} :: {Access(constructor)}ctor({Parameters(constructor)})";
        foreach (var property in type.GetProperties(all).Where(property => IsVisible(property.GetMethod!)))
        {
            var accessors = property.SetMethod is { } setter && IsVisible(setter) ? "{ get; set; }" : "{ get; }";
            var modifiers = Modifiers(property.GetMethod!);
            yield return $"{type.FullName} :: prop {modifiers}{Name(property.PropertyType)} {property.Name} {accessors}";
        }
        foreach (var method in type.GetMethods(all).Where(method => IsVisible(method) && !method.IsSpecialName))
            yield return $"{type.FullName} :: {Modifiers(method)}{Name(method.ReturnType)} {method.Name}({Parameters(method)})";
        foreach (var field in type.GetFields(all).Where(field => field.IsPublic || field.IsFamily))
            yield return $"{type.FullName} :: field {field.Name}";
    }

    private static string Head(Type type)
    {
        var kind = type.IsValueType ? "struct " : type.IsAbstract ? "abstract class " : type.IsSealed ? "sealed class " : "class ";
        var arguments = type.IsGenericType ? $"<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : "";
        var bases = type.GetInterfaces().Select(Name).ToList();
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType))
            bases.Insert(0, Name(parent));
        return $"{kind}{type.FullName}{arguments}{(bases.Count > 0 ? " : " : "")}{string.Join(", ", bases)}";
    }

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Modifiers(MethodInfo method)
    {
        var modifier = method.IsStatic ? "static "
            : method.GetBaseDefinition() != method ? "override "
            : method.IsAbstract ? "abstract "
            : method is { IsVirtual: true, IsFinal: false } ? "virtual "
            : "";
        return Access(method) + modifier;
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        (parameter.IsOut ? "out " : "") + Name(parameter.ParameterType) + " " + parameter.Name + Default(parameter)));

    private static string Default(ParameterInfo parameter) => !parameter.HasDefaultValue ? "" : parameter.DefaultValue switch
    {
        null => " = null",
        bool value => value ? " = true" : " = false",
        var value => $" = {Convert.ToString(value, CultureInfo.InvariantCulture)}",
    };

    private static string Name(Type type)
    {
        if (type.IsByRef)
            return Name(type.GetElementType()!);
        if (type.IsGenericType && type.Name.StartsWith("ValueTuple`", StringComparison.Ordinal))
            return $"({string.Join(", ", type.GetGenericArguments().Select(Name))})";
        if (type.IsGenericType)
            return $"{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
        return type == typeof(string) ? "string"
            : type == typeof(int) ? "int"
            : type == typeof(bool) ? "bool"
            : type == typeof(char) ? "char"
            : type == typeof(void) ? "void"
            : type.Name;
    }
}
