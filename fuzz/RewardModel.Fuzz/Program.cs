using System.Globalization;
using RewardModel.Fuzz.Running;
using RewardModel.Fuzz.Targets;

// fuzz run FOLDER MINUTES [SEED [TARGET...]]: all targets, or these.
// fuzz show TARGET FILE: what one input does.
// fuzz child, fuzz again: what run starts.
var culture = CultureInfo.InvariantCulture;
Coverage.Start();
switch (args)
{
    case ["run", var root, var minutes, .. var rest]:
        var seed = rest.Length > 0 ? ulong.Parse(rest[0], culture) : 1;
        var targets = rest.Length > 1 ? [.. rest[1..].Select(KnownTargets.Named)] : KnownTargets.All;
        return new FuzzRun(new FuzzFolders(root), seed).Run(targets, TimeSpan.FromMinutes(double.Parse(minutes, culture))) == 0 ? 0 : 1;
    case ["child", var name, var statusPath, var root, var seedText, var seconds]:
        using (var status = new StatusFile(statusPath))
            new TargetLoop(KnownTargets.Named(name), new FuzzFolders(root), status).Run(
                ulong.Parse(seedText, culture), TimeSpan.FromSeconds(double.Parse(seconds, culture)));
        return 0;
    case ["again", var name, var statusPath]:
        using (var status = new StatusFile(statusPath))
        {
            var target = KnownTargets.Named(name);
            status.CaseStart = Environment.TickCount64;
            target.FindingOf(status.Input, FuzzFolders.ScratchOf(name));
        }
        return 0;
    case ["show", var name, var file]:
        var found = KnownTargets.Named(name).FindingOf(File.ReadAllBytes(file), FuzzFolders.ScratchOf(name));
        Console.WriteLine(found?.ToString() ?? "nothing is wrong");
        return found is null ? 0 : 1;
    default:
        Console.Error.WriteLine("fuzz run FOLDER MINUTES [SEED [TARGET...]], or fuzz show TARGET FILE");
        return 2;
}
