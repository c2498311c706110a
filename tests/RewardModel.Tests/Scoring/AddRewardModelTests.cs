using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RewardModel.Scoring;

namespace RewardModel.Tests.Scoring;

[Collection(nameof(RunsAlone))]
public sealed class AddRewardModelTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public AddRewardModelTests()
    {
        foreach (var seed in new[] { 1, 2 })
        {
            using var model = new ScoringModel(TinyModel.Create(seed: seed), ScoringModelTests.Tokenizer(directory), maxLength: 12);
            model.Save(directory[$"model{seed}"]);
        }
    }

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Options_have_their_defaults()
    {
        var options = new RewardModelOptions();
        Assert.Equal(
            ("", null, 8192, 0, false),
            (options.Directory, options.Device, options.MaxTokensPerBatch, options.PromptCacheBytes, options.IsBatchInvariant));
    }

    [Fact]
    public async Task One_model_serves_the_application_and_goes_with_it()
    {
        using var expected = ScoringModel.Load(directory["model1"]);
        ScoringModel model;
        await using (var provider = new ServiceCollection().AddRewardModel(directory["model1"]).BuildServiceProvider())
        {
            var service = provider.GetRequiredService<IRewardModel>();
            model = provider.GetRequiredService<ScoringModel>();
            Assert.Same(model, service);
            Assert.Equal(expected.Score("ab", "c", "d"), await service.ScoreAsync("ab", ["c", "d"]));
        }
        Assert.Throws<ObjectDisposedException>(() => model.Score("ab", "c"));
    }

    [Fact]
    public void Options_are_kept()
    {
        using var provider = new ServiceCollection().AddRewardModel(options =>
        {
            options.Directory = directory["model1"];
            options.Device = "cpu";
            options.MaxTokensPerBatch = 100;
            options.PromptCacheBytes = 1000;
            options.IsBatchInvariant = true;
        }).BuildServiceProvider();
        var model = provider.GetRequiredService<ScoringModel>();
        Assert.Equal(
            (100, 1000L, true), (model.MaxTokensPerBatch, model.PromptCache?.MaxBytes, model.Transformer.IsBatchInvariant));
    }

    [Fact]
    public void Options_may_come_from_elsewhere()
    {
        var services = new ServiceCollection().AddRewardModel();
        services.Configure<RewardModelOptions>(options => options.Directory = directory["model2"]);
        using var provider = services.BuildServiceProvider();
        using var expected = ScoringModel.Load(directory["model2"]);
        Assert.Equal(expected.Score("ab", "c"), provider.GetRequiredService<IRewardModel>().Score("ab", "c"));
    }

    [Fact]
    public void Several_models_have_names()
    {
        using var provider = new ServiceCollection()
            .AddKeyedRewardModel("helpful", options => options.Directory = directory["model1"])
            .AddKeyedRewardModel("harmless", options => options.Directory = directory["model2"])
            .BuildServiceProvider();
        var rewards = new[] { "helpful", "harmless" }
            .Select(name => provider.GetRequiredKeyedService<IRewardModel>(name).Score("ab", "c")[0]).ToArray();
        Assert.NotEqual(rewards[0], rewards[1]);
        Assert.Same(
            provider.GetRequiredKeyedService<ScoringModel>("helpful"), provider.GetRequiredKeyedService<IRewardModel>("helpful"));
    }

    [Fact]
    public void All_that_is_wrong_is_told_when_the_options_are_checked()
    {
        using var provider = new ServiceCollection().AddRewardModel(options =>
        {
            options.Directory = directory["none"];
            options.Device = "gpu";
            options.MaxTokensPerBatch = 0;
            options.PromptCacheBytes = -1;
        }).BuildServiceProvider();
        string[] expected =
        [
            $"Directory is '{directory["none"]}', which does not exist; expected the directory of a trained reward model.",
            "Device is 'gpu'; expected cpu, cuda or cuda:N, where N counts the GPUs from 0.",
            "MaxTokensPerBatch is 0; expected at least 1.",
            "PromptCacheBytes is -1; expected 0 (no cache) or more.",
        ];
        Assert.Equal(expected, Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IRewardModel>()).Failures);
        var start = provider.GetRequiredService<IStartupValidator>();
        Assert.Equal(expected, Assert.Throws<OptionsValidationException>(start.Validate).Failures);

        using var empty = new ServiceCollection().AddRewardModel().BuildServiceProvider();
        Assert.Equal(
            ["Directory is not set; expected the directory of a trained reward model."],
            Assert.Throws<OptionsValidationException>(() => empty.GetRequiredService<IRewardModel>()).Failures);
    }

    [Fact]
    public void Null_is_told_by_the_name_of_the_parameter()
    {
        Assert.Throws<ArgumentNullException>("services", () => ((IServiceCollection)null!).AddRewardModel());
        Assert.Throws<ArgumentNullException>("services", () => ((IServiceCollection)null!).AddRewardModel("directory"));
        Assert.Throws<ArgumentNullException>("directory", () => new ServiceCollection().AddRewardModel((string)null!));
        Assert.Throws<ArgumentNullException>("name", () => new ServiceCollection().AddKeyedRewardModel(null!));
    }
}
