using System.Text.Json;
using RewardModel.Tokenization;

namespace RewardModel.Tests.Tokenization;

public class SpecialTokenRuleTests
{
    [Theory]
    [InlineData(1, 2, """{"PrependId":1,"AppendId":2}""")]
    [InlineData(null, 2, """{"PrependId":null,"AppendId":2}""")]
    public void A_rule_can_be_saved_and_read(int? prependId, int? appendId, string json)
    {
        var rule = new SpecialTokenRule(prependId, appendId);
        Assert.Equal(json, JsonSerializer.Serialize(rule));
        Assert.Equal(rule, JsonSerializer.Deserialize<SpecialTokenRule>(json));
    }
}
