/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a document once: what its keywords must be, where its references lead, which
 * patterns it has. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "jsonschema/jsonschema_int.h"

/* A schema that has a URI of its own. */
struct named {
    char *uri; /* with fragment where `$id` is one */
    const cJSON *schema;
};

/* A reference that is still to be followed. */
struct pending {
    const cJSON *key;
    char *uri; /* absolute, as far as the document has one; with fragment */
};

struct compiler {
    struct jsonschema *schema;
    size_t note_room;
    struct named *named;
    size_t named_count, named_room;
    struct pending *pending;
    size_t pending_count, pending_room;
    const cJSON **seen; /* open addressing; a power of two */
    size_t seen_count, seen_size;
    struct buf at; /* where it is, for errors */
    struct err *err;
};

static bool walk(struct compiler *compiler, const cJSON *schema, const char *base);

/* ---- lists ---- */

static void *grow(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    *room = *room > 0 ? *room * 2 : 16;
    return mem_resize_array(list, *room, size);
}

static struct note *add_note(struct compiler *compiler, const cJSON *key)
{
    struct jsonschema *schema = compiler->schema;

    schema->notes = grow(
        schema->notes, schema->note_count, &compiler->note_room, sizeof(struct note));
    schema->notes[schema->note_count] = (struct note){.key = key};
    return &schema->notes[schema->note_count++];
}

static void add_named(struct compiler *compiler, char *uri, const cJSON *schema)
{
    compiler->named = grow(compiler->named, compiler->named_count, &compiler->named_room,
        sizeof(struct named));
    compiler->named[compiler->named_count++] = (struct named){uri, schema};
}

static size_t slot_of(const struct compiler *compiler, const cJSON *schema)
{
    size_t at = ((uintptr_t)schema >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 20;

    at &= compiler->seen_size - 1;
    while (compiler->seen[at] != NULL && compiler->seen[at] != schema)
        at = (at + 1) & (compiler->seen_size - 1);
    return at;
}

/* True the first time. */
static bool see(struct compiler *compiler, const cJSON *schema)
{
    size_t at;

    if (compiler->seen_count * 2 >= compiler->seen_size) {
        const cJSON **old = compiler->seen;
        size_t size = compiler->seen_size;

        compiler->seen_size = size > 0 ? size * 2 : 64;
        compiler->seen = mem_zalloc(compiler->seen_size * sizeof *compiler->seen);
        for (size_t i = 0; i < size; i++)
            if (old[i] != NULL)
                compiler->seen[slot_of(compiler, old[i])] = old[i];
        free(old);
    }
    at = slot_of(compiler, schema);
    if (compiler->seen[at] != NULL)
        return false;
    compiler->seen[at] = schema;
    compiler->seen_count++;
    return true;
}

/* ---- what keywords must be ---- */

static bool refuse(struct compiler *compiler, const char *keyword, const char *must)
{
    return err_set(compiler->err, 400, "invalid_json_schema", "%s/%s: %s",
        compiler->at.data, keyword, must);
}

static bool all_texts(const cJSON *list)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item))
            return false;
    }
    return cJSON_IsArray(list);
}

static bool check_type(struct compiler *compiler, const cJSON *type)
{
    static const char must[] =
        "it must be null, boolean, integer, number, string, array or object, or a list "
        "of those";
    const cJSON *item;

    if (cJSON_IsString(type) && type_of_name(type->valuestring) != 0)
        return true;
    if (!all_texts(type) || type->child == NULL)
        return refuse(compiler, "type", must);
    cJSON_ArrayForEach(item, type)
    {
        if (type_of_name(item->valuestring) == 0)
            return refuse(compiler, "type", must);
    }
    return true;
}

static bool is_natural(const cJSON *value)
{
    return cJSON_IsNumber(value) && value->valuedouble >= 0 &&
           (type_of_value(value) & TYPE_INTEGER) != 0;
}

static bool check_plain(struct compiler *compiler, const cJSON *schema)
{
    static const char *const naturals[] = {"maxLength", "minLength", "maxItems",
        "minItems", "maxProperties", "minProperties"};
    static const char *const numbers[] = {
        "maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum"};
    const cJSON *value = json_get(schema, "type");

    if (value != NULL && !check_type(compiler, value))
        return false;
    for (size_t i = 0; i < sizeof naturals / sizeof naturals[0]; i++) {
        value = json_get(schema, naturals[i]);
        if (value != NULL && !is_natural(value))
            return refuse(compiler, naturals[i], "it must be a whole number from 0 up");
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        value = json_get(schema, numbers[i]);
        if (value != NULL && !cJSON_IsNumber(value))
            return refuse(compiler, numbers[i], "it must be a number");
    }
    value = json_get(schema, "multipleOf");
    if (value != NULL && (!cJSON_IsNumber(value) || value->valuedouble <= 0))
        return refuse(compiler, "multipleOf", "it must be a number above 0");
    value = json_get(schema, "required");
    if (value != NULL && !all_texts(value))
        return refuse(compiler, "required", "it must be a list of texts");
    value = json_get(schema, "enum");
    if (value != NULL && !cJSON_IsArray(value))
        return refuse(compiler, "enum", "it must be a list");
    value = json_get(schema, "format");
    return value == NULL || cJSON_IsString(value) ||
           refuse(compiler, "format", "it must be a text");
}

/* ---- patterns ---- */

static bool add_pattern(
    struct compiler *compiler, const cJSON *key, const char *pattern, const char *keyword)
{
    const char *fault = regex_fault(pattern, false);

    if (fault != NULL)
        return err_set(compiler->err, 400, "invalid_json_schema",
            "%s/%s: %.100s is no regular expression: %s", compiler->at.data, keyword,
            pattern, fault);
    add_note(compiler, key)->regex = regex_new(pattern, true, &fault);
    return true;
}

/* ---- places for schemas ---- */

/* The schema under `keyword`, or under a name of that, or at an index. */
static bool walk_at(struct compiler *compiler, const cJSON *schema, const char *base,
    const char *keyword, int index)
{
    size_t len = compiler->at.len;
    bool ok;

    path_add(&compiler->at, keyword);
    if (schema->string != NULL && strcmp(schema->string, keyword) != 0)
        path_add(&compiler->at, schema->string);
    if (index >= 0)
        buf_printf(&compiler->at, "/%d", index);
    ok = walk(compiler, schema, base);
    compiler->at.len = len;
    compiler->at.data[len] = '\0';
    return ok;
}

static bool walk_one(
    struct compiler *compiler, const cJSON *schema, const char *base, const char *keyword)
{
    const cJSON *value = json_get(schema, keyword);

    return value == NULL || walk_at(compiler, value, base, keyword, -1);
}

static bool walk_list(
    struct compiler *compiler, const cJSON *schema, const char *base, const char *keyword)
{
    const cJSON *value = json_get(schema, keyword), *item;
    int index = 0;

    if (value == NULL)
        return true;
    if (!cJSON_IsArray(value) || (value->child == NULL && strcmp(keyword, "items") != 0))
        return refuse(
            compiler, keyword, "it must be a list of schemas, not an empty one");
    cJSON_ArrayForEach(item, value)
    {
        if (!walk_at(compiler, item, base, keyword, index++))
            return false;
    }
    return true;
}

static bool walk_members(
    struct compiler *compiler, const cJSON *schema, const char *base, const char *keyword)
{
    const cJSON *value = json_get(schema, keyword), *item;
    bool patterns = strcmp(keyword, "patternProperties") == 0;
    bool dependencies = strcmp(keyword, "dependencies") == 0;

    if (value == NULL)
        return true;
    if (!cJSON_IsObject(value))
        return refuse(compiler, keyword, "it must be an object of schemas");
    cJSON_ArrayForEach(item, value)
    {
        if (patterns && !add_pattern(compiler, item, item->string, keyword))
            return false;
        if (dependencies && cJSON_IsArray(item)) {
            if (!all_texts(item))
                return refuse(compiler, keyword, "a list must be one of texts");
            continue;
        }
        if (!walk_at(compiler, item, base, keyword, -1))
            return false;
    }
    return true;
}

static bool walk_keywords(
    struct compiler *compiler, const cJSON *schema, const char *base)
{
    static const char *const ones[] = {"additionalProperties", "additionalItems",
        "contains", "propertyNames", "not", "if", "then", "else"};
    static const char *const lists[] = {"allOf", "anyOf", "oneOf"};
    static const char *const members[] = {
        "properties", "patternProperties", "dependencies"};
    const cJSON *pattern = json_get(schema, "pattern");

    if (!check_plain(compiler, schema))
        return false;
    if (pattern != NULL && !cJSON_IsString(pattern))
        return refuse(compiler, "pattern", "it must be a text");
    if (pattern != NULL &&
        !add_pattern(compiler, pattern, pattern->valuestring, "pattern"))
        return false;
    for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++)
        if (!walk_one(compiler, schema, base, ones[i]))
            return false;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (!walk_list(compiler, schema, base, lists[i]))
            return false;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (!walk_members(compiler, schema, base, members[i]))
            return false;
    return cJSON_IsArray(json_get(schema, "items"))
               ? walk_list(compiler, schema, base, "items")
               : walk_one(compiler, schema, base, "items");
}

/* ---- identifiers and references ---- */

static char *with_fragment(const char *base, const char *ref)
{
    char *resolved = uri_resolve(base, ref);
    const char *fragment = strchr(ref, '#');
    char *all = str_printf("%s%s", resolved, fragment != NULL ? fragment : "");

    free(resolved);
    return all;
}

/* The base inside of a schema: its `$id`'s, or as outside. Beside a `$ref` there is none.
 * free() */
static char *base_inside(const cJSON *schema, const char *base)
{
    const char *id = cJSON_IsObject(schema) && !cJSON_IsString(json_get(schema, "$ref"))
                         ? json_str(schema, "$id")
                         : NULL;

    return id != NULL && *id != '#' ? uri_resolve(base, id) : str_dup(base);
}

static void note_id(struct compiler *compiler, const cJSON *schema, const char *base)
{
    const char *id = json_str(schema, "$id");

    if (id == NULL)
        return;
    add_named(compiler, with_fragment(base, id), schema);
    if (strchr(id, '#') == NULL || str_ends(id, "#"))
        add_named(compiler, uri_resolve(base, id), schema);
}

static bool walk(struct compiler *compiler, const cJSON *schema, const char *base)
{
    const cJSON *ref;
    char *inside;
    bool ok;

    if (cJSON_IsBool(schema))
        return true;
    if (!cJSON_IsObject(schema))
        return err_set(compiler->err, 400, "invalid_json_schema",
            "%s: a schema must be an object or a boolean", compiler->at.data);
    if (!see(compiler, schema))
        return true;
    ref = json_get(schema, "$ref");
    if (cJSON_IsString(ref)) { /* whatever stands beside it is not looked at */
        compiler->pending = grow(compiler->pending, compiler->pending_count,
            &compiler->pending_room, sizeof(struct pending));
        compiler->pending[compiler->pending_count++] =
            (struct pending){ref, with_fragment(base, ref->valuestring)};
        return walk_members(compiler, schema, base, "definitions") &&
               walk_members(compiler, schema, base, "$defs");
    }
    note_id(compiler, schema, base);
    inside = base_inside(schema, base);
    ok = walk_members(compiler, schema, inside, "definitions") &&
         walk_members(compiler, schema, inside, "$defs") &&
         walk_keywords(compiler, schema, inside);
    free(inside);
    return ok;
}

/* A segment of a JSON pointer (RFC 6901), in place. */
static char *unescape(char *segment)
{
    char *to = segment;

    for (const char *from = segment; *from != '\0'; from++)
        if (from[0] == '~' && (from[1] == '0' || from[1] == '1'))
            *to++ = *++from == '0' ? '~' : '/';
        else
            *to++ = *from;
    *to = '\0';
    return segment;
}

/* The part of `root` that a pointer names; NULL. *base becomes the base there. */
static const cJSON *follow(const cJSON *root, const char *pointer, char **base)
{
    const cJSON *at = root;

    while (at != NULL && *pointer == '/') {
        size_t len = strcspn(++pointer, "/");
        char *raw = str_ndup(pointer, len), *name;
        int64_t index;

        name = unescape(raw);
        if (at != root) {
            char *inside = base_inside(at, *base);

            free(*base);
            *base = inside;
        }
        if (cJSON_IsArray(at))
            at = str_to_i64(name, &index) && index >= 0 && index < INT32_MAX
                     ? cJSON_GetArrayItem(at, (int)index)
                     : NULL;
        else
            at = json_get(at, name);
        free(name);
        pointer += len;
    }
    return *pointer == '\0' ? at : NULL;
}

static const cJSON *find_named(const struct compiler *compiler, const char *uri)
{
    for (size_t i = 0; i < compiler->named_count; i++)
        if (strcmp(compiler->named[i].uri, uri) == 0)
            return compiler->named[i].schema;
    return NULL;
}

/* Does it hold a reference? Then the official validator tells errors of it by paths of its
 * own. */
static bool has_reference(const cJSON *value)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, value)
    {
        if ((item->string != NULL && strcmp(item->string, "$ref") == 0 &&
                cJSON_IsString(item)) ||
            has_reference(item))
            return true;
    }
    return false;
}

static bool settle(struct compiler *compiler, const struct pending *pending)
{
    const char *fragment = strchr(pending->uri, '#');
    char *base;
    struct buf pointer;
    const cJSON *root = find_named(compiler, pending->uri), *target = root;
    struct note *note;
    bool ok;

    if (root != NULL) {
        base = str_dup(pending->uri);
        base[strcspn(base, "#")] = '\0';
    } else {
        base = fragment != NULL
                   ? str_ndup(pending->uri, (size_t)(fragment - pending->uri))
                   : str_dup(pending->uri);
        root = find_named(compiler, base);
        if (root == NULL && *base == '\0')
            root = compiler->schema->document;
        buf_init(&pointer, 0);
        if (root != NULL &&
            (fragment == NULL ||
                str_percent_decode(fragment + 1, strlen(fragment + 1), false, &pointer)))
            target = follow(root, pointer.len > 0 ? pointer.data : "", &base);
        buf_finish(&pointer);
    }
    if (target == NULL) {
        free(base);
        return err_set(compiler->err, 400, "invalid_json_schema",
            "the reference %.200s leads to nothing in the schema",
            pending->key->valuestring);
    }
    note = add_note(compiler, pending->key);
    note->target = target;
    note->inlined = !has_reference(target);
    ok = walk(compiler, target, base); /* where no keyword would have led */
    free(base);
    return ok;
}

/* ---- the interface ---- */

static int by_key(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t)((const struct note *)a)->key;
    uintptr_t right = (uintptr_t)((const struct note *)b)->key;

    return left < right ? -1 : left > right;
}

const struct note *schema_note(const struct jsonschema *schema, const cJSON *key)
{
    const struct note wanted = {.key = key};

    return schema->note_count > 0 ? bsearch(&wanted, schema->notes, schema->note_count,
                                        sizeof wanted, by_key)
                                  : NULL;
}

struct jsonschema *jsonschema_compile(cJSON *document, struct err *err)
{
    struct compiler compiler = {.schema = MEM_NEW(struct jsonschema), .err = err};
    bool ok;

    compiler.schema->document = document;
    buf_init(&compiler.at, 0);
    buf_putc(&compiler.at, '#');
    ok = walk(&compiler, document, "");
    /* Following one may find others. */
    for (size_t i = 0; ok && i < compiler.pending_count; i++) {
        struct pending pending = compiler.pending[i];

        ok = settle(&compiler, &pending);
    }
    for (size_t i = 0; i < compiler.named_count; i++)
        free(compiler.named[i].uri);
    for (size_t i = 0; i < compiler.pending_count; i++)
        free(compiler.pending[i].uri);
    free(compiler.named);
    free(compiler.pending);
    free(compiler.seen);
    buf_finish(&compiler.at);
    if (!ok) {
        jsonschema_free(compiler.schema);
        return NULL;
    }
    if (compiler.schema->note_count > 0)
        qsort(compiler.schema->notes, compiler.schema->note_count, sizeof(struct note),
            by_key);
    return compiler.schema;
}

void jsonschema_free(struct jsonschema *schema)
{
    if (schema == NULL)
        return;
    for (size_t i = 0; i < schema->note_count; i++)
        regex_free(schema->notes[i].regex);
    free(schema->notes);
    cJSON_Delete(schema->document);
    free(schema);
}

static const cJSON *definition(const struct jsonschema *schema, const char *name)
{
    const cJSON *list = json_get(schema->document, "definitions");

    return cJSON_IsObject(list) ? json_get(list, name) : NULL;
}

bool jsonschema_has(const struct jsonschema *schema, const char *name)
{
    return definition(schema, name) != NULL;
}
