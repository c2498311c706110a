using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using RewardModel.Chat;
using RewardModel.Jinja;
using RewardModel.Lists;
using RewardModel.Tests.Checkpoints;
using JinjaTests = RewardModel.Jinja.Tests;

namespace RewardModel.Tests.Jinja;

public class RenderBudgetTests
{
    private const string Steps = "the template takes more than 2000000 steps";
    private const string Memory = "the template's values take more than 64 MB";
    private const string Depth = "more than 400 levels of nesting or calls";
    private const string ValueDepth = "a value has more than 100 levels of lists and dictionaries";
    private const string Nesting = "more than 500 levels of nesting";

    /// <summary>A list of n levels that holds the one before twice.</summary>
    private static string Doubled(int n, string kind = "[ns.x, ns.x]") =>
        $"{{% set ns = namespace(x={kind.Replace("ns.x", "1")}) %}}{{% for i in range({n}) %}}{{% set ns.x = {kind} %}}{{% endfor %}}";

    private static string Levels(string kind) =>
        $"{{% set ns = namespace(x=[]) %}}{{% for i in range(100000) %}}{{% set ns.x = {kind} %}}{{% endfor %}}";

    public static TheoryData<string, string> Exhausting => new()
    {
        { "{% for a in range(9999) %}{% for b in range(99) %}{% set c = a + b %}{% endfor %}{% endfor %}", Steps },
        { "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", Depth },
        { "{% macro f(c) %}{% call f(c) %}{{ caller() }}{% endcall %}{% endmacro %}{{ f(1) }}", Depth },

        // Repetition and padding.
        { "{{ 'x' * 99999999999 }}", Memory },
        { "{{ 99999999999 * 'xy' }}", Memory },
        { "{{ ([1, 2, 3] * 6148914691236517206) | length }}", Memory },
        { "{{ ((1, 2) * 9223372036854775807) | length }}", Memory },
        { "{{ (4611686018427387904 * [1, 2]) | length }}", Memory },
        { "{{ 'x'.center(99999999999) }}", Memory },
        { "{{ 'x'.ljust(99999999) }}", Memory },
        { "{{ 'x'.rjust(9223372036854775807) }}", Memory },
        { "{{ '-x'.zfill(999999999) }}", Memory },
        { "{{ 'x' | center(999999999) }}", Memory },
        { "{{ 'x' | indent(999999999, true) }}", Memory },
        { "{{ ('\n' * 1000000) | indent(100, true, true) }}", Memory },
        { "{{ [1] | batch(2147483647, 0) | list }}", Memory },
        { "{{ [1, 2] | tojson(indent='x' * 10000000) }}", Memory },
        { "{{ range(99999) | list | tojson(separators=(',' * 1000, ':')) }}", Memory },

        // Formats.
        { "{{ ('{0}' * 100000).format('y' * 100000) }}", Memory },
        { "{{ ('%s' * 100000) % (('y' * 1000,) * 100000) }}", Memory },
        { "{{ ('%9999d' * 100000) % ((1,) * 100000) }}", Memory },
        { "{{ strftime_now('%A' * 10000000) }}", Memory },

        // Parts of texts.
        { "{{ (',' * 9999999).split(',') | length }}", Memory },
        { "{{ (', ' * 9999999).split() | length }}", Memory },
        { "{{ ('\n' * 9999999).splitlines() | length }}", Memory },
        { "{{ ('x' * 9999999) | list | length }}", Memory },
        { "{{ ('x' * 999999).replace('x', 'y' * 1000) }}", Memory },
        { "{{ ('x' * 999999).replace('', 'y' * 1000) }}", Memory },
        { "{{ ('y' * 1000).join('x' * 1000000) }}", Memory },
        { "{{ (['y' * 1000] * 100000) | join }}", Memory },
        { "{% set s = 'x' * 9999999 %}{% for i in range(99999) %}{{ s | upper | length }}{% endfor %}", Memory },

        // Searches whose time grows with the product of both lengths.
        { "{% set s = 'a' * 4000000 %}{{ s.find('a' * 1000000 ~ 'b' ~ 'a' * 64) }}{{ s.find('a' * 64 ~ 'b' ~ 'a' * 1000000) }}", Steps },
        { "{{ ('a' * 64 ~ 'b' ~ 'a' * 999999) in ('a' * 4000000) }}", Steps },
        { "{{ ('a' * 4000000).count('a' * 64 ~ 'b' ~ 'a' * 999999) }}", Steps },
        { "{{ ('a' * 4000000).rfind('a' * 999999 ~ 'b' ~ 'a' * 64) }}", Steps },
        { "{{ ('a' * 4000000).partition('a' * 64 ~ 'b' ~ 'a' * 999999) }}", Steps },
        { "{{ ('a' * 4000000).rsplit('a' * 999999 ~ 'b' ~ 'a' * 64, 1) }}", Steps },

        // Sums and joins that copy what they have so far.
        { "{{ ([[1] * 1000] * 16000) | sum(start=[]) | length }}", Memory },
        { "{{ (['x' * 1000] * 16000) | sum(start='') | length }}", Memory },
        { "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}", Memory },
        { "{% set ns = namespace(x='xxxxxxxx') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}", Memory },
        { "{% set ns = namespace(x=[]) %}{% for i in range(99999) %}{% set ns.x = ns.x + [i] %}{% endfor %}", Memory },

        // Shared values, compared, written, ordered and hashed.
        { Doubled(60) + "{% set a = ns.x %}" + Doubled(60) + "{{ a == ns.x }}", Steps },
        { Doubled(60) + "{% set a = ns.x %}" + Doubled(60) + "{{ a < ns.x }}", Steps },
        { Doubled(60) + "{% set a = ns.x %}" + Doubled(60) + "{{ [a, ns.x] | sort }}", Steps },
        { Doubled(60) + "{% set a = ns.x %}" + Doubled(60) + "{{ [a, ns.x] | max }}", Steps },
        { Doubled(60) + "{% set a = ns.x %}" + Doubled(60) + "{{ a in [ns.x] }}", Steps },
        { Doubled(60) + "{% set a = ns.x %}" + Doubled(60) + "{{ [a].index(ns.x) }}", Steps },
        { Doubled(60) + "{% set a = ns.x %}" + Doubled(60) + "{{ [a, ns.x] | groupby(0) }}", Steps },
        { Doubled(60, "{'a': ns.x, 'b': ns.x}") + "{% set a = ns.x %}" + Doubled(60, "{'a': ns.x, 'b': ns.x}") + "{{ a != ns.x }}", Steps },
        { Doubled(60) + "{{ ns.x }}", Steps },
        { Doubled(60) + "{{ ns.x | tojson }}", Steps },
        { Doubled(60) + "{{ [ns.x] | join }}", Steps },
        { Doubled(60) + "{{ '%r' % (ns.x,) }}", Steps },
        { Doubled(60, "(ns.x, ns.x)") + "{{ {ns.x: 1} }}", Memory },
        { Doubled(60, "(ns.x, ns.x)") + "{{ [ns.x] | unique | list }}", Memory },

        // Values and generators of many levels.
        { Levels("[ns.x]") + "{{ ns.x }}", ValueDepth },
        { Levels("(ns.x,)") + "{{ {ns.x: 1} }}", ValueDepth },
        { Levels("{'a': ns.x}") + "{{ ns.x | tojson }}", ValueDepth },
        { Levels("{'a': ns.x}.items()") + "{{ ns.x }}", ValueDepth },
        { Levels("ns.x | map('string')") + "{{ ns.x | list }}", Depth },
        { Levels("ns.x | select").Replace("100000", "60000") + "{{ ns.x | first }}", Depth },

        // What is made of little and kept.
        { "{{ range(99999) | map('map', 'string') | list | length }}{{ range(99999) | map('map', 'string') | list | length }}", Memory },
        { "{% set ns = namespace(x={}) %}{% for i in range(99999) %}{% set ns.x = dict(a=ns.x.a, b='x'.upper) %}{% endfor %}", Memory },
    };

    [Theory]
    [MemberData(nameof(Exhausting))]
    public void No_template_runs_for_ever_or_fills_the_memory(string template, string problem) =>
        Assert.Equal(problem, Assert.Throws<ChatTemplateException>(() => Render(template)).Problem);

    [Theory]
    [InlineData("{{ ([] * 2147483647) | length }}", "0")]
    [InlineData("{{ ('' * 9223372036854775807) | length }}{{ [1] * -5 }}{{ 'x' * -9223372036854775807 }}", "0[]")]
    [InlineData("{{ 3 * [1, 2] }}{{ (1,) * 2 }}{{ 2 * 'ab' }}", "[1, 2, 1, 2, 1, 2](1, 1)abab")]
    [InlineData("{{ range(9223372036854775800, 9223372036854775807, 5) | list }}", "[9223372036854775800, 9223372036854775805]")]
    [InlineData("{{ range(5, -5, -3) | list }}{{ range(3, 3) | list }}{{ range(9, 3) | list }}", "[5, 2, -1, -4][][]")]
    [InlineData("{{ 'abcde'[::9223372036854775807] }}{{ 'abcde'[::-2] }}{{ 'a😀c'[::-1] }}{{ 'a😀c'[1] }}{{ 'a😀c'[-1] }}", "aecac😀a😀c")]
    [InlineData("{{ 'a😀c' | reverse }}{{ 'a😀c' | last }}{{ 'a😀c' | first }}{{ '' | last }}{{ [1, 2] | last }}", "c😀aca2")]
    [InlineData("{{ [1, 2, 3, 4][9:0:-3] }}{{ [1, 2, 3, 4][1:9:2] }}", "[4][2, 4]")]
    [InlineData("{{ '%d %d %x' % (9007199254740993, -2.9, -255) }}", "9007199254740993 -2 -ff")]
    [InlineData("{{ '%(a)s' % {'a': none} }}", "None")]
    [InlineData("{{ 'a{{b}}{}{0}{c}'.format(1, c='x') }}", "a{b}11x")]
    [InlineData("{{ 9223372036854775807 | abs }}{{ -3 | abs }}{{ true | abs }}{{ -2.5 | abs }}", "9223372036854775807312.5")]
    [InlineData("{{ 'x' | truncate(9223372036854775807) }}", "x")]
    [InlineData("{{ 9000000000000000000.0 | int }}", "9000000000000000000")]
    [InlineData("{{ [3, 1, 2] | sort }}{{ [3, 1, 2] | sort(reverse=true) }}{{ ['b', 'A', 'a', 'B'] | sort }}", "[1, 2, 3][3, 2, 1]['A', 'a', 'b', 'B']")]
    [InlineData("{{ [(1, 'b'), (0, 'x'), (1, 'a')] | sort(attribute='0', reverse=true) }}", "[(1, 'b'), (1, 'a'), (0, 'x')]")]
    [InlineData("{{ {'b': 1, 'a': 2} | dictsort }}{{ {'b': 1, 'a': 2} | dictsort(by='value') }}", "[('a', 2), ('b', 1)][('b', 1), ('a', 2)]")]
    public void What_is_cheap_to_Python_is_computed(string template, string expected) => Assert.Equal(expected, Render(template));

    [Fact]
    public void A_value_is_equal_to_itself_without_being_looked_at()
    {
        Assert.Equal("True", Render(Doubled(60) + "{{ ns.x == ns.x }}"));
        Assert.Equal("2", Render(Doubled(60) + "{{ [ns.x, ns.x] | sort | length }}"));
        Assert.Equal("False", Render("{% set x = 'nan' | float %}{{ x == x }}"));
    }

    [Theory]
    [InlineData("{{ [1, 'a'] | sort }}", "'<' is not for a string and an integer")]
    [InlineData("{{ [none, 1] | sort }}", "'<' is not for an integer and None")]
    [InlineData("{{ [{'a': 1}, {'a': 'b'}] | groupby('a') }}", "'<' is not for a string and an integer")]
    [InlineData("{{ {1: 1, 'a': 2} | dictsort }}", "'<' is not for a string and an integer")]
    [InlineData("{{ {'a': 1} | dictsort(by='size') }}", "the filter 'dictsort' sorts by 'size', expected key or value")]
    [InlineData("{{ {1: 1, 'a': 2} | tojson(sort_keys=true) }}", "'<' is not for a string and an integer")]
    [InlineData("{{ [1, 'a'] | max }}", "'<' is not for a string and an integer")]
    [InlineData("{{ 'a' | abs }}", "a string found where an integer was expected")]
    [InlineData("{{ (-9223372036854775807 - 1) | abs }}", "the result of '-' is too large; integers have 64 bits here, unlike Python's")]
    [InlineData("{{ -(-9223372036854775807 - 1) }}", "the result of '-' is too large; integers have 64 bits here, unlike Python's")]
    [InlineData("{{ 9 ** 99 }}", "the result of '**' is too large; integers have 64 bits here, unlike Python's")]
    [InlineData("{{ 9223372036854775807 + 1 }}", "the result of '+' is too large; integers have 64 bits here, unlike Python's")]
    [InlineData("{{ (-9223372036854775807 - 1) // -1 }}", "the result of '//' is too large; integers have 64 bits here, unlike Python's")]
    [InlineData("{{ (-9223372036854775807 - 1) % -1 }}", "the result of '%' is too large; integers have 64 bits here, unlike Python's")]
    [InlineData("{{ 0 ** -1 }}", "0 can't be raised to a negative power")]
    [InlineData("{{ 0.0 ** -1 }}", "0 can't be raised to a negative power")]
    [InlineData("{{ 1e30 | int }}", "1e+30 is no integer of 64 bits, which integers have here, unlike Python's")]
    [InlineData("{{ '99999999999999999999' | int }}", "1e+20 is no integer of 64 bits, which integers have here, unlike Python's")]
    [InlineData("{{ '%d' % 1e30 }}", "1e+30 is no integer of 64 bits, which integers have here, unlike Python's")]
    [InlineData("{{ 9223372036854775808 }}", "the number 9223372036854775808 is too large; integers have 64 bits here")]
    [InlineData("{{ 0xffffffffffffffff }}", "'0xffffffffffffffff' is no number that is supported")]
    [InlineData("{{ range(-9223372036854775807, 9223372036854775807) }}", "range() has more than 100000 items")]
    [InlineData("{{ '%99999999d' % 1 }}", "the placeholder '%99999' is not supported for an integer")]
    [InlineData("{{ '{:999999999}'.format(1) }}", "format(): the placeholder '{:999999999}' is not supported, or has no value")]
    [InlineData("{{ dict(a=1, **{'a': 2}) }}", "dict() has its parameter 'a' twice")]
    [InlineData("{% macro f(a) %}{% endmacro %}{{ f(a=1, **{'a': 2}) }}", "f() has its parameter 'a' twice")]
    [InlineData("{% macro f() %}{{ caller() }}{% endmacro %}{% call f(caller=1) %}{% endcall %}", "f() has its parameter 'caller' twice")]
    [InlineData("{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}", "a namespace can't be written as text")]
    [InlineData("{% set ns = namespace() %}{% set ns.x = ns %}{{ ns | tojson }}", "tojson: a namespace can't be written as JSON")]
    [InlineData("{% set ns = namespace() %}{% set ns.x = ns %}{{ {ns: 1} }}", "a namespace can't be a key")]
    [InlineData("{% for x in [1] %}{{ loop }}{% endfor %}", "the loop can't be written as text")]
    [InlineData("{% set a, b = 'x' * 9 %}", "9 values for 2 names")]
    public void Python_s_errors_and_the_limits_of_our_integers_are_told(string template, string problem) =>
        Assert.Equal(problem, Assert.Throws<ChatTemplateException>(() => Render(template)).Problem);

    public static TheoryData<string, string> Nested => new()
    {
        { $"{{{{ {new string('(', 100_000)}x{new string(')', 100_000)} }}}}", Nesting },
        { $"{{{{ {new string('[', 100_000)}x{new string(']', 100_000)} }}}}", Nesting },
        { $"{{{{ {Many("{1:")}x{new string('}', 100_000)} }}}}", Nesting },
        { $"{{{{ {Many("not ")}x }}}}", Nesting },
        { $"{{{{ {new string('-', 100_000)}1 }}}}", Nesting },
        { $"{{{{ {Many("1 if ")}1 }}}}", Depth },
        { $"{{{{ x{string.Concat(Enumerable.Repeat(" if x else x", 50_000))} }}}}", Nesting },
        { $"{{{{ 1{Many(" + 1")} }}}}", Depth },
        { $"{{{{ 1{Many(" ** 1")} }}}}", Depth },
        { $"{{{{ 'a'{Many(" ~ 'a'")} }}}}", Depth },
        { $"{{{{ x{Many("[0]")} }}}}", Depth },
        { $"{{{{ x{Many(".x")} }}}}", Depth },
        { $"{{{{ x{Many("()")} }}}}", Depth },
        { $"{{{{ 'x'{Many("|upper")} }}}}", Depth },
        { $"{{{{ 1{Many(" and 1")} }}}}", Depth },
        { $"{{% set {new string('(', 100_000)}a{new string(')', 100_000)} = 1 %}}", Nesting },
        { string.Concat(Enumerable.Repeat("{% if 1 %}", 50_000)), Nesting },
        { string.Concat(Enumerable.Repeat("{% for x in y %}", 50_000)), Nesting },
        { "{% if 1 %}" + string.Concat(Enumerable.Repeat("{% elif 1 %}", 50_000)) + "{% endif %}", Nesting },
        { string.Concat(Enumerable.Repeat("{% macro f() %}", 50_000)), Nesting },
    };

    [Theory]
    [MemberData(nameof(Nested))]
    public void Deep_nesting_is_an_error_and_not_the_end_of_the_process(string template, string problem)
    {
        foreach (var render in new Action[] { () => Render(template), () => OnSmallStack(() => Render(template)) })
        {
            var exception = Assert.Throws<ChatTemplateException>(render);
            Assert.True(
                exception.Problem == problem || exception.Problem.EndsWith("the thread's stack has room for", StringComparison.Ordinal),
                exception.Problem);
        }
    }

    [Theory]
    [MemberData(nameof(Exhausting))]
    public void Nothing_overflows_a_small_stack(string template, string problem)
    {
        var exception = Assert.Throws<ChatTemplateException>(() => OnSmallStack(() => Render(template)));
        Assert.True(
            exception.Problem == problem || exception.Problem == "more levels of nesting or calls than the thread's stack has room for",
            exception.Problem);
    }

    [Fact]
    public void Values_as_deep_as_they_may_be_are_written_compared_hashed_and_ordered_on_a_small_stack()
    {
        const string Deep = "{% set ns = namespace(x=(1,)) %}{% for i in range(98) %}{% set ns.x = (ns.x,) %}{% endfor %}";
        var template = $"{Deep}{{% set a = ns.x %}}{Deep}{{{{ a == ns.x }}}}{{{{ a < ns.x }}}}{{{{ {{a: 1}}[ns.x] }}}}"
            + "{{ (ns.x | tojson) | length }}{{ (ns.x | string) | length }}";
        // 99 brackets on each side and a digit; the tuples of one item have a comma each.
        Assert.Equal("TrueFalse1199298", OnSmallStack(() => Render(template)));
    }

    [Fact]
    public void Filters_of_blocks_may_be_many()
    {
        Assert.Equal("ab", Render("{% filter upper | lower %}Ab{% endfilter %}"));
        var filters = string.Join('|', Enumerable.Repeat("trim", 50_000));
        Assert.Equal("x", OnSmallStack(() => Render($"{{% filter {filters} %}}x{{% endfilter %}}")));
        Assert.Equal("x", OnSmallStack(() => Render($"{{% set y | {filters} %}}x{{% endset %}}{{{{ y }}}}")));
    }

    [Fact]
    public void Data_of_too_many_levels_are_an_error()
    {
        var json = $"{{\"role\": \"user\", \"content\": {new string('[', 100_000)}{new string(']', 100_000)}}}";
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 200_000 });
        var conversation = new Conversation([ChatMessage.FromJson(document.RootElement)]);
        Assert.Equal(
            "more levels of nesting or calls than the thread's stack has room for",
            Assert.Throws<ChatTemplateException>(
                () => OnSmallStack(() => new ChatTemplate("x").Render(conversation, true, new Dictionary<string, string>()).Text)).Problem);
    }

    [Fact]
    public void The_source_is_bounded()
    {
        var exception = Assert.Throws<ChatTemplateException>(() => new ChatTemplate(new string('x', 10_000_000)));
        Assert.Equal("chat template, line 1, column 1: the template has 10000000 characters, expected at most 1000000", exception.Message);
        Assert.Equal(1_000_000, Render(new string('x', 1_000_000)).Length);
        var text = string.Concat(Enumerable.Repeat("'a'", 300_000));
        Assert.Equal("300000", Render($"{{{{ {text} | length }}}}"));
        // Of 100,000 filters that are not there the first is told.
        var unknown = string.Concat(Enumerable.Repeat("{{ x | y }}", 90_000));
        Assert.StartsWith("the filter 'y' is not supported", Assert.Throws<ChatTemplateException>(() => Render(unknown)).Problem);
    }

    [Fact]
    public void A_conversation_of_any_size_can_be_rendered()
    {
        var message = new ChatMessage("user", new string('x', 8_000_000));
        var template = new ChatTemplate("{% for m in messages %}{{ '<' + m.content | trim + '>' }}{% endfor %}");
        Assert.Equal(
            16_000_004, template.Render(new Conversation([message, message]), true, new Dictionary<string, string>()).Text.Length);
    }

    [Fact]
    public void Messages_show_the_start_of_long_names_and_texts()
    {
        var longName = new string('n', 100_000);
        foreach (var template in new[]
        {
            $"{{{{ {longName}() }}}}", $"{{{{ x | {longName} }}}}", $"{{{{ x is {longName} }}}}", $"{{{{ 'x'.{longName}() }}}}",
            $"{{{{ [].{longName}() }}}}", $"{{{{ {{}}.{longName}() }}}}", $"{{% {longName} %}}", $"{{{{ x {longName} }}}}",
            $"{{{{ {new string('9', 100_000)} }}}}", $"{{{{ 0x{new string('9', 100_000)} }}}}", $"{{{{ dict(1, 2, {longName}=3).x() }}}}",
            $"{{{{ raise_exception('{longName}') }}}}", $"{{{{ '{{{longName}}}'.format(1) }}}}", $"{{{{ '%({longName})s' % {{}} }}}}",
            $"{{{{ [1].index('{longName}') }}}}", $"{{{{ 'x'.center(5, '{longName}') }}}}", $"{{{{ 1 | round(1, '{longName}') }}}}",
            $"{{% macro f() %}}{{% endmacro %}}{{{{ f({longName}=1) }}}}", $"{{% set {longName}.x = 1 %}}",
            $"{{% macro {longName}() %}}{{% endmacro %}}{{{{ {longName}(1) }}}}", $"{{{{ [][{{1: '{longName}'}}]() }}}}",
        })
            if (Assert.Throws<ChatTemplateException>(() => Render(template)).Message is { Length: > 2200 } message)
                Assert.Fail($"{message.Length}: {message[..200]}");
    }

    [Fact]
    public void Random_templates_end_in_a_text_or_in_an_exception_of_ours()
    {
        var atoms = Gen.Elements(
            "x", "m", "none", "true", "1", "0", "-1", "2.5", "9223372036854775807", "'ab'", "''", "'%s{0}'", "[]", "[1, 'a']", "(1, 2)", "{'a': 1}",
            "{1: [2]}", "messages", "range(3)", "namespace(a=1)", "loop", "'nan' | float", "[3, 1] | map('abs')", "ns", "dict", "'<' | safe");
        var unary = Gen.Elements(Filters.Names.Select(name => " | " + name).Concat(Filters.Names.Select(name => $" | {name}(y)"))
            .Concat(Filters.Names.Select(name => $" | {name}(y, y)")).Concat(Filters.Names.Select(name => $" | map('{name}') | list"))
            .Concat(JinjaTests.Names.Select(name => $" is {name}")).Concat(JinjaTests.Names.Select(name => $" is {name}(y)"))
            .Concat(TextMethods.Names.Select(name => $".{name}()")).Concat(TextMethods.Names.Select(name => $".{name}(y)"))
            .Concat(TextMethods.Names.Select(name => $".{name}(y, y)"))
            .Concat(["[y]", "[y:]", "[:y:y]", ".items()", ".keys()", ".get(y)", ".count(y)", ".index(y)", "(y)", "(*y)", "(**y)", ".a"]).ToArray());
        var binary = Gen.Elements("+", "-", "*", "/", "//", "%", "**", "~", "==", "<", ">=", "in", "not in", "and", "or");
        Gen<string> Expressions(int depth) => depth == 0 ? atoms : Gen.OneOf(
            atoms,
            from target in Expressions(depth - 1)
            from rest in unary
            from argument in Expressions(depth - 1)
            select $"({target}){rest.Replace("y", $"({argument})", StringComparison.Ordinal)}",
            from left in Expressions(depth - 1)
            from name in binary
            from right in Expressions(depth - 1)
            select $"({left}) {name} ({right})");
        Prop.ForAll(Expressions(3).ToArbitrary(), expression =>
        {
            try
            {
                Render($"{{% set ns = namespace(b=2) %}}{{% for x in [1, 'b'] %}}{{{{ {expression} }}}}{{% endfor %}}");
            }
            catch (ChatTemplateException)
            {
            }
        }).Check(Fuzzing.Config(5000));
    }

    [Fact]
    public void A_rendering_ends_when_its_time_is_over()
    {
        const string template = "{% for i in range(100000) %}{{ i }}{% endfor %}";
        RenderBudget.MaxTime = TimeSpan.Zero;
        Assert.Equal(
            "the template takes longer than 0 seconds", Assert.Throws<ChatTemplateException>(() => RenderInTime(template)).Problem);
        RenderBudget.MaxTime = TimeSpan.FromMinutes(5);
        Assert.Equal(488_890, RenderInTime(template).Length);
    }

    private static string Many(string part) => string.Concat(Enumerable.Repeat(part, 100_000));

    private static string Render(string template)
    {
        // The other limits are to come first on a busy machine, too.
        RenderBudget.MaxTime = TimeSpan.FromMinutes(5);
        return RenderInTime(template);
    }

    private static string RenderInTime(string template) => new ChatTemplate(template).Render(
        new Conversation([new ChatMessage("user", "x")]), addGenerationPrompt: true, new Dictionary<string, string>()).Text;

    /// <summary>On a thread of 256 kB, half of which .NET keeps for itself.</summary>
    private static string OnSmallStack(Func<string> render)
    {
        var result = "";
        Exception? problem = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    result = render();
                }
                catch (Exception exception)
                {
                    problem = exception;
                }
            },
            256 << 10);
        thread.Start();
        thread.Join();
        return problem is null ? result : throw problem;
    }
}
