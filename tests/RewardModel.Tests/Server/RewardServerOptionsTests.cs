using Microsoft.Extensions.Configuration;
using RewardModel.Server;

namespace RewardModel.Tests.Server;

public class RewardServerOptionsTests
{
    [Fact]
    public void Options_have_their_defaults()
    {
        var options = new RewardServerOptions();
        Assert.Empty(options.Models);
        Assert.Empty(options.ApiKeys);
        Assert.Equal(
            (null, TimeSpan.FromMilliseconds(2), 1_048_576L, 1024, 33_554_432L, 8192),
            (options.MaxTokensPerBatch, options.BatchWindow, options.MaxQueuedTokens, options.MaxQueuedRequests, options.MaxRequestBytes,
                options.MaxRowsPerRequest));
        Assert.Equal(
            (TimeSpan.FromSeconds(180), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5), 1_073_741_824L),
            (options.RequestTimeout, options.DrainTimeout, options.IdleRelease, options.PromptCacheBytes));
        Assert.Equal(
            (null, null, null, null, null, false, false),
            (options.RequestsPerMinutePerKey, options.ApiKeyFile, options.TlsCertificateFile, options.TlsKeyFile, options.Threads,
                options.MetricsNeedApiKey, options.ReloadOnChange));
        Assert.Equal(("127.0.0.1", 5000), (options.Host, options.Port));
        var model = new ServedModelOptions();
        Assert.Equal(("", null, null, false), (model.Name, model.BaseDirectory, model.Device, model.ReadsTextAsIs));
        Assert.Empty(model.Directories);
    }

    [Fact]
    public void All_that_is_wrong_is_told()
    {
        using var directory = new TemporaryDirectory();
        var options = new RewardServerOptions
        {
            MaxTokensPerBatch = 0,
            MaxQueuedTokens = 0,
            MaxQueuedRequests = 0,
            MaxRequestBytes = 0,
            MaxRowsPerRequest = 0,
            RequestsPerMinutePerKey = 0,
            PromptCacheBytes = -1,
            Threads = 0,
            BatchWindow = TimeSpan.FromSeconds(-1),
            RequestTimeout = TimeSpan.Zero,
            DrainTimeout = TimeSpan.FromDays(25),
            IdleRelease = TimeSpan.FromSeconds(-1),
            ApiKeys = { "" },
            ApiKeyFile = directory["keys"],
            TlsKeyFile = directory["key.pem"],
            Host = "nowhere",
            Port = 70_000,
        };
        string[] expected =
        [
            "Models is empty; expected at least one model.",
            "MaxTokensPerBatch is 0; expected at least 1.",
            "MaxQueuedTokens is 0; expected at least 1.",
            "MaxQueuedRequests is 0; expected at least 1.",
            "MaxRequestBytes is 0; expected at least 1.",
            "MaxRowsPerRequest is 0; expected at least 1.",
            "RequestsPerMinutePerKey is 0; expected at least 1.",
            "PromptCacheBytes is -1; expected at least 0.",
            "Threads is 0; expected at least 1.",
            "BatchWindow is -00:00:01; expected 0 to 24 days.",
            "RequestTimeout is 00:00:00; expected a time above 0 to 24 days.",
            "DrainTimeout is 25.00:00:00; expected 0 to 24 days.",
            "IdleRelease is -00:00:01; expected 0 to 24 days.",
            "ApiKeys has an empty key; expected keys of at least one character.",
            $"ApiKeyFile is '{directory["keys"]}', which does not exist; expected a file of keys, one a line.",
            $"TlsKeyFile is '{directory["key.pem"]}', which does not exist; expected the PEM file of the certificate's private key.",
            "TlsCertificateFile is not set; expected both files, or neither.",
            "Host is 'nowhere'; expected an IP address, such as 127.0.0.1 or 0.0.0.0 (all of this machine's), or localhost.",
            "Port is 70000; expected a number from 0 (any that is free) to 65535.",
        ];
        Assert.Equal(expected, new RewardServerOptionsCheck().Validate(null, options).Failures);
        Assert.Equal(string.Join(Environment.NewLine, expected), Assert.Throws<ArgumentException>(() => RewardServerOptionsCheck.Check(options)).Message);
    }

    /// <summary>No memory has room for more, nor has a number for eight times the largest.</summary>
    [Fact]
    public void A_body_has_at_most_a_gibibyte()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["model"]);
        var options = new RewardServerOptions
        {
            Models = { new ServedModelOptions { Directories = { directory["model"] } } },
            MaxRequestBytes = long.MaxValue,
        };
        Assert.Equal(
            ["MaxRequestBytes is 9223372036854775807; expected at most 1073741824."],
            new RewardServerOptionsCheck().Validate(null, options).Failures);
        options.MaxRequestBytes = 1 << 30;
        Assert.True(new RewardServerOptionsCheck().Validate(null, options).Succeeded);
    }

    [Fact]
    public void All_that_is_wrong_with_models_is_told()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["model"]);
        var options = new RewardServerOptions
        {
            Models =
            {
                new ServedModelOptions { Directories = { directory["model"] } },
                new ServedModelOptions { Directories = { directory["model"] + "/", directory["none"] }, BaseDirectory = directory["base"], Device = "gpu" },
                new ServedModelOptions { Name = "other" },
                // As of a shell's variable that is not set.
                new ServedModelOptions { Directories = { "" } },
            },
        };
        Assert.Equal(
            [
                $"Models[1].Directories has '{directory["none"]}', which does not exist; expected the directory of a trained reward model.",
                $"Models[1].BaseDirectory is '{directory["base"]}', which does not exist; expected the directory of an adapter's base model.",
                "Models[1].Device is 'gpu'; expected cpu, cuda or cuda:N, where N counts the GPUs from 0.",
                "Models[2].Directories is empty; expected the directory of a trained reward model.",
                "Models[3].Directories has '', which does not exist; expected the directory of a trained reward model.",
                "2 models have the name 'model'; expected a name of its own for each.",
            ],
            new RewardServerOptionsCheck().Validate(null, options).Failures);
        options.Models[1] = new ServedModelOptions { Name = "second", Directories = { directory["model"] } };
        options.Models.RemoveAt(3);
        options.Models.RemoveAt(2);
        Assert.True(new RewardServerOptionsCheck().Validate(null, options).Succeeded);
    }

    [Fact]
    public void They_are_read_from_a_configuration()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Models:0:Name"] = "z",
            ["Models:0:Directories:0"] = "one",
            ["Models:0:Directories:1"] = "two",
            ["Models:1:Directories:0"] = "a",
            ["Models:1:ReadsTextAsIs"] = "true",
            ["BatchWindow"] = "00:00:00.005",
            ["ApiKeys:0"] = "secret",
            ["MaxTokensPerBatch"] = "512",
        }).Build();
        Action<RewardServerOptions> configure = configuration.Bind;
        var options = new RewardServerOptions();
        configure(options);
        Assert.Equal(["z", "a"], options.Models.Select(model => model.ServedName));
        Assert.Equal(["one", "two"], options.Models[0].Directories);
        Assert.True(options.Models[1].ReadsTextAsIs);
        Assert.Equal((TimeSpan.FromMilliseconds(5), 512, "secret"), (options.BatchWindow, options.MaxTokensPerBatch, options.ApiKeys[0]));
    }
}
