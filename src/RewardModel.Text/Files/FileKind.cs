namespace RewardModel.Files;

/// <summary>What a file is read as, and the most bytes that such a file has: far more than real ones do.</summary>
/// <param name="Name">As in "the file is too large for ...".</param>
/// <param name="MaxBytes">The most bytes.</param>
internal sealed record FileKind(string Name, long MaxBytes)
{
    private const long kilo = 1_000, mega = 1_000 * kilo;

    /// <summary>config.json, adapter_config.json, reward_model.json and the like.</summary>
    public static readonly FileKind Config = new("a configuration", 2 * mega);

    /// <summary>The index of a checkpoint in several files: two hundred thousand tensors.</summary>
    public static readonly FileKind Index = new("an index of tensors", 20 * mega);

    /// <summary>A tokenizer's files: the largest known, of 262,000 tokens and 515,000 merges, has 33 MB.</summary>
    public static readonly FileKind Tokenizer = new("a tokenizer's file", 128 * mega) { MayBeEmpty = true };

    /// <summary>A chat template.</summary>
    public static readonly FileKind Template = new("a chat template", mega);

    /// <summary>Weights, whose sizes their header states.</summary>
    public static readonly FileKind Weights = new("weights", long.MaxValue);

    /// <summary>Rows of data, which are read bit by bit.</summary>
    public static readonly FileKind Data = new("data", long.MaxValue) { MayBePipe = true };

    /// <summary>Tokenised lists that the library has written.</summary>
    public static readonly FileKind Lists = new("tokenised lists", long.MaxValue);

    /// <summary>What a user names and has written: a run file, a plan of a sweep, measured figures, keys.</summary>
    public static readonly FileKind Settings = new("settings", 2 * mega) { MayBePipe = true };

    /// <summary>What a run has written of itself, beside weights: states, manifests, evaluations.</summary>
    public static readonly FileKind Record = new("a record of a run", 256 * mega);

    /// <summary>Any file that was saved, whose size and checksum are compared.</summary>
    public static readonly FileKind Saved = new("a saved file", long.MaxValue) { MayBeEmpty = true };

    /// <summary>A run's log, which is read line by line.</summary>
    public static readonly FileKind Log = new("a log", long.MaxValue) { MayBeEmpty = true };

    /// <summary>A text for people: README.md.</summary>
    public static readonly FileKind Text = new("a text", 16 * mega) { MayBeEmpty = true };

    /// <summary>A library that the process loads.</summary>
    public static readonly FileKind Library = new("a library", 1_000 * mega);

    /// <summary>What the system says of this process: no file of a disk has it, so its length is not known before it is read.</summary>
    public static readonly FileKind SystemState = new("the state of a process", 64 * mega) { MayBePipe = true };

    /// <summary>Whether a pipe is read too.</summary>
    public bool MayBePipe { get; private init; }

    /// <summary>Whether a file without content is one of the kind.</summary>
    public bool MayBeEmpty { get; private init; }
}
