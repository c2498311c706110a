using System.Globalization;
using RewardModel.Tokenizers.PreTokenizers;

namespace RewardModel.Tests.Tokenizers.PreTokenizers;

public class CodePointTextTests
{
    [Fact]
    public void Every_stand_in_has_the_category_it_stands_for()
    {
        foreach (var category in Enum.GetValues<UnicodeCategory>())
            // A surrogate is no code point: lone ones are read as U+FFFD.
            if (category != UnicodeCategory.Surrogate)
                Assert.Equal(category, CharUnicodeInfo.GetUnicodeCategory(CodePointText.StandIn(category)));
    }

    [Fact]
    public void Text_of_the_basic_plane_stays_as_it_is()
    {
        var text = new CodePointText("aé漢");
        Assert.Equal("aé漢", text.Units.ToString());
        Assert.Equal(2, text.StartOf(2));
    }

    [Fact]
    public void Each_code_point_is_one_unit_that_knows_its_start()
    {
        // A mathematical capital A, an emoji, a lone surrogate.
        var text = new CodePointText("a\U0001D400b\U0001F600\uD800c");
        Assert.Equal("a\uA640b\uA490\uFFFDc", text.Units.ToString());
        Assert.Equal((0, 1, 3, 4), (text.StartOf(0), text.StartOf(1), text.StartOf(2), text.StartOf(3)));
        Assert.Equal((6, 7, 8), (text.StartOf(4), text.StartOf(5), text.StartOf(6)));
    }
}
