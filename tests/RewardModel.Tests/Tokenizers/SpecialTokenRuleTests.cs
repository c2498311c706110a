using System.Text.Json;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers;

public class SpecialTokenRuleTests
{
    [Fact]
    public void A_rule_can_be_saved_and_read()
    {
        var rule = new SpecialTokenRule([1], [], [2, 3], 1);
        const string json = """{"BeforePrompt":[1],"AfterPrompt":[],"AfterAnswer":[2,3],"AnswerTokenType":1}""";
        Assert.Equal(json, JsonSerializer.Serialize(rule));
        Assert.Equal(rule, JsonSerializer.Deserialize<SpecialTokenRule>(json));
    }

    [Fact]
    public void Rules_are_equal_if_their_ids_are()
    {
        SpecialTokenRule rule = new([1], [2], [3], 1);
        SpecialTokenRule same = new([1], [2], [3], 1);
        Assert.Equal(rule, same);
        Assert.Equal(rule.GetHashCode(), same.GetHashCode());
        SpecialTokenRule[] others =
        [
            new([2], [2], [3], 1), new([1], [], [3], 1), new([1], [2], [3, 3], 1), new([1], [2], [3], 0), SpecialTokenRule.None,
        ];
        Assert.DoesNotContain(rule, others);
    }
}
