using System.Reflection;
using System.Reflection.Emit;

namespace RewardModel.Tests.Compat;

/// <summary>The members of one assembly that the code of others refers to, read from their instructions.</summary>
internal sealed class MemberUse
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> opCodes = typeof(OpCodes).GetFields()
        .Where(field => field.FieldType == typeof(OpCode))
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value);

    private readonly Module module;
    private readonly HashSet<int> used = [];

    public MemberUse(Module of, IEnumerable<Type> by)
    {
        module = of;
        foreach (var type in by)
            Read(type);
    }

    /// <summary>Members of constructed generic types and methods count as those of their definitions, whose token they share.</summary>
    public bool Uses(MemberInfo member) => used.Contains(member.MetadataToken);

    private void Read(Type type)
    {
        foreach (var method in type.GetMembers(Declared).OfType<MethodBase>())
        {
            if (method is MethodInfo { IsVirtual: true } overriding)
                Note(overriding.GetBaseDefinition());
            if (method.GetMethodBody()?.GetILAsByteArray() is { } code)
                Read(code, method);
        }
    }

    private void Read(byte[] code, MethodBase method)
    {
        var typeArguments = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < code.Length;)
        {
            // The first byte of an instruction of two is 0xFE.
            var opCode = opCodes[code[at] == 0xFE ? (short)(0xFE00 | code[at + 1]) : code[at]];
            at += opCode.Size;
            if (opCode.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineTok)
                Note(method.Module.ResolveMember(BitConverter.ToInt32(code, at), typeArguments, methodArguments)!);
            at += OperandSize(opCode.OperandType, code, at);
        }
    }

    private void Note(MemberInfo member)
    {
        if (member.Module == module)
            used.Add(member.MetadataToken);
    }

    private static int OperandSize(OperandType type, byte[] code, int at) => type switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => sizeof(int) * (1 + BitConverter.ToInt32(code, at)),
        _ => 4,
    };
}
