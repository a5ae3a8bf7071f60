/* SPDX-License-Identifier: Apache-2.0 */
/* The keywords of objects. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "jsonschema/jsonschema_int.h"

static bool check_size(struct run *run, const cJSON *schema, const cJSON *value)
{
    return check_count(run, schema, "maxProperties", "minProperties",
        (double)cJSON_GetArraySize(value), "properties");
}

static bool check_required(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *name;
    bool ok = true;

    cJSON_ArrayForEach(name, json_get(schema, "required"))
    {
        if (run_step(run) && json_get(value, name->valuestring) == NULL)
            ok = run_fail(run, "required",
                param_text("missingProperty", name->valuestring),
                "must have required property '%s'", name->valuestring);
    }
    return ok;
}

static bool check_names(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *names = json_get(schema, "propertyNames"), *member;
    const char *outer = run->property;
    bool ok = true;

    if (names == NULL)
        return true;
    cJSON_ArrayForEach(member, value)
    {
        cJSON name = {.type = cJSON_String, .valuestring = member->string};
        bool good;

        run->property = member->string;
        good = run_under(run, names, &name, "propertyNames", NULL, -1);
        run->property = outer;
        if (!good)
            ok =
                run_fail(run, "propertyNames", param_text("propertyName", member->string),
                    "property name must be valid");
    }
    return ok;
}

static bool is_additional(struct run *run, const cJSON *schema, const cJSON *member)
{
    const cJSON *pattern;

    if (json_get(json_get(schema, "properties"), member->string) != NULL)
        return false;
    cJSON_ArrayForEach(pattern, json_get(schema, "patternProperties"))
    {
        if (run_step(run) && run_matches(run, pattern, member->string))
            return false;
    }
    return true;
}

static bool check_additional(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *rest = json_get(schema, "additionalProperties"), *member;
    bool ok = true;

    if (rest == NULL || cJSON_IsTrue(rest))
        return true;
    cJSON_ArrayForEach(member, value)
    {
        if (!run_step(run) || !is_additional(run, schema, member))
            continue;
        if (cJSON_IsFalse(rest))
            ok = run_fail(run, "additionalProperties",
                param_text("additionalProperty", member->string),
                "must NOT have additional properties");
        else
            ok = run_member(run, rest, member, "additionalProperties", NULL) && ok;
    }
    return ok;
}

static char *joined(const cJSON *names)
{
    const cJSON *name;
    struct buf out;

    buf_init(&out, 0);
    cJSON_ArrayForEach(name, names)
    {
        buf_printf(&out, "%s%s", out.len > 0 ? ", " : "", name->valuestring);
    }
    return buf_take(&out, NULL);
}

/* The names that a member asks for. */
static bool check_needed(struct run *run, const cJSON *names, const cJSON *value)
{
    const cJSON *name;
    bool ok = true;

    cJSON_ArrayForEach(name, names)
    {
        char *all, *property, *deps, *missing;

        if (!run_step(run) || json_get(value, name->valuestring) != NULL)
            continue;
        all = joined(names);
        property = param_text("property", names->string);
        deps = param_text("deps", all);
        missing = param_text("missingProperty", name->valuestring);
        ok = run_fail(run, "dependencies",
            str_printf("%s,%s,\"depsCount\":%d,%s", property, missing,
                cJSON_GetArraySize(names), deps),
            "must have %s %s when property %s is present",
            cJSON_GetArraySize(names) == 1 ? "property" : "properties", all,
            names->string);
        free(all);
        free(property);
        free(deps);
        free(missing);
    }
    return ok;
}

static bool check_dependencies(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *list = json_get(schema, "dependencies"), *one;
    bool ok = true;

    cJSON_ArrayForEach(one, list)
    {
        if (cJSON_IsArray(one) && json_get(value, one->string) != NULL)
            ok = check_needed(run, one, value) && ok;
    }
    cJSON_ArrayForEach(one, list)
    {
        if (!cJSON_IsArray(one) && json_get(value, one->string) != NULL)
            ok = run_under(run, one, value, "dependencies", one->string, -1) && ok;
    }
    return ok;
}

static bool check_members(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *one, *member;
    bool ok = true;

    cJSON_ArrayForEach(one, json_get(schema, "properties"))
    {
        member = run_step(run) ? json_get(value, one->string) : NULL;
        if (member != NULL)
            ok = run_member(run, one, member, "properties", one->string) && ok;
    }
    cJSON_ArrayForEach(one, json_get(schema, "patternProperties"))
    {
        cJSON_ArrayForEach(member, value)
        {
            if (run_step(run) && run_matches(run, one, member->string))
                ok = run_member(run, one, member, "patternProperties", one->string) && ok;
        }
    }
    return ok;
}

bool check_object(struct run *run, const cJSON *schema, const cJSON *value)
{
    static bool (*const checks[])(struct run *, const cJSON *, const cJSON *) = {
        check_size, check_required, check_names, check_additional, check_dependencies,
        check_members};
    bool ok = true;

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        ok = checks[i](run, schema, value) && ok;
    return ok;
}
