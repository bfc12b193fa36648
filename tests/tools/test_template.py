"""tools/template refuses what could be written unescaped or in the wrong place."""

import pathlib
import subprocess

import pytest

TOOL = pathlib.Path(__file__).resolve().parent.parent.parent / "tools" / "template"


def compile_templates(folder, **templates):
    files = []
    for name, text in templates.items():
        file = folder / f"{name}.html"
        file.write_text(text, encoding="utf-8")
        files.append(file)
    out = folder / "out.c"
    done = subprocess.run([TOOL, out, folder / "out.h", *files], capture_output=True, text=True,
                          timeout=30)
    return done.returncode, done.stderr, out.read_text() if done.returncode == 0 else ""


REFUSED = {
    "unknown_filter": "{{ a | shout }}",
    "unknown_instruction": "{% while a %}{% end %}",
    "broken_path": "{{ a..b }}",
    "raw_output": "{{ raw a }}",
    "stray_brace": "<p>}} </p>",
    "open_expression": "<p>{{ a </p>",
    "value_without_quotes": "<p class={{ a }}>",
    "expression_in_a_tag": "<p {{ a }}>",
    "expression_in_a_tag_name": "<{{ a }}>",
    "event_attribute": '<p onclick="{{ a }}">',
    "literal_event_attribute": '<p onclick="run()">',
    "style_attribute": '<p style="color: {{ a }}">',
    "inline_script": "<script>{{ a }}</script>",
    "inline_style": "<style>p { color: red }</style>",
    "comment_that_is_sent": "<!-- {{ a }} -->",
    "address_without_filter": '<a href="{{ a }}">',
    "address_from_a_part": '<a href="{{ a | url }}">',
    "address_of_another_server": '<a href="//{{ a | url }}">',
    "path_that_is_not_whole": '<a href="/x{{ a | path }}">',
    "form_action": '<button formaction="{{ a }}">',
    "htmx_address": '<p hx-get="{{ a }}">',
    "htmx_event": '<p hx-on:click="{{ a }}">',
    "elements_in_an_attribute": '<p title="{{ a | bytes }}">',
    "url_filter_in_text": "<p>{{ a | url }}</p>",
    "open_block": "{% if a %}x",
    "end_without_block": "x{% end %}",
    "second_else": "{% if a %}{% else %}{% else %}{% end %}",
    "elif_after_else": "{% if a %}{% else %}{% elif b %}{% end %}",
    "elif_in_a_loop": "{% for a in b %}{% elif c %}{% end %}",
    "tag_opened_in_one_branch": "{% if a %}<p {% end %}>",
    "quote_opened_in_one_branch": '<p class="{% if a %}">{% end %}',
    "name_begun_before_a_block": "<p hr{% if a %}ef {% end %}>",
    "name_continued_after_a_block": '<p {% if a %}x{% end %}y="1">',
    "and_with_or": "{% if a and b or c %}{% end %}",
    "shadowed_loop_variable": "{% for a in b %}{% for a in c %}{% end %}{% end %}",
    "unfinished_tag": "<p ",
    "late_takes": "x{% takes a %}",
    "unknown_partial": "{% include nobody %}",
    "unknown_layout": "{% layout nobody %}x",
    "asset_in_text": "{% asset a.css %}",
    "asset_as_a_part": '<a href="/x/{% asset a.css %}">',
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(tmp_path, name):
    status, words, _ = compile_templates(tmp_path, page=REFUSED[name])
    assert status == 1
    assert words.startswith("page.html")


ACCEPTED = {
    "text": "<p>{{ a.b.c }}</p>",
    "attribute": '<p title="x {{ a }} y">',
    "address_part": '<a href="/a/{{ a | url }}?b={{ c | url }}">',
    "whole_address": '<a href="{{ a | path }}">',
    "attribute_in_a_branch": "<option {% if a %}selected {% end %}>x</option>",
    "value_in_branches": '<p class="{% if a %}b{% else %}c{% end %}">',
    "null": "{% if a == null %}x{% end %}",
    "comment": "{# {{ a | nothing }} #}",
    "script_file": "{% script a.js %}",
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepts(tmp_path, name):
    status, words, _ = compile_templates(tmp_path, page=ACCEPTED[name])
    assert (status, words) == (0, "")


def test_names_the_line_of_a_mistake(tmp_path):
    _, words, _ = compile_templates(tmp_path, page="<p>\n\n{{ a | shout }}</p>")
    assert words.startswith("page.html:3: ")


def test_refuses_a_partial_called_with_other_arguments(tmp_path):
    status, words, _ = compile_templates(tmp_path, part="{% takes a, b %}{{ a }}{{ b }}",
                                         page="{% include part with a = x %}")
    assert status == 1
    assert "part takes" in words


def test_keeps_spaces_where_they_mean_something(tmp_path):
    _, _, code = compile_templates(tmp_path, page="<pre>a\n  b</pre>\n   <p>c</p>")
    assert '"<pre>a\\n"' in code and '"  b</pre>\\n"' in code
    assert '"   <p>' not in code


def test_every_view_expression_is_escaped(tmp_path):
    _, _, code = compile_templates(tmp_path, page="<p>{{ a }}</p>")
    assert 'dl_html_text(html, json_object_get(html->view, "a"))' in code
