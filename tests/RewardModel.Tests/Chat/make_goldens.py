"""Renders chat templates with transformers, for ChatTemplateGoldenTests: python3 make_goldens.py > goldens.json

The templates are written for these tests in the manner of the families that their names tell; what matters is the part of Jinja each uses.
Given the path of a tokenizer_config.json, prints the SHA-256 of the renderings of its template instead, for files that are not ours to copy.
"""

import datetime
import hashlib
import json
import sys

import jinja2
import transformers.utils.chat_template_utils as chat


class FixedDatetime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26)


chat.datetime = FixedDatetime

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}

TEMPLATES = {
    "chatml": """{% for m in messages %}
{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}
{% endfor %}
{% if add_generation_prompt %}
{{ '<|im_start|>assistant\\n' }}
{% endif %}
""",
    "chatml-default-system": """{%- if messages[0]['role'] != 'system' -%}
    {{- '<|im_start|>system\\nAnswer briefly.<|im_end|>\\n' -}}
{%- endif -%}
{%- for m in messages -%}
    {{- '<|im_start|>' ~ m.role ~ '\\n' ~ (m.content | trim) ~ '<|im_end|>\\n' -}}
{%- endfor -%}
{{- '<|im_start|>assistant\\n' if add_generation_prompt -}}""",
    "llama2": """{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system = messages[0]['content'] %}{% else %}\
{% set rest = messages %}{% set system = false %}{% endif %}{% for m in rest %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}\
{{ raise_exception('Roles must take turns, beginning with the user') }}{% endif %}{% if loop.index0 == 0 and system != false %}\
{% set text = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + m['content'] %}{% else %}{% set text = m['content'] %}{% endif %}\
{% if m['role'] == 'user' %}{{ bos_token + '[INST] ' + text.strip() + ' [/INST]' }}{% elif m['role'] == 'assistant' %}\
{{ ' ' + text.strip() + ' ' + eos_token }}{% endif %}{% endfor %}""",
    "llama3": """{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "1 Jan 2024" %}
    {%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Today: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("One call at a time") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- else %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable and message.content is not string %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
""",
    "mistral-tools": """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("Turns of user and assistant must alternate") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- else %}
                    {{- "]" }}
                {%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
            {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] [" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {{- ', "id": "' + (tool_call.id | default("none")) + '"}' }}
            {{- ", " if not loop.last else "]" + eos_token }}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- elif message["role"] == "tool" %}
        {%- set content = message.content.content if message.content is mapping else message.content %}
        {{- '[TOOL_RESULTS] {"content": ' + content|string + "}[/TOOL_RESULTS]" }}
    {%- else %}
        {{- raise_exception("Unknown role " + message.role) }}
    {%- endif %}
{%- endfor %}
""",
    "gemma": """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('There is no system role') }}{% endif %}\
{% for message in messages %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}\
{% endif %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}\
{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}""",
    "gemma-parts": """{{ bos_token }}
{%- set prefix = messages[0].content + '\\n\\n' if messages[0].role == 'system' and messages[0].content is string else '' -%}
{%- for message in (messages[1:] if messages[0].role == 'system' else messages) -%}
    {{ '<start_of_turn>' ~ {'assistant': 'model'}.get(message.role, message.role) ~ '\\n' ~ (prefix if loop.first else '') }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content") }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\\n'}}
{%- endif -%}
""",
    "phi3": """{% for message in messages %}{% if message['content'] %}{{'<|' + message['role'] + '|>' + '\\n' + message['content'] + '<|end|>\\n'}}\
{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}""",
    "zephyr": """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{% generation %}
{{ '<|assistant|>\\n'  + message['content'] + eos_token }}
{% endgeneration %}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}""",
    "vicuna": """{%- set names = {'user': 'USER', 'assistant': 'ASSISTANT'} -%}
{%- set talk = messages | rejectattr('role', 'eq', 'system') | list -%}
{%- set system = (messages | selectattr('role', 'eq', 'system') | map(attribute='content') | first) or 'A chat.' -%}
{{ system }}{{ ' ' }}
{%- for m in talk -%}
{{ names[m.role] }}: {{ m.content | trim }}{% if m.role == 'assistant' %}{{ eos_token }}{% elif not loop.last %} {% endif %}
{%- endfor -%}
{%- if add_generation_prompt %} ASSISTANT:{% endif -%}""",
    "command-macros": """{%- macro json_type(spec) -%}
    {%- if spec.type is sequence and spec.type is not string -%}
        {{- spec.type | join(' | ') -}}
    {%- elif spec.type == 'array' -%}
        List[{{ json_type(spec['items']) if spec['items'] is defined else 'Any' }}]
    {%- elif spec.type == 'object' -%}
        Dict
        {%- if spec.properties %}[{{ spec.properties | length }}]{% endif -%}
    {%- else -%}
        {{- {'string': 'str', 'integer': 'int', 'number': 'float', 'boolean': 'bool'}.get(spec.type, spec.type | default('Any')) -}}
    {%- endif -%}
{%- endmacro -%}
{%- macro signature(tool, indent_by=4) -%}
def {{ tool.name }}(
{%- for name, spec in tool.parameters.properties.items() -%}
    {{ name }}: {{ json_type(spec) }}{% if name not in tool.parameters.required | default([]) %} = None{% endif %}
    {{- ', ' if not loop.last }}
{%- endfor -%}
):
{{ ('\"\"\"' + tool.description + '\\n\\nArguments:\\n' + (tool.parameters.properties | dictsort | map('first') | join('\\n'))
    + '\\n\"\"\"') | indent(indent_by, first=True) }}
{%- endmacro -%}
{%- macro turn(role) -%}
<|START|>{{ role | upper }}: {{ caller() }}<|END|>
{%- endmacro -%}
{{ bos_token }}
{%- if tools %}
{%- call turn('system') %}
{%- for tool in tools %}
{{ '\\n```' }}
{{ signature(tool.function) }}
{{ '```' }}
{%- endfor %}
{%- endcall %}
{%- endif %}
{%- for message in messages %}
{%- call turn(message.role) %}{{ message.content if message.content is string else message.content | tojson }}{% endcall %}
{%- endfor %}
{%- if add_generation_prompt %}<|START|>ASSISTANT: {% endif %}""",
    "hermes-tools": """{%- set ns = namespace(found=false, calls=0) -%}
{%- if tools is defined and tools -%}
<|im_start|>system
You have functions. <tools>
{% for tool in tools %}{{ tool | tojson(indent=2) }}
{% endfor %}</tools><|im_end|>
{% endif -%}
{%- for message in messages -%}
    {%- if message.role == 'system' and not ns.found -%}
        {%- set ns.found = true -%}
    {%- endif -%}
    {%- if message.role == 'tool' -%}
        {%- if loop.previtem is defined and loop.previtem.role != 'tool' %}<|im_start|>tool
{% endif %}
<tool_response>
{{ message.content }}
</tool_response>
        {%- if loop.last or loop.nextitem.role != 'tool' %}<|im_end|>
{% endif %}
    {%- elif message.tool_calls %}
<|im_start|>assistant
{% if message.content %}{{ message.content }}
{% endif %}
        {%- for call in message.tool_calls %}
            {%- set ns.calls = ns.calls + 1 %}
<tool_call>
{"n": {{ ns.calls }}, "name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson(sort_keys=true) }}}
</tool_call>
        {%- endfor %}<|im_end|>
    {%- else %}
<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
    {% endif -%}
{%- endfor -%}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}
{# {{ ns.found }} is not written #}
{{- '' if ns.found else '' -}}""",
    "reasoning": """{%- set last_user = namespace(index=-1) -%}
{%- for m in messages[::-1] -%}
    {%- if m.role == 'user' -%}
        {%- set last_user.index = messages | length - loop.index -%}
        {%- break -%}
    {%- endif -%}
{%- endfor -%}
{%- for m in messages -%}
    {%- if m.role == 'system' -%}{%- continue -%}{%- endif -%}
    {%- set content = m.content if m.content is string else '' -%}
    {%- set thought = '' -%}
    {%- if '</think>' in content -%}
        {%- set thought = (content.split('</think>') | first).split('<think>') | last -%}
        {%- set content = content.split('</think>', 1)[-1].lstrip('\\n') -%}
    {%- endif -%}
    {%- if m.role == 'assistant' and loop.index0 > last_user.index and thought -%}
        <|assistant|><think>{{ thought.strip() }}</think>{{ content }}
    {%- elif m.role == 'assistant' -%}
        <|assistant|></think>{{ content }}
    {%- else -%}
        <|{{ m.role }}|>{{ content.rstrip() }}
    {%- endif -%}
    {%- if not loop.last and loop.nextitem.role == m.role -%}{{ '\\n' }}{%- else -%}{{ eos_token }}{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}""",
    "set-blocks": """{% set header %}
== {{ messages | length }} messages, {{ messages | map(attribute='role') | unique | join('/') }} ==
{% endset %}
{{ header | trim }}
{% filter upper %}
  first: {{ messages[0].role }}
{% endfilter %}
{% with a = 1, b = 'x' %}
{{ a }}{{ b }}
{%- endwith %}

{% raw %}{{ not rendered }} {% for %}{% endraw %}

{% for m in messages recursive_free %}{% endfor %}
""".replace(" recursive_free", ""),
    "whitespace": """  {% if true %}
    kept {# a comment #}
    {#- another -#}
    x
  {%+ if true %}y{% endif +%}
  {%- if true -%}   z   {%- endif %}

{{ '  a  ' -}}   b
{{- '  c' }}
{% for m in messages -%}
   {{ loop.index }}{{ '\t' }}{{ loop.cycle('odd', 'even') }} {{ loop.revindex0 }} {{ loop.first }} {{ m.role.title() }}
{% else %}
none
{%- endfor %}
end
{% endif %}
""",
    "expressions": """{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 2 ** 3 ** 2 }} {{ 1.5 + 1 }} {{ 1e20 }} {{ 1e-7 }} {{ 0.1 + 0.2 }}
{{ 1 < 2 < 3 }} {{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' < 'b' }} {{ not 1 in [1, 2] }} {{ 3 not in (1, 2) }} {{ none }} {{ [1, 'it\\'s', none, true, 2.0] }}
{{ {'a': 1, 'b': [1, (2, 3), (4,)]} }} {{ 'x' * 3 }} {{ [0] * 2 + [1] }} {{ 'a' 'b' ~ 1 ~ none ~ 2.50 }} {{ (1, 2)[1] }} {{ 'abc'[::-1] }} {{ [1,2,3,4][1:-1] }}
{{ 'abcdef'[-3:] }} {{ 'abc'[10:] }} {{ undefined_name }} {{ undefined_name is defined }} {{ undefined_name | default('d') }} {{ '' | default('e', true) }}
{{ range(3) }} {{ range(1, 10, 3) | list }} {{ {'x': {'y': 1}}.x.y }} {{ 'yes' if 0 else 'no' }} {{ 'only' if 0 }} {{ 1 if none is none else 2 }}
{{ '%s has %d%% of %05.2f' % ('it', 5, 3.14159) }} {{ '{} {1}'.replace('{1}', 'z') }} {{ '{0}-{1}-{0}'.format('a', 2) }} {{ 'a,b,,c'.split(',') }} {{ ' a  b '.split() }}
{{ 'a b c d'.split(' ', 2) }} {{ 'a b c d'.rsplit(' ', 1) }} {{ 'abc'.partition('b') }} {{ 'x\\ny\\r\\nz'.splitlines() }} {{ 'ab'.zfill(5) }} {{ 'ab'.center(7, '*') }} {{ 'a-b'.title() }}
{{ 'Hello World'.lower() }} {{ 'straße'.upper() }} {{ 'hELLO wORLD'.capitalize() }} {{ 'aXbX'.find('X') }} {{ 'aXbX'.rfind('X') }} {{ 'abcabc'.count('bc') }} {{ 'abc'.startswith(('x', 'a')) }}
{{ '12'.isdigit() }} {{ 'a1'.isalnum() }} {{ ' '.isspace() }} {{ 'prefix-x'.removeprefix('prefix-') }} {{ 'ab'.join(['1', '2', '3']) }} {{ 'xxabxx'.strip('x') }}""",
    "filters": """{{ [3, 1, 2] | sort }} {{ ['b', 'A', 'c'] | sort(reverse=true) }} {{ [1, 2, 3] | sum }} {{ [1, 5, 3] | max }} {{ ['b', 'A'] | min }} {{ [1, 2, 3] | reverse | list }}
{{ 'abc' | reverse }} {{ ['a', 'b'] | join(', ') }} {{ [1, 2] | join('|') }} {{ 'a b' | title }} {{ 'hello world-foo (bar)' | title }} {{ 'abc' | first }} {{ [1, 2] | last }} {{ 'hello' | length }}
{{ 3.7 | int }} {{ '12x' | int(-1) }} {{ ' 42 ' | int }} {{ '3.5' | float }} {{ 2.567 | round(2) }} {{ 2.5 | round }} {{ 2.1 | round(0, 'ceil') }} {{ -3 | abs }} {{ 'a\\nb\\n\\nc' | indent }}|{{ 'a\\nb' | indent(2, true) }}
{{ {'b': 1, 'a': 2} | dictsort }} {{ {'b': 1} | items | list }} {{ [1, none, 2] | select | list }} {{ [1, 2, 3, 4] | select('even') | list }} {{ [1, 2, 3] | reject('gt', 1) | list }} {{ ['A', 'a', 'b'] | unique | list }}
{{ ['x', 'y'] | map('upper') | join }} {{ 'a<b>&"c"' | tojson }} {{ {'é': ['\\u00e9', 1.0, true, none, {'k': []}]} | tojson }} {{ {'b': 1, 'a': {}} | tojson(indent=4) }} {{ 'é' | tojson(ensure_ascii=true) }}
{{ [1, 2, 3, 4, 5] | batch(2) | list }} {{ 'one two  three' | wordcount }} {{ 'a long text to be cut' | truncate(10) }} {{ 'abc' | replace('b', 'xx') }} {{ 'aaaa' | replace('a', 'b', 2) }} {{ 'x' | center(5) }}|
{{ [{'g': 1, 'v': 'a'}, {'g': 2, 'v': 'b'}, {'g': 1, 'v': 'c'}] | groupby('g') | map('last') | map('length') | list }} {{ {'a': 1}.items() | list }} {{ {'a': 1}.keys() | list }} {{ 'x' | string }} {{ messages | map(attribute='role') | list }}
{{ 5 is odd }} {{ 5 is divisibleby 5 }} {{ 'a' is in ['a'] }} {{ 'A' is upper }} {{ [] is sequence }} {{ {} is mapping }} {{ 1 is number }} {{ true is number }} {{ true is integer }} {{ 1.0 is float }} {{ none is none }} {{ 'x' is not none and true }}
{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }}{{ ', ' if not loop.last }}{% endfor %} {% for c in 'añ😀' %}[{{ c }}]{% endfor %} {{ 'añ😀'|length }} {{ 'añ😀'[2] }} {{ ['\\x00', '😀', '\\u200b', "'", '"'] }}
{% set joined = joiner('; ') %}{% for x in [1, 2, 3] %}{{ joined() }}{{ x }}{% endfor %} {% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }} {{ dict(a=1, b='x') }} {{ namespace(a=2).a }}
{% macro f(a, b=2) %}{{ a }}-{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1) }} {{ f(1, 3, 4, c=5) }} {{ f(b=1, a=0) }} {{ f(*[7, 8]) }} {{ f(**{'a': 9}) }}""",
    "scopes": """{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}
{% macro show() %}{{ y }}{% endmacro %}{% set y = 'late' %}{{ show() }}
{% for i in [[1, 2], [3]] %}{% for j in i %}{{ loop.index }}.{{ loop.depth }} {% else %}none{% endfor %}{{ loop.index }};{% endfor %}
{% for i in [] %}{% else %}empty{% endfor %} {% for i in [1, 2, 3, 4] if i is even %}{{ i }}/{{ loop.length }} {% endfor %}
{% if false %}{% set z = 1 %}{% endif %}{{ z is defined }} {% if [] | select %}generators count{% endif %}
{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %} {% for i in [1, 1, 2] %}{{ loop.changed(i) }} {% endfor %}{% set a, b = 1, 2 %}{{ b }}{{ a }}""",
    "markup": """{% for m in messages %}{{ '<' ~ m.role ~ '>' }}\
{% set text = m.content | tojson | safe if m.content is not string else m.content | safe %}
{{ text }}{{ '<end>' + text }}{{ text + '"' + m.role }}
{% endfor %}
{% if tools %}{% for tool in tools %}\
{{ "Tool '" | safe + tool.function.name + "': '" | safe + tool.function.description + "'" | safe }}
{% endfor %}{% endif %}
{% filter escape %}{{ messages[0].content }}{% endfilter %}""",
    "conditional-filters": """{% if messages | length > 1 %}{{ messages[0].content | nowhere }}\
{% elif false and messages[0].content is nowhere_else %}{% else %}{{ messages[0].role }}{% endif %}""",
    "absent-calls": """{% for m in messages %}\
{% set calls = m.tool_calls | default(none) | selectattr('function') | list %}{{ m.role }}{{ calls | length }}
{% endfor %}""",
    "errors-undefined": "{{ messages[0].nothing.more }}",
    "errors-types": "{{ messages[0].role + 1 }}",
    "errors-changes": "{{ messages.append(1) }}",
    "errors-range": "{% for i in range(1000000) %}{% endfor %}",
}

# Rendered by themselves, with the first case.
EXPRESSIONS = [
    "'a b  c '.split(none, 1)",
    "' a b'.rsplit(none, 1)",
    "'a,b'.rsplit(',')",
    "'aXbXc'.rpartition('X')",
    "'abc'.partition('z')",
    "'abc'.rpartition('z')",
    "'x'.ljust(3) ~ '",
    "'",
    "'x'.rjust(3)",
    "'ab'.index('b')",
    "'abcabc'.find('c', 3)",
    "'abc'.replace('', '-')",
    "'abc'.replace('', '-', 2)",
    "'aaa'.replace('a', '', 1)",
    "''.split(',')",
    "''.split()",
    "'a'.join([])",
    "'Ab'.islower()",
    "'ab1'.islower()",
    "'AB'.isupper()",
    "'1.5'.isdigit()",
    "'-5'.zfill(4)",
    "'they\\'re bill\\'s'.title()",
    '("they\'re bill\'s" | title)',
    "'ǆ'.upper()",
    "'İ'.lower()",
    "'ŉ'.upper()",
    "'x y'.capitalize()",
    '1 if 0',
    '(1,)',
    '()',
    '[[]]',
    '{}',
    "{1: 'a', true: 'b'}",
    "{'a': none}['a']",
    "{'a': 1}.get('b')",
    "{'a': 1}.get('b', 3)",
    '[1,2,3][-1]',
    '[1,2,3][::2]',
    '[1,2,3][5]',
    "'abc'[5]",
    "'abc'[-1]",
    '(1,2) + (3,)',
    '[1] + [2]',
    'not none',
    "none or 'x'",
    '0 and 1',
    "'' or [] or {}",
    "1 and 'z'",
    '2 > 1 > 0',
    "'a' in 'abc'",
    "'a' in {'a': 1}",
    '1 in (1,2)',
    "'b' not in ['a']",
    '1.0',
    '100000000000000000000.0',
    '1e16',
    '123456789012345680.0',
    '0.0001',
    '0.00001',
    '1.0e-5',
    '-0.0',
    '3.0 * 2',
    '7 // 2.0',
    '-7 // 2.0',
    '7.5 % 2',
    '2 ** -1',
    '2 ** 0.5',
    '10 / 5',
    'true + 1',
    'none is none',
    '5 is number',
    "'5' is number",
    'messages[0].content[:5]',
    "messages[0]['content'] | length",
    'messages | length',
    'messages[-1].role',
    'messages[1:] | length',
    "messages | map(attribute='content') | join('#')",
    "messages | selectattr('role', 'in', ['user']) | list | length",
    "messages | map(attribute='nope', default='d') | list",
    "messages | rejectattr('nope') | list | length",
    "messages | selectattr('nope', 'defined') | list",
    'messages | first | tojson',
    'messages | last | items | list',
    "messages | groupby('role') | map('first') | list",
    "messages | map('tojson') | first",
    "messages | map(attribute='content') | map('length') | sum",
    "messages | batch(2) | map('length') | list",
    'messages[0].keys() | list',
    'messages[0].values() | list | length',
    'messages[0] | dictsort | first',
    'messages[0] is mapping',
    'messages is sequence',
    'messages is iterable',
    'messages is mapping',
    'messages[0].content is string',
    'nope is undefined',
    'nope | length',
    'nope | list',
    'nope == nope2',
    'nope | join',
    "nope or 'y'",
    "nope ~ 'x'",
    'nope.x is defined',
    '[1,2,3] | join',
    '[1,2,3] | last',
    '[] | first',
    '[] | last',
    '[] | max',
    "'b' | max",
    '[3,1] | min',
    "['a','B'] | sort",
    "['a','B'] | sort(case_sensitive=true)",
    "[{'a':2},{'a':1}] | sort(attribute='a')",
    "[{'a':2},{'a':1}] | map(attribute='a') | max",
    '[1,1,2] | unique | list',
    "'abc' | list",
    "'a-b_c d' | title",
    "'x' | default('y')",
    "none | default('y')",
    "none | default('y', true)",
    "false | d('y', boolean=true)",
    "'abc' | upper | lower",
    '5 | string | length',
    "'7' | int + 1",
    "'x' | int",
    "'x' | int(default=4)",
    "'1e3' | float",
    "'abc' | float",
    '3.14159 | round(2)',
    '3.5 | round',
    '4.5 | round',
    "3.15 | round(1, 'floor')",
    '-3.7 | int',
    '1e3 | int',
    "'a\\nb' | indent(3)",
    "'a\\n\\nb' | indent(3, blank=true)",
    "'a\\nb' | indent('> ', true)",
    "'  x ' | trim",
    "'xxaxx' | trim('x')",
    "'hello big world' | truncate(8, true)",
    "'hello big world' | truncate(8, false, '~', 0)",
    "'hello' | truncate(3)",
    "'a b c' | wordcount",
    '[1,2,3] | sum(start=10)',
    "'<a>' | tojson",
    '[1.0, 2.50, 1e-9, none] | tojson',
    "{'b':[1,{'a':[]}]} | tojson(indent=2)",
    "{'b':1,'a':2} | tojson(sort_keys=true)",
    "'\\u2028é\\x7f\\x01' | tojson",
    "{'a':1} | tojson(separators=(',', ':'))",
    '[1,2,3,4,5] | batch(2, 0) | list',
    "[[1,2],[3,4]] | map('sum') | list",
    "['a','b'] | map('replace', 'a', 'z') | list",
    "[1,2,3] | select('odd') | map('string') | join('+')",
    "[0,1,''] | reject | list",
    "'ab' | center(6) ~ '",
    "'abc' | replace('b', '')",
    '5 | abs',
    '-2.5 | abs',
    "'%s-%s' | format(1, 'b')",
    "'%(a)s' | format(a=3)",
    "'a' | reverse",
    '[1,2] | reverse | join',
    "{'a':1,'b':2} | list",
    "{'a':1} | items | list",
    "{'a':1} | length",
    "'ß' | upper",
    "'%5s",
    "%-5s' % ('a', 'b')",
    "'%d' % 3.7",
    "'%i' % true",
    "'%.3f' % 2",
    "'%r' % 'x'",
    "'%x' % 255",
    "'%%'",
    "'100%%' % ()",
    "'{}-{}'.format(1, 'b')",
    "'{a}'.format(a=2)",
    "'{{}}'.format()",
    "'{0}{1}'.format('x', none)",
    '1 is odd',
    '2 is even',
    '4 is divisibleby(2)',
    '1 is eq 1',
    '1 is ne 2',
    '3 is gt 2',
    '3 is lessthan 4',
    "'a' is in 'abc'",
    "'a' is sameas 'b'",
    'none is sameas none',
    'true is true',
    '1 is true',
    'false is false',
    '[] is iterable',
    '5 is iterable',
    "'x' is lower",
    "'X' is upper",
    "'1' is upper",
    'range(3) is sequence',
    'messages[0].items() is sequence',
    '1.5 is integer',
    '1 is boolean',
    'true is boolean',
    'namespace is callable',
    "'upper' is filter",
    "'nope' is filter",
    "'odd' is test",
    "(messages | map('length')) is sequence",
    "(messages | map('length')) is iterable",
    '1 is not none and true',
    'x is defined and x',
    'range(0)',
    'range(5, 0, -2) | list',
    'range(3)[1]',
    'range(10)[2:5] | list',
    'dict(a=1) | tojson',
    'namespace(a=1).b is defined',
    'joiner()()',
    "'a' ~ 1.0 ~ true ~ none ~ [1]",
    "[1, 'a', 1.5, none, true, {'k': 'v'}, (1,)]",
    "'\\x41\\u00e9\\t",
    '"it\'s" " ok"',
    '[\'it\\\'s\', "q\\"", \'b\\\\n\', \'tab\\t\', \'\\u00ad\', \'\\xa0\']',
    '0x1F',
    '0b11',
    '1_000',
    '.5 is defined',
    '0o17',
    "'ΑΣ ΣΑΣ.'.lower()",
    "'ﬁ ǰ'.upper()",
    "('<a>' | safe) ~ '<b>'",
    "('<a>' | safe) + '<b>&\"\\''",
    "'<b>' + ('<a>' | safe)",
    "'<' + ({'a': 1} | tojson | safe)",
    "'<' + {'a': 1} | tojson | safe",
    "('<i<' | safe).strip('<') + '<'",
    "('a,<' | safe).split(',')",
    "['<' | safe]",
    "('<' | safe) * 2 + '>'",
    "('<a' | safe | upper) + '<'",
    "('<' | safe | replace('<', '>')) + '<'",
    "('<' | safe | replace('a', '>')) + '<'",
    "('a<b' | safe)[1:] + '<'",
    "('a<b' | safe)[::-1] + '<'",
    "('<' | safe)[0] + '<'",
    "(('<' | safe) ~ '') + '<'",
    "('<' | safe | string) + '<'",
    "('<\\n>' | safe | indent) + '<'",
    "('<' | safe | trim | capitalize) + '<'",
    "'%s<' % ('<' | safe)",
    "'<é😀' | e",
    "'<' | escape | e",
    "[1, '<'] | e",
    'none | safe',
    "nope | safe ~ 'x'",
    "'a<b<c' | safe | truncate(3, true, '<', 0)",
    "('<' | safe) == '<'",
    "('<' | safe) in '<a'",
    "{'<': 1}['<' | safe]",
    "'<' | safe | tojson",
    "('<a' | safe | reverse) + '<'",
    "(['<' | safe, '>'] | join) + '<'",
    "('<a b' | safe | title) + '<'",
    "('<' | safe | first) + '<'",
    "none | map('upper') | list",
    "none | map(attribute='a') | list",
    "none | selectattr('a') | list",
    "none | selectattr('a', 'equalto', 1) | list",
    'none | select | list',
    '0 | reject | list',
    "5 | map('upper') is defined",
    '5 | select | list',
    "{'a': 1}[nope] is defined",
    '{nope: 1}[nope]',
    "nope in {'a': 1}",
    "{'a': 1}.get(nope, 2)",
    "'x' if true else ('y' | nowhere)",
    "'x' if false else ('y' | nowhere)",
    "'x' if false else 1 is nowhere",
    "'x' | nowhere",
]

PLAIN = [
    {"role": "user", "content": "  Which is larger, 3 or 5?\n"},
    {"role": "assistant", "content": "5 is larger. 😀 "},
    {"role": "user", "content": "And <|im_end|> </s> ñ \"quoted\" {{ x }}?"},
]
SYSTEM = [{"role": "system", "content": "Be kind.\n"}] + PLAIN
THINKING = [
    {"role": "system", "content": "s"},
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "<think>\nhm\n</think>\n\nhello"},
    {"role": "user", "content": "again"},
    {"role": "assistant", "content": "<think>\nwhy\n</think>\n\nbecause"},
]
TOOLS = [
    {"type": "function", "function": {"name": "weather", "description": "Tells the weather.", "parameters": {
        "type": "object", "required": ["city"], "properties": {
            "city": {"type": "string"}, "days": {"type": ["integer", "null"]}, "units": {"type": "array", "items": {"type": "string"}}}}}},
    {"type": "function", "function": {"name": "añadir", "description": "Sums <numbers> & more.", "parameters": {
        "type": "object", "properties": {"x": {"type": "number", "default": 1.0}, "o": {"type": "object", "properties": {"a": {}}}}}}},
]
CALLS = [
    {"role": "user", "content": "Weather in Oslo?"},
    {"role": "assistant", "content": "", "tool_calls": [
        {"id": "call_0001", "type": "function", "function": {"name": "weather", "arguments": {"city": "Oslo", "days": 2}}}]},
    {"role": "tool", "content": "{\"t\": -3}"},
    {"role": "assistant", "content": "Cold."},
    {"role": "user", "content": "Thanks!"},
]
PARTS = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " What is this? "}]}]

CASES = [
    {"messages": messages, "tools": tools, "add_generation_prompt": prompt}
    for messages, tools in [(PLAIN, None), (SYSTEM, None), (THINKING, None), (PLAIN[:1], TOOLS), (CALLS, TOOLS), (CALLS, None), (PARTS, None)]
    for prompt in (False, True)
]


def render(template, case):
    try:
        rendered, _ = chat.render_jinja_template(
            conversations=[case["messages"]], tools=case["tools"], chat_template=template,
            add_generation_prompt=case["add_generation_prompt"], **TOKENS)
        return rendered[0]
    except (jinja2.exceptions.TemplateError, TypeError, ValueError, AttributeError, OverflowError):
        return None


if len(sys.argv) > 1:
    with open(sys.argv[1], encoding="utf-8") as file:
        template = json.load(file)["chat_template"]
    renderings = [render(template, case) for case in CASES]
    print(json.dumps([text and hashlib.sha256(text.encode()).hexdigest() for text in renderings], indent=1))
else:
    print(json.dumps(
        {"cases": CASES, "templates": [
            {"name": name, "template": template, "rendered": [render(template, case) for case in CASES]}
            for name, template in TEMPLATES.items()],
         "expressions": [[text, render("{{ " + text + " }}", CASES[0])] for text in EXPRESSIONS]},
        ensure_ascii=False, indent=1))
