using System.Reflection;
using RewardModel.Adapters;
using RewardModel.Ranking;
using RewardModel.Tests.Cli;
using RewardModel.Training;
using RewardModel.Training.Optimization;
using RewardModel.Training.Runs;

namespace RewardModel.Tests.Training;

/// <summary>Every number among the options, set to what can't work.</summary>
public sealed class OptionLimitsTests
{
    private static readonly double[] hostile = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1e39, -1, int.MaxValue, int.MinValue];

    // Any value works of seeds, and of numbers that only say when, how often or how much at most, or that are compared with the data's and the
    // model's.
    private static readonly string[] anyPositive =
    [
        "MaxTokensPerBatch", "UnfrozenLayers", "EvaluationInterval", "SaveInterval", "EarlyStopPatience", "MaxListsPerPrompt", "MaxLength",
        "WarmupSteps", "CooldownSteps", "Epochs",
    ];

    private static readonly string[] any = ["Seed", "SplitSeed"];

    public static TheoryData<string> Numbers => [.. NumbersOf(typeof(TrainingRunOptions)).Select(property => property.Name)];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void A_number_that_cannot_work_is_refused_by_name(string name)
    {
        var property = typeof(TrainingRunOptions).GetProperty(name)!;
        foreach (var value in ValuesOf(property))
        {
            var options = new TrainingRunOptions { Data = ["x.jsonl"], Config = "config.json", Output = "out", Schedule = ScheduleKind.Wsd };
            property.SetValue(options, value);
            var message = Record.Exception(options.Validate)?.Message ?? "";
            if (IsAllowed(name, value))
                Assert.DoesNotContain($"{name} (--", message, StringComparison.Ordinal);
            else
                Assert.Contains($"{name} (--", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Numbers_of_losses_and_adapters_that_cannot_work_are_refused()
    {
        foreach (var property in NumbersOf(typeof(RankingLossOptions)))
            foreach (var value in ValuesOf(property))
            {
                var options = new RankingLossOptions { Pointwise = PointwiseLoss.Regression };
                property.SetValue(options, value);
                Assert.Contains(options.Problems(name => name), problem => problem.StartsWith(property.Name, StringComparison.Ordinal));
            }
        foreach (var property in NumbersOf(typeof(LoraOptions)))
            foreach (var value in ValuesOf(property))
            {
                var options = new LoraOptions(8);
                property.SetValue(options, value);
                Assert.NotEmpty(options.Problems());
            }
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("-1")]
    [InlineData("Infinity")]
    [InlineData("1e39")]
    [InlineData("score-difference*1e39")]
    public void Margins_that_no_rewards_have_are_refused(string margin) => Assert.Single(new RankingLossOptions { Margin = margin }.Problems(name => name));

    [Theory]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("-Infinity")]
    [InlineData("\u221e")]
    [InlineData("1e400")]
    [InlineData("1,5")]
    public void A_text_that_is_no_finite_number_is_refused_on_the_command_line_too(string text)
    {
        Assert.False(OptionText.Parse(text, typeof(double)).IsValid);
        var (status, output, errors) = CommandLineTests.Run(
            "train", "--data", "x.jsonl", "--config", "config.json", "--output", "out", "--learning-rate", text);
        Assert.Equal((2, ""), (status, output));
        Assert.Contains($"--learning-rate is '{text}'; expected a number such as 0.1 or 1e-5", errors, StringComparison.Ordinal);
    }

    private static bool IsAllowed(string name, object value) => any.Contains(name) || (anyPositive.Contains(name) && value is > 0);

    private static IEnumerable<PropertyInfo> NumbersOf(Type type) => type.GetProperties()
        .Where(property => property.CanWrite && TypeOf(property) is { } number && (number == typeof(int) || number == typeof(long) || number == typeof(double)));

    private static Type TypeOf(PropertyInfo property) => Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;

    private static IEnumerable<object> ValuesOf(PropertyInfo property) => TypeOf(property) == typeof(double)
        ? hostile.Select(value => (object)value)
        : TypeOf(property) == typeof(long)
            ? [-1L, long.MaxValue]
            : [-1, int.MaxValue, int.MinValue];
}
