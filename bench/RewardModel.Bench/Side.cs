using System.Diagnostics;
using System.Text.Json.Nodes;

namespace RewardModel.Bench;

/// <summary>One side of a comparison: a process that answers commands, a line each way.</summary>
internal sealed class Side : IDisposable
{
    private readonly Process process;

    public Side(string name, string program, params IEnumerable<string> arguments)
    {
        Name = name;
        process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Read();
    }

    public string Name { get; }

    public JsonNode Ask(string command)
    {
        process.StandardInput.WriteLine(command);
        return Read();
    }

    public double Seconds(string command) => (double)Ask(command)["seconds"]!;

    public void Dispose()
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(TimeSpan.FromSeconds(10)))
            process.Kill();
        process.Dispose();
    }

    private JsonNode Read() =>
        JsonNode.Parse(process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"the side '{Name}' ended, see above"))!;
}
