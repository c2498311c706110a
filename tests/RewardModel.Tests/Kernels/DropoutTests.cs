using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Tests.Kernels;

/// <summary>Alone, because torch's default generator is that of the whole process.</summary>
[Collection(nameof(RunsAlone))]
public class DropoutTests
{
    private const double rate = 0.3;

    // SplitMix64's outputs of seed 1234567 as published with the generator's reference implementation; the others computed in Python.
    [Fact]
    public void Hashes_are_those_of_other_implementations()
    {
        ulong[] published = [6457827717110365317, 3203168211198807973, 9817491932198370423];
        Assert.Equal(published, new ulong[] { 0, 1, 2 }.Select(part => DropoutHash.Part(1234567, part)));
        Assert.Equal(0x5692161d100b05e5u, DropoutHash.Of([]));
        Assert.Equal(0x1ae4c6f8e5b43fb8u, DropoutHash.Of([7, 8, 9]));
        (ulong Key, uint Column, uint Bits)[] cases =
        [
            (1, 0, 0x688990c0), (0, 5, 0x057fb7f9), (0x0123456789abcdef, 0, 0x96a2d169), (0x0123456789abcdef, 4095, 0x27e1dc28),
            (0xffffffffffffffff, 77, 0x840ca070),
        ];
        Assert.All(cases, one => Assert.Equal(one.Bits, DropoutHash.Bits(one.Key, one.Column)));
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.9)]
    public void The_share_that_is_dropped_is_the_rate_in_rows_and_columns_as_in_all(double rate)
    {
        const int rows = 2048, columns = 1024;
        var dropped = Dropped(Keys(1, rows), columns, rate);
        // Standard scores of counts that are binomial.
        double Score(double count, double of) => (count - of * rate) / Math.Sqrt(of * rate * (1 - rate));
        Assert.InRange(Score(dropped.Sum(row => row.Count(isDropped => isDropped)), rows * columns), -4, 4);
        double[] ofRows = [.. dropped.Select(row => Score(row.Count(isDropped => isDropped), columns))];
        double[] ofColumns = [.. Enumerable.Range(0, columns).Select(column => Score(dropped.Count(row => row[column]), rows))];
        foreach (var scores in new[] { ofRows, ofColumns })
        {
            // The sum of n squared standard scores has mean n and variance 2 n, and a little more where their distribution is skewed.
            var squares = scores.Sum(score => score * score);
            Assert.InRange((squares - scores.Length) / Math.Sqrt(scores.Length * (2 + 1 / (1024 * rate * (1 - rate)))), -4, 4);
            Assert.InRange(scores.Max(Math.Abs), 0, 6);
        }
    }

    [Fact]
    public void Neighbours_of_every_kind_are_independent()
    {
        const int rows = 1024, columns = 768;
        var mask = Dropped(Keys(1, rows), columns, rate);
        // The measure sees a mask that comes again.
        Assert.Equal(1, Correlation(mask, mask).Value, 1e-9);
        var found = new Dictionary<string, (double Value, double Count)>();
        foreach (var distance in new[] { 1, 2, 3, 4, 5, 7, 8, 13, 16, 21, 32, 34, 55, 64, 128, 256, 512 })
        {
            found.Add(
                $"columns {distance} apart",
                Correlation([.. mask.Select(row => row[distance..])], [.. mask.Select(row => row[..^distance])]));
            found.Add($"rows {distance} apart", Correlation(mask[distance..], mask[..^distance]));
            found.Add(
                $"diagonals {distance} apart",
                Correlation([.. mask[distance..].Select(row => row[distance..])], [.. mask[..^distance].Select(row => row[..^distance])]));
        }
        foreach (var other in new ulong[] { 0, 2, 3, 1ul << 32, 1ul << 63 })
            found.Add($"seeds 1 and {other}", Correlation(mask, Dropped(Keys(other, rows), columns, rate)));
        foreach (var (layer, site) in new[] { (1ul, 1ul), (1ul, 2ul), (2ul, 0ul), (3ul, 0ul), (0ul, 1ul) })
            found.Add($"layer {layer} site {site}", Correlation(mask, Dropped(Keys(1, rows, layer, site), columns, rate)));
        foreach (var head in new[] { 0, 1 })
        {
            var dropout = new AttentionDropout(rate, Keys(1, rows));
            ulong[] OfHead(int number) => [.. Enumerable.Range(0, rows).Select(query => dropout.KeyOf(query, number))];
            found.Add(
                $"head {head} and the next",
                Correlation(Dropped(OfHead(head), columns, rate), Dropped(OfHead(head + 1), columns, rate)));
        }
        // Correlations of n pairs of independent numbers are normal with deviation 1 / sqrt(n).
        var scores = found.ToDictionary(pair => pair.Key, pair => pair.Value.Value * Math.Sqrt(pair.Value.Count));
        Assert.DoesNotContain(scores, pair => Math.Abs(pair.Value) > 4);
        Assert.InRange(Math.Sqrt(scores.Values.Average(score => score * score)), 0.75, 1.25);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(260)]
    public void The_kernel_gives_the_formula_s_mask_and_that_of_operators_forward_and_backward(int columns)
    {
        using var scope = NewDisposeScope();
        const int rows = 37;
        ulong[] keys = Keys(7, rows);
        var keys_R = DropoutKernel.Keys(keys, CPU);
        // Columns first: not contiguous.
        var x = ones(columns, rows).t().requires_grad_();
        var gradient = full(rows, columns, 2f);
        foreach (var share in new[] { 1e-9, 0.1, 0.5, 1 - 1e-9 })
        {
            x.grad = null;
            var found = DropoutKernel.Apply(share, x, keys_R, null);
            found.backward([gradient]);
            KernelErrors.Throw();
            var kept = (float)(1 / (1 - share));
            float[] expected = [.. keys.SelectMany(key => Enumerable.Range(0, columns)
                .Select(column => DropoutHash.Bits(key, (uint)column) < share * Math.Pow(2, 32) - 1 ? 0 : kept))];
            Assert.Equal(expected, Values(found));
            Assert.Equal([.. expected.Select(factor => 2 * factor)], Values(x.grad!));
            Assert.Equal(expected, Values(DropoutKernel.Compose(x, keys_R, null, share)));
        }
    }

    [Fact]
    public void Columns_may_have_numbers_of_their_own_for_each_row()
    {
        using var scope = NewDisposeScope();
        var keys = Keys(3, 6);
        var columns = tensor(new long[] { 4, 0, 9, 70_000, 5, 4_000_000_000 }).view(2, 1, 3);
        var x = ones(2, 3, 3).requires_grad_();
        var found = DropoutKernel.Apply(rate, x, DropoutKernel.Keys(keys, CPU).view(2, 3), columns);
        found.backward([ones(2, 3, 3)]);
        KernelErrors.Throw();
        long[][] numbers = [[4, 0, 9], [70_000, 5, 4_000_000_000]];
        float[] expected =
        [
            .. keys.Index().SelectMany(row => numbers[row.Index / 3].Select(column =>
                DropoutHash.Bits(row.Item, (uint)column) < (uint)(rate * Math.Pow(2, 32)) ? 0 : (float)(1 / (1 - rate)))),
        ];
        Assert.Equal(expected, Values(found));
        Assert.Equal(expected, Values(x.grad!));
    }

    [Fact]
    public void In_bfloat16_the_factor_is_not_rounded_before_the_product()
    {
        using var scope = NewDisposeScope();
        var keys = DropoutKernel.Keys(Keys(5, 50), CPU);
        var x = full(50, 40, 3f);
        var expected = DropoutKernel.Apply(0.1, x, keys, null).to(bfloat16).to(float32);
        Assert.Equal(Values(expected), Values(DropoutKernel.Apply(0.1, x.to(bfloat16), keys, null).to(float32)));
    }

    [Fact]
    public void Rows_that_are_neither_all_nor_the_scored_ones_are_an_error()
    {
        using var scope = NewDisposeScope();
        using (new DropoutDraws(new Lazy<DropoutKeys>(new DropoutKeys([1, 2, 3], [3], 4)), layer: 1))
        {
            Assert.Equal(
                "Dropout is asked for 2 rows; expected the 3 of the packed row or the 1 that are scored.",
                Assert.Throws<InvalidOperationException>(() => DropoutKernel.Next(ones(2, 5), rate)).Message);
            Assert.Equal([2, 5], DropoutDraws.OfTable(() => DropoutKernel.Next(ones(2, 5), rate)).shape);
        }
        // Behind the pass a module draws by itself.
        Assert.Equal([2, 5], DropoutKernel.Next(ones(2, 5), rate).shape);
    }

    /// <summary>Keys of a segment's rows at a site, made as a pass makes them.</summary>
    private static ulong[] Keys(ulong seed, int rows, ulong layer = 1, ulong site = 0)
    {
        var segment = DropoutHash.Part(DropoutHash.Part(DropoutHash.Mix(seed), 0), DropoutHash.Of([1, 2, 3]));
        return [.. Enumerable.Range(0, rows).Select(row => DropoutHash.Part(DropoutHash.Part(segment, (ulong)row), (layer << 32) + site))];
    }

    private static bool[][] Dropped(ulong[] keys, int columns, double rate)
    {
        using var scope = NewDisposeScope();
        var values = Values(DropoutKernel.Apply(rate, ones(keys.Length, columns), DropoutKernel.Keys(keys, CPU), null));
        return [.. values.Chunk(columns).Select(row => Array.ConvertAll(row, value => value == 0))];
    }

    private static (double Value, double Count) Correlation(bool[][] left, bool[][] right)
    {
        long count = 0, ofLeft = 0, ofRight = 0, ofBoth = 0;
        foreach (var (leftRow, rightRow) in left.Zip(right))
            for (var i = 0; i < leftRow.Length; i++)
            {
                count++;
                ofLeft += leftRow[i] ? 1 : 0;
                ofRight += rightRow[i] ? 1 : 0;
                ofBoth += leftRow[i] && rightRow[i] ? 1 : 0;
            }
        double n = count, leftMean = ofLeft / n, rightMean = ofRight / n;
        return ((ofBoth / n - leftMean * rightMean) / Math.Sqrt(leftMean * (1 - leftMean) * rightMean * (1 - rightMean)), n);
    }

    private static float[] Values(Tensor tensor)
    {
        using var data = tensor.detach().contiguous().data<float>();
        return data.ToArray();
    }
}
