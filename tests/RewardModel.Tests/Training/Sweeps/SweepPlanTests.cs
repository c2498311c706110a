using System.Globalization;
using RewardModel.Training.Runs;
using RewardModel.Training.Sweeps;

namespace RewardModel.Tests.Training.Sweeps;

public class SweepPlanTests
{
    [Fact]
    public void A_grid_has_every_combination_the_last_option_fastest()
    {
        var plan = Parse("options: {data: a.jsonl}\nvary:\n  learning-rate: [1e-5, 3e-5]\n  epochs: [1, 2, 3]");
        Assert.Equal(
            ["1e-5 1", "1e-5 2", "1e-5 3", "3e-5 1", "3e-5 2", "3e-5 3"],
            plan.Trials().Select(trial => $"{trial["learning-rate"]} {trial["epochs"]}"));
        Assert.Equal("""{"data":"a.jsonl"}""", plan.Options.ToJsonString());
    }

    [Fact]
    public void Random_values_lie_in_their_ranges_evenly_and_are_those_of_the_seed()
    {
        const string text = """
            options: {data: a.jsonl}
            search: random
            trials: 4000
            seed: 3
            vary:
              learning-rate: {from: 1e-6, to: 1e-2, scale: log}
              weight-decay: {from: 0, to: 0.2}
              lora-rank: {from: 2, to: 5, scale: linear}
              schedule: [cosine, linear]
            """;
        var trials = Parse(text).Trials();
        Assert.Equal(trials.Select(trial => string.Join(' ', trial.Values)), Parse(text).Trials().Select(trial => string.Join(' ', trial.Values)));
        Assert.NotEqual(
            trials.Select(trial => string.Join(' ', trial.Values)), Parse(text.Replace("seed: 3", "seed: 4")).Trials().Select(trial => string.Join(' ', trial.Values)));
        double[] Of(string name) => [.. trials.Select(trial => double.Parse(trial[name], CultureInfo.InvariantCulture))];
        // Each decade of four has a quarter of the values.
        foreach (var decade in new[] { -6, -5, -4, -3 })
            Assert.InRange(Of("learning-rate").Count(rate => Math.Log10(rate) >= decade && Math.Log10(rate) < decade + 1) / 4000.0, 0.22, 0.28);
        Assert.InRange(Of("weight-decay").Average(), 0.095, 0.105);
        Assert.All(Of("weight-decay"), value => Assert.InRange(value, 0, 0.2));
        Assert.Equal([2, 3, 4, 5], Of("lora-rank").Distinct().Order());
        Assert.InRange(trials.Count(trial => trial["schedule"] == "cosine") / 4000.0, 0.47, 0.53);
    }

    [Fact]
    public void Everything_that_is_wrong_is_told_with_its_line()
    {
        var exception = Assert.Throws<RunFileException>(() => Parse(
            """
            options:
              data: a.jsonl
              epochs: many
              output: there
            serach: grid
            trials: 3
            vary:
              learning-rate: [1e-5, fast]
              weight-decay: {from: 0, to: 1}
              no-such: [1]
              data: [b.jsonl]
            """));
        Assert.Equal(
            [
                "sweep.yaml:5: 'serach' is not a key of a sweep; expected one of: options, vary, search, trials, seed",
                "sweep.yaml:3: 'epochs' is 'many'; expected a whole number",
                "sweep.yaml:8: a value of 'learning-rate' is 'fast'; expected a number such as 0.1 or 1e-5",
                "sweep.yaml:9: 'weight-decay' is '{ { from, 0 }, { to, 1 } }'; expected values such as [1e-5, 3e-5]; ranges are for 'search: random'",
                "sweep.yaml:10: 'no-such' is not an option of train",
                "sweep.yaml: 'data' is in 'options' and in 'vary'; expected it in one of them",
                "sweep.yaml: 'output' can't be set in a sweep, whose trials have directories of their own and one seed each",
                "sweep.yaml:6: 'trials' has no effect in a grid, which tries every combination; leave it out",
            ],
            exception.Message.Split('\n'));
    }

    [Theory]
    [InlineData("- 1", "sweep.yaml' is no plan of a sweep")]
    [InlineData("options: {data: a}\n", "'vary' has no options")]
    [InlineData("options: 3\nvary: {epochs: [1]}", "'options' is no mapping")]
    [InlineData("vary: {epochs: [1]}\nsearch: best", "'search' is 'best'; expected grid or random")]
    [InlineData("vary: {epochs: [1]}\nsearch: random", "'trials' is missing")]
    [InlineData("vary: {epochs: [1]}\nsearch: random\ntrials: 0", "'trials' is '0'; expected a whole number of 1 or more")]
    [InlineData("vary: {epochs: {from: 3, to: 1}}\nsearch: random\ntrials: 2", "expected, of an option that is a number")]
    [InlineData("vary: {epochs: {from: 0, to: 1, scale: log}}\nsearch: random\ntrials: 2", "a lower end above 0 for log")]
    [InlineData("vary: {epochs: {from: 1.5, to: 3}}\nsearch: random\ntrials: 2", "whole ends where the option is a whole number")]
    [InlineData("vary: {schedule: {from: 0, to: 1}}\nsearch: random\ntrials: 2", "expected, of an option that is a number")]
    [InlineData("vary: [", "invalid YAML")]
    [InlineData("a: &a [1, 2]\nvary: {epochs: *a}", ":2: the alias '*a' stands for several values, or for none; expected one value. Write the values out.")]
    public void What_is_no_plan_is_refused(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<RunFileException>(() => Parse(text)).Message);

    [Fact]
    public void Whole_numbers_that_are_drawn_have_all_their_digits()
    {
        var plan = Parse("vary: {steps: {from: 10000, to: 20000}}\nsearch: random\ntrials: 50");
        var steps = plan.Trials().Select(trial => int.Parse(trial["steps"], System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        Assert.All(steps, step => Assert.InRange(step, 10_000, 20_000));
        Assert.Contains(steps, step => step % 10 != 0);
    }

    [Theory]
    [InlineData("linear")]
    [InlineData("log")]
    public void Whole_numbers_are_drawn_evenly_also_the_first_and_the_last(string scale)
    {
        var plan = Parse($"vary: {{steps: {{from: 1, to: 3, scale: {scale}}}}}\nsearch: random\ntrials: 4000");
        var counts = plan.Trials().CountBy(trial => trial["steps"]).ToDictionary();
        // Evenly from 0.5 to 3.5, or their logarithms.
        double ShareOf(double number) => scale == "log" ? Math.Log((number + 0.5) / (number - 0.5)) / Math.Log(7) : 1 / 3.0;
        for (var number = 1; number <= 3; number++)
            Assert.Equal(ShareOf(number), counts[$"{number}"] / 4000.0, 0.03);
    }

    private static SweepPlan Parse(string text)
    {
        using var reader = new StringReader(text);
        return SweepPlan.Parse(reader, "sweep.yaml");
    }

    [Fact]
    public void Keys_of_one_text_are_refused_with_the_others() => Assert.Throws<RunFileException>(
        () => SweepPlan.Parse(new StringReader("search: random\nvary:\n  epochs: {f,! ,&3}\n"), "plan.yaml"));
}
