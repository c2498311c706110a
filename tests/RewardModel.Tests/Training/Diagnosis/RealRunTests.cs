using System.Text.Json;
using RewardModel.Training;
using RewardModel.Training.Data;
using RewardModel.Training.Diagnosis;
using RewardModel.Training.Records;

namespace RewardModel.Tests.Training.Diagnosis;

/// <summary>Small models that are made ill, and some that are not.</summary>
[Collection(nameof(RunsAlone))]
public sealed class RealRunTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(1, 3e-3, 4)]
    [InlineData(2, 1e-3, 16)]
    [InlineData(3, 3e-3, 16)]
    [InlineData(5, 3e-3, 1)]
    public void A_run_that_learns_is_told_nothing_but_notes(int seed, double rate, int listsPerStep)
    {
        var found = Diagnoses(Options with { Seed = seed, LearningRate = rate, ListsPerStep = listsPerStep, Steps = 300 });
        Assert.DoesNotContain(found, diagnosis => diagnosis.Severity > DiagnosisSeverity.Note);
    }

    [Fact]
    public void Next_to_no_learning_rate_leaves_the_loss_where_it_is()
    {
        var found = Diagnoses(Options with { LearningRate = 1e-9 });
        Assert.Equal([DiagnosisId.LossStuck, DiagnosisId.AccuracyNearChance], Bad(found).Where(id => id != DiagnosisId.InitialWeights));
        Assert.Contains("then try other learning rates than 1E-09,", found[0].Sentence);
    }

    [Fact]
    public void A_learning_rate_that_is_too_low_has_learned_little() =>
        Assert.Equal([DiagnosisId.LearningRateTooLow], Bad(Diagnoses(Options with { LearningRate = 3e-4 })));

    [Fact]
    public void A_huge_learning_rate_throws_the_loss_above_its_start() =>
        Assert.Contains(DiagnosisId.LearningRateTooHigh, Bad(Diagnoses(Options with { LearningRate = 10 })));

    [Fact]
    public void Random_labels_are_learned_as_chance()
    {
        var found = Diagnoses(Options, isSwapped: i => new SplitMix64((ulong)i).NextBelow(2) == 1);
        Assert.Contains(found, diagnosis => diagnosis is { Id: DiagnosisId.AccuracyNearChance, Severity: DiagnosisSeverity.Error });
    }

    [Fact]
    public void Swapped_held_out_labels_are_below_chance() =>
        Assert.Contains(DiagnosisId.AccuracyBelowChance, Bad(Diagnoses(Options with { BestBy = BestBy.Last, Steps = 300 }, isSwapped: i => i >= 10_000)));

    [Theory]
    [InlineData(20)]
    [InlineData(60)]
    public void A_few_lists_are_learned_by_heart(int count)
    {
        var found = Diagnoses(Options with { LearningRate = 3e-3 }, count: count);
        Assert.Contains(DiagnosisId.Overfitting, Bad(found));
        Assert.DoesNotContain(Bad(found), id => id is DiagnosisId.LearningRateTooHigh or DiagnosisId.LearningRateTooLow or DiagnosisId.LossStuck);
    }

    [Fact]
    public void A_model_without_weights_gives_all_answers_the_same_reward()
    {
        var config = TinyModel.Config("llama");
        config["initializer_range"] = 0.0;
        Assert.Contains(DiagnosisId.RewardsEqual, Bad(Diagnoses(Options with { LearningRate = 1e-12, Steps = 20 }, config: config.ToJsonString())));
    }

    [Fact]
    public void Answers_that_are_cut_to_the_same_tokens_are_told()
    {
        var found = Diagnoses(Options, areIdentical: i => i % 5 == 0);
        Assert.Contains(DiagnosisId.IdenticalAnswers, Bad(found));
        Assert.Contains("have answers with different scores that the model reads as the same", found.Single(one => one.Id == DiagnosisId.IdenticalAnswers).Sentence);
    }

    [Fact]
    public void Prompts_on_both_sides_are_a_leak()
    {
        Write(count: 1000);
        File.AppendAllLines(directory["test.jsonl"], File.ReadLines(directory["train.jsonl"]).Take(100));
        var found = Run(Options);
        Assert.Contains("100 of 300 held-out lists (33.3 %) have a prompt that is trained on, too", Assert.Single(found, one => one.Id == DiagnosisId.Leak).Sentence);
    }

    private TrainingRunOptions Options => new()
    {
        Data = directory["train.jsonl"],
        Config = directory["config.json"],
        Output = directory["model"],
        EvaluationData = directory["test.jsonl"],
        ListsPerStep = 8,
        LearningRate = 1e-3,
        Steps = 200,
        Seed = 7,
        Threads = 1,
    };

    private static IEnumerable<string> Bad(IEnumerable<RunDiagnosis> found) =>
        found.Where(diagnosis => diagnosis.Severity > DiagnosisSeverity.Note).Select(diagnosis => diagnosis.Id);

    private IReadOnlyList<RunDiagnosis> Diagnoses(
        TrainingRunOptions options, int count = 1000, Func<int, bool>? isSwapped = null, Func<int, bool>? areIdentical = null, string? config = null)
    {
        Write(count, isSwapped, areIdentical);
        if (config is not null)
            File.WriteAllText(directory["config.json"], config);
        return Run(options);
    }

    private static IReadOnlyList<RunDiagnosis> Run(TrainingRunOptions options)
    {
        var result = new TrainingRun(options).Run();
        Assert.Equal(result.Diagnoses, RunRecords.Read(options.Output).Diagnoses);
        return result.Diagnoses;
    }

    /// <summary>The task of <see cref="TinyModel.OrderTask"/>, each list with a prompt of its own; held-out lists are counted from 10,000 on.</summary>
    private void Write(int count, Func<int, bool>? isSwapped = null, Func<int, bool>? areIdentical = null)
    {
        File.WriteAllText(directory["config.json"], TinyModel.Config("llama").ToJsonString());
        void Lists(string file, int count, int side) => File.WriteAllLines(directory[file], TinyModel.OrderTask(count, (ulong)side + 1).Select((list, i) =>
            JsonSerializer.Serialize(new
            {
                prompt_ids = list.PromptIds.Concat([30 + 10 * side + i % 10, 30 + i / 10 % 30, 30 + i / 300]),
                answer_ids = areIdentical?.Invoke(side * 10_000 + i) == true ? [list.AnswerIds[0], list.AnswerIds[0]]
                    : isSwapped?.Invoke(side * 10_000 + i) == true ? list.AnswerIds.Reverse() : list.AnswerIds,
            })));
        Lists("train.jsonl", count, side: 0);
        Lists("test.jsonl", 200, side: 1);
    }
}
