using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using RewardModel.Adapters;
using RewardModel.Checkpoints;
using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Tests.Distributed;
using RewardModel.Training;
using RewardModel.Training.Data;
using RewardModel.Training.Optimization;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Tests;

/// <summary>
/// What this assembly does as a program, for tests that need a process of its own: to be killed, or to have its memory measured.
/// </summary>
internal static class ChildProgram
{
    /// <summary>Its file, which dotnet runs.</summary>
    public static string Assembly { get; } = typeof(ChildProgram).Assembly.Location;

    public static void Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["save", var first, var second, var target]:
                SaveWhenAsked(first, second, target);
                break;
            case ["load", var directory, .. var frozenWeights]:
                MeasureLoading(directory, Frozen(frozenWeights));
                break;
            case ["inspect", var directory]:
                MeasureInspection(directory);
                break;
            case ["step", var config, var promptTokens, var answerTokens, var answers, var checkpointing, .. var trainedLayers]:
                MeasureStep(
                    () => RewardTransformer.FromConfig(HuggingFaceConfig.ReadFile(config)), List(Parse(promptTokens), Parse(answerTokens), Parse(answers)), bool.Parse(checkpointing),
                    trainedLayers is [var count] ? Parse(count) : null);
                break;
            case ["optimizer", var kind, var rows, var columns]:
                MeasureOptimizer(Enum.Parse<OptimizerKind>(kind), Parse(rows), Parse(columns));
                break;
            case ["stored-step", var directory, var storage, var trainedLayers]:
                MeasureStep(
                    () => RewardTransformer.Load(directory, frozenWeights: Frozen([storage, trainedLayers])), List(128, 64, 6),
                    checkpointing: false, Parse(trainedLayers));
                break;
            case ["adapter-step", var config, var targets, var dropout, var promptTokens, var answerTokens, var answers]:
                MeasureStep(
                    () => RewardTransformer.FromConfig(HuggingFaceConfig.ReadFile(config)), List(Parse(promptTokens), Parse(answerTokens), Parse(answers)), checkpointing: false, trainedLayers: null,
                    new LoraOptions(8) { Targets = targets, Dropout = double.Parse(dropout, CultureInfo.InvariantCulture) });
                break;
            case ["train", var config, var checkpointing]:
                MeasureTraining(config, bool.Parse(checkpointing));
                break;
            case ["libraries"]:
                using (var numbers = ones(3))
                using (var sum = numbers.sum())
                    Console.Write($"{TorchLibraries.Description}\n{sum.item<float>()}");
                break;
            case ["vectors"]:
                Console.Write(WidestVector);
                break;
            case ["ranks", .. var rankArguments]:
                RankProgram.Run(rankArguments);
                break;
            case ["tensors"]:
                MeasureTensors();
                break;
            default:
                throw new ArgumentException($"no such command: {string.Join(' ', arguments)}");
        }

        static int Parse(string text) => int.Parse(text, CultureInfo.InvariantCulture);

        static FrozenWeights? Frozen(string[] arguments) =>
            arguments is [var name, var count] && Enum.Parse<WeightStorage>(name) is var storage and not WeightStorage.Float32
                ? new FrozenWeights(storage, Parse(count)) : null;
    }

    /// <summary>Bits of the widest vectors that this process computes with.</summary>
    public static int WidestVector =>
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 64;

    public static Process Start(params IEnumerable<string> arguments)
    {
        var start = StartInfo(arguments);
        start.RedirectStandardInput = true;
        return Process.Start(start)!;
    }

    /// <summary>What a command prints with some environment variables set.</summary>
    public static string Run(IEnumerable<(string Name, string Value)> environment, params IEnumerable<string> arguments)
    {
        var start = StartInfo(arguments);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var (exitCode, output, error) = ChildProcess.Run(start);
        Assert.True(exitCode == 0, output + error);
        return output;
    }

    /// <summary>The numbers that a measuring command prints.</summary>
    public static long[] Measure(params IEnumerable<string> arguments)
    {
        var start = StartInfo(arguments);
        // Small tensors too get pages of their own and give them back, so that what the process has is what its tensors have.
        start.Environment["MALLOC_MMAP_THRESHOLD_"] = "16384";
        // Nor does .NET compile again, in megabytes of its own and at a time of its own, what is called often.
        start.Environment["DOTNET_TieredCompilation"] = "0";
        return NumbersOf(start);
    }

    /// <summary>The same with the C library's own settings.</summary>
    public static long[] MeasureAsUsual(params IEnumerable<string> arguments) => NumbersOf(StartInfo(arguments));

    private static long[] NumbersOf(ProcessStartInfo start)
    {
        var (exitCode, output, error) = ChildProcess.Run(start);
        Assert.True(exitCode == 0, error);
        return [.. output.Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture))];
    }

    /// <summary>The first kind of model in several files, the second in one.</summary>
    public static void Save(ScoringModel model, int kind, string directory) =>
        model.Save(directory, maxShardBytes: kind == 0 ? 8_000 : 1_000_000);

    private static ProcessStartInfo StartInfo(IEnumerable<string> arguments) =>
        new("dotnet", [Assembly, .. arguments]) { RedirectStandardOutput = true };

    /// <summary>For each line of the input saves one of two models, in turn, into a third directory, and says so.</summary>
    private static void SaveWhenAsked(string first, string second, string target)
    {
        ScoringModel[] models = [ScoringModel.Load(first), ScoringModel.Load(second)];
        for (var i = 0; Console.ReadLine() is not null; i++)
        {
            Save(models[i % 2], i % 2, target);
            Console.WriteLine("saved");
        }
    }

    /// <summary>Prints by how many bytes the process grows at most while it loads a model.</summary>
    private static void MeasureLoading(string directory, FrozenWeights? frozenWeights)
    {
        using (TinyModel.Create())
        {
        }
        var before = Memory("VmRSS");
        using var model = RewardTransformer.Load(directory, frozenWeights: frozenWeights);
        Console.Write(Memory("VmHWM") - before);
    }

    /// <summary>Prints by how many bytes the process grows at most while it inspects a directory, and how many problems that has.</summary>
    private static void MeasureInspection(string directory)
    {
        using (TinyModel.Create())
        {
        }
        var before = Memory("VmRSS");
        var inspection = ModelInspection.Of(directory);
        Console.Write(string.Create(CultureInfo.InvariantCulture, $"{Memory("VmHWM") - before} {inspection.Problems.Count}"));
    }

    /// <summary>
    /// Prints by how many bytes the process grows at most from before there is a model, and from before the forward pass of the second
    /// of two micro-batches.
    /// </summary>
    private static void MeasureStep(
        Func<RewardTransformer> create, TokenizedList[] lists, bool checkpointing, int? trainedLayers, LoraOptions? adapter = null)
    {
        set_num_threads(1);
        void Backward(RewardTransformer model, TokenizedList[] lists)
        {
            using var scope = NewDisposeScope();
            var loss = RankingLoss.ByName("log-sigmoid");
            using var targets = loss.TargetsOf([.. lists.Select(RankingList.Of)]);
            using var sequences = model.Pack(lists);
            using var pass = new ForwardPass(sequences, checkpointing: checkpointing);
            pass.Backward(loss.Sum(model.forward(pass), targets));
        }

        // What every process needs once; digests load a library.
        SHA256.HashData([]);
        using (var tiny = TinyModel.Create())
            Backward(tiny, List(3, 4, 2));
        var before = Memory("VmRSS");
        using var model = create();
        if (adapter is null)
            model.Freeze(trainedLayers);
        else
            model.AddAdapter(adapter);
        model.train();
        using var optimizer = new AdamW(model.TrainedParameters.Select(WeightPart.Of), new AdamWOptions());
        Backward(model, lists);
        optimizer.Step(1e-5, 1);
        TensorMemory.ReleaseFree();
        File.WriteAllText("/proc/self/clear_refs", "5");
        var between = Memory("VmRSS");
        Backward(model, lists);
        var peak = Memory("VmHWM");
        Console.Write(string.Create(CultureInfo.InvariantCulture, $"{peak - before} {peak - between}"));
    }

    /// <summary>Prints by how many bytes the process grows while an optimiser of one matrix is made and takes two steps.</summary>
    private static void MeasureOptimizer(OptimizerKind kind, int rows, int columns)
    {
        set_num_threads(1);
        void Step(Parameter parameter, Func<long> memory, out long bytes)
        {
            parameter.grad = ones(parameter.shape);
            var before = memory();
            using var optimizer = new TrainingOptions { Optimizer = kind }.CreateOptimizer(
                [("w", parameter)], new Dictionary<string, double> { ["w"] = 1 });
            optimizer.Step(1e-5);
            optimizer.Step(1e-5);
            TensorMemory.ReleaseFree();
            bytes = memory() - before;
        }

        // What every process needs once.
        using (var small = new Parameter(ones(64, 64)))
            Step(small, () => 0, out _);
        using var parameter = new Parameter(ones(rows, columns));
        Step(parameter, () => Memory("VmRSS"), out var bytes);
        Console.Write(bytes.ToString(CultureInfo.InvariantCulture));
    }

    private static TokenizedList[] List(int prompt, int answer, int count) =>
        [TinyModel.List(1, prompt, [.. Enumerable.Repeat(answer, count)])];

    /// <summary>Prints by how many bytes the process grows at most while a model is trained.</summary>
    private static void MeasureTraining(string config, bool checkpointing)
    {
        set_num_threads(1);
        void Train(RewardTransformer model, TokenizedList list) => new Trainer(
            model, new TrainingOptions { Steps = 1, ActivationCheckpointing = checkpointing }, [list], []).Train();

        using (var tiny = TinyModel.Create())
            Train(tiny, TinyModel.List(1, 3, 4, 2));
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.ReadFile(config));
        var before = Memory("VmRSS");
        Train(model, TinyModel.List(1, 256, [.. Enumerable.Repeat(128, 12)]));
        Console.Write(Memory("VmHWM") - before);
    }

    /// <summary>
    /// Makes and releases tensors of the sizes of a transformer's activations and gradients at random, and prints by how many bytes the
    /// process grows at most, how many bytes of tensors there were at most, and by how many it has grown when all of them are released and
    /// so is what was kept.
    /// </summary>
    private static void MeasureTensors()
    {
        long[] sizes = [600_000, 590_000, 1_770_000, 2_360_000, 6_290_000];
        var random = new SplitMix64(1);
        ones(1).Dispose();
        var before = Memory("VmRSS");
        var tensors = new List<Tensor>();
        long bytes = 0, most = 0;
        for (var i = 0; i < 2000; i++)
        {
            // A few hundred megabytes, coming and going.
            if (tensors.Count > 0 && random.NextBelow(100) < (i / 100 % 2 == 0 ? 40 : 60))
            {
                var place = random.NextBelow(tensors.Count);
                bytes -= 4 * tensors[place].numel();
                tensors[place].Dispose();
                tensors.RemoveAt(place);
            }
            else
            {
                tensors.Add(TensorMemory.Empty(sizes[random.NextBelow(sizes.Length)]).fill_(1));
                bytes += 4 * tensors[^1].numel();
                most = Math.Max(most, bytes);
            }
        }
        foreach (var tensor in tensors)
            tensor.Dispose();
        TensorMemory.ReleaseFree();
        Console.Write(string.Create(CultureInfo.InvariantCulture, $"{Memory("VmHWM") - before} {most} {Memory("VmRSS") - before}"));
    }

    private static long Memory(string field)
    {
        var line = File.ReadLines("/proc/self/status").Single(line => line.StartsWith(field, StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
