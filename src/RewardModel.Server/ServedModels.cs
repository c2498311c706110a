using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RewardModel.Checkpoints;
using RewardModel.Kernels;
using RewardModel.Tokenizers;
using static TorchSharp.torch;

namespace RewardModel.Server;

/// <summary>What a server is doing.</summary>
internal enum ServerState
{
    /// <summary>The models are being loaded.</summary>
    Loading,

    /// <summary>Requests are answered.</summary>
    Ready,

    /// <summary>Those requests that have begun are answered, and no others.</summary>
    Draining,
}

/// <summary>The models of a server, and the way of a request through them.</summary>
internal sealed class ServedModels : IScoringService, IAsyncDisposable
{
    /// <summary>
    /// A request has as many times the characters of the largest body, its prompts counted once for each of their answers, as they are
    /// tokenised: a body of some megabytes would else become gigabytes of token ids.
    /// </summary>
    private const int charactersPerByte = 4;

    private readonly RewardServerOptions options;
    private readonly ServerTelemetry telemetry;
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly Lock access = new();
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyList<ServedModel> models = [];
    private ServerState state;
    private int activeCount;
    private bool isDisposed;

    /// <param name="options">Which models, within which bounds; checked.</param>
    /// <param name="telemetry">What is measured.</param>
    /// <param name="logger">Is told of reloads and failures.</param>
    /// <param name="time">What time it is; null: the system's.</param>
    public ServedModels(
        IOptions<RewardServerOptions> options, ServerTelemetry telemetry, ILogger<ServedModels> logger, TimeProvider? time = null)
    {
        (this.options, this.telemetry, this.logger) = (options.Value, telemetry, logger);
        this.time = time ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public IReadOnlyList<ServedModelInfo> Models => [.. All.Select(model => model.Info)];

    /// <inheritdoc/>
    public int MaxRows => options.MaxRowsPerRequest;

    /// <summary>The models; none before they are loaded.</summary>
    public IReadOnlyList<ServedModel> All => Volatile.Read(ref models);

    public ServerState State
    {
        get
        {
            lock (access)
                return state;
        }
    }

    /// <summary>Loads all models, one after the other; from then on requests are answered.</summary>
    /// <exception cref="CheckpointException">Models can't be loaded: all of them are named.</exception>
    /// <exception cref="ArgumentException">
    /// The only one that can't be loaded has members that differ, or a device that is not there.
    /// </exception>
    /// <exception cref="TokenizerException">The tokenizer of the only one that can't be loaded can't be used.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        if (options.Threads is { } threads)
        {
            TorchLibraries.Require();
            set_num_threads(threads);
        }
        var loaded = new List<ServedModel>();
        var failures = new List<Exception>();
        try
        {
            foreach (var model in options.Models)
                try
                {
                    loaded.Add(await Task.Run(
                        () => ServedModel.Load(model, options, telemetry, logger, time, cancellationToken), cancellationToken)
                        .ConfigureAwait(false));
                }
                catch (Exception exception) when (exception
                    is CheckpointException or ArgumentException or TokenizerException or IOException)
                {
                    failures.Add(exception);
                }
            if (failures.Count == 1)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failures[0]);
            if (failures.Count > 1)
                throw new CheckpointException(
                    $"{failures.Count} of {options.Models.Count} models can't be served", [.. failures.Select(failure => failure.Message)],
                    "Give directories of trained reward models.");
        }
        catch
        {
            foreach (var model in loaded)
                await model.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        Volatile.Write(ref models, loaded);
        lock (access)
            if (state == ServerState.Loading)
                state = ServerState.Ready;
    }

    /// <inheritdoc/>
    public async Task<ScoringResult> ScoreAsync(ScoringRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var start = Stopwatch.GetTimestamp();
        string? name = null;
        try
        {
            Begin();
            try
            {
                var model = Find(request.Model);
                name = model.Info.Name;
                var result = await ScoreAsync(model, request, cancellationToken).ConfigureAwait(false);
                telemetry.Request(name, start, error: null);
                return result;
            }
            finally
            {
                End();
            }
        }
        catch (RequestException exception)
        {
            telemetry.Request(name, start, exception.Code);
            throw;
        }
        catch (OperationCanceledException)
        {
            telemetry.Request(name, start, "cancelled");
            throw;
        }
    }

    /// <summary>Loads a model again; see <see cref="ServedModel.ReloadAsync"/>.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Stops loading before the next tensor.</param>
    /// <exception cref="RequestException">There is no such model.</exception>
    public Task<bool> ReloadAsync(string name, CancellationToken cancellationToken) => Find(name).ReloadAsync(cancellationToken);

    /// <summary>Loads all models again, one after the other.</summary>
    public async Task ReloadAllAsync(CancellationToken cancellationToken)
    {
        foreach (var model in All)
            await model.ReloadAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>From now on requests are refused.</summary>
    /// <returns>Ends when those that have begun are answered.</returns>
    public Task DrainAsync()
    {
        lock (access)
        {
            state = ServerState.Draining;
            if (activeCount == 0)
                drained.TrySetResult();
        }
        return drained.Task;
    }

    /// <summary>Refuses the requests that are left, and releases the models.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (access)
            if (isDisposed)
                return;
            else
                isDisposed = true;
        // Models may be needed until the last request has gone.
        var last = DrainAsync();
        foreach (var model in All)
            await model.Queue.DisposeAsync().ConfigureAwait(false);
        await last.ConfigureAwait(false);
        foreach (var model in All)
            await model.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<ScoringResult> ScoreAsync(ServedModel model, ScoringRequest request, CancellationToken cancellationToken)
    {
        if (request.Inputs.Count == 0)
            throw new RequestException(400, "no_inputs", "There is nothing to score; expected at least one input.");
        var rowCount = request.Inputs.Sum(input => (long)(input.TokenIds?.AnswerIds.Count ?? input.Text!.Answers.Count));
        if (rowCount > options.MaxRowsPerRequest)
            throw new RequestException(
                413, "too_many_rows",
                $"The request has {rowCount} answers; expected at most {options.MaxRowsPerRequest}. Divide it into several requests.");
        // A prompt is tokenised together with each of its answers.
        var characterCount = request.Inputs.Sum(CharactersOf);
        var mostCharacters = charactersPerByte * options.MaxRequestBytes;
        if (characterCount > mostCharacters)
            throw new RequestException(
                413, "too_much_text",
                $"The request has {characterCount} characters, its prompts counted once for each of their answers; expected at most "
                + $"{mostCharacters}. Divide it into several requests.");
        using var place = model.Queue.Enter();
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.RequestTimeout);
        var version = model.Acquire();
        try
        {
            var inputs = version.Tokenizer.Tokenize(request.Inputs, request.MaxLength, timeout.Token);
            var (means, deviations) = await model.Queue.ScoreAsync(version, [.. inputs.Select(input => input.List)], timeout.Token)
                .ConfigureAwait(false);
            var isEnsemble = version.Info.MemberCount > 1;
            return new ScoringResult(
                version.Info.Name,
                [
                    .. inputs.Select((input, l) => new ScoredInput(
                        input.List.AnswerIds.Select((_, k) => input.List.PromptOf(k).Length).Max(),
                        [
                            .. input.List.AnswerIds.Select((ids, k) => new ScoredAnswer(
                                means[l][k], isEnsemble ? deviations[l][k] : null, ids.Length, input.WereCut[k])),
                        ])),
                ]);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RequestException(
                504, "timeout",
                $"The request was not answered within {options.RequestTimeout.TotalSeconds} s. "
                + "Send fewer answers at a time, or try again when there is less to do.");
        }
        finally
        {
            version.Release();
        }
    }

    private static long CharactersOf(ScoringInput input) => input.Text is not { } list ? 0
        : list.Answers.Sum(answer => (long)answer.Length) + (long)list.Answers.Count * (
            list.Prompt.Length + (list.Chat?.Prompt.Tools is { } tools ? JsonMarshal.GetRawUtf8Value(tools).Length : 0));

    private ServedModel Find(string? name)
    {
        const int mostShown = 100;
        return (name is null ? All[0] : All.FirstOrDefault(model => model.Info.Name == name)) ?? throw new RequestException(
            404, "model_not_found",
            $"There is no model '{(name!.Length > mostShown ? name[..mostShown] : name)}'; expected "
            + $"{string.Join(" or ", All.Select(model => $"'{model.Info.Name}'"))}.");
    }

    private void Begin()
    {
        lock (access)
        {
            if (state == ServerState.Loading)
                throw new RequestException(503, "loading", "The models are being loaded. Try again later.") { RetryAfterSeconds = 5 };
            if (state == ServerState.Draining)
                throw ScoringQueue.ShuttingDown();
            activeCount++;
        }
    }

    private void End()
    {
        lock (access)
            if (--activeCount == 0 && state == ServerState.Draining)
                drained.TrySetResult();
    }
}
