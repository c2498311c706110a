using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Server;
using RewardModel.Tests.Parity;
using RewardModel.Tests.Scoring;
using RewardModel.Tests.Tokenizers;
using RewardModel.Tokenizers;
using RewardModel.Training.Data;
using static TorchSharp.torch;

namespace RewardModel.Tests.Server;

public sealed class ServedModelsTests : IDisposable
{
    private const string chatTemplate =
        "{% for m in messages %}<s>{{ m.role }}:{{ m.content }}</s>\\n{% endfor %}{% if add_generation_prompt %}<s>assistant:{% endif %}";

    private readonly TemporaryDirectory directory = new();
    private readonly ServerTelemetry telemetry = new();

    public void Dispose()
    {
        telemetry.Dispose();
        directory.Dispose();
    }

    [Fact]
    public async Task Rewards_are_those_of_the_model_for_many_clients_at_once()
    {
        Save("first", seed: 1);
        Save("second", seed: 2);
        Save("encoder", () => ParityModel.Random("bert"));
        await using var served = await LoadAsync(options => options.MaxTokensPerBatch = 100, "first", "second", "encoder");
        using var first = ScoringModel.Load(directory["first"]);
        using var second = ScoringModel.Load(directory["second"]);
        using var encoder = ScoringModel.Load(directory["encoder"]);
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, cancellationToken) =>
        {
            var random = new SplitMix64((ulong)i);
            var (name, model) = random.NextBelow(3) switch { 0 => (null, first), 1 => ("second", second), _ => ("encoder", encoder) };
            // Few prompts, so that requests share them; some too long.
            RankedList[] lists =
            [
                .. Enumerable.Range(0, 1 + random.NextBelow(4)).Select(_ => RankedList.BestFirst(
                    new string('p', random.NextBelow(5)) + new string('q', random.NextBelow(2) * 20),
                    [.. Enumerable.Range(0, 1 + random.NextBelow(6)).Select(_ => Word(random))])),
            ];
            var result = await served.ScoreAsync(new ScoringRequest(name, [.. lists.Select(ScoringInput.Of)]), cancellationToken);
            Assert.Equal(name ?? "first", result.Model);
            AssertClose(model.Score(lists, progress: null, cancellationToken), result);
            Assert.All(result.Lists, list => Assert.All(list.Answers, answer => Assert.Null(answer.StandardDeviation)));
        });
        Assert.All(served.All, model => Assert.Equal((0, 0L), model.Queue.Waiting()));
    }

    [Fact]
    public async Task An_ensemble_gives_means_and_standard_deviations()
    {
        for (var seed = 1; seed <= 3; seed++)
            Save($"all/seed-{seed}", seed);
        await using var served = await LoadAsync(null, "all");
        var lists = new[] { RankedList.BestFirst("ab", "c", "de"), RankedList.BestFirst("ab", "f") };
        using var ensemble = RewardEnsemble.Load([directory["all"]]);
        var expected = ensemble.ScoreWithDeviation(lists);
        var result = await served.ScoreAsync(Request(lists), CancellationToken.None);
        AssertClose([.. expected.Select(list => Array.ConvertAll(list, reward => reward.Mean))], result);
        foreach (var (of, found) in expected.SelectMany(list => list).Zip(result.Lists.SelectMany(list => list.Answers)))
            Assert.Equal(of.StandardDeviation, found.StandardDeviation!.Value, 1e-5);
        Assert.Equal(("all", "llama", 12, false, 3), served.Models[0] is var model
            ? (model.Name, model.Architecture, model.MaxLength, model.HasChatTemplate, model.MemberCount) : default);
    }

    [Fact]
    public async Task Answers_tell_their_tokens_and_whether_they_were_cut()
    {
        Save("model", seed: 1);
        await using var served = await LoadAsync(null, "model");
        // 12 tokens fit, with <eos>; "a" fits all of the prompt, "bcdef" a part, and twelve letters are cut themselves.
        var text = RankedList.BestFirst("pqrstuvw", "a", "bcdef", "abcdefghijkl");
        var ids = new TokenizedList([1, 2, 3], [[4, 26], [.. Enumerable.Range(0, 10)]], [0, 0]);
        var lists = (await served.ScoreAsync(new ScoringRequest("model", [ScoringInput.Of(text), ScoringInput.Of(ids)]), CancellationToken.None)).Lists;
        Assert.Equal((8, 3), (lists[0].PromptTokens, lists[1].PromptTokens));
        Assert.Equal([(2, false), (6, true), (12, true)], lists[0].Answers.Select(answer => (answer.Tokens, answer.WasCut)));
        Assert.Equal([(2, false), (10, true)], lists[1].Answers.Select(answer => (answer.Tokens, answer.WasCut)));
        using var model = ScoringModel.Load(directory["model"]);
        AssertClose([model.Score([text])[0], model.Scorer().Score(model.Truncate([ids]).Lists)[0]], lists);
    }

    [Fact]
    public async Task A_smaller_maximum_length_cuts_as_that_of_a_model_does()
    {
        using var folder = TokenizerFolder.ByteLevel($$"""{"eos_token": "</s>", "chat_template": "{{chatTemplate}}"}""");
        foreach (var maxLength in new[] { 96, 40 })
            SaveBytes($"max{maxLength}", folder, maxLength);
        await using var served = await LoadAsync(null, "max96", "max40");
        Assert.True(served.Models[0].HasChatTemplate);
        RankedList[] lists =
        [
            RankedList.BestFirst(new string('x', 60), "short", new string('y', 50)),
            RankedList.BestFirst(new string('x', 60), "short", new string('y', 50)).AsChat(),
            RankedList.BestFirst("x", "short").AsChat(),
        ];
        var expected = await served.ScoreAsync(Request(lists) with { Model = "max40" }, CancellationToken.None);
        var found = await served.ScoreAsync(Request(lists) with { MaxLength = 40 }, CancellationToken.None);
        Assert.Equal(
            expected.Lists.SelectMany(list => list.Answers.Select(answer => (list.PromptTokens, answer.Tokens, answer.WasCut))),
            found.Lists.SelectMany(list => list.Answers.Select(answer => (list.PromptTokens, answer.Tokens, answer.WasCut))));
        Assert.Equal([true, true, true, true, false], found.Lists.SelectMany(list => list.Answers).Select(answer => answer.WasCut));
        AssertClose([.. expected.Lists.Select(list => list.Answers.Select(answer => answer.Reward).ToArray())], found);
        using var model40 = ScoringModel.Load(directory["max40"]);
        AssertClose(model40.Score(lists), found);
        // A larger one than the model's is the model's.
        AssertClose(model40.Score(lists), await served.ScoreAsync(Request(lists) with { Model = "max40", MaxLength = 90 }, CancellationToken.None));
        Assert.Equal(
            (400, "bad_max_length", "The maximum length is 1; expected at least 2, for the special tokens and an answer."),
            await FailureOf(served, Request(lists) with { MaxLength = 1 }));
    }

    [Fact]
    public async Task Requests_that_can_not_be_answered_say_why()
    {
        Save("model", seed: 1);
        using (var bare = new ScoringModel(TinyModel.Create()))
            bare.Save(directory["bare"]);
        await using var served = await LoadAsync(options => options.MaxRowsPerRequest = 3, "model", "bare");
        var list = RankedList.BestFirst("a", "b");
        ScoringRequest Ids(params TokenizedList[] lists) => new("bare", [.. lists.Select(ScoringInput.Of)]);
        Assert.Equal(
            (404, "model_not_found", "There is no model 'other'; expected 'model' or 'bare'."), await FailureOf(served, Request(list) with { Model = "other" }));
        Assert.Equal((400, "no_inputs", "There is nothing to score; expected at least one input."), await FailureOf(served, Request()));
        Assert.Equal(
            (413, "too_many_rows", "The request has 4 answers; expected at most 3. Divide it into several requests."),
            await FailureOf(served, Request(list, RankedList.BestFirst("a", "b", "c", "d"))));
        Assert.Equal(
            (400, "no_tokenizer", "Input 1 is text, and the model has no tokenizer; expected token ids."),
            await FailureOf(served, Request(list) with { Model = "bare" }));
        Assert.Equal(
            (400, "no_chat_template", "Input 2 is a conversation, and the model has no chat template; expected text or token ids."),
            await FailureOf(served, Request(list, list.AsChat())));
        Assert.Equal(
            (400, "bad_token_id",
                "Input 1, prompt: token id 2 of 2 is -1; the model's are 0 to 60. Input 2, answer 2: token id 1 of 1 is 61; the model's are 0 to 60."),
            await FailureOf(served, Ids(new([0, -1], [[1]], [0]), new([], [[60], [61]], [0, 0]))));
        Assert.Equal(
            (400, "empty_answer", "Input 1, answer 2: there are no token ids; expected at least one."),
            await FailureOf(served, Ids(new TokenizedList([1], [[60], []], [0, 0]))));
    }

    [Fact]
    public async Task A_prompt_counts_for_each_of_its_answers()
    {
        Save("model", seed: 1);
        await using var served = await LoadAsync(options => options.MaxRequestBytes = 100, "model");
        // Of 400 characters: four times 95 and the answers' own.
        RankedList Of(int promptLength) => RankedList.BestFirst(new string('a', promptLength), "bcde", "cdef", "defg", "efghabcd");
        Assert.Single((await served.ScoreAsync(Request(Of(95)), CancellationToken.None)).Lists);
        Assert.Equal(
            (413, "too_much_text",
                "The request has 404 characters, its prompts counted once for each of their answers; expected at most 400. "
                + "Divide it into several requests."),
            await FailureOf(served, Request(Of(96))));
        using var tools = System.Text.Json.JsonDocument.Parse($"[\"{new string('a', 300)}\"]");
        var chat = RankedList.BestFirst("a", "b", "c").AsChat().Chat!;
        Assert.Equal(413, (await FailureOf(served, Request(RankedList.OfChat(
            chat with { Prompt = chat.Prompt with { Tools = tools.RootElement } }, [1, 0])))).Status);
        // Token ids are as they are.
        Assert.Single((await served.ScoreAsync(
            new ScoringRequest("model", [ScoringInput.Of(new TokenizedList(new int[300], [[1], [2]], [0, 0]))]), CancellationToken.None)).Lists);
    }

    [Theory]
    [InlineData("{{ raise_exception('users first') }}", "bad_text", "Input 1: ", "users first")]
    [InlineData("{% for %}", "bad_chat_template", "Input 1 is a conversation, and the model's chat template can't be used (", "); expected text or token ids.")]
    public async Task Conversations_that_the_template_can_not_render_are_refused(string template, string code, string start, string part)
    {
        using (var folder = TokenizerFolder.ByteLevel($$"""{"chat_template": "{{template}}"}"""))
            SaveBytes("model", folder, maxLength: 96);
        await using var served = await LoadAsync(null, "model");
        var failure = await FailureOf(served, Request(RankedList.BestFirst("a", "b").AsChat()));
        Assert.Equal((400, code), (failure.Status, failure.Code));
        Assert.StartsWith(start, failure.Message);
        Assert.Contains(part, failure.Message);
        // Text needs no template.
        Assert.Single((await served.ScoreAsync(Request(RankedList.BestFirst("a", "b")), CancellationToken.None)).Lists);
    }

    [Fact]
    public async Task A_request_that_takes_too_long_is_given_up()
    {
        Save("model", seed: 1);
        await using var served = await LoadAsync(
            options => (options.RequestTimeout, options.BatchWindow) = (TimeSpan.FromSeconds(0.1), TimeSpan.FromMinutes(1)), "model");
        Assert.Equal(
            (504, "timeout",
                "The request was not answered within 0.1 s. Send fewer answers at a time, or try again when there is less to do."),
            await FailureOf(served, Request(RankedList.BestFirst("a", "b"))));
        Assert.Equal((0, 0L), served.All[0].Queue.Waiting());
        using var gone = new CancellationTokenSource(TimeSpan.FromSeconds(0.02));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => served.ScoreAsync(Request(RankedList.BestFirst("a", "b")), gone.Token));
    }

    [Fact]
    public async Task A_model_is_replaced_under_load_without_a_failed_request()
    {
        Save("a", seed: 1);
        Save("b", seed: 2);
        Replace("a");
        await using var served = await LoadAsync(options => options.MaxTokensPerBatch = 100, "served");
        using var a = ScoringModel.Load(directory["a"]);
        using var b = ScoringModel.Load(directory["b"]);
        var old = served.All[0].Acquire();
        old.Release();
        using var stop = new CancellationTokenSource();
        var counts = new int[2];
        var clients = Enumerable.Range(0, 8).Select(client => Task.Run(async () =>
        {
            var random = new SplitMix64((ulong)client);
            while (!stop.IsCancellationRequested)
            {
                var list = RankedList.BestFirst(new string('p', random.NextBelow(5)), Word(random), Word(random));
                var found = (await served.ScoreAsync(Request(list), CancellationToken.None)).Lists[0].Answers.Select(answer => answer.Reward).ToArray();
                // All of a request is of one version.
                var which = new[] { a, b }.Select(model => model.Score([list])[0]).ToList().FindIndex(
                    rewards => rewards.Zip(found).All(pair => Math.Abs(pair.First - pair.Second) <= 1e-5 * Math.Max(1, Math.Abs(pair.First))));
                Assert.True(which >= 0, $"{string.Join(' ', found)} are the rewards of neither");
                Interlocked.Increment(ref counts[which]);
            }
        })).ToArray();
        for (var i = 0; i < 6; i++)
        {
            await Task.Delay(50);
            Replace(i % 2 == 0 ? "b" : "a");
            Assert.True(await served.ReloadAsync("served", CancellationToken.None));
        }
        await Task.Delay(50);
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        Assert.All(counts, count => Assert.True(count > 5, $"{count} requests"));
        Assert.False(old.TryAcquire());
    }

    [Fact]
    public async Task A_new_version_that_is_bad_leaves_the_old_one_serving()
    {
        Save("a", seed: 1);
        SaveTooLarge("nan");
        Replace("a");
        await using var served = await LoadAsync(null, "served");
        var list = RankedList.BestFirst("a", "b");
        var before = await served.ScoreAsync(Request(list), CancellationToken.None);
        var loadedAt = served.Models[0].LoadedAt;
        Replace("nan");
        Assert.False(await served.ReloadAsync("served", CancellationToken.None));
        File.WriteAllText(directory["served/model.safetensors"], "broken");
        Assert.False(await served.ReloadAsync("served", CancellationToken.None));
        File.Delete(directory["served/config.json"]);
        Assert.False(await served.ReloadAsync("served", CancellationToken.None));
        Assert.Equal(before.Lists[0].Answers[0], (await served.ScoreAsync(Request(list), CancellationToken.None)).Lists[0].Answers[0]);
        Assert.Equal(loadedAt, served.Models[0].LoadedAt);
        Replace("a");
        Assert.True(await served.ReloadAsync("served", CancellationToken.None));
        Assert.True(served.Models[0].LoadedAt > loadedAt);
    }

    [Fact]
    public async Task Models_that_can_not_be_served_are_all_named()
    {
        SaveTooLarge("nan");
        Directory.CreateDirectory(directory["empty"]);
        Save("good", seed: 1);
        var failure = await Assert.ThrowsAsync<CheckpointException>(() => LoadAsync(null, "nan", "good", "empty"));
        Assert.Equal("2 of 3 models can't be served", failure.FilePath);
        Assert.Equal(
            $"{directory["nan"]}: the reward of a probe is not a finite number. "
            + "The weights have numbers that are not finite or too large: save the model of a run that did not diverge.",
            failure.Problems[0]);
        Assert.StartsWith($"{directory["empty"]}: ", failure.Problems[1]);
        Assert.Equal(directory["nan"], (await Assert.ThrowsAsync<CheckpointException>(() => LoadAsync(null, "nan"))).FilePath);
    }

    [Fact]
    public async Task Before_and_after_it_serves_requests_are_refused()
    {
        Save("model", seed: 1);
        var list = RankedList.BestFirst("a", "b");
        var served = New(options => options.BatchWindow = TimeSpan.FromSeconds(0.3), "model");
        Assert.Equal((503, "loading", "The models are being loaded. Try again later."), await FailureOf(served, Request(list)));
        await served.LoadAsync(CancellationToken.None);
        var last = served.ScoreAsync(Request(list), CancellationToken.None);
        var drained = served.DrainAsync();
        Assert.False(drained.IsCompleted);
        Assert.Equal(503, (await FailureOf(served, Request(list))).Status);
        Assert.Single((await last).Lists);
        await drained.WaitAsync(TimeSpan.FromSeconds(10));
        await served.DisposeAsync();
        Assert.Equal((503, "shutting_down"), await FailureOf(served, Request(list)) is var (status, code, _) ? (status, code) : default);
    }

    private static string Word(SplitMix64 random) =>
        string.Concat(Enumerable.Range(0, 1 + random.NextBelow(14)).Select(_ => (char)('a' + random.NextBelow(26))));

    private static ScoringRequest Request(params RankedList[] lists) => new(null, [.. lists.Select(ScoringInput.Of)]);

    private static void AssertClose(float[][] expected, ScoringResult found) => AssertClose(expected, found.Lists);

    private static void AssertClose(float[][] expected, IReadOnlyList<ScoredInput> found)
    {
        Assert.Equal(expected.Select(list => list.Length), found.Select(list => list.Answers.Count));
        foreach (var (reward, answer) in expected.SelectMany(list => list).Zip(found.SelectMany(list => list.Answers)))
            Assert.Equal(reward, answer.Reward, 1e-6 * Math.Max(1, Math.Abs(reward)));
    }

    private static async Task<(int Status, string Code, string Message)> FailureOf(ServedModels served, ScoringRequest request) =>
        await Assert.ThrowsAsync<RequestException>(() => served.ScoreAsync(request, CancellationToken.None)) is var failure
            ? (failure.Status, failure.Code, failure.Message) : default;

    private async Task<ServedModels> LoadAsync(Action<RewardServerOptions>? configure, params string[] names)
    {
        var served = New(configure, names);
        await served.LoadAsync(CancellationToken.None);
        return served;
    }

    private ServedModels New(Action<RewardServerOptions>? configure, params string[] names)
    {
        var options = new RewardServerOptions();
        foreach (var name in names)
            options.Models.Add(new ServedModelOptions { Directories = { directory[name] } });
        configure?.Invoke(options);
        return new ServedModels(Options.Create(options), telemetry, NullLogger<ServedModels>.Instance);
    }

    private void Save(string name, long seed) => Save(name, () => TinyModel.Create(seed: seed));

    private void Save(string name, Func<RewardTransformer> create)
    {
        using var model = new ScoringModel(create(), ScoringModelTests.Tokenizer(directory), maxLength: 12);
        model.Save(directory[name]);
    }

    /// <summary>A model whose tokenizer reads all texts.</summary>
    private void SaveBytes(string name, TokenizerFolder folder, int maxLength)
    {
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        using var model = new ScoringModel(
            RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), 0, 1),
            HuggingFaceTokenizer.Load(folder.Directory), maxLength);
        model.Save(directory[name]);
    }

    private void SaveTooLarge(string name)
    {
        using var model = new ScoringModel(TinyModel.Create(), ScoringModelTests.Tokenizer(directory), maxLength: 12);
        using (no_grad())
            model.Transformer.parameters().Last().fill_(3e38f);
        model.Save(directory[name]);
    }

    /// <summary>Puts a model into the directory that is served, as <see cref="ScoringModel.Save"/> does.</summary>
    private void Replace(string name)
    {
        using var model = ScoringModel.Load(directory[name]);
        model.Save(directory["served"]);
    }
}
