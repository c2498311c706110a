using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace RewardModel.Tests.Compat;

/// <summary>Writes a public or protected member the way the list of TorchSharp's signatures does.</summary>
internal static class SignatureText
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(short)] = "short",
        [typeof(int)] = "int",
        [typeof(long)] = "long",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
    };

    /// <summary>What the type itself declares, without what it overrides of <see cref="object"/>.</summary>
    public static IEnumerable<string> OfMembers(Type type) =>
        type.GetMembers(Declared).Select(Of).Where(text => text is not null).Select(text => text!);

    private static string? Of(MemberInfo member) => member switch
    {
        FieldInfo { IsSpecialName: false } field when field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly =>
            $"field {(field.IsStatic ? "static " : "")}{Name(field.FieldType)} {field.Name}",
        ConstructorInfo { IsStatic: false } constructor when Visible(constructor) =>
            $"{Access(constructor)}ctor({Parameters(constructor)})",
        PropertyInfo property => Of(property),
        MethodInfo method when Visible(method) && IsListed(method) => Of(method),
        _ => null,
    };

    private static string? Of(PropertyInfo property)
    {
        var accessors = property.GetAccessors();
        if (accessors.Length == 0 || IsOfInterface(accessors[0]))
            return null;
        var index = property.GetIndexParameters();
        var name = index.Length == 0 ? property.Name : $"this[{string.Join(", ", index.Select(Of))}]";
        var gets = property.GetMethod is { IsPublic: true } ? "get; " : "";
        var sets = property.SetMethod is { IsPublic: true } ? "set; " : "";
        return $"prop {Modifiers(accessors[0])}{Name(property.PropertyType)} {name} {{ {gets}{sets}}}";
    }

    private static string Of(MethodInfo method)
    {
        var arguments = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";
        var extension = method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "";
        return $"{Access(method)}{Modifiers(method)}{Name(method.ReturnType)} {method.Name}{arguments}({extension}{Parameters(method)})";
    }

    private static string Of(ParameterInfo parameter)
    {
        var prefix = parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params " : parameter.IsOut ? "out " : "";
        var value = parameter.HasDefaultValue ? $" = {DefaultOf(parameter)}" : "";
        return $"{prefix}{Name(parameter.ParameterType)} {parameter.Name}{value}";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Of));

    private static string DefaultOf(ParameterInfo parameter) => parameter.RawDefaultValue switch
    {
        null => "null",
        bool truth => truth ? "true" : "false",
        string text => $"\"{text}\"",
        var value when parameter.ParameterType.IsEnum => $"{parameter.ParameterType.Name}.{Enum.ToObject(parameter.ParameterType, value)}",
        var value => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Modifiers(MethodInfo method)
    {
        if (method.IsStatic)
            return "static ";
        if (method.IsAbstract)
            return "abstract ";
        if (!method.IsVirtual || method.IsFinal)
            return "";
        return method.GetBaseDefinition() == method ? "virtual " : "override ";
    }

    private static bool Visible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsListed(MethodInfo method) =>
        (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal))
        && method.GetBaseDefinition().DeclaringType != typeof(object)
        && method.Name != "Finalize";

    private static bool IsOfInterface(MethodInfo method) => method.IsPrivate;

    /// <summary>Types within <c>torch</c> go by their path from there.</summary>
    private static string Name(Type type)
    {
        if (type.IsByRef)
            return Name(type.GetElementType()!);
        if (type.IsArray)
            return $"{Name(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return $"{Name(underlying)}?";
        if (Keywords.TryGetValue(type, out var keyword))
            return keyword;
        if (type.IsGenericParameter)
            return type.Name;
        var arguments = type.GetGenericArguments().Select(Name);
        if (type.IsGenericType && type.FullName?.StartsWith("System.ValueTuple`", StringComparison.Ordinal) == true)
            return $"({string.Join(", ", arguments)})";
        var name = type.Name.Split('`')[0];
        for (var outer = type.DeclaringType; outer is not null && outer.Name != "torch"; outer = outer.DeclaringType)
            name = $"{outer.Name.Split('`')[0]}.{name}";
        var isNestedInGeneric = type.DeclaringType is { IsGenericType: true };
        return type.IsGenericType && !isNestedInGeneric ? $"{name}<{string.Join(", ", arguments)}>" : name;
    }
}
