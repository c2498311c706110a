namespace RewardModel.Jinja;

internal enum TemplateTokenKind { Data, Name, Text, Integer, Float, Operator, BlockBegin, BlockEnd, VariableBegin, VariableEnd, End }

/// <summary>A part of a template.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Value">Its text; of a string literal what it stands for.</param>
/// <param name="Position">Where it starts.</param>
internal readonly record struct TemplateToken(TemplateTokenKind Kind, string Value, int Position)
{
    public bool Is(TemplateTokenKind kind, string value) => Kind == kind && Value == value;

    public override string ToString() => Kind switch
    {
        TemplateTokenKind.BlockEnd => "the end of the tag",
        TemplateTokenKind.VariableEnd => "the end of the expression",
        TemplateTokenKind.End => "the end of the template",
        TemplateTokenKind.Text => "a string",
        _ => $"'{Excerpt.Of(Value)}'",
    };
}
