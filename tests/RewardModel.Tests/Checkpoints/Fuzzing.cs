using FsCheck;
using Microsoft.FSharp.Core;

namespace RewardModel.Tests.Checkpoints;

/// <summary>Random inputs that are the same in every run.</summary>
internal static class Fuzzing
{
    public static Config Config(int count) => FsCheck.Config.QuickThrowOnFailure.WithMaxTest(count)
        .WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(20231), FSharpOption<int>.None)));
}
