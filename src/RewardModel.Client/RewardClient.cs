using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using RewardModel.Lists;

namespace RewardModel.Client;

/// <summary>
/// Calls a reward model that is served by RewardModel.Server. Thread-safe; <c>services.AddRewardClient</c> registers one.
/// </summary>
/// <remarks>
/// All calls throw <see cref="RewardServiceException"/> when the server refuses a request or can't be reached after the retries,
/// <see cref="TimeoutException"/> when it does not answer in <see cref="RewardClientOptions.Timeout"/>, and
/// <see cref="OperationCanceledException"/> when they are cancelled.
/// </remarks>
public sealed class RewardClient
{
    private static readonly TimeSpan firstDelay = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan longestDelay = TimeSpan.FromSeconds(30);

    private readonly HttpClient http;
    private readonly RewardClientOptions options;
    private readonly Uri address;

    /// <param name="http">What sends the requests. Stays the caller's; its own timeout ends a call as well.</param>
    /// <param name="options">How; null: the defaults. They must not change afterwards.</param>
    /// <exception cref="ArgumentNullException">The HttpClient is null.</exception>
    /// <exception cref="ArgumentException">Options are wrong, or neither they nor the HttpClient say where the server is.</exception>
    public RewardClient(HttpClient http, RewardClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        (this.http, this.options) = (http, options ?? new());
        string[] problems = [.. this.options.Problems()];
        if (problems.Length > 0)
            throw new ArgumentException(string.Join(" ", problems), nameof(options));
        var given = this.options.BaseAddress ?? http.BaseAddress
            ?? throw new ArgumentException(
                "Nothing says where the server is; expected BaseAddress in the options or in the HttpClient.", nameof(options));
        // A path under a prefix only joins it if that ends with a slash.
        address = given.AbsoluteUri.EndsWith('/') ? given : new Uri($"{given.AbsoluteUri}/");
    }

    /// <summary>What waits between retries.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Scores answers to one prompt.</summary>
    /// <param name="prompt">The prompt; may be empty.</param>
    /// <param name="answers">At least one answer.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>One reward for each answer, in the order of the answers.</returns>
    /// <exception cref="ArgumentNullException">The prompt, the answers or one of them is null.</exception>
    /// <exception cref="ArgumentException">There is no answer.</exception>
    public Task<IReadOnlyList<AnswerReward>> ScoreAsync(
        string prompt, IReadOnlyList<string> answers, CancellationToken cancellationToken = default) =>
        ScoreOneAsync(RankedList.BestFirst(prompt, answers), answers, cancellationToken);

    /// <summary>Scores answers of the assistant to a conversation, rendered by the model's chat template.</summary>
    /// <param name="conversation">The messages before the answers.</param>
    /// <param name="answers">At least one answer: the text of the assistant's message.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>One reward for each answer, in the order of the answers.</returns>
    /// <exception cref="ArgumentNullException">The conversation, the answers or one of them is null.</exception>
    /// <exception cref="ArgumentException">There is no answer.</exception>
    public Task<IReadOnlyList<AnswerReward>> ScoreAsync(
        Conversation conversation, IReadOnlyList<string> answers, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        var checkedAnswers = RankedList.CheckedAnswers(answers, nameof(answers));
        var chat = new RankedChat(
            conversation, [.. checkedAnswers.Select(answer => (IReadOnlyList<ChatMessage>)[new ChatMessage("assistant", answer)])]);
        return ScoreOneAsync(RankedList.OfChat(chat, RankedList.ScoresOfOrder(answers.Count)), answers, cancellationToken);
    }

    /// <summary>
    /// Scores lists, as many in a request as <see cref="RewardClientOptions.MaxRowsPerRequest"/> allows and
    /// <see cref="RewardClientOptions.MaxConcurrentRequests"/> requests at a time.
    /// </summary>
    /// <param name="lists">Lists of text or of conversations; their scores are ignored.</param>
    /// <param name="progress">Receives the number of scored lists after every request.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Per list, one reward for each of its answers, in their order.</returns>
    /// <exception cref="ArgumentNullException">The lists or one of them is null.</exception>
    public async Task<IReadOnlyList<IReadOnlyList<AnswerReward>>> ScoreAsync(
        IReadOnlyList<RankedList> lists, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(lists);
        for (var i = 0; i < lists.Count; i++)
            if (lists[i] is null)
                throw new ArgumentNullException(nameof(lists), $"List {i + 1} of {lists.Count} is null; expected a list.");
        var results = new IReadOnlyList<AnswerReward>[lists.Count];
        var scoredCount = 0;
        await Parallel.ForEachAsync(
            Chunks(lists),
            new ParallelOptions { MaxDegreeOfParallelism = options.MaxConcurrentRequests, CancellationToken = cancellationToken },
            async (chunk, stop) =>
            {
                var (start, count) = chunk;
                var scored = await PostAsync([.. lists.Skip(start).Take(count)], stop).ConfigureAwait(false);
                for (var i = 0; i < count; i++)
                    results[start + i] = RewardsOf(lists[start + i].Answers, scored[i]);
                progress?.Report(Interlocked.Add(ref scoredCount, count));
            }).ConfigureAwait(false);
        return results;
    }

    /// <summary>Ranks answers to one prompt: best-of-n is the first of them.</summary>
    /// <returns>The answers, best first; those with the same reward in the order in which they were given.</returns>
    /// <inheritdoc cref="ScoreAsync(string, IReadOnlyList{string}, CancellationToken)"/>
    public async Task<IReadOnlyList<AnswerReward>> RankAsync(
        string prompt, IReadOnlyList<string> answers, CancellationToken cancellationToken = default) =>
        Ranked(await ScoreAsync(prompt, answers, cancellationToken).ConfigureAwait(false));

    /// <summary>Ranks answers of the assistant to a conversation.</summary>
    /// <returns>The answers, best first; those with the same reward in the order in which they were given.</returns>
    /// <inheritdoc cref="ScoreAsync(Conversation, IReadOnlyList{string}, CancellationToken)"/>
    public async Task<IReadOnlyList<AnswerReward>> RankAsync(
        Conversation conversation, IReadOnlyList<string> answers, CancellationToken cancellationToken = default) =>
        Ranked(await ScoreAsync(conversation, answers, cancellationToken).ConfigureAwait(false));

    /// <summary>The models that the server has, the default one first.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<IReadOnlyList<ServedModel>> ModelsAsync(CancellationToken cancellationToken = default) =>
        [
            .. (await GetAsync("v1/models", WireJson.Default.ModelsResponse, options.MaxRetries, cancellationToken)
                .ConfigureAwait(false)).Data.Select(model => new ServedModel(model.Id, model.Architecture, model.MaxLength, model.HasChatTemplate, model.MemberCount)),
        ];

    /// <summary>Waits until the server is ready (<c>/health/ready</c>): it may still be starting, or loading its models.</summary>
    /// <param name="timeout">How long.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="TimeoutException">It was not ready in time.</exception>
    /// <exception cref="RewardServiceException">It is not a reward model's server.</exception>
    public async Task WaitUntilReadyAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        using var stop = new CancellationTokenSource(timeout, Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, cancellationToken);
        Exception? last = null;
        try
        {
            while (true)
            {
                try
                {
                    await GetAsync("health/ready", WireJson.Default.JsonObject, retryCount: 0, either.Token).ConfigureAwait(false);
                    return;
                }
                catch (RewardServiceException e) when (IsTransient(e.Status))
                {
                    last = e;
                }
                await Task.Delay(firstDelay, Clock, either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"The server at {address} was not ready after {timeout.TotalSeconds} seconds; expected it to answer. Is it started?", last);
        }
    }

    private Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, int retryCount, CancellationToken cancellationToken) =>
        SendAsync(() => new HttpRequestMessage(HttpMethod.Get, new Uri(address, path)), type, retryCount, cancellationToken);

    private async Task<IReadOnlyList<AnswerReward>> ScoreOneAsync(
        RankedList list, IReadOnlyList<string> answers, CancellationToken cancellationToken) =>
        RewardsOf(answers, (await PostAsync([list], cancellationToken).ConfigureAwait(false))[0]);

    private async Task<IReadOnlyList<RewardsOfInput>> PostAsync(IReadOnlyList<RankedList> lists, CancellationToken cancellationToken)
    {
        var body = new RewardsRequest(options.Model, [.. lists.Select(InputOf)]);
        var response = await SendAsync(
            () => new HttpRequestMessage(HttpMethod.Post, new Uri(address, "v1/rewards"))
            {
                Content = JsonContent.Create(body, WireJson.Default.RewardsRequest),
            },
            WireJson.Default.RewardsResponse, options.MaxRetries, cancellationToken).ConfigureAwait(false);
        if (response.Results.Count != lists.Count
            || response.Results.Zip(lists).Any(pair => !pair.First.IsOf(pair.Second.Answers.Count)))
            throw NoAnswer(HttpStatusCode.OK, "It has rewards of other lists than were sent.");
        return response.Results;
    }

    private async Task<T> SendAsync<T>(
        Func<HttpRequestMessage> create, JsonTypeInfo<T> type, int retryCount, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            TimeSpan? toWait = null;
            RewardServiceException error;
            try
            {
                using var request = create();
                if (options.ApiKey is { } key)
                    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
                using var response = await SendOnceAsync(request, cancellationToken).ConfigureAwait(false);
                var content = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
                if (response.IsSuccessStatusCode)
                    return Read(content, type, response.StatusCode);
                error = ErrorOf(content, response.StatusCode);
                toWait = WaitOf(response.Headers.RetryAfter);
            }
            catch (HttpRequestException e)
            {
                error = new RewardServiceException(
                    null, "unreachable", $"The server at {address} can't be reached: {e.Message} Is it started?", e);
            }
            if (attempt >= retryCount || !IsTransient(error.Status))
                throw error;
            await Task.Delay(toWait ?? DelayOf(attempt), Clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(options.Timeout, Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            return await http.SendAsync(request, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            // The HttpClient has a limit of its own, and may be given one that is shorter.
            var (limit, name) = late.IsCancellationRequested
                ? (options.Timeout, $"{nameof(RewardClientOptions)}.{nameof(RewardClientOptions.Timeout)}")
                : (http.Timeout, $"{nameof(HttpClient)}.{nameof(HttpClient.Timeout)}");
            throw new TimeoutException(
                $"The server at {address} did not answer in {limit.TotalSeconds} seconds; send fewer answers at once, or set a longer {name}.", e);
        }
    }

    /// <summary>The lists of each request: the first one's index, and how many.</summary>
    private IEnumerable<(int Start, int Count)> Chunks(IReadOnlyList<RankedList> lists)
    {
        var (start, rowCount) = (0, 0);
        for (var i = 0; i < lists.Count; i++)
        {
            if (i > start && rowCount + lists[i].Answers.Count > options.MaxRowsPerRequest)
            {
                yield return (start, i - start);
                (start, rowCount) = (i, 0);
            }
            rowCount += lists[i].Answers.Count;
        }
        if (start < lists.Count)
            yield return (start, lists.Count - start);
    }

    private static bool IsTransient(HttpStatusCode? status) => status is null or HttpStatusCode.TooManyRequests
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>Twice as long every time; clients that failed together must not come back together.</summary>
    private static TimeSpan DelayOf(int attempt)
    {
        const int steps = 1000;
        var longest = TimeSpan.FromTicks(Math.Min(longestDelay.Ticks, (long)(firstDelay.Ticks * Math.Pow(2, Math.Min(attempt, 30)))));
        return longest * (1 - RandomNumberGenerator.GetInt32(steps) / (2.0 * steps));
    }

    private TimeSpan? WaitOf(RetryConditionHeaderValue? retryAfter)
    {
        var wait = retryAfter?.Delta ?? retryAfter?.Date - Clock.GetUtcNow();
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private T Read<T>(byte[] content, JsonTypeInfo<T> type, HttpStatusCode status)
    {
        try
        {
            return JsonSerializer.Deserialize(content, type) ?? throw NoAnswer(status, "It is null.");
        }
        catch (JsonException e)
        {
            throw NoAnswer(status, e.Message, e);
        }
    }

    private RewardServiceException NoAnswer(HttpStatusCode status, string reason, Exception? inner = null) => new(
        status, "unexpected_response", $"The response of {address} is none of a reward model's server: {reason}", inner);

    /// <summary>What the server says: <c>{"error": {"code", "message"}}</c>, or something else where another answers for it.</summary>
    private static RewardServiceException ErrorOf(byte[] content, HttpStatusCode status)
    {
        const int mostShown = 500;
        try
        {
            if (JsonNode.Parse(content) is JsonObject body && body["error"] is JsonObject error
                && error["message"] is JsonValue message && message.TryGetValue<string>(out var text))
                return new RewardServiceException(status, error["code"]?.ToString() ?? $"{(int)status}", text);
        }
        catch (JsonException)
        {
        }
        var shown = Encoding.UTF8.GetString(content.AsSpan(0, Math.Min(content.Length, mostShown)));
        return new RewardServiceException(
            status, $"{(int)status}", $"The server answers {(int)status} ({status}){(shown.Length > 0 ? $": {shown}" : ".")}");
    }

    private static RewardsInput InputOf(RankedList list) => list switch
    {
        { IsWholeText: true } => new RewardsInput(Text: list.Answers[0]),
        { Chat: { } chat } => new RewardsInput(
            Messages: [.. chat.Prompt.Messages.Select(message => message.Json)], Tools: chat.Prompt.Tools,
            Answers: [.. list.Answers.Select(answer => JsonNode.Parse(answer))]),
        _ => new RewardsInput(list.Prompt, Answers: [.. list.Answers.Select(answer => JsonValue.Create(answer))]),
    };

    private static AnswerReward[] RewardsOf(IReadOnlyList<string> answers, RewardsOfInput scored) =>
    [
        .. answers.Select((answer, i) => new AnswerReward(
            i, answer, scored.Rewards[i], scored.Ranks[i], scored.WinProbabilities?[i], scored.RewardStds?[i], scored.Truncated[i])),
    ];

    private static AnswerReward[] Ranked(IReadOnlyList<AnswerReward> rewards) => [.. rewards.OrderByDescending(scored => scored.Reward)];
}
