using System.Numerics;
using System.Runtime.CompilerServices;
using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>
/// Adafactor on the CPU, over the tensors' memory: three passes over gradients, of which the last one is over weights as well. The first
/// gives the means, the second the updates' root mean square, the third the weights.
/// </summary>
internal sealed unsafe class VectorAdafactor : IArithmetic<AdafactorSlot, AdafactorRule>
{
    /// <summary>Elements that one thread takes at a time. Fixed, so that sums don't depend on the count of threads.</summary>
    private const int taskLength = 1 << 16;

    /// <summary>The fewest rows of a matrix that one thread takes at a time: sums of their columns are as many times smaller.</summary>
    private const int rowsPerTask = 64;

    /// <summary>Columns that are added up in float32 before they are in float64, and that one thread takes at a time.</summary>
    private const int columnsPerTask = 4096;

    public void Update(IReadOnlyList<AdafactorSlot> slots, AdafactorRule rule)
    {
        Slot[] trained = [.. slots.Where(slot => slot.Parameter.grad is not null).Select(slot => new Slot(slot, rule))];
        RowRange[] spans = [.. trained.SelectMany(Spans)];
        // Of matrices: the squares of each span's columns, and parts of the columns.
        (Slot Slot, long Matrix, long First)[] parts = [.. trained.Where(slot => slot.IsMatrix).SelectMany(Parts)];

        TorchThreads.Run(spans.Length, s => AddSquares(spans[s], rule));
        TorchThreads.Run(parts.Length, p => AddColumns(parts[p].Slot, parts[p].Matrix, parts[p].First, rule));
        foreach (var slot in trained)
            SetRowFactors(slot);
        TorchThreads.Run(spans.Length, s => spans[s].SquaredUpdates = SquaredUpdates(spans[s], rule));
        foreach (var ofSlot in spans.GroupBy(span => span.Slot))
            ofSlot.Key.StepSize = StepSizeOf(ofSlot.Key, ofSlot.Sum(span => span.SquaredUpdates));
        TorchThreads.Run(spans.Length, s => Apply(spans[s], rule));
    }

    private static IEnumerable<RowRange> Spans(Slot slot)
    {
        for (long matrix = 0; matrix < slot.Matrices; matrix++)
            for (long first = 0; first < slot.Rows; first += slot.RowsPerSpan)
                yield return new RowRange(slot, matrix, first, Math.Min(slot.Rows, first + slot.RowsPerSpan));
    }

    private static IEnumerable<(Slot, long, long)> Parts(Slot slot)
    {
        for (long matrix = 0; matrix < slot.Matrices; matrix++)
            for (long first = 0; first < slot.Columns; first += columnsPerTask)
                yield return (slot, matrix, first);
    }

    /// <summary>The rows' means, and the sums of the span's columns; of what is no matrix the elements' means.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddSquares(RowRange span, AdafactorRule rule)
    {
        var slot = span.Slot;
        for (var row = span.First; row < span.End; row++)
        {
            var at = span.Matrix * slot.Rows + row;
            var gradient = slot.Gradient + at * slot.Columns;
            if (!slot.IsMatrix)
            {
                slot.Means[at] = Mean(slot.Means[at], Square(gradient[0], rule) + AdafactorRule.Epsilon, rule);
                continue;
            }
            double sum = 0;
            for (long first = 0; first < slot.Columns; first += columnsPerTask)
                sum += AddRow(gradient + first, slot.ColumnSums(span) + first, (int)Math.Min(columnsPerTask, slot.Columns - first), rule);
            slot.Means[at] = Mean(slot.Means[at], (float)(sum / slot.Columns) + AdafactorRule.Epsilon, rule);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float AddRow(float* gradient, float* columnSums, int count, AdafactorRule rule)
    {
        var sums = Vector<float>.Zero;
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var scaled = Vector.Load(gradient + i) * rule.GradientScale;
            sums += scaled * scaled;
            Vector.Store(Vector.Load(columnSums + i) + scaled * scaled, columnSums + i);
        }
        var sum = Vector.Sum(sums);
        for (; i < count; i++)
        {
            var square = Square(gradient[i], rule);
            sum += square;
            columnSums[i] += square;
        }
        return sum;
    }

    /// <summary>The means of some columns, of the sums of all spans, and what an update is multiplied by for them.</summary>
    private static void AddColumns(Slot slot, long matrix, long first, AdafactorRule rule)
    {
        for (var column = first; column < Math.Min(slot.Columns, first + columnsPerTask); column++)
        {
            double sum = 0;
            for (long span = 0; span < slot.SpansPerMatrix; span++)
                sum += slot.SpanSums[(matrix * slot.SpansPerMatrix + span) * slot.Columns + column];
            var at = matrix * slot.Columns + column;
            var mean = Mean(slot.ColumnMeans[at], (float)(sum / slot.Rows) + AdafactorRule.Epsilon, rule);
            slot.ColumnMeans[at] = mean;
            slot.Optimized.Check(mean * 0);
            slot.ColumnFactors[at] = 1 / MathF.Sqrt(mean);
        }
    }

    /// <summary>What an update is multiplied by for each row.</summary>
    private static void SetRowFactors(Slot slot)
    {
        for (long matrix = 0; matrix < slot.Matrices; matrix++)
        {
            float* means = slot.Means + matrix * slot.Rows, factors = slot.RowFactors + matrix * slot.Rows;
            double sum = 0;
            for (long row = 0; slot.IsMatrix && row < slot.Rows; row++)
                sum += means[row];
            var mean = slot.IsMatrix ? (float)(sum / slot.Rows) : 1;
            float check = 0;
            for (long row = 0; row < slot.Rows; row++)
            {
                factors[row] = 1 / MathF.Sqrt(means[row] / mean);
                check += means[row] * 0;
            }
            slot.Optimized.Check(check);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SquaredUpdates(RowRange span, AdafactorRule rule)
    {
        var slot = span.Slot;
        var factors = slot.ColumnFactors + span.Matrix * slot.Columns;
        double sum = 0;
        for (var row = span.First; row < span.End; row++)
        {
            var at = span.Matrix * slot.Rows + row;
            var gradient = slot.Gradient + at * slot.Columns;
            double ofRow = 0;
            for (long first = 0; first < slot.Columns; first += columnsPerTask)
                ofRow += SquaresOfProducts(gradient + first, factors + first, (int)Math.Min(columnsPerTask, slot.Columns - first), rule);
            sum += ofRow * slot.RowFactors[at] * slot.RowFactors[at];
        }
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SquaresOfProducts(float* gradient, float* factors, int count, AdafactorRule rule)
    {
        var sums = Vector<float>.Zero;
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var product = Vector.Load(gradient + i) * rule.GradientScale * Vector.Load(factors + i);
            sums += product * product;
        }
        var sum = Vector.Sum(sums);
        for (; i < count; i++)
        {
            var product = gradient[i] * rule.GradientScale * factors[i];
            sum += product * product;
        }
        return sum;
    }

    /// <summary>The learning rate, divided by how far the update is above the threshold.</summary>
    private static double StepSizeOf(Slot slot, double squaredUpdates) =>
        slot.LearningRate / Math.Max(1, Math.Sqrt(squaredUpdates / slot.Length) / AdafactorRule.ClippingThreshold);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply(RowRange span, AdafactorRule rule)
    {
        var slot = span.Slot;
        var (kept, columns) = (slot.Kept, slot.Columns);
        var factors = slot.ColumnFactors + span.Matrix * columns;
        var (zero, check) = (Vector<float>.Zero, Vector<float>.Zero);
        float sum = 0;
        for (var row = span.First; row < span.End; row++)
        {
            var at = span.Matrix * slot.Rows + row;
            float* weight = slot.Weight + at * columns, gradient = slot.Gradient + at * columns;
            var change = (float)(slot.StepSize * slot.RowFactors[at] * rule.GradientScale);
            long i = 0;
            for (; i <= columns - Vector<float>.Count; i += Vector<float>.Count)
            {
                var updated = Vector.Load(weight + i) * kept - Vector.Load(gradient + i) * change * Vector.Load(factors + i);
                Vector.Store(updated, weight + i);
                check += updated * zero;
            }
            for (; i < columns; i++)
            {
                weight[i] = weight[i] * kept - gradient[i] * change * factors[i];
                sum += weight[i] * 0;
            }
        }
        slot.Optimized.Check(sum + Vector.Sum(check));
    }

    private static float Square(float gradient, AdafactorRule rule)
    {
        var scaled = gradient * rule.GradientScale;
        return scaled * scaled;
    }

    private static float Mean(float mean, float value, AdafactorRule rule) => mean * rule.Beta2 + value * rule.OneMinusBeta2;

    /// <summary>
    /// A parameter's memory: matrices of rows and columns, or, where it is none, rows of one element, whose column's factor is 1. Pointers stay
    /// valid for a step: tensors' memory does not move.
    /// </summary>
    private sealed class Slot
    {
        public Slot(AdafactorSlot slot, AdafactorRule rule)
        {
            var shape = slot.Parameter.shape;
            Optimized = slot.Optimized;
            IsMatrix = slot.Rows is not null;
            Length = slot.Parameter.numel();
            (Rows, Columns) = IsMatrix ? (shape[^2], shape[^1]) : (Length, 1);
            Matrices = Length / (Rows * Columns);
            RowsPerSpan = IsMatrix ? Math.Max(rowsPerTask, taskLength / Columns) : taskLength;
            SpansPerMatrix = (Rows + RowsPerSpan - 1) / RowsPerSpan;
            Weight = Data(slot.Parameter);
            Gradient = Data(slot.Parameter.grad!.contiguous());
            Means = Data(slot.Rows ?? slot.Elements!);
            ColumnMeans = slot.Columns is null ? null : Data(slot.Columns);
            SpanSums = IsMatrix ? Data(zeros(Matrices * SpansPerMatrix, Columns)) : null;
            RowFactors = Data(empty(Matrices * Rows));
            ColumnFactors = Data(ones(Matrices * Columns));
            Kept = rule.KeptOf(slot.Optimized);
            LearningRate = rule.LearningRateOf(slot.Optimized);
        }

        public OptimizedParameter Optimized { get; }

        public bool IsMatrix { get; }

        public long Length { get; }

        public long Matrices { get; }

        public long Rows { get; }

        public long Columns { get; }

        public long RowsPerSpan { get; }

        public long SpansPerMatrix { get; }

        public float* Weight { get; }

        public float* Gradient { get; }

        /// <summary>Of rows.</summary>
        public float* Means { get; }

        public float* ColumnMeans { get; }

        /// <summary>Squares of each span's columns.</summary>
        public float* SpanSums { get; }

        public float* RowFactors { get; }

        public float* ColumnFactors { get; }

        public float Kept { get; }

        public double LearningRate { get; }

        public double StepSize { get; set; }

        public float* ColumnSums(RowRange span) =>
            SpanSums + (span.Matrix * SpansPerMatrix + span.First / RowsPerSpan) * Columns;

        private static float* Data(Tensor tensor) => (float*)LibTorch.DataOf(tensor);
    }

    /// <summary>Rows of one matrix of a parameter.</summary>
    private sealed class RowRange(Slot slot, long matrix, long first, long end)
    {
        public Slot Slot => slot;

        public long Matrix => matrix;

        public long First => first;

        public long End => end;

        public double SquaredUpdates { get; set; }
    }
}
