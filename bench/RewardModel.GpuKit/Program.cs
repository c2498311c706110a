using System.Text.Json;
using RewardModel.GpuKit;
using RewardModel.Kernels;

// gpu-kit [--device cuda|cpu] [--output FILE] [--python COMMAND]: all checks and measurements, each in a process of its own, as Markdown
// into the file. The environment variable LIBTORCH names the folder of libtorch; COMMAND has PyTorch and transformers, the peer. On the CPU
// everything is tiny: it shows that the kit works. See bench/gpu.sh.
TorchLibraries.Load();
if (args is ["part", var device, .. var part])
{
    object result = part switch
    {
        ["machine"] => Machine.Of(device),
        ["parity"] => ParityCheck.Run(device),
        ["flash"] => FlashCheck.Run(device),
        ["nccl"] => NcclCheck.Run(device),
        ["training"] => TrainingCheck.Run(device),
        ["measure", var workload] => Measurement.Run(Workload.Named(workload, device), device),
        ["measure", var workload, var settings] => Measurement.Run(
            Workload.Named(workload, device), device, Measurement.StepSettings.Known[settings]),
        _ => throw new ArgumentException($"no such part: {string.Join(' ', part)}"),
    };
    Console.WriteLine(Parts.Mark + JsonSerializer.Serialize(result));
    return 0;
}

var options = new Dictionary<string, string> { ["--device"] = "cuda", ["--output"] = "gpu-kit.md", ["--python"] = "python3" };
for (var i = 0; i < args.Length; i += 2)
{
    if (!options.ContainsKey(args[i]) || i + 1 == args.Length)
    {
        Console.Error.WriteLine("usage: gpu-kit [--device cuda|cpu] [--output FILE] [--python COMMAND]");
        return 2;
    }
    options[args[i]] = args[i + 1];
}
return Report.Write(options["--device"], options["--output"], options["--python"]) ? 0 : 1;
