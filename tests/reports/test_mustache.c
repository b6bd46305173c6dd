/* Templates: what each tag prints, which lines go with it, and what a template with a mistake says. */
#include "reports/page/template/mustache.h"

#include "tests/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

static const mustache_file files[] = {
    {"value", "{{text}}|{{{text}}}|{{number}}|{{nothing}}|{{object.inner}}"},
    {"list", "<ul>\n{{#list}}\n  <li>{{.}}</li>\n{{/list}}\n</ul>\n"},
    {"objects", "{{#objects}}{{name}}{{#sub}}({{name}}{{text}}){{/sub}} {{/objects}}"},
    {"no", "a\n{{#no}}\nb\n{{/no}}\n{{^no}}\nc\n{{/no}}\n{{^list}}d{{/list}}{{^empty}}e{{/"
           "empty}}{{#blank}}f{{/blank}}"},
    {"lines", "1\n  {{! a remark }}\n2 {{! one more }}\n{{#yes}}\n3\n{{/yes}}"},
    {"other", "<{{>part}}>\n{{>part}}\n."},
    {"part", "{{number}}\n"},
    {"nested", "{{#yes}}{{#yes}}x{{/yes}}{{#no}}y{{/no}}{{/yes}}"},
    {"misspelt", "line 1\n{{txet}}"},
    {"misspelt section", "{{#lsit}}{{/lsit}}"},
    {"misspelt inside", "{{object.outer}}"},
    {"open tag", "{{text"},
    {"open section", "\n\n{{#yes}}"},
    {"crossed", "{{#yes}}{{#list}}{{/yes}}{{/list}}"},
    {"closed", "{{/yes}}"},
    {"object as text", "{{object}}"},
    {"no such part", "{{>nowhere}}"},
    {"endless", "{{>endless}}"},
    {NULL, NULL}};

static const char DATA[] =
    "{\"text\": \"<a href='x'>&\\\"\\u0007</a> é\", \"number\": 12, \"nothing\": null, \"yes\": true, "
    "\"no\": false,"
    " \"empty\": [], \"blank\": \"\", \"list\": [\"1\", \"<2>\"], \"object\": {\"inner\": \"{{text}}\"},"
    " \"objects\": [{\"name\": \"a\", \"sub\": null}, {\"name\": \"b\", \"sub\": [{\"text\": \"!\"}]}]}";

static char *render(const char *name, attn_error *error) {
    char *text = NULL;
    size_t size;
    json_t *data = json_loads(DATA, 0, NULL);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(data);
    int result = mustache_render(out, files, name, data, error);
    assert_int_equal(fclose(out), 0);
    json_decref(data);
    if (!result)
        return text;
    free(text);
    return NULL;
}

static void prints(const char *name, const char *expected) {
    attn_error error = {0};
    char *text = render(name, &error);
    if (!text)
        fail_msg("%s", error.message);
    assert_string_equal(text, expected);
    free(text);
}

static void fails(const char *name, const char *message) {
    attn_error error = {0};
    assert_null(render(name, &error));
    assert_string_equal(error.message, message);
}

static void test_values(void **state) {
    (void)state;
    prints("value", "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt; é|<a href='x'>&\"\a</a> é|12||{{text}}");
}

static void test_sections(void **state) {
    (void)state;
    prints("list", "<ul>\n  <li>1</li>\n  <li>&lt;2&gt;</li>\n</ul>\n");
    prints("objects", "a b(b!) ");
    prints("no", "a\nc\ne");
    prints("nested", "x");
}

static void test_lines_and_files(void **state) {
    (void)state;
    prints("lines", "1\n2 \n3\n");
    prints("other", "<12\n>\n12\n.");
}

static void test_mistakes(void **state) {
    (void)state;
    fails("misspelt", "misspelt:2: the data has no key txet");
    fails("misspelt section", "misspelt section:1: the data has no key lsit");
    fails("misspelt inside", "misspelt inside:1: the data has no key object.outer");
    fails("open tag", "open tag:1: a tag is not closed");
    fails("open section", "open section:3: a section is not closed: yes");
    fails("crossed", "crossed:1: closes another section than the one that is open: list");
    fails("closed", "closed:1: closes a section that is not open: yes");
    fails("object as text", "object as text:1: is neither text nor a whole number: object");
    fails("no such part", "no such part:1: there is no template nowhere");
    fails("endless", "endless:1: templates use each other without end: endless");
    fails("absent", "there is no template absent");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_sections),
                                       cmocka_unit_test(test_lines_and_files),
                                       cmocka_unit_test(test_mistakes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
