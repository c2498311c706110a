using FsCheck;
using FsCheck.Fluent;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Checkpoints;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Scoring;

[Collection(nameof(RunsAlone))]
public class WeightLoadingTests
{
    [Theory]
    [InlineData("F32")]
    [InlineData("F16")]
    [InlineData("BF16")]
    public void Loading_takes_no_more_memory_than_the_model_and_its_largest_tensor(string type)
    {
        using var directory = new TemporaryDirectory();
        var (model, largest) = SparseCheckpoint.Write(
            directory.Path, Enum.Parse<SafetensorsType>(type), vocabularySize: 16_000, width: 1024);
        var measured = ChildProgram.Measure("load", directory.Path)[0];
        // What the runtime itself takes for code and small objects.
        const long runtime = 16_000_000;
        Assert.InRange(measured, model, model + largest + runtime);
    }

    [Fact]
    public void A_model_with_a_mutated_header_has_the_same_weights_or_is_refused()
    {
        using var directory = new Tests.TemporaryDirectory();
        using var model = TinyModel.Create();
        using (var scoring = new ScoringModel(TinyModel.Create()))
            scoring.Save(directory.Path);
        var expected = Weights(model);
        var valid = File.ReadAllBytes(directory["model.safetensors"]);
        var headerLength = (int)System.Buffers.Binary.BinaryPrimitives.ReadInt64LittleEndian(valid);
        // Mostly the bytes that mean something there.
        var values = Gen.OneOf(
            Gen.Elements("0123456789,:[]{}\" FIBU".Select(c => (byte)c).ToArray()), Gen.Choose(0, 255).Select(i => (byte)i));
        var edit = Gen.Zip(Gen.Choose(0, 8 + headerLength - 1), values);
        var edits = Gen.OneOf(edit.ArrayOf(1), edit.ArrayOf(2), edit.ArrayOf(3));
        var (sameCount, refusedCount) = (0, 0);
        Prop.ForAll(edits.ToArbitrary(), list =>
        {
            var bytes = (byte[])valid.Clone();
            foreach (var (at, value) in list)
                bytes[at] = value;
            File.WriteAllBytes(directory["model.safetensors"], bytes);
            try
            {
                using var loaded = RewardTransformer.Load(directory.Path);
                sameCount++;
                return expected.SequenceEqual(Weights(loaded));
            }
            catch (CheckpointException)
            {
                refusedCount++;
                return true;
            }
        }).Check(Fuzzing.Config(1000));
        Assert.True(sameCount > 0 && refusedCount > 500, $"{sameCount} the same, {refusedCount} refused");
    }

    // Rewards of transformers 5.12.1 with torch 2.14.1 for the first list of the parity model, its weights put through
    // tensor.to(dtype).to(torch.float32).
    [Theory]
    [InlineData("gpt2", ScalarType.BFloat16, new[] { 0.13801062f, -0.30828303f, -0.70350134f, -0.5248628f })]
    [InlineData("gpt2", ScalarType.Float16, new[] { 0.1431919f, -0.3075375f, -0.7027683f, -0.5220251f })]
    [InlineData("llama", ScalarType.BFloat16, new[] { 0.9012586f, -1.3088131f, 0.555484f, 0.5495243f })]
    [InlineData("llama", ScalarType.Float16, new[] { 0.89728755f, -1.3097146f, 0.5540334f, 0.54600024f })]
    public void Rounded_weights_give_the_rewards_of_the_reference(string name, ScalarType type, float[] expected)
    {
        using var model = ParityModel.OfRepository(name);
        var tensors = new List<(string, Tensor)>();
        using var scope = NewDisposeScope();
        using (var reader = CheckpointReader.Open(model.Directory))
            tensors.AddRange(reader.Names.Select(tensor => (tensor, reader.Read(tensor))));
        CheckpointWriter.Write(model.Directory, tensors, dtype: type);
        using var transformer = model.Load();
        var rewards = new RewardScorer(transformer).Score(model.RankedLists())[0];
        Assert.Equal(expected.Length, rewards.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], rewards[i], 1e-5);
        // The rounding shows, so that a golden of unrounded weights would not pass.
        var unrounded = model.Expected["ranking"]!["rewards"]![0]!.AsArray().Select(reward => (float)reward!);
        Assert.Contains(unrounded.Zip(expected), pair => Math.Abs(pair.First - pair.Second) > 1e-4);
    }

    private static byte[] Weights(RewardTransformer model) =>
        [.. model.CheckpointParameters.SelectMany(pair => pair.Parameter.bytes.ToArray())];

    // torch.tensor([...]).to(dtype).view(torch.int16) of torch 2.14.1: ties to even both ways, the smallest numbers, the largest,
    // and what is beyond.
    [Theory]
    [InlineData(ScalarType.BFloat16, new uint[] { 0x3f808000, 0x3f818000, 0x3f808001, 0x3f801000, 0x3f803000, 0x00000001,
        0x33000000, 0x33000001, 0x477fefff, 0x477ff000, 0x7f7fffff, 0xff800000, 0x80000000, 0x38802000 },
        new ushort[] { 0x3f80, 0x3f82, 0x3f81, 0x3f80, 0x3f80, 0x0000, 0x3300, 0x3300, 0x4780, 0x4780, 0x7f80, 0xff80, 0x8000, 0x3880 })]
    [InlineData(ScalarType.Float16, new uint[] { 0x3f808000, 0x3f818000, 0x3f808001, 0x3f801000, 0x3f803000, 0x00000001,
        0x33000000, 0x33000001, 0x477fefff, 0x477ff000, 0x7f7fffff, 0xff800000, 0x80000000, 0x38802000 },
        new ushort[] { 0x3c04, 0x3c0c, 0x3c04, 0x3c00, 0x3c02, 0x0000, 0x0000, 0x0001, 0x7bff, 0x7c00, 0x7c00, 0xfc00, 0x8000, 0x0401 })]
    public void Numbers_are_rounded_as_the_reference_does(ScalarType type, uint[] bits, ushort[] expected)
    {
        using var values = tensor(bits.Select(BitConverter.UInt32BitsToSingle).ToArray());
        using var rounded = values.to(type);
        Assert.Equal(expected, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(rounded.bytes).ToArray());
    }
}
