using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using RewardModel.Chat;
using RewardModel.Checkpoints;
using RewardModel.Distributed;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Tests.Scoring;
using RewardModel.Tokenizers;
using static TorchSharp.torch;

namespace RewardModel.Tests;

/// <summary>
/// Every public method that takes an object, called once without each of them: <see cref="ArgumentNullException"/> has the parameter's own
/// name. What gives results to callers (records that only hold values, exceptions) is left out.
/// </summary>
[Collection(nameof(RunsAlone))]
public sealed class NullArgumentTests : IDisposable
{
    private static readonly Assembly[] assemblies = [typeof(RankedList).Assembly, typeof(RewardTransformer).Assembly];

    /// <summary>Methods whose arguments are looked at by others, which they call.</summary>
    private static readonly HashSet<Type> leftOut = [typeof(ListTokenizer), typeof(ListTruncation), typeof(ChatTokenizer)];

    private readonly TemporaryDirectory directory = new();
    private readonly Dictionary<Type, object> objects;

    public NullArgumentTests()
    {
        var tokenizer = ScoringModelTests.Tokenizer(directory);
        var model = new ScoringModel(TinyModel.Create(), tokenizer, maxLength: 12);
        model.Save(directory["model"]);
        var ids = TinyModel.List(1, 2, 3, 4);
        var message = new ChatMessage("user", "a");
        var conversation = new Conversation([message]);
        var list = RankedList.BestFirst("a", "b");
        var sequences = model.Transformer.Pack([ids]);
        var file = SafetensorsFile.Open(directory["model/model.safetensors"]);
        var json = new JsonObject { ["model_type"] = "llama" };
        objects = new object[]
        {
            "text", tokenizer, tokenizer.Tokenizer, model, model.Transformer, model.Transformer.Backbone, model.Rule, ids, message,
            conversation, list, sequences, file, json, SpecialTokenRule.None, new ForwardPass(sequences), RankingLoss.ByName("log-sigmoid").TargetsOf([new([1, 0])]), new RankingLossOptions(),
            new RankedChat(conversation, [[message]]), new ChatTemplate("{{ messages[0].content }}"),
            CheckpointReader.Open(directory["model"]), file.Entries[0], model.Transformer.Config, new ConfigReader(json, "config.json"), RankingLoss.ByName("log-sigmoid"),
            new RewardScorer(model.Transformer), new ListSize(2, 2, 2), zeros(2), model.Transformer.Backbone.GetType(),
        }.ToDictionary(value => value.GetType());
        foreach (var (type, value) in new (Type, object)[]
        {
            (typeof(IReadOnlyList<string>), new[] { "text" }), (typeof(IReadOnlyList<double>), new[] { 1.0 }),
            (typeof(IReadOnlyList<double?>), new double?[] { 1.0 }),
            (typeof(IReadOnlyList<int>), new[] { 1 }), (typeof(IEnumerable<int>), new[] { 1 }),
            (typeof(IEnumerable<IReadOnlyList<double>>), new[] { new[] { 1.0 } }), (typeof(IEnumerable<string>), new[] { "text" }),
            (typeof(IReadOnlyList<ChatMessage>), new[] { message }),
            (typeof(IReadOnlyList<IReadOnlyList<ChatMessage>>), new[] { new[] { message } }),
            (typeof(IReadOnlyList<RankedList>), new[] { list }), (typeof(IReadOnlyList<TokenizedList>), new[] { ids }),
            (typeof(IReadOnlyList<RankingList>), new[] { new RankingList([1, 0]) }),
            (typeof(IReadOnlyDictionary<string, string>), new Dictionary<string, string>()),
        })
            objects.Add(type, value);
        objects[typeof(Microsoft.ML.Tokenizers.Tokenizer)] = tokenizer.Tokenizer;
        objects[typeof(RewardModel.Backbones.Backbone)] = model.Transformer.Backbone;
        objects[typeof(IRewardModel)] = model;
        objects[typeof(RewardEnsemble)] = new RewardEnsemble(model);
        objects[typeof(IReadOnlyList<ScoringModel>)] = new[] { model };
        objects[typeof(IReadOnlyCollection<float>)] = new[] { 1f };
        objects[typeof(RewardNormalizer)] = RewardNormalizer.None;
        objects[typeof(IServiceCollection)] = new ServiceCollection();
        objects[typeof(IEnumerable<(string, Tensor)>)] = Array.Empty<(string, Tensor)>();
        objects[typeof(Func<JsonElement, bool>)] = (JsonElement _) => true;
        objects[typeof(Func<JsonElement, RankedList>)] = (JsonElement _) => list;
        objects[typeof(Func<JsonElement, IEnumerable<RankedList>>)] = (JsonElement _) => (RankedList[])[list];
        objects[typeof(ICollective)] = SingleProcess.Instance;
        objects[typeof(Action)] = () => { };
        objects[typeof(IReadOnlyList<SafetensorsSource>)] = Array.Empty<SafetensorsSource>();
    }

    public void Dispose()
    {
        foreach (var value in objects.Values.OfType<IDisposable>())
            value.Dispose();
        directory.Dispose();
    }

    [Fact]
    public void Every_public_method_names_the_argument_that_is_null()
    {
        var context = new NullabilityInfoContext();
        var checkedCount = 0;
        var wrong = new List<string>();
        foreach (var type in assemblies.SelectMany(assembly => assembly.GetExportedTypes()).Where(IsUsed))
            foreach (var method in MethodsOf(type))
            {
                var parameters = method.GetParameters();
                foreach (var parameter in parameters.Where(parameter =>
                    !parameter.ParameterType.IsValueType && context.Create(parameter).WriteState == NullabilityState.NotNull))
                {
                    checkedCount++;
                    if (Problem(method, parameters, parameter) is { } problem)
                        wrong.Add(
                            $"{type.Name}.{method.Name}({string.Join(", ", parameters.Select(p => p.Name))}), {parameter.Name}: {problem}");
                }
            }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(checkedCount > 80, $"only {checkedCount} arguments");
    }

    private static bool IsUsed(Type type) =>
        !typeof(Exception).IsAssignableFrom(type) && !typeof(Delegate).IsAssignableFrom(type) && !type.IsInterface && !type.IsGenericType
        && !type.IsValueType
        && !leftOut.Contains(type)
        // Values for callers, made by the library.
        && !(type.GetMethod("<Clone>$") is not null && type.Namespace is "RewardModel.Reading" or "RewardModel.Checkpoints")
        && type != typeof(ModelInspection) && type != typeof(TokenizedList);

    private static IEnumerable<MethodBase> MethodsOf(Type type) => type
        .GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly).OfType<MethodBase>()
        .Where(method => !method.ContainsGenericParameters && !(method.IsSpecialName && !method.IsConstructor) && method.Name != "Equals"
            && !method.IsDefined(typeof(CompilerGeneratedAttribute)) && !(type.IsAbstract && method.IsConstructor));

    private string? Problem(MethodBase method, ParameterInfo[] parameters, ParameterInfo wanted)
    {
        object? instance = null;
        if (!method.IsStatic && !method.IsConstructor && !objects.TryGetValue(method.DeclaringType!, out instance))
            return "the test has no such object";
        var arguments = new object?[parameters.Length];
        foreach (var parameter in parameters)
            if (parameter == wanted)
                continue;
            else if (parameter.HasDefaultValue)
                arguments[parameter.Position] = parameter.DefaultValue is null && parameter.ParameterType.IsValueType
                    ? Activator.CreateInstance(parameter.ParameterType) : parameter.DefaultValue;
            else if (objects.TryGetValue(parameter.ParameterType, out var value))
                arguments[parameter.Position] = value;
            else if (parameter.ParameterType.IsByRefLike)
                return null;
            else if (parameter.ParameterType.IsValueType)
                arguments[parameter.Position] = parameter.ParameterType == typeof(int)
                    ? 9 : Activator.CreateInstance(parameter.ParameterType);
            else
                return $"the test has no {parameter.ParameterType} for {parameter.Name}";
        try
        {
            var result = method is ConstructorInfo constructor ? constructor.Invoke(arguments) : method.Invoke(instance, arguments);
            (result as Task)?.GetAwaiter().GetResult();
            (result as IDisposable)?.Dispose();
            return "no exception";
        }
        catch (Exception e)
        {
            return ((e as TargetInvocationException)?.InnerException ?? e) switch
            {
                ArgumentNullException inner when inner.ParamName == wanted.Name => null,
                ArgumentNullException inner => $"the name is {inner.ParamName}",
                var other => other.GetType().Name,
            };
        }
    }
}
