/* SPDX-License-Identifier: Apache-2.0 */
/* nango.yaml: its types as TypeScript and as JSON schema, its scripts, and what is wrong
 * with it. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/nangoyaml.h"

struct reading {
    struct nango_yaml yaml;
    struct faults faults, warnings;
    bool ok;
};

static void read_it(struct reading *r, const char *text)
{
    *r = (struct reading){0};
    r->ok = nango_yaml_read(
        NANGO_YAML, text, strlen(text), &r->yaml, &r->faults, &r->warnings);
}

static void finish(struct reading *r)
{
    nango_yaml_finish(&r->yaml);
    faults_finish(&r->faults);
    faults_finish(&r->warnings);
}

/* One field `f` of a model M, beside a model Other. */
static const struct {
    const char *yaml, *ts, *schema;
} types[] = {
    {"string", "f: string;", "{\"type\":\"string\"}"},
    {"VarChar", "f: string;", "{\"type\":\"string\"}"},
    {"int", "f: number;", "{\"type\":\"number\"}"},
    {"bool", "f: boolean;", "{\"type\":\"boolean\"}"},
    {"date", "f: Date;", "{\"type\":\"string\",\"format\":\"date-time\"}"},
    {"any", "f: any;", "{}"},
    {"object", "f: Record<string, any>;", "{\"type\":\"object\"}"},
    {"array", "f: any[];", "{\"type\":\"array\"}"},
    {"never", "f: never;", "{\"not\":{}}"},
    {"'null'", "f: null;", "{\"type\":\"null\"}"},
    {"~", "f: null;", "{\"type\":\"null\"}"},
    {"true", "f: true;", "{\"const\":true}"},
    {"-1.5", "f: -1.5;", "{\"const\":-1.5}"},
    {"'12'", "f: 12;", "{\"const\":12}"},
    {"2020-01-02", "f: \"2020-01-02\";",
        "{\"type\":\"string\",\"const\":\"2020-01-02\"}"},
    {"Other", "f: Other;", "{\"$ref\":\"#/definitions/Other\"}"},
    {"Other[]", "f: Other[];",
        "{\"type\":\"array\",\"items\":{\"$ref\":\"#/definitions/Other\"}}"},
    {"string[][]", "f: string[][];",
        "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":"
        "\"string\"}}}"},
    {"open | closed", "f: \"open\" | \"closed\";",
        "{\"type\":\"string\",\"enum\":[\"open\",\"closed\"]}"},
    {"\"'a b' | it's\"", "f: \"a b\" | \"it's\";",
        "{\"type\":\"string\",\"enum\":[\"a b\",\"it's\"]}"},
    {"Other | null", "f: Other | null;",
        "{\"anyOf\":[{\"$ref\":\"#/definitions/Other\"},{\"type\":\"null\"}]}"},
    {"string[] | number | undefined", "f: string[] | number | undefined;",
        "{\"anyOf\":[{\"type\":\"array\",\"items\":{\"type\":\"string\"}},{\"type\":"
        "\"number\"}]}"},
    {"[string, Other]", "f: (string | Other)[];",
        "{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"#/"
        "definitions/Other\"}]}}"},
    {"{a: string, 'b-c?': number}",
        "f: {\n    a: string;\n    \"b-c\"?: number | undefined;\n  };",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b-c\":{"
        "\"type\":\"number\"}},\"required\":[\"a\"]}"},
    {"{__string: number}", "f: {\n    [key: string]: number;\n  };",
        "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":{\"type\":"
        "\"number\"}}"},
};

static void expect_ts(const struct reading *r, const char *ts)
{
    struct buf out;

    buf_init(&out, 0);
    models_append_ts(&r->yaml.models, &out);
    if (strstr(out.data, ts) == NULL)
        fail_msg("wanted:\n%s\ngot:\n%s", ts, out.data);
    buf_finish(&out);
}

static void expect_schema(const struct reading *r, const char *path, const char *want)
{
    cJSON *schema = models_schema(&r->yaml.models);
    const cJSON *part = json_path(schema, path);
    char *text;

    assert_non_null(part);
    text = json_print(part);
    assert_string_equal(text, want);
    free(text);
    cJSON_Delete(schema);
}

TEST(types_become_typescript_and_schemas)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct reading r;
        char *text = str_printf("integrations: {}\nmodels:\n  Other: {id: string}\n"
                                "  M:\n    f: %s\n",
            types[i].yaml);

        read_it(&r, text);
        if (!r.ok)
            fail_msg("%s: %s", types[i].yaml, r.faults.items[0].message);
        expect_ts(&r, types[i].ts);
        expect_schema(&r, "definitions.M.properties.f", types[i].schema);
        finish(&r);
        free(text);
    }
}

TEST(optional_fields_are_not_required)
{
    struct reading r;

    read_it(&r,
        "integrations: {}\nmodels: {M: {a?: string, b: number | undefined, c: any, "
        "d?: string | undefined}}");
    assert_true(r.ok);
    expect_ts(&r, "a?: string | undefined;\n  b: number | undefined;\n  c: any;\n  d?: "
                  "string | undefined;\n");
    expect_schema(&r, "definitions.M",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{"
        "\"anyOf\":"
        "[{\"type\":\"number\"}]},\"c\":{},\"d\":{\"anyOf\":[{\"type\":\"string\"}]}},"
        "\"required\":[\"c\"]}");
    finish(&r);
}

TEST(models_take_the_fields_of_those_that_they_extend)
{
    struct reading r;

    read_it(&r, "integrations: {}\nmodels:\n"
                "  C: {__extends: 'B, A', c: string, x: date}\n"
                "  B: {b: string, x: number, __extends: A}\n"
                "  A: {a?: string, x: string, __string: any}\n");
    assert_true(r.ok);
    expect_ts(&r,
        "export interface C {\n  b: string;\n  x: Date;\n  a?: string | undefined;"
        "\n  c: string;\n  [key: string]: any;\n}\n");
    expect_ts(&r, "export interface B {\n  b: string;\n  x: number;\n  a?: string | "
                  "undefined;\n  [key: string]: any;\n}\n");
    finish(&r);
}

static void expect_integrations(const char *yaml, const char *want)
{
    struct reading r;
    char *text;

    read_it(&r, yaml);
    if (!r.ok)
        fail_msg("%s", r.faults.items[0].message);
    text = json_print(r.yaml.integrations);
    assert_string_equal(text, want);
    free(text);
    finish(&r);
}

TEST(the_newer_form_is_read)
{
    expect_integrations("integrations:\n"
                        "  github:\n"
                        "    syncs:\n"
                        "      issues:\n"
                        "        runs: every 1h\n"
                        "        output: Issue\n"
                        "        endpoint: /issues\n"
                        "        scopes: repo, user\n"
                        "        input: Settings\n"
                        "        webhook-subscriptions: '*'\n"
                        "        version: 1.10\n"
                        "        auto_start: false\n"
                        "    actions:\n"
                        "      make:\n"
                        "        input: string\n"
                        "        endpoint: {path: /make, group: Issues}\n"
                        "        description: ' makes one '\n"
                        "    on-events:\n"
                        "      validate-connection: [check]\n"
                        "models:\n"
                        "  Issue: {id: string, owner: Owner}\n"
                        "  Owner: {name: string, issues: 'Issue[]'}\n"
                        "  Settings: {mode: string}\n",
        "[{\"providerConfigKey\":\"github\",\"syncs\":[{\"name\":\"issues\",\"type\":"
        "\"sync\",\"description\":\"\",\"version\":\"1.10\",\"runs\":\"every "
        "1h\",\"track_"
        "deletes\":false,\"auto_start\":false,\"output\":[\"Issue\"],\"sync_type\":"
        "\"full\",\"input\":\"Settings\",\"scopes\":[\"repo\",\"user\"],\"endpoints\":[{"
        "\"method\":\"GET\",\"path\":\"/"
        "issues\"}],\"webhookSubscriptions\":[\"*\"],\"features\":[],\"usedModels\":["
        "\"Issue\",\"Owner\",\"Settings\"]}],\"actions\":[{\"name\":\"make\",\"type\":"
        "\"action\",\"description\":\"makes one\",\"version\":\"\",\"scopes\":[],"
        "\"output\":null,\"input\":\"Anonymous_github_action_make_input\",\"endpoint\":{"
        "\"method\":\"POST\",\"path\":\"/"
        "make\",\"group\":\"Issues\"},\"features\":[],\"usedModels\":[\"Anonymous_github_"
        "action_make_input\"]}],\"onEventScripts\":{\"post-connection-creation\":[],"
        "\"pre-connection-deletion\":[],\"validate-connection\":[\"check\"]}}]");
}

TEST(the_older_form_is_read)
{
    expect_integrations(
        "integrations:\n"
        "  github:\n"
        "    issues: {runs: every day, returns: [Issue], track_deletes: true}\n"
        "    make: {type: action, returns: Issue}\n"
        "models: {Issue: {id: string}}\n",
        "[{\"providerConfigKey\":\"github\",\"syncs\":[{\"name\":\"issues\",\"type\":"
        "\"sync\",\"description\":\"\",\"version\":\"\",\"runs\":\"every day\",\"track_"
        "deletes\":true,\"auto_start\":true,\"output\":[\"Issue\"],\"sync_type\":"
        "\"full\","
        "\"input\":null,\"scopes\":[],\"endpoints\":[],\"webhookSubscriptions\":[],"
        "\"usedModels\":[\"Issue\"]}],\"actions\":[{\"name\":\"make\",\"type\":"
        "\"action\","
        "\"description\":\"\",\"version\":\"\",\"endpoint\":null,\"input\":null,"
        "\"scopes\":[],\"output\":[\"Issue\"],\"usedModels\":[\"Issue\"]}],"
        "\"onEventScripts\":{\"post-connection-creation\":[],\"pre-connection-deletion\":"
        "[],\"validate-connection\":[]}}]");
}

#define HEAD "integrations:\n  g:\n    syncs:\n      s: "
static const struct {
    const char *yaml;
    int line;
    const char *says;
} wrong[] = {
    {"", 0, "there is no map `integrations`"},
    {"integrations: [a]", 1, "there is no map `integrations`"},
    {"integrations: {}\nmodels:\n  M:\n    f: Map<string>\n", 4,
        "`Map<string>` is no type"},
    {"integrations: {}\nmodels:\n  M:\n    f: string,\n", 4, "`string,` is no type"},
    {"integrations: {}\nmodels:\n  M:\n    f: a |\n", 4, "`` is no type"},
    {"integrations: {}\nmodels:\n  M:\n    f: '[]'\n", 4, "`` is no type"},
    {"integrations: {}\nmodels:\n  M:\n    f: a[][][][][][][][][]\n", 4,
        "too many lists"},
    {"integrations: {}\nmodels:\n  M:\n    f: []\n", 4, "a list without types"},
    {"integrations: {}\nmodels:\n  M:\n    f: 1e400000\n", 4, "out of range"},
    {"integrations: {}\nmodels:\n  M:\n    f: 1e4\n", 4, "written in digits"},
    {"integrations: {}\nmodels:\n  M-N: {}\n", 3, "`M-N` is no name for a model"},
    {"integrations: {}\nmodels:\n  string: {}\n", 3, "`string` is no name for a model"},
    {"integrations: {}\nmodels:\n  M: string\n", 3, "the model M is a text, not a map"},
    {"integrations: {}\nmodels:\n  M:\n    __extends: N\n", 4,
        "M extends `N`, which is not"},
    {"integrations: {}\nmodels:\n  M: {__extends: N}\n  N:\n    __extends: M\n", 5,
        "N extends `M`, which extends it"},
    {"integrations: {}\nmodels:\n  M: &a {}\n", 3, "anchors"},
    {HEAD "{output: M}\nmodels: {M: {id: string}}\n", 4, "does not say how often"},
    {HEAD "{runs: every day}\n", 4, "the sync s has no output"},
    {HEAD "{runs: every day, output: string}\n", 4, "is no model of this file"},
    {HEAD "{runs: every day, output: M}\nmodels: {M: {a: string}}\n", 4,
        "has no field `id`"},
    {HEAD "{runs: every day, output: M}\n      t: {runs: every day, output: M}\nmodels: "
          "{M: "
          "{id: string}}\n",
        5, "given twice among the syncs"},
    {HEAD "{runs: every day, output: M, endpoint: [/a, /b]}\nmodels: {M: {id: string}}\n",
        4, "has 2 endpoints and 1 models"},
    {HEAD "{runs: every day, output: M, endpoint: GET}\n    actions: {a: {endpoint: GET "
          "/x}, b: "
          "{endpoint: GET /x}}\nmodels: {M: {id: string}}\n",
        5, "GET /x is given twice"},
    {HEAD "x\n", 4, "s is a text, not a map"},
    {"integrations:\n  g:\n    actions: {}\n    on-events: {a: [b]}\n", 4,
        "`a` is no event"},
    {"integrations:\n  g:\n    actions: {}\n    on-events: {validate-connection: [b]}\n  "
     "  "
     "post-connection-scripts: [c]\n",
        5, "the old name of"},
    {"integrations:\n  g:\n    s: {type: other, runs: every day, returns: M}\nmodels: "
     "{M: {id: "
     "string}}\n",
        3, "neither sync nor action"},
};

TEST(what_is_wrong_is_told_with_its_line)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct reading r;

        read_it(&r, wrong[i].yaml);
        if (r.ok || strstr(r.faults.items[0].message, wrong[i].says) == NULL ||
            r.faults.items[0].line != wrong[i].line)
            fail_msg("%s\nwanted: %d: %s\ngot: %d: %s", wrong[i].yaml, wrong[i].line,
                wrong[i].says, r.ok ? -1 : r.faults.items[0].line,
                r.ok ? "nothing" : r.faults.items[0].message);
        finish(&r);
    }
}

TEST(a_word_that_may_be_a_model_is_warned_of)
{
    struct reading r;

    read_it(
        &r, "integrations: {}\nmodels: {M: {a: Isue, b: open | closed, c: Open | x}}");
    assert_true(r.ok);
    assert_int_equal(r.warnings.count, 2);
    assert_string_equal(r.warnings.items[0].message,
        "there is no model `Isue`: it is taken as the text 'Isue'");
    finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_become_typescript_and_schemas),
        cmocka_unit_test(optional_fields_are_not_required),
        cmocka_unit_test(models_take_the_fields_of_those_that_they_extend),
        cmocka_unit_test(the_newer_form_is_read),
        cmocka_unit_test(the_older_form_is_read),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(a_word_that_may_be_a_model_is_warned_of),
    };

    return RUN(tests);
}
