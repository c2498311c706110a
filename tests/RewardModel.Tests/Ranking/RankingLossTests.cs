using RewardModel.Ranking;
using static TorchSharp.torch;

namespace RewardModel.Tests.Ranking;

[Collection(nameof(RunsAlone))]
public class RankingLossTests
{
    private static readonly double[] levels = [0, 1, 2, 3];

    // Ragged, with ties, equal answers, margins and weights; two that have no ordered pair. Rewards are exact in binary, for differences.
    private static readonly RankingList[] lists =
    [
        new([2, 1, 0]),
        new([1, 1, 0, 3]) { Weight = 2.5, Margin = 0.75 },
        new([3, 2, 1, 0, 3]) { EqualAnswers = [0, 1, 0, 3, 4], Margin = 0.3125 },
        new([1]),
        new([1, 1]) { Weight = 0.5 },
    ];

    private static readonly float[][] rewards =
        [[0.25f, -1.25f, 2.5f], [0.125f, 0.125f, -4f, 3.5f], [1f, -0.5f, 1f, 0.75f, -2f], [-3f], [1.5f, 0.25f]];

    public static TheoryData<string> Cases => [.. cases.Keys];

    private static readonly Dictionary<string, (RankingLossOptions Options, Func<double[], RankingList, (double, double[])> Formula)> cases = new()
    {
        ["log-sigmoid"] = (new(), (r, list) => Pairs(r, list, LogSigmoid(0))),
        ["log-sigmoid, constant margin"] = (new() { Margin = "0.5" }, (r, list) => Pairs(r, list, LogSigmoid(0), (_, _) => 0.5)),
        ["log-sigmoid, margin of the list"] =
            (new() { Margin = "column" }, (r, list) => Pairs(r, list, LogSigmoid(0), (of, _) => of.Margin ?? 0)),
        ["log-sigmoid, margin of the scores"] =
            (new() { Margin = "score-difference*0.3" }, (r, list) => Pairs(r, list, LogSigmoid(0), (_, difference) => 0.3 * difference)),
        ["log-sigmoid, small margins of Llama 2"] =
            (new() { Margin = "llama2-small" }, (r, list) => Pairs(r, list, LogSigmoid(0), (_, difference) => difference / 3)),
        ["log-sigmoid, smoothed"] = (new() { LabelSmoothing = 0.2 }, (r, list) => Pairs(r, list, LogSigmoid(0.2))),
        ["log-sigmoid, smoothed, with margin"] =
            (new() { LabelSmoothing = 0.2, Margin = "0.5" }, (r, list) => Pairs(r, list, LogSigmoid(0.2), (_, _) => 0.5)),
        ["log-sigmoid, ties"] = (new() { Ties = TieHandling.Half }, (r, list) => Pairs(r, list, LogSigmoid(0), takesTies: true)),
        ["log-sigmoid, ties, smoothed, with margin"] = (
            new() { Ties = TieHandling.Half, LabelSmoothing = 0.1, Margin = "0.5" },
            (r, list) => Pairs(r, list, LogSigmoid(0.1), (_, _) => 0.5, takesTies: true)),
        ["sigmoid"] = (new() { Loss = "sigmoid" }, (r, list) => Pairs(r, list, (z, _) => (-Sigmoid(z), -Sigmoid(z) * Sigmoid(-z)))),
        ["hinge"] = (new() { Loss = "hinge" }, (r, list) => Pairs(r, list, Hinge, (_, _) => 1)),
        ["hinge, margin of the list"] =
            (new() { Loss = "hinge", Margin = "column" }, (r, list) => Pairs(r, list, Hinge, (of, _) => of.Margin ?? 0)),
        ["plackett-luce"] = (new() { Loss = "plackett-luce" }, (r, list) => Choices(r, list, _ => true)),
        ["top-choice"] = (new() { Loss = "top-choice" }, (r, list) => Choices(r, list, score => score == list.Scores.Max())),
        ["regression alone"] =
            (new() { Loss = "none", Pointwise = PointwiseLoss.Regression }, (r, list) => Answers(r, list, (x, s) => ((x - s) * (x - s), 2 * (x - s)))),
        ["regression, weighted"] = (
            new() { Loss = "none", Pointwise = PointwiseLoss.Regression, PointwiseWeight = 0.3 },
            (r, list) => Answers(r, list, (x, s) => (0.3 * (x - s) * (x - s), 0.6 * (x - s)))),
        ["levels alone"] = (new() { Loss = "none", Pointwise = PointwiseLoss.Levels, Levels = levels }, (r, list) => Answers(r, list, OfLevels)),
        ["logistic alone"] = (
            new() { Loss = "none", Pointwise = PointwiseLoss.Logistic },
            (r, list) => Answers(r, list, (x, s) => (-s * Math.Log(Sigmoid(x)) - (1 - s) * Math.Log(1 - Sigmoid(x)), Sigmoid(x) - s))),
        ["log-sigmoid and levels"] = (
            new() { Pointwise = PointwiseLoss.Levels, Levels = levels },
            (r, list) => Add(Pairs(r, list, LogSigmoid(0)), Answers(r, list, OfLevels))),
        ["log-sigmoid, centred"] = (new() { Centering = 0.1 }, (r, list) => Add(Pairs(r, list, LogSigmoid(0)), Centered(r, list, 0.1))),
        ["top-choice, small rewards"] = (
            new() { Loss = "top-choice", RewardL2 = 0.01 },
            (r, list) => HasPairs(list)
                ? Add(Choices(r, list, score => score == list.Scores.Max()), Answers(r, list, (x, _) => (0.005 * x * x, 0.01 * x)))
                : (0, new double[r.Length])),
    };

    [Fact]
    public void Names_are_these() =>
        Assert.Equal(["log-sigmoid", "sigmoid", "hinge", "plackett-luce", "top-choice"], RankingLoss.Names);

    [Fact]
    public void An_unknown_name_lists_the_known_ones()
    {
        var error = Assert.Throws<ArgumentException>(() => RankingLoss.ByName("huber"));
        Assert.Equal(
            "The loss 'huber' is not known; expected one of: log-sigmoid, sigmoid, hinge, plackett-luce, top-choice. (Parameter 'name')",
            error.Message);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Value_and_gradient_equal_the_closed_form(string name)
    {
        var (options, formula) = cases[name];
        var (sum, gradient) = Computed(RankingLoss.Of(options), rewards, lists);
        var expected = Expected(formula);
        // Up to ten pairs or choices of an answer, two roundings of each.
        Numbers.AssertEqualButForRounding([(float)expected.Value], [sum], units: 5);
        Numbers.AssertEqualButForRounding([.. expected.Gradient.Select(value => (float)value)], gradient, units: 5);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_numbers_of_metrics_equal_the_closed_form(string name)
    {
        var (options, formula) = cases[name];
        var loss = RankingLoss.Of(options);
        Assert.Equal(Expected(formula).Value, lists.Zip(rewards).Sum(pair => loss.OfList(pair.Second, pair.First)), 1e-12);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_closed_form_s_gradient_is_that_of_central_differences(string name)
    {
        const float step = 1f / 4096;
        var (options, formula) = cases[name];
        var loss = RankingLoss.Of(options);
        double At(int l, int k, float by)
        {
            float[] moved = [.. rewards[l]];
            moved[k] += by;
            return loss.OfList(moved, lists[l]);
        }
        double[] differences =
        [
            .. from l in Enumerable.Range(0, lists.Length)
               from k in Enumerable.Range(0, rewards[l].Length)
               select (At(l, k, step) - At(l, k, -step)) / (2 * step),
        ];
        foreach (var (expected, found) in Expected(formula).Gradient.Zip(differences))
            Assert.Equal(expected, found, 1e-6);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_order_of_answers_and_lists_changes_nothing(string name)
    {
        var loss = RankingLoss.Of(cases[name].Options);
        var (sum, gradient) = Computed(loss, rewards, lists);
        int[] order = [3, 1, 4, 0, 2];
        var turned = order.Select(l => Reversed(lists[l])).ToArray();
        var (turnedSum, turnedGradient) = Computed(loss, [.. order.Select(l => rewards[l].Reverse().ToArray())], turned);
        Numbers.AssertEqualButForRounding([sum], [turnedSum], units: 4);
        var first = 0;
        foreach (var l in order)
        {
            var length = rewards[l].Length;
            var before = rewards[..l].Sum(list => list.Length);
            Assert.InRange(
                Numbers.LargestDifference(gradient[before..(before + length)], [.. turnedGradient[first..(first + length)].Reverse()]), 0, 2e-6);
            first += length;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Lists_one_by_one_add_up_to_the_batch(string name)
    {
        var loss = RankingLoss.Of(cases[name].Options);
        var (sum, gradient) = Computed(loss, rewards, lists);
        var alone = lists.Zip(rewards, (list, ofList) => Computed(loss, [ofList], [list])).ToArray();
        Numbers.AssertEqualButForRounding([sum], [alone.Sum(list => list.Sum)], units: 4);
        Assert.InRange(Numbers.LargestDifference(gradient, [.. alone.SelectMany(list => list.Gradient)]), 0, 1e-6);
        using var targets = loss.TargetsOf(lists);
        Assert.Equal(targets.Divisor, lists.Sum(loss.DivisorOf));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rewards_far_apart_have_a_finite_loss_and_gradient(string name)
    {
        var loss = RankingLoss.Of(cases[name].Options);
        foreach (var sign in new[] { 1e4f, -1e4f })
        {
            float[][] far = [.. lists.Select(list => list.Scores.Select(score => sign * (float)(score - 1.5)).ToArray())];
            var (sum, gradient) = Computed(loss, far, lists);
            Assert.True(float.IsFinite(sum), $"{sum}");
            Assert.All(gradient, value => Assert.True(float.IsFinite(value)));
            Assert.Equal(lists.Zip(far).Sum(pair => loss.OfList(pair.Second, pair.First)), sum, 2e-6 * Math.Max(1, Math.Abs(sum)));
        }
    }

    [Theory]
    [InlineData("plackett-luce")]
    [InlineData("top-choice")]
    public void A_listwise_loss_of_two_answers_is_that_of_Bradley_and_Terry(string name)
    {
        foreach (var difference in new[] { -30f, -2f, 0f, 0.5f, 3f, 15f })
        {
            var (expected, expectedGradient) = Computed(RankingLoss.ByName("log-sigmoid"), [[difference, 0]], [new([1, 0])]);
            var (found, gradient) = Computed(RankingLoss.ByName(name), [[difference, 0]], [new([1, 0])]);
            Assert.Equal(expected, found, 1.2e-7 * Math.Max(1, Math.Abs(expected)));
            Numbers.AssertEqualButForRounding([1, .. expectedGradient], [1, .. gradient], units: 1);
        }
    }

    [Fact]
    public void Top_choice_does_not_see_the_order_below_the_best_and_Plackett_and_Luce_do()
    {
        float Of(string name, double[] scores) => Computed(RankingLoss.ByName(name), [[0.5f, 1f, -2f]], [new(scores)]).Sum;
        Assert.Equal(Of("top-choice", [2, 1, 0]), Of("top-choice", [2, 0, 1]));
        Assert.NotEqual(Of("plackett-luce", [2, 1, 0]), Of("plackett-luce", [2, 0, 1]));
    }

    [Theory]
    [InlineData("log-sigmoid", 2.0, 0.126928)]
    [InlineData("log-sigmoid", -500.0, 500.0)]
    [InlineData("log-sigmoid", 800.0, 0.0)]
    [InlineData("sigmoid", 2.0, -0.880797)]
    [InlineData("sigmoid", -800.0, 0.0)]
    [InlineData("hinge", 0.25, 0.75)]
    [InlineData("hinge", 1.5, 0.0)]
    public void The_number_of_one_pair_is_this(string name, float difference, double expected)
    {
        var loss = RankingLoss.ByName(name);
        Assert.Equal(expected, loss.OfList([difference, 0], new([1, 0])), 1e-6);
        Assert.Equal(expected, Computed(loss, [[difference, 0]], [new([1, 0])]).Sum, 1e-5);
    }

    [Fact]
    public void A_tie_costs_the_same_either_way_and_least_where_rewards_are_equal()
    {
        var loss = RankingLoss.Of(new() { Ties = TieHandling.Half, Margin = "1", LabelSmoothing = 0.1 });
        RankingList tied = new([1, 1]);
        Assert.Equal(loss.OfList([0.75f, 0], tied), loss.OfList([0, 0.75f], tied), 1e-15);
        Assert.Equal(Math.Log(2), loss.OfList([5, 5], tied), 1e-15);
        Assert.InRange(loss.OfList([5, 5.25f], tied), Math.Log(2) + 1e-3, 1);
        Assert.Equal(0, loss.DivisorOf(new([1, 1]) { EqualAnswers = [0, 0] }));
    }

    [Fact]
    public void Smoothed_labels_cost_least_at_the_odds_of_their_share()
    {
        var loss = RankingLoss.Of(new() { LabelSmoothing = 0.2 });
        var (_, gradient) = Computed(loss, [[(float)Math.Log(4), 0]], [new([1, 0])]);
        Assert.InRange(Math.Abs(gradient[0]), 0, 1e-7);
    }

    [Fact]
    public void Where_the_loss_applies_to_no_list_the_sum_and_the_divisor_are_zero()
    {
        foreach (var name in RankingLoss.Names)
        {
            using var scope = NewDisposeScope();
            var loss = RankingLoss.ByName(name);
            using var targets = loss.TargetsOf([new([1, 1]), new([5])]);
            Assert.Equal(0f, loss.Sum(tensor(new[] { 1f, 2f, 3f }), targets).item<float>());
            Assert.Equal(0, targets.Divisor);
        }
    }

    [Fact]
    public void The_divisor_counts_lists_or_pairs()
    {
        double Of(RankingLossOptions options)
        {
            using var targets = RankingLoss.Of(options).TargetsOf(lists);
            return targets.Divisor;
        }
        Assert.Equal(3, Of(new()));
        Assert.Equal(4, Of(new() { Ties = TieHandling.Half }));
        Assert.Equal(5, Of(new() { Pointwise = PointwiseLoss.Regression }));
        // 3, 5 and 8: of ten pairs one is equal and one tied.
        Assert.Equal(16, Of(new() { LossNormalization = LossNormalization.PerPair }));
        Assert.Equal(19, Of(new() { LossNormalization = LossNormalization.PerPair, Ties = TieHandling.Half }));
    }

    [Fact]
    public void Per_pair_every_pair_weighs_the_same_but_for_the_weights_of_the_data()
    {
        using var targets = RankingLoss.Of(new() { LossNormalization = LossNormalization.PerPair })
            .TargetsOf([new([2, 1, 0]), new([5, 0]) { Weight = 3 }]);
        Assert.Equal([1f, 1f, 1f, 3f], Values<float>(targets.AnswerPairs.Weights));
    }

    [Fact]
    public void Ties_and_equal_answers_make_no_pair_and_weights_add_up_to_those_of_the_lists()
    {
        using var targets = RankingLoss.ByName("log-sigmoid").TargetsOf(
            [new([2, 2, 1]), new([3, 2, 1, 0]) { EqualAnswers = [0, 1, 0, 3], Weight = 2 }, new([1, 0]) { EqualAnswers = [0, 0] }]);
        var pairs = targets.AnswerPairs;
        Assert.Equal([0L, 1, 3, 3, 4, 4, 5], Values<long>(pairs.Better));
        Assert.Equal([2L, 2, 4, 6, 5, 6, 6], Values<long>(pairs.Worse));
        Assert.Equal([0.5f, 0.5f, 0.4f, 0.4f, 0.4f, 0.4f, 0.4f], Values<float>(pairs.Weights));
        Assert.Null(pairs.Margins);
        Assert.Null(pairs.Ties);
    }

    [Fact]
    public void Disposed_of_the_targets_say_so()
    {
        using var some = zeros(2);
        foreach (var loss in RankingLoss.Names.Select(RankingLoss.ByName))
        {
            var targets = loss.TargetsOf([new([1, 0])]);
            targets.Dispose();
            targets.Dispose();
            Assert.Equal(
                typeof(RankingTargets).FullName, Assert.Throws<ObjectDisposedException>(() => loss.Sum(some, targets)).ObjectName);
        }
    }

    [Fact]
    public void Targets_of_another_loss_are_refused()
    {
        using var targets = RankingLoss.ByName("plackett-luce").TargetsOf([new([1, 0])]);
        using var some = zeros(2);
        Assert.Equal(
            "The targets are of another loss, which may have other pairs; expected some that this one's TargetsOf made. (Parameter 'targets')",
            Assert.Throws<ArgumentException>(() => RankingLoss.ByName("top-choice").Sum(some, targets)).Message);
    }

    [Fact]
    public void Targets_leave_no_tensors_behind()
    {
        var loss = RankingLoss.Of(new() { Loss = "plackett-luce", Pointwise = PointwiseLoss.Levels, Levels = levels, Centering = 1, RewardL2 = 1 });
        void Use()
        {
            using var scope = NewDisposeScope();
            using var targets = loss.TargetsOf(lists);
            loss.Sum(tensor(rewards.SelectMany(list => list).ToArray()), targets);
        }
        // Once for what is made once, and without what earlier tests left to the finalizer.
        Use();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        Use();
        Assert.Equal(before, Tensor.TotalCount);
    }

    /// <summary>Sum and gradient as the library computes them.</summary>
    internal static (float Sum, float[] Gradient) Computed(RankingLoss loss, float[][] ofLists, RankingList[] some)
    {
        using var scope = NewDisposeScope();
        using var targets = loss.TargetsOf(some);
        var x = tensor(ofLists.SelectMany(list => list).ToArray()).requires_grad_();
        var sum = loss.Sum(x, targets);
        sum.backward();
        return (sum.item<float>(), x.grad is null ? new float[x.numel()] : Values<float>(x.grad));
    }

    private static (double Value, double[] Gradient) Expected(Func<double[], RankingList, (double, double[])> formula)
    {
        var ofLists = lists.Zip(rewards, (list, ofList) => (list.Weight, Of: formula([.. ofList.Select(reward => (double)reward)], list))).ToArray();
        return (
            ofLists.Sum(list => list.Weight * list.Of.Item1),
            [.. ofLists.SelectMany(list => list.Of.Item2.Select(value => list.Weight * value))]);
    }

    private static RankingList Reversed(RankingList list)
    {
        var last = list.Scores.Count - 1;
        return list with
        {
            Scores = [.. list.Scores.Reverse()],
            // The answer that stands for equal ones is the first of them, which another one is now.
            EqualAnswers = list.EqualAnswers is not { } equal
                ? null
                : [.. Enumerable.Range(0, last + 1).Select(k => last - Enumerable.Range(0, last + 1).Last(other => equal[other] == equal[last - k]))],
        };
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static Func<double, bool, (double, double)> LogSigmoid(double smoothing) => (z, isTie) =>
    {
        var t = isTie ? 0.5 : 1 - smoothing;
        return (-t * Math.Log(Sigmoid(z)) - (1 - t) * Math.Log(Sigmoid(-z)), Sigmoid(z) - t);
    };

    private static (double, double) Hinge(double z, bool isTie) => z < 0 ? (-z, -1) : (0, 0);

    private static (double, double) OfLevels(double reward, double score)
    {
        double value = 0, slope = 0;
        // The scores are the levels 0, 1, 2, 3, the thresholds between them -1, 0, 1.
        for (var j = 0; j < 3; j++)
        {
            var p = Sigmoid(reward - (j - 1));
            value -= Math.Log(score > j ? p : 1 - p) / 3;
            slope += (p - (score > j ? 1 : 0)) / 3;
        }
        return (value, slope);
    }

    private static bool AreEqual(RankingList list, int i, int j) => list.EqualAnswers is { } equal && equal[i] == equal[j];

    private static bool HasPairs(RankingList list) => Pairs(new double[list.Scores.Count], list, (_, _) => (1, 0)).Value > 0;

    private static (double Value, double[] Gradient) Pairs(
        double[] r, RankingList list, Func<double, bool, (double Value, double Slope)> ofPair, Func<RankingList, double, double>? margin = null,
        bool takesTies = false)
    {
        var (value, gradient, count) = (0.0, new double[r.Length], 0);
        for (var i = 0; i < r.Length; i++)
            for (var j = 0; j < r.Length; j++)
            {
                var isTie = list.Scores[i] == list.Scores[j];
                if (AreEqual(list, i, j) || (isTie ? !takesTies || i >= j : list.Scores[i] < list.Scores[j]))
                    continue;
                var m = isTie ? 0 : margin?.Invoke(list, list.Scores[i] - list.Scores[j]) ?? 0;
                var (ofThis, slope) = ofPair(r[i] - r[j] - m, isTie);
                value += ofThis;
                gradient[i] += slope;
                gradient[j] -= slope;
                count++;
            }
        return count == 0 ? (0, gradient) : (value / count, [.. gradient.Select(of => of / count)]);
    }

    private static (double, double[]) Choices(double[] r, RankingList list, Func<double, bool> isChosen)
    {
        var (value, gradient, count) = (0.0, new double[r.Length], 0);
        for (var i = 0; i < r.Length; i++)
        {
            int[] worse = [.. Enumerable.Range(0, r.Length).Where(j => list.Scores[j] < list.Scores[i] && !AreEqual(list, i, j))];
            if (worse.Length == 0 || !isChosen(list.Scores[i]))
                continue;
            var total = Math.Exp(r[i]) + worse.Sum(j => Math.Exp(r[j]));
            value -= Math.Log(Math.Exp(r[i]) / total);
            gradient[i] += Math.Exp(r[i]) / total - 1;
            foreach (var j in worse)
                gradient[j] += Math.Exp(r[j]) / total;
            count++;
        }
        return count == 0 ? (0, gradient) : (value / count, [.. gradient.Select(of => of / count)]);
    }

    private static (double, double[]) Answers(double[] r, RankingList list, Func<double, double, (double Value, double Slope)> ofAnswer)
    {
        (double Value, double Slope)[] each = [.. r.Zip(list.Scores, ofAnswer)];
        return (each.Average(of => of.Value), [.. each.Select(of => of.Slope / r.Length)]);
    }

    private static (double, double[]) Centered(double[] r, RankingList list, double coefficient)
    {
        var (value, gradient, count) = (0.0, new double[r.Length], 0);
        for (var i = 0; i < r.Length; i++)
            for (var j = 0; j < r.Length; j++)
                if (list.Scores[i] > list.Scores[j] && !AreEqual(list, i, j))
                {
                    value += coefficient * Math.Pow(r[i] + r[j], 2);
                    gradient[i] += coefficient * 2 * (r[i] + r[j]);
                    gradient[j] += coefficient * 2 * (r[i] + r[j]);
                    count++;
                }
        return count == 0 ? (0, gradient) : (value / count, [.. gradient.Select(of => of / count)]);
    }

    private static (double, double[]) Add((double Value, double[] Gradient) one, (double Value, double[] Gradient) other) =>
        (one.Value + other.Value, [.. one.Gradient.Zip(other.Gradient, (left, right) => left + right)]);

    private static T[] Values<T>(Tensor of) where T : unmanaged
    {
        using var accessor = of.contiguous().data<T>();
        return accessor.ToArray();
    }
}
