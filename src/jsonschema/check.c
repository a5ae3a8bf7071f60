/* SPDX-License-Identifier: Apache-2.0 */
/* Compares a value with a schema. The keywords come in the order of the official
 * validator: those of numbers, of texts, of any value, of arrays, of objects; so do the
 * errors. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "jsonschema/jsonschema_int.h"

#define MAX_STEPS UINT64_C(2000000)
#define MAX_DEPTH 256
#define REGEX_STEPS UINT64_C(5000000)
#define REGEX_MEMORY_KB 4096

static bool check(struct run *run, const cJSON *schema, const cJSON *value);

bool run_step(struct run *run)
{
    if (run->steps == 0)
        run->gave_up = true;
    else
        run->steps--;
    return !run->gave_up;
}

/* ---- going down ---- */

static size_t rule_into(struct run *run, const char *keyword, const char *name, int index)
{
    size_t len = run->rule.len;

    buf_printf(&run->rule, "/%s", keyword);
    if (name != NULL)
        path_add_escaped(&run->rule, name);
    if (index >= 0)
        buf_printf(&run->rule, "/%d", index);
    return len;
}

static void back(struct buf *path, size_t len)
{
    path->len = len;
    path->data[len] = '\0';
}

bool run_under(struct run *run, const cJSON *schema, const cJSON *value,
    const char *keyword, const char *name, int index)
{
    size_t rule = rule_into(run, keyword, name, index);
    bool ok = check(run, schema, value);

    back(&run->rule, rule);
    return ok;
}

bool run_member(struct run *run, const cJSON *schema, const cJSON *member,
    const char *keyword, const char *name)
{
    size_t at = run->at.len;
    bool ok;

    path_add(&run->at, member->string);
    ok = run_under(run, schema, member, keyword, name, -1);
    back(&run->at, at);
    return ok;
}

bool run_element(struct run *run, const cJSON *schema, const cJSON *element,
    size_t element_index, const char *keyword, int index)
{
    size_t at = run->at.len;
    bool ok;

    buf_printf(&run->at, "/%zu", element_index);
    ok = run_under(run, schema, element, keyword, NULL, index);
    back(&run->at, at);
    return ok;
}

bool run_matches(struct run *run, const cJSON *key, const char *text)
{
    const struct note *note = schema_note(run->schema, key);
    enum regex_found found;

    if (note == NULL || note->regex == NULL)
        return true;
    found = regex_search(note->regex, text, strlen(text), &run->effort, NULL);
    if (found == REGEX_GAVE_UP)
        run->gave_up = true;
    return found == REGEX_YES;
}

/* A limit's number, when the keyword has one. */
static bool limit_of(const cJSON *schema, const char *keyword, double *limit)
{
    const cJSON *value = json_get(schema, keyword);

    if (value == NULL)
        return false;
    *limit = value->valuedouble;
    return true;
}

bool check_count(struct run *run, const cJSON *schema, const char *most,
    const char *least, double count, const char *what)
{
    double limit;
    bool ok = true;

    if (limit_of(schema, most, &limit) && count > limit)
        ok = run_fail(run, most, param_number("limit", limit),
            "must NOT have more than %.0f %s", limit, what);
    if (limit_of(schema, least, &limit) && count < limit)
        ok = run_fail(run, least, param_number("limit", limit),
            "must NOT have fewer than %.0f %s", limit, what);
    return ok;
}

/* ---- numbers ---- */

static bool fail_comparison(
    struct run *run, const char *keyword, const char *sign, double limit)
{
    char *number = param_number("limit", limit);
    bool ok = run_fail(run, keyword, str_printf("\"comparison\":\"%s\",%s", sign, number),
        "must be %s %s", sign, strchr(number, ':') + 1);

    free(number);
    return ok;
}

static bool is_multiple(double number, double of)
{
    double times = number / of;

    return isfinite(times) && trunc(times) == times;
}

static bool check_number(struct run *run, const cJSON *schema, const cJSON *value)
{
    double number = value->valuedouble, limit;
    bool ok = true;

    if (limit_of(schema, "maximum", &limit) && !(number <= limit))
        ok = fail_comparison(run, "maximum", "<=", limit);
    if (limit_of(schema, "minimum", &limit) && !(number >= limit))
        ok = fail_comparison(run, "minimum", ">=", limit);
    if (limit_of(schema, "exclusiveMaximum", &limit) && !(number < limit))
        ok = fail_comparison(run, "exclusiveMaximum", "<", limit);
    if (limit_of(schema, "exclusiveMinimum", &limit) && !(number > limit))
        ok = fail_comparison(run, "exclusiveMinimum", ">", limit);
    if (limit_of(schema, "multipleOf", &limit) && !is_multiple(number, limit)) {
        char *param = param_number("multipleOf", limit);

        ok = run_fail(run, "multipleOf", str_dup(param), "must be multiple of %s",
            strchr(param, ':') + 1);
        free(param);
    }
    return ok;
}

/* ---- texts ---- */

static double count_characters(const char *text)
{
    double count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static bool check_text(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *pattern = json_get(schema, "pattern");
    bool ok = check_count(run, schema, "maxLength", "minLength",
        count_characters(value->valuestring), "characters");

    if (pattern != NULL && !run_matches(run, pattern, value->valuestring))
        ok = run_fail(run, "pattern", param_text("pattern", pattern->valuestring),
            "must match pattern \"%s\"", pattern->valuestring);
    return ok;
}

static bool check_format(struct run *run, const cJSON *schema, const cJSON *value)
{
    const char *format = json_str(schema, "format");

    return format == NULL || format_passes(format, value) ||
           run_fail(run, "format", param_text("format", format),
               "must match format \"%s\"", format);
}

/* ---- any value ---- */

static bool check_const(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *wanted = json_get(schema, "const");

    return wanted == NULL || value_equal(value, wanted, &run->steps) ||
           run_fail(run, "const", param_json("allowedValue", wanted),
               "must be equal to constant");
}

static bool check_enum(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *list = json_get(schema, "enum"), *item;

    if (list == NULL)
        return true;
    cJSON_ArrayForEach(item, list)
    {
        if (value_equal(value, item, &run->steps))
            return true;
    }
    return run_fail(run, "enum", param_json("allowedValues", list),
        "must be equal to one of the allowed values");
}

/* Whether the value has the schema, without a word. */
static bool passes(struct run *run, const cJSON *schema, const cJSON *value)
{
    bool ok;

    run->quiet++;
    ok = check(run, schema, value);
    run->quiet--;
    return ok;
}

static bool check_not(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *not = json_get(schema, "not");

    return not == NULL || !passes(run, not, value) || run->gave_up ||
           run_fail(run, "not", NULL, "must NOT be valid");
}

static bool check_any(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *list = json_get(schema, "anyOf"), *item;
    struct mark mark = run_mark(run);
    bool any = list == NULL;
    int index = 0;

    cJSON_ArrayForEach(item, list)
    {
        any = any || run_under(run, item, value, "anyOf", NULL, index);
        index++;
    }
    if (!any)
        return run_fail(run, "anyOf", NULL, "must match a schema in anyOf");
    run_forget(run, mark);
    return true;
}

static bool check_one(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *list = json_get(schema, "oneOf"), *item;
    struct mark mark = run_mark(run);
    int index = 0, first = -1, second = -1;

    if (list == NULL)
        return true;
    cJSON_ArrayForEach(item, list)
    {
        if (second >= 0)
            break;
        if (run_under(run, item, value, "oneOf", NULL, index))
            *(first < 0 ? &first : &second) = index;
        index++;
    }
    if (first < 0)
        return run_fail(run, "oneOf", str_dup("\"passingSchemas\":null"),
            "must match exactly one schema in oneOf");
    if (second >= 0)
        return run_fail(run, "oneOf",
            str_printf("\"passingSchemas\":[%d,%d]", first, second),
            "must match exactly one schema in oneOf");
    run_forget(run, mark);
    return true;
}

static bool check_all(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *item;
    bool ok = true;
    int index = 0;

    cJSON_ArrayForEach(item, json_get(schema, "allOf"))
    {
        ok = run_under(run, item, value, "allOf", NULL, index++) && ok;
    }
    return ok;
}

static bool check_if(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *test = json_get(schema, "if"), *branch;
    const char *keyword;

    if (test == NULL)
        return true;
    keyword = passes(run, test, value) ? "then" : "else";
    branch = json_get(schema, keyword);
    return branch == NULL || run_under(run, branch, value, keyword, NULL, -1) ||
           run_fail(run, "if", param_text("failingKeyword", keyword),
               "must match \"%s\" schema", keyword);
}

/* ---- types ---- */

static bool has_type(const cJSON *schema, const cJSON *type, const cJSON *value)
{
    unsigned is = type_of_value(value);
    const cJSON *item;

    if ((is & TYPE_NULL) != 0 && json_bool(schema, "nullable", false))
        return true;
    if (cJSON_IsString(type))
        return (type_of_name(type->valuestring) & is) != 0;
    cJSON_ArrayForEach(item, type)
    {
        if ((type_of_name(item->valuestring) & is) != 0)
            return true;
    }
    return false;
}

static bool fail_type(struct run *run, const cJSON *type)
{
    const cJSON *item;
    struct buf names;

    if (cJSON_IsString(type))
        return run_fail(
            run, "type", param_json("type", type), "must be %s", type->valuestring);
    buf_init(&names, 0);
    cJSON_ArrayForEach(item, type)
    {
        buf_printf(&names, "%s%s", names.len > 0 ? "," : "", item->valuestring);
    }
    run_fail(run, "type", param_json("type", type), "must be %s", names.data);
    buf_finish(&names);
    return false;
}

static bool has_any(const cJSON *schema, const char *const *keywords)
{
    for (; *keywords != NULL; keywords++)
        if (json_get(schema, *keywords) != NULL)
            return true;
    return false;
}

/* The keywords of one type: where the schema has both, an error of the type stands where
 * theirs would. */
static const struct group {
    unsigned type;
    const char *keywords[10];
} groups[] = {
    {TYPE_NUMBER, {"maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum",
                      "multipleOf", "format"}},
    {TYPE_STRING, {"maxLength", "minLength", "pattern", "format"}},
    {TYPE_ARRAY,
        {"maxItems", "minItems", "uniqueItems", "additionalItems", "items", "contains"}},
    {TYPE_OBJECT,
        {"maxProperties", "minProperties", "required", "propertyNames",
            "additionalProperties", "dependencies", "properties", "patternProperties"}},
};
enum {
    GROUP_NUMBER,
    GROUP_TEXT,
    GROUP_ARRAY,
    GROUP_OBJECT,
    GROUPS,
};

static int group_of_type(const cJSON *schema, const cJSON *type)
{
    unsigned bit = cJSON_IsString(type) ? type_of_name(type->valuestring) : 0;

    if (json_bool(schema, "nullable", false))
        return GROUPS;
    for (int i = 0; i < GROUPS; i++)
        if (groups[i].type == bit && has_any(schema, groups[i].keywords))
            return i;
    return GROUPS;
}

static bool check_group(
    struct run *run, const cJSON *schema, const cJSON *value, int group)
{
    bool ok;

    if (group == GROUP_ARRAY)
        return check_array(run, schema, value);
    if (group == GROUP_OBJECT)
        return check_object(run, schema, value);
    ok = group == GROUP_NUMBER ? check_number(run, schema, value)
                               : check_text(run, schema, value);
    return check_format(run, schema, value) && ok;
}

static bool check_anything(struct run *run, const cJSON *schema, const cJSON *value)
{
    static bool (*const checks[])(struct run *, const cJSON *, const cJSON *) = {
        check_const, check_enum, check_not, check_any, check_one, check_all, check_if};
    bool ok = true;

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        ok = checks[i](run, schema, value) && ok;
    return ok;
}

static bool check_keywords(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *type = json_get(schema, "type");
    unsigned is = type_of_value(value);
    int late = type != NULL ? group_of_type(schema, type) : GROUPS;
    bool right = type == NULL || has_type(schema, type, value), ok = right;

    if (!right && late == GROUPS)
        fail_type(run, type);
    for (int i = 0; i < GROUPS; i++) {
        if (i == GROUP_ARRAY)
            ok = check_anything(run, schema, value) && ok;
        if ((is & groups[i].type) != 0 && has_any(schema, groups[i].keywords))
            ok = check_group(run, schema, value, i) && ok;
        else if (!right && late == i)
            fail_type(run, type);
    }
    return ok;
}

/* ---- references ---- */

static bool check_reference(struct run *run, const cJSON *ref, const cJSON *value)
{
    const struct note *note = schema_note(run->schema, ref);
    struct buf outer = run->rule;
    bool ok;

    buf_init(&run->rule, 0);
    buf_puts(&run->rule, note->inlined ? ref->valuestring : "#");
    ok = check(run, note->target, value);
    buf_finish(&run->rule);
    run->rule = outer;
    return ok;
}

static bool check(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *ref;
    bool ok;

    if (!run_step(run))
        return true;
    if (run->depth >= MAX_DEPTH) {
        run->gave_up = true;
        return true;
    }
    if (cJSON_IsBool(schema))
        return cJSON_IsTrue(schema) ||
               run_fail(run, "false schema", NULL, "boolean schema is false");
    run->depth++;
    ref = json_get(schema, "$ref");
    ok = cJSON_IsString(ref) ? check_reference(run, ref, value)
                             : check_keywords(run, schema, value);
    run->depth--;
    return ok;
}

/* ---- the interface ---- */

enum jsonschema_verdict jsonschema_check(const struct jsonschema *schema,
    const char *name, const cJSON *value, struct buf *errors)
{
    const cJSON *wanted = schema->document;
    struct run run = {
        .schema = schema,
        .steps = MAX_STEPS,
        .effort = {.steps = REGEX_STEPS, .memory_kb = REGEX_MEMORY_KB},
    };
    struct buf told;
    bool ok;

    if (name != NULL)
        wanted = json_get(json_get(schema->document, "definitions"), name);
    if (wanted == NULL)
        return JSONSCHEMA_UNDECIDED;
    buf_init(&told, 0);
    buf_init(&run.at, 0);
    buf_init(&run.rule, 0);
    buf_putc(&run.rule, '#');
    if (name != NULL) {
        buf_puts(&run.rule, "/definitions");
        path_add_escaped(&run.rule, name);
    }
    run.errors = errors != NULL ? &told : NULL;
    ok = check(&run, wanted, value);
    if (errors != NULL && !ok && !run.gave_up)
        buf_printf(errors, "[%s]", told.data);
    buf_finish(&told);
    buf_finish(&run.at);
    buf_finish(&run.rule);
    if (run.gave_up || run.steps == 0)
        return JSONSCHEMA_UNDECIDED;
    return ok ? JSONSCHEMA_VALID : JSONSCHEMA_INVALID;
}
