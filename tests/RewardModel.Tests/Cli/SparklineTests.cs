using System.Globalization;
using RewardModel.Cli;
using RewardModel.Tests.Training;
using Spectre.Console;

namespace RewardModel.Tests.Cli;

public class SparklineTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("3", "▄")]
    [InlineData("3 3 3", "▄▄▄")]
    [InlineData("1 2", "▁█")]
    [InlineData("2 1", "█▁")]
    [InlineData("0 1 2 3 4 5 6 7", "▁▂▃▄▅▆▇█")]
    [InlineData("NaN 0 1", " ▁█")]
    [InlineData("0 Infinity 7 NaN", "▁ █ ")]
    [InlineData("NaN NaN", "  ")]
    // Two a column: 1, 2, 3, 4, 5, 6, 7, 8 in the mean.
    [InlineData("0 2 1 3 2 4 3 5 4 6 5 7 6 8 7 9", "▁▂▃▄▅▆▇█")]
    // A number that is not finite counts in no mean.
    [InlineData("0 NaN 1 1 2 2 3 3 4 4 5 5 6 6 7 NaN", "▁▂▃▄▅▆▇█")]
    // Nine numbers: the last column has two of them, whose mean is 7.
    [InlineData("0 1 2 3 4 5 6 6 8", "▁▂▃▄▅▆▇█")]
    public void Numbers_are_blocks(string numbers, string expected)
    {
        var line = new Sparkline(width: 8);
        foreach (var number in numbers.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            line.Add(double.Parse(number, CultureInfo.InvariantCulture));
        Assert.Equal(expected, line.ToString());
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1_000)]
    [InlineData(1_000_000)]
    public void However_many_numbers_there_are_all_of_them_are_shown(int count)
    {
        var line = new Sparkline();
        for (var i = 0; i < count; i++)
            line.Add((double)i / count);
        Assert.Equal("▁▁▂▂▃▃▄▄▅▅▆▆▇▇██", line.ToString());
    }

    [Fact]
    public void Steps_have_curves_where_there_is_room()
    {
        var (plain, curved) = (new StepText(hasCurves: false), new StepText(hasCurves: true));
        foreach (var text in new[] { plain, curved })
            text.Of(SomeReports.Step(1, loss: 0.7, accuracy: 0.5));
        Assert.Equal("2/100 loss 0.500 acc 0.75 5,678 tok/s 01:38", plain.Of(SomeReports.Step(2, loss: 0.5, accuracy: 0.75)));
        Assert.Equal("2/100 loss █▁ 0.500 acc ▁█ 0.75 5,678 tok/s 01:38", curved.Of(SomeReports.Step(2, loss: 0.5, accuracy: 0.75)));
        // Without pairs there is no accuracy.
        Assert.Equal("3/100 loss 0.500 5,678 tok/s 01:37", plain.Of(SomeReports.Step(3, loss: 0.5, accuracy: double.NaN)));
    }

    [Theory]
    [InlineData(119, true, false)]
    [InlineData(120, false, false)]
    [InlineData(120, true, true)]
    public void Room_is_a_wide_terminal_with_Unicode(int width, bool hasUnicode, bool expected)
    {
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) }).Profile;
        (terminal.Width, terminal.Capabilities.Unicode) = (width, hasUnicode);
        Assert.Equal(expected, StepText.For(terminal).Of(SomeReports.Step(1)).Contains('▄'));
    }
}
