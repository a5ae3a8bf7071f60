/* SPDX-License-Identifier: Apache-2.0 */
/* What models become: TypeScript, and JSON schema of the same meaning. A date is a text in
 * JSON; what JSON has no value for (undefined, never) makes a field optional, or matches
 * nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/models.h"

#define INDENT "  "

/* ---- TypeScript ---- */

static void append_type(const struct type *type, int depth, struct buf *out);

static bool is_identifier(const char *name)
{
    return *name != '\0' && str_all_alnum_or(name, "_$") && (*name < '0' || *name > '9');
}

static void indent(int depth, struct buf *out)
{
    for (int i = 0; i < depth; i++)
        buf_puts(out, INDENT);
}

static bool allows_undefined(const struct type *type)
{
    if (type->kind == TYPE_WORD)
        return str_eq(type->text, "undefined") || str_eq(type->text, "any");
    for (const struct type *part = type->kind == TYPE_UNION ? type->parts : NULL;
         part != NULL; part = part->next)
        if (allows_undefined(part))
            return true;
    return false;
}

static void append_fields(const struct model_field *fields, int depth, struct buf *out)
{
    for (const struct model_field *field = fields; field != NULL; field = field->next) {
        indent(depth, out);
        if (field->any_name)
            buf_puts(out, "[key: string]");
        else if (is_identifier(field->name))
            buf_puts(out, field->name);
        else
            json_append_string(out, field->name);
        buf_puts(out, field->optional ? "?: " : ": ");
        append_type(field->type, depth, out);
        if (field->optional && !allows_undefined(field->type))
            buf_puts(out, " | undefined");
        buf_puts(out, ";\n");
    }
}

static void append_type(const struct type *type, int depth, struct buf *out)
{
    switch (type->kind) {
    case TYPE_WORD:
    case TYPE_MODEL:
    case TYPE_VALUE:
        buf_puts(out, type->text);
        break;
    case TYPE_TEXT:
        json_append_string(out, type->text);
        break;
    case TYPE_UNION:
        for (const struct type *part = type->parts; part != NULL; part = part->next) {
            if (part != type->parts)
                buf_puts(out, " | ");
            append_type(part, depth, out);
        }
        break;
    case TYPE_LIST:
        if (type->parts->kind == TYPE_UNION)
            buf_putc(out, '(');
        append_type(type->parts, depth, out);
        buf_puts(out, type->parts->kind == TYPE_UNION ? ")[]" : "[]");
        break;
    case TYPE_OBJECT:
        buf_puts(out, "{\n");
        append_fields(type->fields, depth + 1, out);
        indent(depth, out);
        buf_putc(out, '}');
        break;
    }
}

void models_append_ts(const struct models *models, struct buf *out)
{
    for (const struct model *model = models->first; model != NULL; model = model->next) {
        buf_printf(out, "export %s %s ", model->type != NULL ? "type" : "interface",
            model->name);
        if (model->type != NULL) {
            buf_puts(out, "= ");
            append_type(model->type, 0, out);
            buf_puts(out, ";\n\n");
            continue;
        }
        buf_puts(out, "{\n");
        append_fields(model->fields, 1, out);
        buf_puts(out, "}\n\n");
    }
}

/* ---- JSON schema ---- */

static cJSON *of_type(const char *type)
{
    cJSON *schema = cJSON_CreateObject();

    json_set_str(schema, "type", type);
    return schema;
}

static cJSON *schema_of(const struct type *type);

static cJSON *object_schema(const struct model_field *fields)
{
    cJSON *schema = of_type("object"), *properties = cJSON_CreateObject(),
          *required = cJSON_CreateArray();

    json_set(schema, "properties", properties);
    for (const struct model_field *field = fields; field != NULL; field = field->next) {
        cJSON *one = schema_of(field->type);

        if (field->any_name) {
            json_set(schema, "additionalProperties", one);
            continue;
        }
        json_set(properties, field->name, one);
        if (!field->optional &&
            (field->type->kind == TYPE_WORD ? !str_eq(field->type->text, "undefined")
                                            : !allows_undefined(field->type)))
            cJSON_AddItemToArray(required, cJSON_CreateString(field->name));
    }
    if (cJSON_GetArraySize(required) > 0)
        json_set(schema, "required", required);
    else
        cJSON_Delete(required);
    return schema;
}

static cJSON *word_schema(const char *word)
{
    static const struct {
        const char *word, *type;
    } simple[] = {
        {"string", "string"},
        {"number", "number"},
        {"bigint", "number"},
        {"boolean", "boolean"},
        {"Record<string, any>", "object"},
        {"any[]", "array"},
        {"void", "null"},
    };
    cJSON *schema;

    for (size_t i = 0; i < sizeof simple / sizeof simple[0]; i++)
        if (str_eq(simple[i].word, word))
            return of_type(simple[i].type);
    if (str_eq(word, "Date")) {
        schema = of_type("string");
        json_set_str(schema, "format", "date-time");
        return schema;
    }
    schema = cJSON_CreateObject();
    if (!str_eq(word, "any")) /* never, undefined */
        json_set(schema, "not", cJSON_CreateObject());
    return schema;
}

static bool is_undefined(const struct type *type)
{
    return type->kind == TYPE_WORD && str_eq(type->text, "undefined");
}

/* Texts alone are an enumeration. NULL when there is another part. */
static cJSON *enum_schema(const struct type *parts)
{
    cJSON *values = cJSON_CreateArray(), *schema;

    for (const struct type *part = parts; part != NULL; part = part->next) {
        if (is_undefined(part))
            continue;
        if (part->kind != TYPE_TEXT) {
            cJSON_Delete(values);
            return NULL;
        }
        cJSON_AddItemToArray(values, cJSON_CreateString(part->text));
    }
    schema = of_type("string");
    json_set(schema, "enum", values);
    return schema;
}

static cJSON *union_schema(const struct type *parts)
{
    cJSON *schema = enum_schema(parts), *list;

    if (schema != NULL)
        return schema;
    schema = cJSON_CreateObject();
    list = cJSON_CreateArray();
    for (const struct type *part = parts; part != NULL; part = part->next)
        if (!is_undefined(part))
            cJSON_AddItemToArray(list, schema_of(part));
    json_set(schema, "anyOf", list);
    return schema;
}

static cJSON *schema_of(const struct type *type)
{
    cJSON *schema;
    char *ref;

    switch (type->kind) {
    case TYPE_WORD:
        return word_schema(type->text);
    case TYPE_UNION:
        return union_schema(type->parts);
    case TYPE_OBJECT:
        return object_schema(type->fields);
    case TYPE_LIST:
        schema = of_type("array");
        json_set(schema, "items", schema_of(type->parts));
        return schema;
    case TYPE_VALUE:
        if (str_eq(type->text, "null"))
            return of_type("null");
        schema = cJSON_CreateObject();
        json_set(schema, "const", cJSON_CreateRaw(type->text));
        return schema;
    case TYPE_TEXT:
        schema = of_type("string");
        json_set_str(schema, "const", type->text);
        return schema;
    case TYPE_MODEL:
        break;
    }
    schema = cJSON_CreateObject();
    ref = str_printf("#/definitions/%s", type->text);
    json_set_str(schema, "$ref", ref);
    free(ref);
    return schema;
}

cJSON *models_schema(const struct models *models)
{
    cJSON *schema = cJSON_CreateObject(), *definitions = cJSON_CreateObject();

    json_set_str(schema, "$schema", "http://json-schema.org/draft-07/schema#");
    json_set(schema, "definitions", definitions);
    for (const struct model *model = models->first; model != NULL; model = model->next)
        json_set(definitions, model->name,
            model->type != NULL ? schema_of(model->type) : object_schema(model->fields));
    return schema;
}
