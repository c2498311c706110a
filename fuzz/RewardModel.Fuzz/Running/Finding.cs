using System.Diagnostics;
using System.IO.Hashing;
using System.Text;

namespace RewardModel.Fuzz.Running;

/// <summary>Something that a target should not do.</summary>
/// <param name="Target">The target.</param>
/// <param name="Kind">What happened, the same for all inputs that show the same.</param>
/// <param name="Input">An input that shows it.</param>
/// <param name="Details">For people: an exception with its stack.</param>
internal sealed record Finding(string Target, string Kind, byte[] Input, string Details)
{
    /// <summary>What an exception is told apart by: its type, and where it was thrown in code of ours.</summary>
    public static string KindOf(Exception exception)
    {
        var frames = new StackTrace(exception).GetFrames();
        var own = frames.FirstOrDefault(frame => frame.GetMethod()?.DeclaringType?.Namespace is { } space
            && space.StartsWith(nameof(RewardModel), StringComparison.Ordinal) && !space.StartsWith("RewardModel.Fuzz", StringComparison.Ordinal))?.GetMethod();
        return $"{exception.GetType().Name} in {own?.DeclaringType?.Name ?? "no code of ours"}.{own?.Name}";
    }

    /// <summary>Writes the input, and beside it what it shows.</summary>
    /// <returns>False if the same is known already.</returns>
    public bool Write(string folder)
    {
        var path = Path.Combine(folder, $"{Target}-{XxHash32.HashToUInt32(Encoding.UTF8.GetBytes(Kind)):x8}");
        if (File.Exists(path + ".txt"))
            return false;
        File.WriteAllBytes(path + ".bin", Input);
        File.WriteAllText(path + ".txt", $"{Kind}\n\n{Details}\n");
        return true;
    }
}
