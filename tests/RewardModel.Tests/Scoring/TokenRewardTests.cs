using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Scoring;

/// <summary>Rewards within answers: at every token, and at the ends of steps.</summary>
[Collection(nameof(RunsAlone))]
public sealed class TokenRewardTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    public static TheoryData<string> Architectures => [.. TinyModel.Architectures];

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Steps_have_the_rewards_that_they_have_as_answers_by_themselves(string architecture)
    {
        using var model = TinyModel.Create(architecture);
        model.eval();
        var (solution, other) = (TinyModel.List(3, 5, 9).AnswerIds[0], TinyModel.List(4, 5, 7).AnswerIds[0]);
        var list = new TokenizedList(
            TinyModel.List(3, 5, 9).PromptIds, [solution[..2], solution[..5], solution, other[..3], other], new double[5]);
        var scorer = new RewardScorer(model);
        float[] Alone() => [.. Enumerable.Range(0, 5).Select(k => scorer.Score([list.WithAnswers([k])])[0][0])];
        Numbers.AssertEqualButForRounding(Alone(), scorer.Score([list])[0], Numbers.UnitsOfModels);
        // Another order, in which none follows its beginning, and a list that is too long for one batch.
        Numbers.AssertEqualButForRounding(
            [.. Alone().Reverse()], scorer.Score([list.WithAnswers([4, 3, 2, 1, 0])])[0], Numbers.UnitsOfModels);
        Numbers.AssertEqualButForRounding(Alone(), new RewardScorer(model, 9).Score([list])[0], Numbers.UnitsOfModels);

        model.IsBatchInvariant = true;
        Assert.Equal(Alone(), scorer.Score([list])[0]);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_token_has_the_reward_of_an_answer_that_ends_with_it(string architecture)
    {
        using var model = TinyModel.Create(architecture);
        model.eval();
        TokenizedList[] lists = [TinyModel.List(1, 4, 3, 6), TinyModel.List(2, 0, 5), TinyModel.List(1, 4, 3, 6).WithAnswers([1])];
        var scorer = new RewardScorer(model, normalizer: new RewardNormalizer(0.5f, 2));
        float[] expected =
        [
            .. from list in lists
               from ids in list.AnswerIds
               from end in Enumerable.Range(1, ids.Length)
               select scorer.Score([list with { AnswerIds = [ids[..end]], Scores = [0] }])[0][0],
        ];
        var found = scorer.ScoreTokens(lists);
        Assert.Equal(lists.Select(list => list.AnswerIds.Select(ids => ids.Length)), found.Select(list => list.Select(answer => answer.Length)));
        Numbers.AssertEqualButForRounding(expected, [.. found.SelectMany(list => list.SelectMany(answer => answer))], Numbers.UnitsOfModels);
        // The last token's is the answer's.
        Numbers.AssertEqualButForRounding(
            [.. scorer.Score(lists).SelectMany(list => list)], [.. found.SelectMany(list => list.Select(answer => answer[^1]))], Numbers.UnitsOfModels);

        model.IsBatchInvariant = true;
        Assert.Equal(scorer.Score(lists), scorer.ScoreTokens(lists).Select(list => list.Select(answer => answer[^1]).ToArray()));
    }

    [Fact]
    public void An_encoder_has_no_rewards_of_tokens()
    {
        using var model = Parity.ParityModel.Random("bert");
        var expected = "This BERT is an encoder, which reads an answer as a whole and has one reward of it; expected a causal model for rewards of "
            + "tokens or steps.";
        Assert.Equal(expected, Assert.Throws<ArgumentException>(() => new RewardScorer(model).ScoreTokens([TinyModel.List(1, 2, 3)])).Message);
    }

    [Fact]
    public void Tokens_of_text_have_their_places_in_it()
    {
        using var model = Model(maxLength: 12);
        var tokens = model.ScoreTokens("ab", "cde", "f");
        Assert.Equal(
            [("c", 0, 1), ("d", 1, 2), ("e", 2, 3)],
            tokens[0].SkipLast(1).Select(token => (token.Text, token.Start ?? -1, token.End ?? -1)));
        // The special token behind the answer is not of its text.
        Assert.Equal((4, 2), (tokens[0].Count, tokens[1].Count));
        Assert.Equal((null, null), (tokens[0][^1].Start, tokens[0][^1].End));
        Assert.Equal(model.Score("ab", "cde", "f"), tokens.Select(answer => answer[^1].Reward), (x, y) => Math.Abs(x - y) < 1e-5);

        // Where the end is cut off, what is left keeps its places.
        tokens = model.ScoreTokens("ab", "cdefghijklmnop");
        Assert.Equal(Enumerable.Range(0, 11), tokens[0].SkipLast(1).Select(token => token.Start ?? -1));
        Assert.Equal(12, tokens[0].Count);
    }

    [Fact]
    public void A_chat_templates_tokens_are_not_of_the_answer()
    {
        ScoringModelTests.Tokenizer(directory);
        // All of the vocabulary are letters: z before each message, and white space around it is left out.
        File.WriteAllText(
            directory["tokenizer/chat_template.jinja"],
            "{% for m in messages %}z{{ m.content | trim }}y{% endfor %}{% if add_generation_prompt %}z{% endif %}");
        using var model = new ScoringModel(TinyModel.Create(), HuggingFaceTokenizer.Load(directory["tokenizer"]), maxLength: 24);
        model.Transformer.eval();
        var list = RankedList.BestFirst("ab", " cxdx ").AsChat();
        var tokens = model.ScoreTokens([list])[0][0];
        Assert.Equal(["c", "x", "d", "x", "y"], tokens.SkipLast(1).Select(token => token.Text));
        Assert.Equal([1, 2, 3, 4, -1, -1], tokens.Select(token => token.Start ?? -1));
        var steps = model.ScoreSteps([list], "x")[0][0];
        Assert.Equal([(" cx", 3), ("dx", 5)], steps.Select(step => (step.Text, step.End)));
        Assert.Equal([tokens[1].Reward, tokens[3].Reward], steps.Select(step => step.Reward!.Value), (x, y) => Math.Abs(x - y) < 1e-5);
    }

    [Fact]
    public void A_step_has_the_reward_of_the_token_that_ends_it_and_the_last_one_the_answers()
    {
        using var model = Model(maxLength: 12);
        var steps = model.ScoreSteps("x", "ab", "cxdxe", "fx", "x", "g");
        var tokens = model.ScoreTokens("ab", "cxdxe", "fx", "x", "g");
        Assert.Equal(
            [[("cx", 2), ("dx", 4), ("e", 5)], [("fx", 2)], [("x", 1)], [("g", 1)]],
            steps.Select(answer => answer.Select(step => (step.Text, step.End))));
        float[] expected = [tokens[0][1].Reward, tokens[0][3].Reward, tokens[0][5].Reward, tokens[1][1].Reward, tokens[2][0].Reward, tokens[3][1].Reward];
        Numbers.AssertEqualButForRounding(
            expected, [.. steps.SelectMany(answer => answer.Select(step => step.Reward!.Value))], Numbers.UnitsOfModels);
        Assert.Equal(model.Score("ab", "g")[0], steps[3][0].Reward!.Value, 1e-5f);
    }

    [Fact]
    public void A_step_of_which_the_end_is_cut_off_has_no_reward()
    {
        using var model = Model(maxLength: 8);
        // Seven letters and the special token fit.
        var steps = model.ScoreSteps("x", "ab", "cdxefxghx", "cdxefxghi", "cdxefx");
        Assert.Equal(
            [[true, true, false], [true, true, false], [true, true]], steps.Select(answer => answer.Select(step => step.Reward is not null)));
        Assert.Equal(model.ScoreSteps("x", "", "cdxefx")[0][1].Reward!.Value, steps[0][1].Reward!.Value, 1e-5f);
    }

    [Fact]
    public void What_has_no_steps_is_refused()
    {
        using var model = Model(maxLength: 12);
        Assert.Throws<ArgumentException>(() => model.ScoreSteps("", "a", "b"));
        var list = RankedList.OfSteps("a", ["b", "c"], [1, 0], "x");
        Assert.Contains(
            "steps with rewards of their own, as they are scored by themselves; expected whole answers",
            Assert.Throws<TokenizerException>(() => model.ScoreSteps([list], "x")).Message, StringComparison.Ordinal);
        // By themselves they have one reward each.
        Assert.Equal(2, model.Score([list])[0].Length);
    }

    private ScoringModel Model(int maxLength)
    {
        var model = new ScoringModel(TinyModel.Create("gpt2"), ScoringModelTests.Tokenizer(directory), maxLength);
        model.Transformer.eval();
        return model;
    }
}
