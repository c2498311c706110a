namespace RewardModel.Server;

/// <summary>
/// Which models a server serves, and within which bounds. Can be bound to a section of an application's configuration.
/// </summary>
public sealed class RewardServerOptions
{
    /// <summary>The models, at least one; the first one answers requests that name none.</summary>
    public IList<ServedModelOptions> Models { get; } = [];

    /// <summary>
    /// Maximum number of tokens that are computed at once, a shared prompt counted once, at least 1: bounds memory. Null, the default: 2048
    /// on the CPU, where larger batches are no faster and let others wait, and <see cref="Scoring.RewardScorer.DefaultMaxTokensPerBatch"/>
    /// on a GPU.
    /// </summary>
    public int? MaxTokensPerBatch { get; set; }

    /// <summary>
    /// How long the first list waits for others to be computed with, where the model has nothing else to do and the batch is not full.
    /// Default 2 ms; zero: not at all.
    /// </summary>
    public TimeSpan BatchWindow { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>
    /// Most tokens of one model's requests that wait to be computed; requests beyond are refused with status 429. A single request that has
    /// more is taken when nothing else waits. Default 1,048,576.
    /// </summary>
    public long MaxQueuedTokens { get; set; } = 1 << 20;

    /// <summary>
    /// Most requests of one model that are tokenised, wait or are computed; those beyond are refused with status 429. Default 1024.
    /// </summary>
    public int MaxQueuedRequests { get; set; } = 1024;

    /// <summary>
    /// Most bytes of a request's body; larger ones are refused with status 413. Bodies that are read at once have at most eight times as
    /// many together. Default 32 MiB, at most 1 GiB.
    /// </summary>
    public long MaxRequestBytes { get; set; } = 32 << 20;

    /// <summary>Most answers of one request; requests with more are refused with status 413. Default 8192.</summary>
    public int MaxRowsPerRequest { get; set; } = 8192;

    /// <summary>
    /// How long a request's body may take to come, and how long the request may take from then on; it is answered with status 408 or 504
    /// otherwise. Default 180 s.
    /// </summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(180);

    /// <summary>How long a server that was told to stop goes on with the requests that it has. Default 30 s.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Keys, one of which every request must have, as <c>Authorization: Bearer KEY</c> or <c>X-API-Key: KEY</c>. None, the default:
    /// requests need none.
    /// </summary>
    public IList<string> ApiKeys { get; } = [];

    /// <summary>
    /// A file of more keys, one a line; empty lines and those that start with # are left out. Null, the default: there is none.
    /// </summary>
    public string? ApiKeyFile { get; set; }

    /// <summary>Whether <c>/metrics</c> needs a key, too. Default: no.</summary>
    public bool MetricsNeedApiKey { get; set; }

    /// <summary>
    /// Most requests a minute of one key, or of one address where there are no keys: as many may come at once, and then one whenever its
    /// share of a minute is over. Those beyond are refused with status 429. Null, the default: any number.
    /// </summary>
    public int? RequestsPerMinutePerKey { get; set; }

    /// <summary>PEM file of the certificate, and of those that it was issued by. Null, the default: HTTP without TLS.</summary>
    public string? TlsCertificateFile { get; set; }

    /// <summary>PEM file of the certificate's private key.</summary>
    public string? TlsKeyFile { get; set; }

    /// <summary>
    /// Most bytes of keys and values of prompts that a model keeps for later requests, divided among the members of an ensemble:
    /// <see cref="Packing.PromptCache"/>. Default 1 GiB; 0: none.
    /// </summary>
    public long PromptCacheBytes { get; set; } = 1 << 30;

    /// <summary>
    /// Whether a reward is the same to the bit whatever is computed with it: <see cref="Scoring.RewardTransformer.IsBatchInvariant"/>. Default: no, but
    /// for rounding.
    /// </summary>
    public bool IsBatchInvariant { get; set; }

    /// <summary>
    /// After how long without a request a model's prompts are forgotten, and memory goes back to the system. Default 5 minutes; zero: never.
    /// </summary>
    public TimeSpan IdleRelease { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Threads that compute and tokenise. Null, the default: as many as torch is set to.</summary>
    public int? Threads { get; set; }

    /// <summary>Whether a model whose files have changed is loaded again. Default: no.</summary>
    public bool ReloadOnChange { get; set; }

    /// <summary>How often its files are looked at.</summary>
    internal TimeSpan ReloadPollInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The address that the command <c>reward-model serve</c> listens on, or <c>localhost</c>. Default 127.0.0.1: this machine alone.
    /// </summary>
    public string Host { get; set; } = "127.0.0.1";

    /// <summary>The port that the command <c>reward-model serve</c> listens on. Default 5000; 0: any that is free.</summary>
    public int Port { get; set; } = 5000;
}
