/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the tree of a YAML file out of libyaml's events. See tree.h for what is
 * accepted.
 *
 * The builder keeps the open maps and lists on a stack of fixed depth. In a map, a scalar
 * event is a key when none is pending and the pending key's value otherwise. After the
 * first fault in the syntax nothing more can be read; duplicate keys and the like are
 * collected and parsing goes on. */
#include "catalog/tree.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define CHUNK_BYTES ((size_t)64 << 10)

struct tree_chunk {
    struct tree_chunk *next;
    size_t used;
    size_t size;
    max_align_t data[];
};

struct builder {
    struct tree *tree;
    const char *file;
    struct faults *faults;
    struct tree_node *stack[TREE_MAX_DEPTH];
    size_t depth;
    const char *key; /* read, its value comes next */
    uint32_t key_hash;
    int key_line;
    bool skip_value; /* the pending key was refused: drop its value */
    int documents;
};

static void *take(struct tree *tree, size_t size)
{
    size_t align = _Alignof(max_align_t);
    struct tree_chunk *chunk = tree->chunks;
    void *p;

    size = (size + align - 1) / align * align;
    if (!chunk || chunk->size - chunk->used < size) {
        size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
        chunk = mem_alloc(sizeof(*chunk) + room);
        chunk->next = tree->chunks;
        chunk->used = 0;
        chunk->size = room;
        tree->chunks = chunk;
    }
    p = (char *)chunk->data + chunk->used;
    chunk->used += size;
    return p;
}

static const char *take_text(struct tree *tree, const char *text, size_t len)
{
    char *copy = take(tree, len + 1);

    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static uint32_t hash_text(const char *s)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *s; s++)
        hash = (hash ^ (unsigned char)*s) * 16777619u;
    return hash;
}

static const struct tree_node *find(
    const struct tree_node *map, const char *key, uint32_t hash)
{
    for (const struct tree_node *child = map->first; child; child = child->next)
        if (child->key_hash == hash && strcmp(child->key, key) == 0)
            return child;
    return NULL;
}

const struct tree_node *tree_get(const struct tree_node *map, const char *key)
{
    if (!map || map->kind != TREE_MAP)
        return NULL;
    return find(map, key, hash_text(key));
}

const char *tree_kind_name(enum tree_kind kind)
{
    static const char *const names[] = {
        [TREE_NULL] = "empty",
        [TREE_BOOL] = "a boolean",
        [TREE_NUMBER] = "a number",
        [TREE_TEXT] = "a text",
        [TREE_LIST] = "a list",
        [TREE_MAP] = "a map",
    };

    return names[kind];
}

/* ---- plain scalars: YAML 1.2, section 10.3.2 ---- */

static bool is_one_of(const char *s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(s, words[i]) == 0)
            return true;
    return false;
}
#define IS_ONE_OF(s, ...)                                                                \
    is_one_of((s), (const char *const[]){__VA_ARGS__},                                   \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static size_t digits(const char *s)
{
    return strspn(s, "0123456789");
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_decimal(const char *s)
{
    size_t before;
    size_t after = 0;

    if (*s == '-' || *s == '+')
        s++;
    before = digits(s);
    s += before;
    if (*s == '.') {
        s++;
        after = digits(s);
        s += after;
    }
    if (before + after == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        if (*s == '-' || *s == '+')
            s++;
        if (digits(s) == 0)
            return false;
        s += digits(s);
    }
    return *s == '\0';
}

static bool is_based(const char *s, char mark, const char *allowed)
{
    return s[0] == '0' && s[1] == mark && s[2] && s[2 + strspn(s + 2, allowed)] == '\0';
}

/* False when it is a number that JSON cannot hold. */
static bool read_plain(const char *s, struct tree_node *node)
{
    if (IS_ONE_OF(s, "", "~", "null", "Null", "NULL")) {
        node->kind = TREE_NULL;
    } else if (IS_ONE_OF(s, "true", "True", "TRUE")) {
        node->kind = TREE_BOOL;
        node->truth = true;
    } else if (IS_ONE_OF(s, "false", "False", "FALSE")) {
        node->kind = TREE_BOOL;
    } else if (is_decimal(s)) {
        node->kind = TREE_NUMBER;
        node->number = strtod(s, NULL);
    } else if (is_based(s, 'o', "01234567")) {
        node->kind = TREE_NUMBER;
        node->number = (double)strtoull(s + 2, NULL, 8);
    } else if (is_based(s, 'x', "0123456789abcdefABCDEF")) {
        node->kind = TREE_NUMBER;
        node->number = (double)strtoull(s + 2, NULL, 16);
    } else {
        const char *unsigned_part = s + (*s == '-' || *s == '+');
        if (IS_ONE_OF(unsigned_part, ".inf", ".Inf", ".INF") ||
            IS_ONE_OF(s, ".nan", ".NaN", ".NAN"))
            return false;
        node->kind = TREE_TEXT;
    }
    return node->kind != TREE_NUMBER || isfinite(node->number);
}

/* ---- building ---- */

static bool fault(struct builder *b, const yaml_mark_t *mark, const char *message)
{
    faults_add(b->faults, b->file, (int)mark->line + 1, "%s", message);
    return false;
}

static struct tree_node *open_node(struct builder *b)
{
    return b->depth > 0 ? b->stack[b->depth - 1] : NULL;
}

/* Hangs a new node where the next value belongs. NULL on a fault that ends the parsing.
 */
static struct tree_node *add_node(
    struct builder *b, enum tree_kind kind, const yaml_mark_t *mark)
{
    struct tree_node *parent = open_node(b);
    struct tree_node *node;

    if (b->tree->nodes++ == TREE_MAX_NODES) {
        fault(b, mark, "too many values in one file");
        return NULL;
    }
    node = take(b->tree, sizeof(*node));
    *node = (struct tree_node){.kind = kind, .line = (int)mark->line + 1};
    if (!parent) {
        b->tree->root = node;
        return node;
    }
    if (parent->kind == TREE_MAP) {
        bool skip = b->skip_value;
        node->key = b->key;
        node->key_hash = b->key_hash;
        node->line = b->key_line;
        b->key = NULL;
        b->skip_value = false;
        if (skip) /* stays in the arena, hangs nowhere */
            return node;
    }
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->count++;
    return node;
}

static bool on_key(struct builder *b, const char *text, const yaml_mark_t *mark)
{
    const struct tree_node *before;

    b->key = text;
    b->key_hash = hash_text(text);
    b->key_line = (int)mark->line + 1;
    if (*text == '\0' || strcmp(text, "<<") == 0) {
        faults_add(b->faults, b->file, b->key_line,
            *text ? "merge keys (`<<`) are not known here; use `alias`" : "empty key");
        b->skip_value = true;
        return true;
    }
    before = find(open_node(b), text, b->key_hash);
    if (before) {
        faults_add(b->faults, b->file, b->key_line,
            "key `%s` is given twice (first in line %d)", text, before->line);
        b->skip_value = true;
    }
    return true;
}

static bool on_scalar(struct builder *b, const yaml_event_t *event)
{
    const yaml_mark_t *mark = &event->start_mark;
    const char *value = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    struct tree_node *parent = open_node(b);
    struct tree_node *node;
    const char *text;

    if (event->data.scalar.anchor)
        return fault(b, mark, "anchors (`&`) are not known here; use `alias`");
    if (event->data.scalar.tag)
        return fault(b, mark, "tags (`!`) are not known here");
    if (memchr(value, '\0', len))
        return fault(b, mark, "U+0000 in a text");
    text = take_text(b->tree, value, len);
    if (parent && parent->kind == TREE_MAP && !b->key)
        return on_key(b, text, mark);
    node = add_node(b, TREE_TEXT, mark);
    if (!node)
        return false;
    node->text = text;
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !read_plain(text, node)) {
        node->kind = TREE_NULL;
        faults_add(b->faults, b->file, node->line, "number out of range: %s", text);
    }
    return true;
}

static bool on_open(struct builder *b, enum tree_kind kind, const yaml_event_t *event,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
    const yaml_mark_t *mark = &event->start_mark;
    struct tree_node *parent = open_node(b);
    struct tree_node *node;

    if (anchor)
        return fault(b, mark, "anchors (`&`) are not known here; use `alias`");
    if (tag)
        return fault(b, mark, "tags (`!`) are not known here");
    if (parent && parent->kind == TREE_MAP && !b->key)
        return fault(b, mark, "a key must be a plain or quoted text");
    if (b->depth == TREE_MAX_DEPTH)
        return fault(b, mark, "nested too deeply");
    node = add_node(b, kind, mark);
    if (!node)
        return false;
    b->stack[b->depth++] = node;
    return true;
}

static bool on_event(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++b->documents > 1)
            return fault(b, &event->start_mark, "only one document may stand in a file");
        return true;
    case YAML_SCALAR_EVENT:
        return on_scalar(b, event);
    case YAML_MAPPING_START_EVENT:
        return on_open(b, TREE_MAP, event, event->data.mapping_start.anchor,
            event->data.mapping_start.tag);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(b, TREE_LIST, event, event->data.sequence_start.anchor,
            event->data.sequence_start.tag);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        b->depth--;
        return true;
    case YAML_ALIAS_EVENT:
        return fault(
            b, &event->start_mark, "YAML aliases (`*`) are not known here; use `alias`");
    default:
        return true;
    }
}

/* The reader is ahead of the scanner, so its faults are placed by their offset. */
static int line_at(const char *text, size_t len, size_t offset)
{
    int line = 1;

    for (size_t i = 0; i < len && i < offset; i++)
        line += text[i] == '\n';
    return line;
}

static void syntax_fault(
    struct builder *b, const yaml_parser_t *parser, const char *text, size_t len)
{
    size_t line = parser->problem_mark.line + 1;
    const char *problem = parser->problem ? parser->problem : "cannot be read";

    if (parser->error == YAML_READER_ERROR)
        faults_add(b->faults, b->file, line_at(text, len, parser->problem_offset),
            "not UTF-8 text: %s", problem);
    else if (parser->context)
        faults_add(b->faults, b->file, (int)line, "YAML syntax: %s, %s", parser->context,
            problem);
    else
        faults_add(b->faults, b->file, (int)line, "YAML syntax: %s", problem);
}

bool tree_parse(const char *file, const char *text, size_t len, struct tree *out,
    struct faults *faults)
{
    struct builder b = {.tree = out, .file = file, .faults = faults};
    size_t faults_before = faults->count;
    yaml_parser_t parser;
    bool more = true;

    *out = (struct tree){0};
    if (len > TREE_MAX_BYTES) {
        faults_add(faults, file, 0, "larger than %zu bytes", TREE_MAX_BYTES);
        return false;
    }
    if (!yaml_parser_initialize(&parser)) {
        faults_add(faults, file, 0, "the YAML parser cannot start");
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    while (more) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            syntax_fault(&b, &parser, text, len);
            break;
        }
        more = event.type != YAML_STREAM_END_EVENT && on_event(&b, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return faults->count == faults_before;
}

void tree_finish(struct tree *tree)
{
    struct tree_chunk *chunk = tree->chunks;

    while (chunk) {
        struct tree_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    *tree = (struct tree){0};
}

cJSON *tree_to_json(const struct tree_node *node)
{
    cJSON *json;

    switch (node->kind) {
    case TREE_BOOL:
        return cJSON_CreateBool(node->truth);
    case TREE_NUMBER:
        return cJSON_CreateNumber(node->number);
    case TREE_TEXT:
        return cJSON_CreateString(node->text);
    case TREE_LIST:
        json = cJSON_CreateArray();
        for (const struct tree_node *child = node->first; child; child = child->next)
            cJSON_AddItemToArray(json, tree_to_json(child));
        return json;
    case TREE_MAP:
        json = cJSON_CreateObject();
        for (const struct tree_node *child = node->first; child; child = child->next)
            cJSON_AddItemToObject(json, child->key, tree_to_json(child));
        return json;
    case TREE_NULL:
        break;
    }
    return cJSON_CreateNull();
}
