using System.Text.Json;
using RewardModel.Files;
using RewardModel.Training.Checks;
using RewardModel.Training.Diagnosis;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;

namespace RewardModel.Training.Records;

/// <summary>Reads what is on record of runs.</summary>
internal static class RunRecords
{
    /// <summary>
    /// Reads what is on record of a run, while it is being written or after it ended. Of the log, lines of types that are not known are
    /// left out, and what was being written.
    /// </summary>
    /// <param name="directory">The output directory of the run.</param>
    /// <exception cref="RunDirectoryException">The directory holds no run, or a file in it is damaged.</exception>
    public static RunRecord Read(string directory)
    {
        var run = new RunDirectory(directory);
        if (!File.Exists(run.LogFile))
            throw new RunDirectoryException(
                MemberOf(directory) is { } member
                    ? $"'{directory}' holds trainings with several seeds; give the directory of one of them, such as '{member}'."
                    : $"'{directory}' holds no training run: there is no '{run.LogFile}'.");
        var log = new LogRecord(run.LogFile);
        var facts = new RunFacts
        {
            Run = log.Run,
            End = log.End,
            Steps = log.Steps,
            Evaluations = log.Evaluations,
            Data = Read(run.DataFile, DataReport.FromJson),
            Evaluation = Read(run.EvaluationFile, RewardEvaluation.FromJson),
        };
        return new RunRecord
        {
            Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory))),
            StartTime = log.StartTime,
            LastTime = log.LastTime,
            IsFinished = log.End is not null,
            Run = log.Run,
            End = log.End,
            ResumedAfter = log.ResumedAfter,
            Steps = facts.Steps,
            Evaluations = facts.Evaluations,
            Data = facts.Data,
            Evaluation = facts.Evaluation,
            Diagnoses = RunDiagnoses.Of(facts),
        };
    }

    /// <summary>The first training of an ensemble; null where the directory holds none.</summary>
    private static string? MemberOf(string directory) => Directory.Exists(directory)
        ? Directory.EnumerateDirectories(directory, "seed-*").Order(StringComparer.Ordinal)
            .FirstOrDefault(member => File.Exists(new RunDirectory(member).LogFile))
        : null;

    private static T? Read<T>(string file, Func<string, T> parse) where T : class
    {
        try
        {
            return File.Exists(file) ? parse(InputFile.ReadText(file, FileKind.Record)) : null;
        }
        catch (Exception exception) when (exception is JsonException or FileRefusedException)
        {
            throw new RunDirectoryException(
                $"'{file}' is damaged ({exception.Message.Split('\n')[0].TrimEnd('.', '\r')}). Restore or delete it.");
        }
    }

    /// <summary>What a log says of a run.</summary>
    private sealed class LogRecord
    {
        private readonly List<StepReport> steps = [];
        private readonly List<EvaluationReport> evaluations = [];
        private readonly SortedSet<int> resumedAfter = [];

        public LogRecord(string path)
        {
            foreach (var line in LogLines.Read(path))
                if (LogJson.Parse(line.Span) is { } logged)
                    Add(logged.Time, logged.Report);
        }

        public DateTimeOffset? StartTime { get; private set; }

        public DateTimeOffset? LastTime { get; private set; }

        public RunReport? Run { get; private set; }

        /// <summary>Null as long as nothing says that the run ended, or that it went on afterwards.</summary>
        public EndReport? End { get; private set; }

        public IReadOnlyList<int> ResumedAfter => [.. resumedAfter];

        public IReadOnlyList<StepReport> Steps => steps;

        public IReadOnlyList<EvaluationReport> Evaluations => evaluations;

        private void Add(DateTimeOffset? time, TrainingReport report)
        {
            StartTime ??= time;
            LastTime = time ?? LastTime;
            End = report as EndReport;
            switch (report)
            {
                case RunReport run:
                    if (steps.Count + evaluations.Count > 0)
                        resumedAfter.Add(run.Step);
                    Run = run;
                    break;
                case StepReport step:
                    steps.Add(step);
                    break;
                case EvaluationReport evaluation:
                    evaluations.Add(evaluation);
                    break;
            }
        }
    }
}
