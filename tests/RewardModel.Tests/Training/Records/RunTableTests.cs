using RewardModel.Training.Metrics;
using RewardModel.Training.Records;
using static RewardModel.Tests.Training.SomeReports;

namespace RewardModel.Tests.Training.Records;

public class RunTableTests
{
    private const string heldOut = "400,0,800,400,0.5,0.75,400,";

    [Fact]
    public void A_step_is_a_row_with_the_evaluation_after_it()
    {
        var rows = Rows(new RunRecord
        {
            Name = "run",
            Steps = [Step(1, loss: 0.625) with { LossTerms = new Dictionary<string, double> { ["hinge"] = 0.5, ["a,\"b"] = 0.125 } }, Step(2, rate: 1e-7)],
            Evaluations = [Evaluated(0), Evaluated(2, isBest: true), Evaluated(2) with { AverageOf = [0, 2] }],
        });
        Assert.Equal(
            "step,epoch,loss,accuracy,learning_rate,gradient_norm,tokens,tokens_seen,tokens_per_second,loss_hinge,\"loss_a,\"\"b\",held_out_list_count,"
            + "held_out_lists_without_pairs_count,held_out_answer_count,held_out_pair_count,held_out_loss,held_out_accuracy,held_out_prompt_count,"
            + "held_out_accuracy_low,held_out_accuracy_high,held_out_margin,held_out_kendall_tau,held_out_top_answer_accuracy,held_out_label_accuracy,"
            + "held_out_reward_mean,held_out_reward_standard_deviation,held_out_reward_min,held_out_reward_max,held_out_is_best,average_of",
            rows[0]);
        Assert.Equal(5, rows.Length);
        Assert.StartsWith($"0,,,,,,,,,,,{heldOut}", rows[1]);
        Assert.EndsWith(",false,", rows[1]);
        Assert.Equal($"1,0.1,0.625,0.7,1E-05,1.5,1234,1234,5678.5,0.5,0.125{new string(',', 19)}", rows[2]);
        Assert.StartsWith($"2,0.2,0.5,0.7,1E-07,1.5,1234,2468,5678.5,,,{heldOut}", rows[3]);
        Assert.EndsWith(",0.75,0.5,0.75,,0.25,1.25,-3,3.5,true,", rows[3]);
        Assert.StartsWith($"2,,,,,,,,,,,{heldOut}", rows[4]);
        Assert.EndsWith(",false,0 2", rows[4]);
        Assert.All(rows[1..], row => Assert.Equal(29, row.Count(character => character == ',')));
    }

    [Fact]
    public void Each_attribute_has_its_columns()
    {
        var first = Evaluated(0);
        var rows = Rows(new RunRecord
        {
            Name = "run",
            Evaluations =
            [
                first with { Metrics = first.Metrics with { Attributes = [new AttributeMetrics("a,b", 3, 0.25, 0.5), new AttributeMetrics("c", 1, 2, double.NaN)] } },
                Evaluated(1),
            ],
        });
        Assert.EndsWith(
            ",held_out_reward_max,\"held_out_squared_error_a,b\",\"held_out_correlation_a,b\",held_out_squared_error_c,held_out_correlation_c,held_out_is_best,"
            + "average_of",
            rows[0]);
        Assert.EndsWith(",3.5,0.25,0.5,2,NaN,false,", rows[1]);
        Assert.EndsWith(",3.5,,,,,false,", rows[2]);
    }

    [Fact]
    public void A_run_without_steps_is_its_first_line() => Assert.Single(Rows(new RunRecord { Name = "run" }));

    private static string[] Rows(RunRecord record)
    {
        using var text = new StringWriter();
        RunTable.Write(record, text);
        Assert.EndsWith("\r\n", text.ToString());
        Assert.DoesNotContain('\n', text.ToString().Replace("\r\n", ""));
        return text.ToString()[..^2].Split("\r\n");
    }
}
