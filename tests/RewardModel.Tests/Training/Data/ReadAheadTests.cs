using RewardModel.Training.Data;

namespace RewardModel.Tests.Training.Data;

public class ReadAheadTests
{
    [Fact]
    public void Items_come_in_their_order() => Assert.Equal(Enumerable.Range(0, 1000), ReadAhead.Of(Enumerable.Range(0, 1000), 3));

    [Fact]
    public void What_is_thrown_comes_after_the_items_before_it()
    {
        static IEnumerable<int> Items()
        {
            yield return 1;
            yield return 2;
            throw new InvalidDataException("broken");
        }
        var taken = new List<int>();
        var exception = Assert.Throws<InvalidDataException>(() => taken.AddRange(ReadAhead.Of(Items(), 1).Select(item => item)));
        Assert.Equal("broken", exception.Message);
        taken.Clear();
        Assert.Throws<InvalidDataException>(() =>
        {
            foreach (var item in ReadAhead.Of(Items(), 1))
                taken.Add(item);
        });
        Assert.Equal([1, 2], taken);
    }

    [Fact]
    public void Who_stops_taking_stops_the_reading()
    {
        var hasEnded = false;
        IEnumerable<int> Endless()
        {
            try
            {
                for (var i = 0; ; i++)
                    yield return i;
            }
            finally
            {
                hasEnded = true;
            }
        }
        Assert.Equal([0, 1, 2], ReadAhead.Of(Endless(), 2).Take(3));
        Assert.True(hasEnded);
    }
}
