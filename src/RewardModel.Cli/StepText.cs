using System.Globalization;
using RewardModel.Training.Reporting;
using Spectre.Console;

namespace RewardModel.Cli;

/// <summary>A step as the text beside the live bar, with small curves of loss and accuracy where there is room for them.</summary>
/// <param name="hasCurves">Whether there is.</param>
internal sealed class StepText(bool hasCurves)
{
    /// <summary>Columns that the text with its curves takes beside the bar, with numbers of steps of six digits.</summary>
    private const int leastWidth = 120;

    private readonly Sparkline loss = new();
    private readonly Sparkline accuracy = new();

    /// <summary>For a terminal.</summary>
    public static StepText For(Profile terminal) => new(terminal.Capabilities.Unicode && terminal.Width >= leastWidth);

    /// <summary>The text of the newest step.</summary>
    public string Of(StepReport step)
    {
        loss.Add(step.Loss);
        accuracy.Add(step.Accuracy);
        var (lossCurve, accuracyCurve) = hasCurves ? ($"{loss} ", $"{accuracy} ") : ("", "");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{step.Step}/{step.StepCount} loss {lossCurve}{step.Loss:F3} "
            + $"{(double.IsNaN(step.Accuracy) ? "" : string.Create(CultureInfo.InvariantCulture, $"acc {accuracyCurve}{step.Accuracy:F2} "))}"
            + $"{step.TokensPerSecond:N0} tok/s {Sizes.Time(step.TimeLeft)}");
    }
}
