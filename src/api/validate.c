/* SPDX-License-Identifier: Apache-2.0 */
/* The validator's engine. Codes and texts are those of the recordings: clients show them.
 *
 * One value is checked by one rule; shapes and lists recurse, bounded by the tables' own
 * depth (tables never refer to themselves). A check that fails on the type adds one issue
 * and stops; checks on the content add one issue each. */
#include "api/validate.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

const struct shape SHAPE_EMPTY = {NULL, 0, true};

static void check_value(
    struct issues *issues, const struct rule *rule, const cJSON *value);

void issue_enter(struct issues *issues, const char *key)
{
    assert(issues->depth < ISSUE_MAX_DEPTH);
    issues->path[issues->depth++] = key;
}

void issue_leave(struct issues *issues)
{
    assert(issues->depth > 0);
    issues->depth--;
}

static void append_issue(struct issues *issues, const char *code, const char *message)
{
    cJSON *issue, *path;

    if (issues->count++ >= ISSUE_MAX_COUNT)
        return;
    if (issues->list == NULL)
        issues->list = cJSON_CreateArray();
    issue = cJSON_CreateObject();
    path = cJSON_CreateArray();
    json_set_str(issue, "code", code);
    json_set_str(issue, "message", message);
    for (size_t i = 0; i < issues->depth; i++)
        cJSON_AddItemToArray(path, cJSON_CreateString(issues->path[i]));
    json_set(issue, "path", path);
    cJSON_AddItemToArray(issues->list, issue);
}

void issue_add(struct issues *issues, const char *code, const char *fmt, ...)
{
    struct buf message;
    va_list args;

    buf_init(&message, 0);
    va_start(args, fmt);
    buf_vprintf(&message, fmt, args);
    va_end(args);
    append_issue(issues, code, message.data != NULL ? message.data : "");
    buf_finish(&message);
}

cJSON *issue_list(const char *code, const char *message, const char *const *path)
{
    struct issues issues = {0};

    for (; *path != NULL; path++)
        issue_enter(&issues, *path);
    append_issue(&issues, code, message);
    return issues.list;
}

static const char *type_name(const cJSON *value)
{
    if (value == NULL)
        return "undefined";
    if (cJSON_IsString(value))
        return "string";
    if (cJSON_IsNumber(value))
        return "number";
    if (cJSON_IsBool(value))
        return "boolean";
    if (cJSON_IsArray(value))
        return "array";
    if (cJSON_IsNull(value))
        return "null";
    return "object";
}

void issue_type(struct issues *issues, const char *expected, const cJSON *value)
{
    issue_add(issues, "invalid_type", "Invalid input: expected %s, received %s", expected,
        type_name(value));
}

/* Local part: letters, digits and _ ' + - . without two dots in a row, at either end;
 * domain: labels of letters, digits and hyphens, the last one of two letters or more. */
bool is_email(const char *s)
{
    const char *at = strrchr(s, '@');
    const char *label, *dot;
    size_t local = at != NULL ? (size_t)(at - s) : 0;

    if (local == 0 || s[0] == '.' || s[local - 1] == '.' || s[local - 1] == '\'' ||
        strstr(s, "..") != NULL)
        return false;
    for (size_t i = 0; i < local; i++) {
        char c[2] = {s[i], '\0'};

        if (!str_all_alnum_or(c, "_'+-."))
            return false;
    }
    label = at + 1;
    if (strchr(label, '.') == NULL)
        return false;
    while ((dot = strchr(label, '.')) != NULL) {
        char text[64];
        size_t len = (size_t)(dot - label);

        if (len == 0 || len >= sizeof text || label[0] == '-')
            return false;
        memcpy(text, label, len);
        text[len] = '\0';
        if (!str_all_alnum_or(text, "-"))
            return false;
        label = dot + 1;
    }
    if (strlen(label) < 2)
        return false;
    for (; *label != '\0'; label++)
        if (!((*label >= 'a' && *label <= 'z') || (*label >= 'A' && *label <= 'Z')))
            return false;
    return true;
}

/* White space at the end, such as a key file's last line break, does not count. */
static bool ends_with(const char *s, const char *end)
{
    size_t len = strlen(s), tail = strlen(end);

    while (len > 0 && strchr(" \t\r\n", s[len - 1]) != NULL)
        len--;
    return len >= tail && memcmp(s + len - tail, end, tail) == 0;
}

static void check_string(
    struct issues *issues, const struct rule *rule, const cJSON *value)
{
    const char *s;
    size_t len;

    if (!cJSON_IsString(value)) {
        issue_type(issues, "string", value);
        return;
    }
    s = value->valuestring;
    len = str_utf16_len(s);
    if (rule->email && !is_email(s))
        issue_add(issues, "invalid_format", "Invalid email address");
    if (rule->pattern != NULL && !rule->pattern->matches(s))
        issue_add(issues, "invalid_format", "Invalid string: must match pattern %s",
            rule->pattern->text);
    if (rule->starts != NULL && !str_starts(s, rule->starts))
        issue_add(issues, "invalid_format", "Invalid string: must start with \"%s\"",
            rule->starts);
    if (rule->ends != NULL && !ends_with(s, rule->ends))
        issue_add(
            issues, "invalid_format", "Invalid string: must end with \"%s\"", rule->ends);
    if (len < rule->min)
        issue_add(issues, "too_small",
            "Too small: expected string to have >=%zu characters", rule->min);
    if (rule->max > 0 && len > rule->max)
        issue_add(issues, "too_big", "Too big: expected string to have <=%zu characters",
            rule->max);
}

static void check_range(struct issues *issues, const struct rule *rule, double number)
{
    if (number < (double)rule->min)
        issue_add(
            issues, "too_small", "Too small: expected number to be >=%zu", rule->min);
    if (rule->max > 0 && number > (double)rule->max)
        issue_add(issues, "too_big", "Too big: expected number to be <=%zu", rule->max);
}

static void check_whole(struct issues *issues, const struct rule *rule, double number)
{
    if (number != floor(number)) {
        issue_add(issues, "invalid_type", "Invalid input: expected int, received number");
        return;
    }
    check_range(issues, rule, number);
}

static void check_number(
    struct issues *issues, const struct rule *rule, const cJSON *value)
{
    if (!cJSON_IsNumber(value)) {
        issue_type(issues, "number", value);
        return;
    }
    check_whole(issues, rule, value->valuedouble);
}

/* A number in a query arrives as text; empty text reads as 0, as in JavaScript. */
static void check_count(
    struct issues *issues, const struct rule *rule, const cJSON *value)
{
    const char *s = cJSON_IsString(value) ? value->valuestring : NULL;
    char *end = NULL;
    double number = 0;

    if (s != NULL && s[0] != '\0') {
        bool shaped = strspn(s, "+-0123456789.eE") == strlen(s);

        number = shaped ? strtod(s, &end) : NAN;
        if (!shaped || end == s || *end != '\0')
            number = NAN;
    }
    if (s == NULL || isnan(number)) {
        issue_add(issues, "invalid_type", "Invalid input: expected number, received NaN");
        return;
    }
    check_whole(issues, rule, number);
}

static void add_options(
    struct issues *issues, const char *const *options, const char *before)
{
    struct buf text;

    buf_init(&text, 0);
    buf_puts(&text, before);
    for (size_t i = 0; options[i] != NULL; i++)
        buf_printf(&text, "%s\"%s\"", i > 0 ? "|" : "", options[i]);
    append_issue(issues, "invalid_value", text.data);
    buf_finish(&text);
}

static void check_option(
    struct issues *issues, const char *const *options, const cJSON *value)
{
    for (size_t i = 0; cJSON_IsString(value) && options[i] != NULL; i++)
        if (strcmp(value->valuestring, options[i]) == 0)
            return;
    add_options(issues, options, "Invalid option: expected one of ");
}

static bool is_option(const char *const *options, const char *text, size_t len)
{
    for (; *options != NULL; options++)
        if (strlen(*options) == len && memcmp(*options, text, len) == 0)
            return true;
    return false;
}

static void check_options(
    struct issues *issues, const char *const *options, const cJSON *value)
{
    const char *at = cJSON_IsString(value) ? value->valuestring : "";
    bool good = true;

    for (bool more = true; good && more;) {
        size_t len = strcspn(at, ",");

        good = is_option(options, at, len);
        more = at[len] == ',';
        at += len + more;
    }
    if (!good)
        add_options(issues, options, "Invalid option: expected some of ");
}

static const char *const flag_options[] = {"true", "1", "yes", "on", "y", "enabled",
    "false", "0", "no", "off", "n", "disabled", NULL};

static void check_flag(struct issues *issues, const cJSON *value)
{
    bool on;

    if (!cJSON_IsString(value))
        issue_type(issues, "string", value);
    else if (!str_to_bool(value->valuestring, &on))
        add_options(issues, flag_options, "Invalid option: expected one of ");
}

bool date_read(const cJSON *value, int64_t *ms)
{
    if (cJSON_IsNumber(value) && fabs(value->valuedouble) <= CLOCK_MAX_MS) {
        *ms = (int64_t)value->valuedouble;
        return true;
    }
    return cJSON_IsString(value) && clock_parse(value->valuestring, ms);
}

static void check_date(struct issues *issues, const cJSON *value)
{
    int64_t ms;

    if (value == NULL)
        issue_type(issues, "date", value);
    else if (!date_read(value, &ms))
        issue_add(issues, "invalid_type", "Invalid input: expected date, received Date");
}

static void check_record(
    struct issues *issues, const struct rule *rule, const cJSON *value)
{
    size_t max = rule->max > 0 ? rule->max : RECORD_MAX_KEYS;
    const cJSON *child;

    if (!cJSON_IsObject(value)) {
        issue_type(issues, "record", value);
        return;
    }
    if (rule->item == NULL)
        return;
    if ((size_t)cJSON_GetArraySize(value) > max) {
        issue_add(issues, "too_big", "Too big: expected record to have <=%zu keys", max);
        return;
    }
    cJSON_ArrayForEach(child, value)
    {
        issue_enter(issues, child->string);
        check_value(issues, rule->item, child);
        issue_leave(issues);
    }
}

static void check_array(
    struct issues *issues, const struct rule *rule, const cJSON *value)
{
    const cJSON *child;
    size_t count = 0;

    if (!cJSON_IsArray(value)) {
        issue_type(issues, "array", value);
        return;
    }
    cJSON_ArrayForEach(child, value)
    {
        char index[24];

        snprintf(index, sizeof index, "%zu", count++);
        issue_enter(issues, index);
        if (rule->item != NULL)
            check_value(issues, rule->item, child);
        issue_leave(issues);
    }
    if (count < rule->min)
        issue_add(issues, "too_small", "Too small: expected array to have >=%zu items",
            rule->min);
    if (rule->max > 0 && count > rule->max)
        issue_add(
            issues, "too_big", "Too big: expected array to have <=%zu items", rule->max);
}

static const struct rule *find_rule(const struct shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->count; i++)
        if (strcmp(shape->rules[i].name, name) == 0)
            return &shape->rules[i];
    return NULL;
}

static void check_unknown_keys(
    struct issues *issues, const struct shape *shape, const cJSON *value)
{
    const cJSON *child;
    struct buf names;
    size_t count = 0;

    buf_init(&names, 0);
    cJSON_ArrayForEach(child, value)
    {
        if (find_rule(shape, child->string) != NULL)
            continue;
        if (count < ISSUE_MAX_COUNT)
            buf_printf(&names, "%s\"%s\"", count > 0 ? ", " : "", child->string);
        count++;
    }
    if (count > 0)
        issue_add(issues, "unrecognized_keys", "Unrecognized key%s: %s",
            count > 1 ? "s" : "", names.data);
    buf_finish(&names);
}

static void check_shape(
    struct issues *issues, const struct shape *shape, const cJSON *value)
{
    if (!cJSON_IsObject(value)) {
        issue_type(issues, "object", value);
        return;
    }
    for (size_t i = 0; i < shape->count; i++) {
        issue_enter(issues, shape->rules[i].name);
        check_value(issues, &shape->rules[i], json_get(value, shape->rules[i].name));
        issue_leave(issues);
    }
    if (shape->strict)
        check_unknown_keys(issues, shape, value);
}

static void check_variant(
    struct issues *issues, const struct rule *rule, const cJSON *value)
{
    const char *type = json_str(value, "type");

    if (!cJSON_IsObject(value)) {
        issue_type(issues, "object", value);
        return;
    }
    for (const struct variant *v = rule->variants; type != NULL && v->type != NULL; v++)
        if (strcmp(v->type, type) == 0) {
            check_shape(issues, v->shape, value);
            return;
        }
    issue_enter(issues, "type");
    issue_add(issues, "invalid_union", "%s",
        rule->variant_message != NULL ? rule->variant_message : "Invalid input");
    issue_leave(issues);
}

static void check_value(
    struct issues *issues, const struct rule *rule, const cJSON *value)
{
    size_t before = issues->count;

    if (value == NULL && rule->optional)
        return;
    switch (rule->kind) {
    case RULE_ANY:
        if (value == NULL)
            issue_type(issues, "nonoptional", value);
        break;
    case RULE_STRING:
        check_string(issues, rule, value);
        break;
    case RULE_BOOL:
        if (!cJSON_IsBool(value))
            issue_type(issues, "boolean", value);
        break;
    case RULE_NUMBER:
        check_number(issues, rule, value);
        break;
    case RULE_RECORD:
        check_record(issues, rule, value);
        break;
    case RULE_OBJECT:
        check_shape(issues, rule->shape, value);
        break;
    case RULE_ARRAY:
        check_array(issues, rule, value);
        break;
    case RULE_OPTION:
        check_option(issues, rule->options, value);
        break;
    case RULE_LITERAL:
        if (!cJSON_IsString(value) || strcmp(value->valuestring, rule->options[0]) != 0)
            issue_add(issues, "invalid_value", "Invalid input: expected \"%s\"",
                rule->options[0]);
        break;
    case RULE_OPTIONS:
        check_options(issues, rule->options, value);
        break;
    case RULE_DATE:
        check_date(issues, value);
        break;
    case RULE_VARIANT:
        check_variant(issues, rule, value);
        break;
    case RULE_FLAG:
        check_flag(issues, value);
        break;
    case RULE_COUNT:
        check_count(issues, rule, value);
        break;
    case RULE_CUSTOM:
        break;
    }
    if (rule->check != NULL && issues->count == before)
        rule->check(issues, value);
}

cJSON *validate(const struct shape *shape, const cJSON *value, const void *context)
{
    struct issues issues = {.context = context};

    check_shape(&issues, shape, value);
    return issues.list;
}

cJSON *validate_value(const struct rule *rule, const cJSON *value)
{
    struct issues issues = {0};

    issue_enter(&issues, rule->name);
    check_value(&issues, rule, value);
    return issues.list;
}
