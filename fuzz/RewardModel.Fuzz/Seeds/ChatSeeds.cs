namespace RewardModel.Fuzz.Seeds;

/// <summary>Chat templates and conversations.</summary>
internal static class ChatSeeds
{
    /// <summary>Templates that use the language's parts.</summary>
    public static IReadOnlyList<string> Templates { get; } =
    [
        """
        {{- bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '<|user|>' + message.content|trim }}{% elif loop.first %}{{
        message.content }}{% else %}{{ '<|assistant|>' ~ message.content ~ eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}
        """,
        """
        {%- set ns = namespace(found=false, n=0) -%}{%- for m in messages[::-1] if m.role != 'system' -%}{%- set ns.n = ns.n + loop.index0 * 2 // 1 -%}
        {%- if not ns.found and m.content is string -%}{%- set ns.found = true -%}{{ m.content[:3] | upper }}{%- endif -%}{%- else -%}none{%- endfor -%}{{ ns.n }}
        """,
        """
        {% macro show(x, sep=', ') %}{{ x | map('string') | join(sep) }}{% endmacro %}{{ show([1, 2.5, none, true, {'a': [1]}, (1,)]) }}{{ tools | tojson(indent=2) }}
        {{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ "%s-%d" | format('a', 3) }}{{ raise_exception('no') if messages is not defined }}
        """,
        """
        {% for k, v in {'b': 1, 'a': 2} | dictsort %}{{ loop.cycle('x', 'y') }}{{ k.upper() }}{{ v ** 2 % 3 }}{% endfor %}{{ range(1, 9, 2) | list | sort(reverse=true) }}
        {{ 'a-b'.split('-') | last }}{{ strftime_now('%d %B %Y') }}{# note #}{% raw %}{{ }}{% endraw %}{{ messages | groupby('role') | first | first }}
        """,
        """
        {% set x %}block{% endset %}{% filter upper %}{{ x }}{% endfilter %}{{ 'é' in x or (1 < 2 <= 3) and not false }}{{ messages[-1]['content'].strip().replace('a', 'b') }}
        {% if x is in ['block'] and x is divisibleby 3 or x is mapping %}{% endif %}{% generation %}{{ x | indent(2, true) }}{% endgeneration %}{% break %}
        """,
    ];

    /// <summary>Words of the language.</summary>
    public static IReadOnlyList<string> Words { get; } =
    [
        .. ("{{ }} {% %} {%- -%} {{- -}} {# #} if elif else endif for in endfor set endset macro endmacro call endcall filter endfilter generation endgeneration "
            + "raw endraw break continue not and or is none true false recursive loop loop.index loop.index0 loop.last loop.length loop.previtem loop.nextitem "
            + "loop.changed loop.cycle loop.depth messages message role content tools documents bos_token eos_token add_generation_prompt namespace range dict "
            + "cycler joiner lipsum strftime_now raise_exception defined undefined string number integer float boolean mapping sequence iterable callable "
            + "sameas equalto eq ne gt ge lt le odd even divisibleby lower upper escaped filter test abs attr batch capitalize center count default dictsort "
            + "escape first format groupby indent int items join last length list map max min reject rejectattr replace reverse round safe select selectattr "
            + "sort sum title tojson trim truncate unique wordcount wordwrap urlencode slice xmlattr pprint random split strip lstrip rstrip startswith endswith "
            + "get keys values update append pop insert extend find rfind isdigit isalpha splitlines zfill ljust rjust encode __class__ ** // % ~ == != < <= > "
            + ">= | . , : [ ] ( ) { } = + - * / ' \" \\ 0 1 -1 2 1e9 1.5 999999999 '%s' '%*d' '{}' '{:>10}' '%Y-%m-%d' '%999d' \n").Split(' '),
    ];

    /// <summary>Conversations as JSON.</summary>
    public static IReadOnlyList<string> Conversations { get; } =
    [
        """[{"role": "system", "content": "Be brief."}, {"role": "user", "content": " Hi <|user|> é "}, {"role": "assistant", "content": "Hello."}]""",
        """
        [{"role": "user", "content": [{"type": "text", "text": "a"}]}, {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f",
          "arguments": {"x": 1.5, "y": [true, null]}}}]}, {"role": "tool", "content": "{}", "name": "f"}]
        """,
        "[]",
    ];
}
