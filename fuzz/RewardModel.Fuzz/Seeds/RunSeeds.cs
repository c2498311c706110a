using System.IO.Hashing;

namespace RewardModel.Fuzz.Seeds;

/// <summary>What runs are started with, and what they write.</summary>
internal static class RunSeeds
{
    /// <summary>Run files; the last ones with aliases of aliases.</summary>
    public static IReadOnlyList<string> RunFiles { get; } =
    [
        "data: train.jsonl\nmodel: model\noutput: run\nepochs: 2\nlearning-rate: 1e-5\nprecision: bf16\nloss: bradley-terry\n",
        "data: [a.jsonl, 'b.jsonl=0.5', \"c\\n\"]\nseed: 3\nchat: true\nmax-length: 512 # tokens\n",
        "base: &a x\ndata: [*a, *a]\n",
        Laughs("data"),
        "? {a: 1, [b]: c}\n: d\n",
    ];

    /// <summary>Plans of sweeps.</summary>
    public static IReadOnlyList<string> Sweeps { get; } =
    [
        "options:\n  data: train.jsonl\n  model: model\nvary:\n  learning-rate: [1e-5, 3e-5]\n  epochs: [1, 2]\n",
        "search: random\ntrials: 3\nseed: 1\nvary:\n  learning-rate: {from: 1e-6, to: 1e-4, scale: log}\n  epochs: {from: 1, to: 3}\n",
        Laughs("vary"),
        Laughs("vary:\n  epochs"),
    ];

    /// <summary>Words of both.</summary>
    public static IReadOnlyList<string> Words { get; } =
    [
        "options", "vary", "search", "random", "grid", "trials", "seed", "from", "to", "scale", "log", "linear", "data", "model", "output", "epochs",
        "learning-rate", "precision", "loss", ":", "-", "[", "]", "{", "}", "&a", "*a", "&b", "*b", "!!binary", "!t", "|", ">", "? ", "%YAML 1.1", "---", "...",
        "\n", "  ", "\t", "'", "\"", "#", "<<", "~", "null", "true", "1e400", ".nan", ".inf", "0x10", "2024-01-01", "\\", ",",
    ];

    /// <summary>Logs.</summary>
    public static IReadOnlyList<string> Logs { get; } =
    [
        """{"type":"run","time":"2026-03-04T03:06:07.089Z","step":0,"step_count":3,"version":"0.2.0","libraries":"l","device":"cpu","model":"llama","parameter_count":10,"trained_parameter_count":9,"list_count":4,"held_out_list_count":2,"options":{"epochs":"2"}}"""
            + "\n" + """{"type":"step","time":"2026-03-04T03:06:08.089Z","step":1,"step_count":3,"epoch":0.5,"loss":0.7,"accuracy":0.5,"learning_rate":1e-5,"gradient_norm":1.5,"tokens":100,"tokens_seen":100,"tokens_per_second":50.5,"time_left":"00:01:00","loss_terms":{"a":0.5},"rank_seconds":[0.1]}"""
            + "\n" + """{"type":"evaluation","step":1,"is_best":true,"metrics":{"list_count":2,"lists_without_pairs_count":0,"answer_count":4,"pair_count":2,"loss":0.6,"accuracy":0.5,"prompt_count":2,"accuracy_low":0.1,"accuracy_high":0.9,"margin":0.1,"kendall_tau":0,"top_answer_accuracy":0.5,"reward_mean":0,"reward_standard_deviation":1,"reward_min":-1,"reward_max":"NaN"},"average_of":[1]}"""
            + "\n" + """{"type":"end","step":3,"reason":"finished","message":null}""" + "\n",
    ];

    /// <summary>Manifests of saved steps.</summary>
    public static IReadOnlyList<string> Manifests { get; } =
    [
        $$"""
        {"files": [{"name": "state.json", "bytes": 2, "checksums": ["0 2 {{XxHash128.HashToUInt128("{}"u8):x32}}"]},
         {"name": "a/b.safetensors", "bytes": 0, "checksums": []}]}
        """,
        """{"files": []}""",
    ];

    /// <summary>States of trainings.</summary>
    public static IReadOnlyList<string> States { get; } =
    [
        """
        {"Fingerprint": {"Options": {"epochs": 2}, "StepCount": 3, "TrainLists": "ab", "HeldOutLists": "cd", "Model": "ef", "Frozen": null, "Rule": null,
         "TokenizerFiles": null, "Dropout": 0, "Threads": 2, "Device": "cpu", "FrozenWeights": null, "Ranks": 1},
         "State": {"Step": 1, "TokensSeen": 100, "EvaluationsSinceBest": 0, "LastEvaluation": null, "BestEvaluation": null}, "BestStep": null,
         "EvaluatedSteps": []}
        """,
        """
        {"Fingerprint": {"Options": {}}, "State": {"Step": 1, "LastEvaluation": {"Step": 1, "Metrics": {"Loss": 1}, "IsBest": true}}, "BestStep": 1,
         "EvaluatedSteps": [1, 2]}
        """,
    ];

    /// <summary>Nine levels of lists of nine aliases each: 9^9 values, if they were written out.</summary>
    private static string Laughs(string name)
    {
        var lines = new List<string> { "a: &a [x, x, x, x, x, x, x, x, x]" };
        for (var level = 'b'; level <= 'i'; level++)
            lines.Add($"{level}: &{level} [{string.Join(", ", Enumerable.Repeat($"*{(char)(level - 1)}", 9))}]");
        return $"{string.Join('\n', lines)}\n{name}: *i\n";
    }
}
