using System.Text;

namespace RewardModel.Jinja;

/// <summary>Writes values as text, and charges what it writes.</summary>
internal sealed class ValueWriter
{
    private readonly StringBuilder result = new();

    public ValueWriter Append(string text)
    {
        RenderBudget.Spend(text.Length / 64);
        TextValue.ChargeCharacters(text.Length);
        result.Append(text);
        return this;
    }

    public ValueWriter Append(char character)
    {
        TextValue.ChargeCharacters(1);
        result.Append(character);
        return this;
    }

    public override string ToString()
    {
        TextValue.ChargeCharacters(result.Length);
        return result.ToString();
    }
}
