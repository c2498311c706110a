using System.Globalization;
using System.Text.RegularExpressions;
using RewardModel.Server;

namespace RewardModel.Tests.Server;

/// <summary>The names and numbers of docs/telemetry.md. Alone, because others' requests would be counted, too.</summary>
[Collection(nameof(RunsAlone))]
public partial class ServerTelemetryTests
{
    [Fact]
    public async Task What_a_server_does_is_told_to_Prometheus()
    {
        await using var test = await TestServer.StartAsync((options, _) =>
            (options.MaxRowsPerRequest, options.BatchWindow) = (5, TimeSpan.FromSeconds(0.5)));
        // Both at once, with the same prompt: "ab" once, and c<eos>, de<eos>, fgh<eos>.
        await Task.WhenAll(test.ScoreAsync("ab", "c", "de"), test.ScoreAsync("ab", "fgh"));
        Assert.Equal(413, (int)(await test.PostAsync("a", "b", "c", "d", "e", "f", "g")).StatusCode);
        Assert.True(await test.Server.Models.ReloadAsync("model", CancellationToken.None));
        var last = test.PostAsync("abc", "d");
        while (test.Server.Models.All[0].Queue.Waiting().Lists == 0)
            await Task.Delay(1);
        var page = await test.Client.GetStringAsync("/metrics");
        Assert.Equal(200, (int)(await last).StatusCode);

        var samples = Sample().Matches(page).Select(match => (
            Name: match.Groups["name"].Value, Labels: match.Groups["labels"].Value,
            Value: double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture))).ToArray();
        Assert.Equal(page.Split('\n').Count(line => line.Length > 0 && line[0] != '#'), samples.Length);
        double Value(string name, params string[] labels) => Assert.Single(
            samples, sample => sample.Name == name && labels.All(label => sample.Labels.Contains(label, StringComparison.Ordinal))).Value;

        const string model = "reward_model_model=\"model\"";
        Assert.Equal((1, 5), (Value("reward_model_server_queue_lists", model), Value("reward_model_server_queue_tokens", model)));
        Assert.Equal((1, 2), (Value("reward_model_server_batch_lists_count", model), Value("reward_model_server_batch_lists_sum", model)));
        Assert.Equal((1, 11), (Value("reward_model_server_batch_tokens_count", model), Value("reward_model_server_batch_tokens_sum", model)));
        Assert.Equal(2, Value("reward_model_server_queue_wait_seconds_count", model));
        Assert.InRange(Value("reward_model_server_queue_wait_seconds_sum", model), 0.1, 5);
        Assert.Equal(1, Value("reward_model_server_request_rejected_total", model, "error_type=\"too_many_rows\""));
        Assert.Equal(1, Value("reward_model_server_request_duration_seconds_count", model, "error_type=\"too_many_rows\""));
        Assert.Equal(2, samples.Single(sample =>
            sample.Name == "reward_model_server_request_duration_seconds_count" && !sample.Labels.Contains("error_type", StringComparison.Ordinal)).Value);
        Assert.Equal(1, Value("reward_model_server_reloads_total", model));
        // The prompts are too short to be kept.
        Assert.Equal(
            (0, 0),
            (Value("reward_model_server_prompt_cache_prompts", model), Value("reward_model_server_prompt_cache_size_bytes", model)));
        // The models are probed when they are loaded.
        Assert.True(Value("reward_model_scoring_tokens_total", "reward_model_device=\"cpu\"") >= 11);
        Assert.Equal(2, Value("http_server_request_duration_seconds_count", "http_route=\"/test\"", "http_response_status_code=\"200\""));
        Assert.Contains(samples, sample => sample.Name == "kestrel_active_connections");
    }

    [Fact]
    public void The_documentation_has_every_name()
    {
        var documentation = File.ReadAllText(Path.Combine(Shared.RepositoryRoot, "docs", "telemetry.md"));
        var names = typeof(ServerTelemetry).GetFields().Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!).ToArray();
        Assert.Equal(13, names.Length);
        Assert.All(names.Concat(["{list}", "{request}", "{reload}", "{prompt}"]), name => Assert.Contains($"`{name}`", documentation));
    }

    /// <summary>A line such as: http_requests_total{method="post",code="200"} 1027 1395066363000</summary>
    [GeneratedRegex(@"^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>[^}]*)\})? (?<value>\S+)(?: \d+)?$", RegexOptions.Multiline)]
    private static partial Regex Sample();
}
