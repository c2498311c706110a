using RewardModel.Kernels;
using RewardModel.Training.Data;
using static TorchSharp.torch;

namespace RewardModel.Tests.Kernels;

[Collection(nameof(RunsAlone))]
public unsafe class PagePoolTests
{
    [Fact]
    public void Places_do_not_overlap_and_keep_what_is_written()
    {
        var pool = new PagePool(1L << 30);
        var random = new SplitMix64(1);
        var places = new List<(IntPtr Place, int Length, int Value)>();
        for (var i = 0; i < 3000; i++)
        {
            if (places.Count > 0 && random.NextBelow(100) < 50)
            {
                var index = random.NextBelow(places.Count);
                var (place, length, value) = places[index];
                Assert.True(new Span<int>((void*)place, length).IndexOfAnyExcept(value) < 0, "another place was written over this one");
                pool.Release((void*)place);
                places.RemoveAt(index);
                continue;
            }
            var taken = (1 + random.NextBelow(400_000), i);
            var start = (IntPtr)pool.Take(4L * taken.Item1);
            Assert.NotEqual(IntPtr.Zero, start);
            new Span<int>((void*)start, taken.Item1).Fill(taken.i);
            places.Add((start, taken.Item1, taken.i));
            if (i % 500 == 0)
                pool.ReleaseFree();
        }
    }

    [Fact]
    public void A_place_that_was_released_is_given_to_the_next_that_fits()
    {
        var pool = new PagePool(1L << 30);
        void* first = pool.Take(3 << 20), second = pool.Take(1 << 20), third = pool.Take(2 << 20);
        pool.Release(first);
        Assert.Equal((IntPtr)first, (IntPtr)pool.Take(1 << 20));
        // The neighbour's rest and it become one.
        pool.Release(second);
        Assert.Equal((IntPtr)first + (1 << 20), (IntPtr)pool.Take(3 << 20));
        pool.Release(third);
        pool.ReleaseFree();
        Assert.Equal((IntPtr)third, (IntPtr)pool.Take(2 << 20));
    }

    [Fact]
    public void Tensors_that_come_and_go_need_no_more_than_they_have_at_once_and_give_it_back()
    {
        var numbers = ChildProgram.MeasureAsUsual("tensors");
        var (growth, most, left) = (numbers[0], numbers[1], numbers[2]);
        Assert.InRange(growth / (double)most, 0.9, 1.1);
        Assert.InRange(left / (double)most, -0.1, 0.1);
    }

    [Fact]
    public void What_is_larger_than_the_machine_s_memory_is_refused() =>
        Assert.Equal(IntPtr.Zero, (IntPtr)new PagePool(1L << 20).Take((1L << 20) + 1));

    [Fact]
    public void A_large_tensor_gives_its_place_back_with_its_last_reference()
    {
        using var scope = NewDisposeScope();
        // So that no other free place has pages.
        TensorMemory.ReleaseFree();
        var tensor = TensorMemory.Empty(1000, 1000);
        var place = (IntPtr)LibTorch.DataOf(tensor);
        var view = tensor.narrow(0, 5, 10);
        tensor.Dispose();
        Assert.NotEqual(place, (IntPtr)LibTorch.DataOf(TensorMemory.Empty(1000, 1000)));
        view.fill_(3);
        view.Dispose();
        Assert.Equal(place, (IntPtr)LibTorch.DataOf(TensorMemory.Empty(1000, 1000)));
        Assert.Equal(ScalarType.BFloat16, TensorMemory.Empty(ScalarType.BFloat16, 2000, 1000).dtype);
    }
}
