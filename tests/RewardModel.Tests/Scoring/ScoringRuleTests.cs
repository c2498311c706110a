using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Scoring;

public sealed class ScoringRuleTests : IDisposable
{
    private const string Advice = "Restore the file as it was saved, or train again.";

    private readonly TemporaryDirectory directory = new();

    private string FilePath => directory["reward_model.json"];

    public void Dispose() => directory.Dispose();

    [Fact]
    public void The_file_says_everything_a_score_depends_on()
    {
        var rule = new ScoringRule(new SpecialTokenRule([], [], [26]), 12)
        {
            Normalizer = new RewardNormalizer(0.5, 2),
            ChatTemplate = "{{ messages }}",
            Encoding = TextEncoding.Joint,
        };
        rule.Write(directory.Path);
        Assert.Equal(
            """
            {
              "library_version": "0.2.0",
              "rule": {
                "special_tokens": {
                  "before_prompt": [],
                  "after_prompt": [],
                  "after_answer": [
                    26
                  ],
                  "answer_token_type": 0
                },
                "max_length": 12,
                "normalizer": {
                  "mean": 0.5,
                  "std": 2
                },
                "chat_template": "{{ messages }}",
                "text_is_chat": false,
                "encoding": "joint"
              }
            }

            """.ReplaceLineEndings("\n"),
            File.ReadAllText(FilePath));
        Assert.Equal(rule, ScoringRule.Read(directory.Path));
    }

    [Fact]
    public void Without_a_file_there_is_no_rule() => Assert.Null(ScoringRule.Read(directory.Path));

    [Fact]
    public void Without_a_normalizer_rewards_stay_as_they_are_and_without_an_encoding_texts_are_encoded_apart()
    {
        File.WriteAllText(FilePath, """
            {"library_version": "0.1.0", "rule": {"special_tokens": {"before_prompt": [1], "after_prompt": [], "after_answer": [], "answer_token_type": 0}, "max_length": 8}}
            """);
        Assert.Equal(new ScoringRule(new SpecialTokenRule([1], [], []), 8), ScoringRule.Read(directory.Path));
        Assert.Equal(TextEncoding.Separate, ScoringRule.Read(directory.Path)!.Encoding);
    }

    [Theory]
    [InlineData("\"Apart\"")]
    [InlineData("0")]
    public void An_encoding_that_there_is_not_is_refused(string encoding) => Refuses(
        """
        {"library_version": "0.1.0", "rule": {"special_tokens": {"before_prompt": [1], "after_prompt": [], "after_answer": [],
         "answer_token_type": 0}, "max_length": 8, "encoding": ENCODING}}
        """.Replace("ENCODING", encoding),
        $"the file is invalid: encoding is {encoding}; expected \"joint\" or \"separate\"");

    [Fact]
    public void A_standard_deviation_of_0_is_refused() => Refuses(
        """
        {"library_version": "0.1.0", "rule": {"special_tokens": {"before_prompt": [1], "after_prompt": [], "after_answer": [], "answer_token_type": 0}, "max_length": 8,
         "normalizer": {"mean": 0, "std": 0}}}
        """,
        "the file is invalid: The standard deviation of the rewards is 0; expected a number above 0, from 1E-30 to 1E+30");

    [Fact]
    public void Numbers_that_no_rule_has_are_refused_all_at_once() => Refuses(
        """
        {"library_version": "0.1.0", "rule": {"special_tokens": {"before_prompt": [-1], "after_prompt": [], "after_answer": [2, -3],
         "answer_token_type": -2}, "max_length": 3}}
        """,
        "the file is invalid: a special token is -1; expected an id from 0; a special token is -3; expected an id from 0; "
        + "answer_token_type is -2; expected a number from 0; max_length is 3; expected at least 4, for the special tokens and an answer");

    [Fact]
    public void A_file_that_is_no_rule_is_refused() => Refuses("null", "the file is invalid: The file holds null");

    private void Refuses(string text, string problem)
    {
        File.WriteAllText(FilePath, text);
        Assert.Equal(
            $"{FilePath}: {problem}. {Advice}", Assert.Throws<CheckpointException>(() => ScoringRule.Read(directory.Path)).Message);
    }
}
