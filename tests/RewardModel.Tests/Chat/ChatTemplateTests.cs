using System.Text.Json;
using RewardModel.Chat;
using RewardModel.Jinja;
using RewardModel.Lists;

namespace RewardModel.Tests.Chat;

public class ChatTemplateTests
{
    private static readonly Dictionary<string, string> tokens = new() { ["bos_token"] = "<s>" };

    [Theory]
    [InlineData("a\n {% include 'x' %}", 2, 5, "the tag 'include' is not supported here; supported are break, call, continue, filter, for, "
        + "generation, if, macro, raw, set, with")]
    [InlineData("{{ x | nonsense }}", 1, 8, "the filter 'nonsense' is not supported; supported are ")]
    [InlineData("{{ x | wordwrap }}", 1, 8, "the filter 'wordwrap' is not supported; supported are ")]
    [InlineData("{{ x is nonsense }}", 1, 9, "the test 'nonsense' is not supported; supported are ")]
    [InlineData("{% if true %}{{ 'x' | nonsense }}{% endif %}", 1, 23, "the filter 'nonsense' is not supported; supported are ")]
    [InlineData("{{ ('x' is nonsense) if true }}", 1, 12, "the test 'nonsense' is not supported; supported are ")]
    [InlineData("{{ ('x' | safe).replace('x', '<') }}", 1, 16, "the method 'replace' is not supported for a text that the filter 'safe' "
        + "has marked; mark what comes out instead")]
    [InlineData("{{ ('%s' | safe) % 1 }}", 1, 18, "'%' is not supported for a text that the filter 'safe' has marked; mark what comes "
        + "out instead")]
    [InlineData("{{ 'x'.encode('utf-8') }}", 1, 7, "the method 'encode' of a string is not supported; supported are ")]
    [InlineData("{{ 'x'.nonsense() }}", 1, 16, "a string has no member 'nonsense'")]
    [InlineData("{{ nonsense() }}", 1, 12, "'nonsense' is not defined")]
    [InlineData("{{ messages | trim(x=1) }}", 1, 15, "the filter 'trim' has no parameter 'x'")]
    [InlineData("{% for x in y recursive %}{% endfor %}", 1, 15, "'recursive' loops are not supported")]
    [InlineData("{% if x %}", 1, 4, "the tag 'if' has no end; expected {% endif %}")]
    [InlineData("{% endfor %}", 1, 4, "the tag 'endfor' is not supported here; supported are ")]
    [InlineData("{% break %}", 1, 4, "the tag 'break' is outside of a loop")]
    [InlineData("{{ 'x }}", 1, 4, "the string has no end; expected '")]
    [InlineData("{{ x", 1, 1, "the tag has no end; expected }}")]
    [InlineData("{# x", 1, 1, "the comment has no end; expected #}")]
    [InlineData("{{ x ! }}", 1, 6, "the character '!' has no meaning here")]
    [InlineData("{{ (x] }}", 1, 6, "']' closes no bracket")]
    [InlineData("{{ }}", 1, 4, "the end of the expression found where an expression was expected")]
    [InlineData("{{ x y }}", 1, 6, "'y' found where the end of the expression was expected")]
    [InlineData("{% set true = 1 %}", 1, 8, "'true' can't be assigned to")]
    [InlineData("{% set x.y = 1 %}", 1, 4, "'x' is no namespace, so 'x.y' can't be assigned to")]
    [InlineData("{{ raise_exception('no ' ~ 1) }}", 1, 19, "the template rejects the conversation: no 1")]
    [InlineData("{{ strftime_now('%Q') }}", 1, 16, "strftime_now(): the code '%Q' is not supported")]
    public void What_is_wrong_is_told_with_its_place(string template, int line, int column, string problem)
    {
        var exception = Assert.Throws<ChatTemplateException>(() => Render(template));
        Assert.Equal((line, column), (exception.Line, exception.Column));
        Assert.StartsWith(problem, exception.Problem);
        Assert.Equal($"chat template, line {line}, column {column}: {exception.Problem}", exception.Message);
    }

    [Fact]
    public void The_date_is_what_the_caller_says()
    {
        var template = new ChatTemplate("{{ strftime_now('%Y-%m-%d %H:%M:%S %a %A %b %B %j %-d %y %p %%') }}");
        Assert.Equal(
            "2026-01-02 15:04:05 Fri Friday Jan January 002 2 26 PM %",
            template.Render(new Conversation([]), true, tokens, new DateTime(2026, 1, 2, 15, 4, 5)).Text);
        Assert.StartsWith("2024-07-26 00:00:00", template.Render(new Conversation([]), true, tokens).Text);
    }

    [Theory]
    [InlineData("a{{ x }}b", "[a]x[b]")]
    [InlineData("{{ 'a' + x.strip() + 'b' }}", "[a]x[b]")]
    [InlineData("{{ ('a' ~ x ~ 'b') | trim | upper }}", "[A]X[B]")]
    [InlineData("{{ ('a' ~ x ~ 'b')[1:] }}", "x[b]")]
    [InlineData("{{ ('ab' ~ x).replace('b', 'c') }}", "[ac]x")]
    [InlineData("{{ [x, 'a', x] | join(', ') }}", "x[, a, ]x")]
    [InlineData("{{ ['a', x] | tojson }}", "[\"a\", \"x\"]")]
    [InlineData("{{ ['a'] | tojson }}", "[[\"a\"]]")]
    [InlineData("{% set y %}a{{ x }}{% endset %}{{ y }}", "[a]x")]
    [InlineData("{% macro f(y) %}a{{ y }}{% endmacro %}{{ f(x) }}{{ f('b') }}", "[a]x[ab]")]
    [InlineData("{{ '%s: %s' % ('a', x) }}", "[a: ]x")]
    [InlineData("{{ ('a' | safe) + x + '<' }}", "[a]x[&lt;]")]
    [InlineData("{{ ('<' ~ x ~ '>') | e }}", "[&lt;]x[&gt;]")]
    [InlineData("{{ messages[0].role }}{{ bos_token }}", "[user<s>]")]
    public void The_origin_of_text_is_kept(string template, string pieces) => Assert.Equal(
        pieces,
        string.Concat(Render("{% set x = messages[0].content %}" + template).Pieces
            .Select(piece => piece.IsTemplate ? $"[{piece.Text}]" : piece.Text)));

    [Fact]
    public void A_role_that_is_no_word_is_users_text()
    {
        var message = ChatMessage.FromJson(JsonDocument.Parse("""{"role": "<s>", "content": "x"}""").RootElement);
        Assert.Equal(
            [("<s>", false)],
            new ChatTemplate("{{ messages[0].role }}").Render(new Conversation([message]), true, tokens).Pieces);
    }

    private static RenderedText Render(string template) =>
        new ChatTemplate(template).Render(new Conversation([new ChatMessage("user", "x")]), addGenerationPrompt: true, tokens);
}
