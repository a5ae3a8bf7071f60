/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/models.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_MODELS 2000 /* they may refer to each other in a row */
#define MAX_FIELDS 50000
#define MAX_LISTS 8 /* of lists of lists */

struct models_memory {
    struct models_memory *next;
    max_align_t data[];
};

static void *take(struct models *models, size_t size)
{
    struct models_memory *memory = mem_zalloc(sizeof *memory + size);

    memory->next = models->memory;
    models->memory = memory;
    return memory->data;
}

const char *models_text(struct models *models, const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(take(models, size), text, size);
}

void models_finish(struct models *models)
{
    while (models->memory != NULL) {
        struct models_memory *next = models->memory->next;

        free(models->memory);
        models->memory = next;
    }
    models->first = models->last = NULL;
}

struct model *models_find(const struct models *models, const char *name)
{
    for (struct model *model = models->first; model != NULL; model = model->next)
        if (str_eq(model->name, name))
            return model;
    return NULL;
}

const struct model_field *model_field(const struct model *model, const char *name)
{
    for (const struct model_field *field = model->fields; field != NULL;
         field = field->next)
        if (strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

/* ---- types ---- */

static struct type *new_type(struct models *models, enum type_kind kind, const char *text)
{
    struct type *type = take(models, sizeof *type);

    type->kind = kind;
    type->text = text;
    return type;
}

static const char *word_for(const char *word)
{
    static const struct {
        const char *word, *type;
    } words[] = {
        {"string", "string"},
        {"char", "string"},
        {"varchar", "string"},
        {"number", "number"},
        {"integer", "number"},
        {"int", "number"},
        {"float", "number"},
        {"boolean", "boolean"},
        {"bool", "boolean"},
        {"date", "Date"},
        {"any", "any"},
        {"array", "any[]"},
        {"object", "Record<string, any>"},
        {"bigint", "bigint"},
        {"void", "void"},
        {"never", "never"},
        {"undefined", "undefined"},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq_nocase(words[i].word, word))
            return words[i].type;
    return NULL;
}

static const char *value_for(const char *word)
{
    static const char *const words[] = {"null", "true", "false"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq_nocase(words[i], word))
            return words[i];
    return NULL;
}

/* -?DIGITS(.DIGITS)?, which is a number in TypeScript and in JSON alike. */
static bool is_number(const char *word)
{
    size_t digits;

    word += *word == '-';
    digits = strspn(word, "0123456789");
    if (digits == 0 || (digits > 1 && *word == '0'))
        return false;
    word += digits;
    if (*word != '.')
        return *word == '\0';
    digits = strspn(word + 1, "0123456789");
    return digits > 0 && word[1 + digits] == '\0';
}

/* 'a' or "a", of which the quotes are no part. */
static char *unquoted(const char *word)
{
    size_t len = strlen(word);

    if (len >= 2 && (word[0] == '\'' || word[0] == '"') && word[len - 1] == word[0] &&
        memchr(word + 1, word[0], len - 2) == NULL)
        return str_ndup(word + 1, len - 2);
    return NULL;
}

static bool is_model(const struct models *models, const char *word)
{
    return tree_get(models->node, word) != NULL;
}

/* One word of a type, without `|` and `[]`. */
static struct type *read_word(
    struct models *models, const char *word, int line, bool in_union)
{
    const char *known = word_for(word), *value = value_for(word);
    char *literal;
    struct type *type;

    if (known != NULL)
        return new_type(models, TYPE_WORD, known);
    if (value != NULL)
        return new_type(models, TYPE_VALUE, value);
    if (is_number(word))
        return new_type(models, TYPE_VALUE, models_text(models, word));
    if (is_model(models, word))
        return new_type(models, TYPE_MODEL, models_text(models, word));
    literal = unquoted(word);
    if (literal != NULL) {
        type = new_type(models, TYPE_TEXT, models_text(models, literal));
        free(literal);
        return type;
    }
    if (*word == '\0' || strpbrk(word, "<>(){}=;") != NULL || str_ends(word, ",")) {
        faults_add(models->faults, models->file, line,
            "`%s` is no type: there are words such as string, names of models, `|` and "
            "`[]`, but no more of TypeScript",
            word);
        return NULL;
    }
    if (!in_union || (*word >= 'A' && *word <= 'Z'))
        faults_add(models->warnings, models->file, line,
            "there is no model `%s`: it is taken as the text '%s'", word, word);
    return new_type(models, TYPE_TEXT, models_text(models, word));
}

static struct type *list_of(struct models *models, struct type *element)
{
    struct type *list = new_type(models, TYPE_LIST, NULL);

    list->parts = element;
    return list;
}

/* A word with any number of `[]`. `word` is cut. */
static struct type *read_single(
    struct models *models, char *word, int line, bool in_union)
{
    struct type *type;
    size_t lists = 0;

    word = str_trim(word);
    while (str_ends(word, "[]")) {
        word[strlen(word) - 2] = '\0';
        word = str_trim(word);
        lists++;
    }
    if (lists > MAX_LISTS) {
        faults_add(models->faults, models->file, line, "too many lists of lists");
        return NULL;
    }
    type = read_word(models, word, line, in_union);
    while (type != NULL && lists-- > 0)
        type = list_of(models, type);
    return type;
}

static struct type *read_text(struct models *models, const char *text, int line)
{
    char *copy = str_dup(text), *from = copy;
    bool in_union = strchr(text, '|') != NULL;
    struct type *type = NULL, *whole = NULL, **end = NULL;

    if (!in_union) {
        type = read_single(models, copy, line, false);
        free(copy);
        return type;
    }
    whole = new_type(models, TYPE_UNION, NULL);
    end = &whole->parts;
    while (from != NULL) {
        char *bar = strchr(from, '|');

        if (bar != NULL)
            *bar = '\0';
        type = read_single(models, from, line, true);
        if (type == NULL)
            break;
        *end = type;
        end = &type->next;
        from = bar != NULL ? bar + 1 : NULL;
    }
    free(copy);
    return type != NULL ? whole : NULL;
}

static struct model_field *read_fields(
    struct models *models, const struct tree_node *node, const char *owner);

/* NULL after a fault. */
static struct type *read_type(struct models *models, const struct tree_node *node)
{
    struct type *type, **end;

    switch (node->kind) {
    case TREE_NULL:
        return new_type(models, TYPE_VALUE, "null");
    case TREE_BOOL:
        return new_type(models, TYPE_VALUE, node->truth ? "true" : "false");
    case TREE_NUMBER:
        if (is_number(node->text))
            return new_type(models, TYPE_VALUE, node->text);
        faults_add(models->faults, models->file, node->line,
            "%s: a number is written in digits here", node->text);
        return NULL;
    case TREE_TEXT:
        return read_text(models, node->text, node->line);
    case TREE_MAP:
        type = new_type(models, TYPE_OBJECT, NULL);
        type->fields = read_fields(models, node, node->key);
        return type;
    case TREE_LIST:
        break;
    }
    if (node->first == NULL) {
        faults_add(models->faults, models->file, node->line, "a list without types");
        return NULL;
    }
    type = new_type(models, TYPE_UNION, NULL);
    end = &type->parts;
    for (const struct tree_node *one = node->first; one != NULL; one = one->next) {
        *end = read_type(models, one);
        if (*end == NULL)
            return NULL;
        end = &(*end)->next;
    }
    return list_of(models, type->parts->next == NULL ? type->parts : type);
}

/* ---- fields ---- */

struct field_list {
    struct models *models;
    struct model_field *first, **end;
    struct model_field *any_name;
};

/* As in JavaScript: a later one takes the place of one of its name. */
static struct model_field *add_field(struct field_list *list, const char *name)
{
    struct model_field *field = list->first;

    while (field != NULL && strcmp(field->name, name) != 0)
        field = field->next;
    if (field != NULL) {
        field->optional = false;
        return field;
    }
    field = take(list->models, sizeof *field);
    field->name = name;
    *list->end = field;
    list->end = &field->next;
    list->models->field_count++;
    return field;
}

static void read_model(struct models *models, struct model *model);

static void extend_by(struct field_list *list, const struct tree_node *node,
    const char *owner, const char *name)
{
    struct models *models = list->models;
    struct model *from = models_find(models, name);

    if (from == NULL) {
        faults_add(models->faults, models->file, node->line,
            "%s extends `%s`, which is not there", owner, name);
        return;
    }
    if (from->state == MODEL_READING) {
        faults_add(models->faults, models->file, node->line,
            "%s extends `%s`, which extends it", owner, name);
        return;
    }
    read_model(models, from);
    for (const struct model_field *field = from->fields; field != NULL;
         field = field->next) {
        struct model_field *copy;
        bool known = false;

        for (const struct model_field *own = list->first; own != NULL && !known;
             own = own->next)
            known = strcmp(own->name, field->name) == 0;
        if (known || models->field_count >= MAX_FIELDS)
            continue;
        if (field->any_name) {
            list->any_name = take(models, sizeof *list->any_name);
            *list->any_name = *field;
            list->any_name->next = NULL;
            continue;
        }
        copy = add_field(list, field->name);
        copy->optional = field->optional;
        copy->type = field->type;
    }
}

static void read_extends(
    struct field_list *list, const struct tree_node *node, const char *owner)
{
    char *names, *from;

    if (node->kind != TREE_TEXT) {
        faults_add(list->models->faults, list->models->file, node->line,
            "__extends is a text: names of models with commas between them");
        return;
    }
    names = str_dup(node->text);
    from = names;
    while (from != NULL) {
        char *comma = strchr(from, ',');

        if (comma != NULL)
            *comma = '\0';
        extend_by(list, node, owner, str_trim(from));
        from = comma != NULL ? comma + 1 : NULL;
    }
    free(names);
}

static void read_field(
    struct field_list *list, const struct tree_node *node, const char *owner)
{
    struct models *models = list->models;
    size_t len = strlen(node->key);
    bool optional = len > 1 && node->key[len - 1] == '?';
    struct model_field *field;
    struct type *type;
    char *name;

    if (strcmp(node->key, "__extends") == 0) {
        read_extends(list, node, owner);
        return;
    }
    if (models->field_count >= MAX_FIELDS)
        return;
    type = read_type(models, node);
    if (type == NULL)
        return;
    if (strcmp(node->key, "__string") == 0) {
        list->any_name = take(models, sizeof *list->any_name);
        *list->any_name =
            (struct model_field){.name = "__string", .any_name = true, .type = type};
        return;
    }
    name = str_ndup(node->key, optional ? len - 1 : len);
    field = add_field(list, models_text(models, name));
    free(name);
    field->optional = optional;
    field->type = type;
}

static struct model_field *read_fields(
    struct models *models, const struct tree_node *node, const char *owner)
{
    struct field_list list = {.models = models};

    list.end = &list.first;
    for (const struct tree_node *one = node->first; one != NULL; one = one->next)
        read_field(&list, one, owner);
    *list.end = list.any_name;
    if (models->field_count >= MAX_FIELDS)
        faults_add(models->faults, models->file, node->line,
            "the models have more than %d fields", MAX_FIELDS);
    return list.first;
}

/* ---- models ---- */

static void read_model(struct models *models, struct model *model)
{
    if (model->state != MODEL_NEW)
        return;
    model->state = MODEL_READING;
    if (model->node->kind == TREE_MAP)
        model->fields = read_fields(models, model->node, model->name);
    else
        faults_add(models->faults, models->file, model->node->line,
            "the model %s is %s, not a map of its fields", model->name,
            tree_kind_name(model->node->kind));
    model->state = MODEL_READ;
}

static struct model *add_model(struct models *models, const char *name)
{
    struct model *model = take(models, sizeof *model);

    model->name = name;
    if (models->last != NULL)
        models->last->next = model;
    else
        models->first = model;
    models->last = model;
    return model;
}

/* It becomes the name of an interface. */
static bool is_name(const char *name)
{
    return str_all_alnum_or(name, "_") && (*name < '0' || *name > '9') &&
           word_for(name) == NULL && value_for(name) == NULL;
}

void models_read(struct models *models, const struct tree_node *node)
{
    models->node = node;
    if (node == NULL || node->kind == TREE_NULL)
        return;
    if (node->kind != TREE_MAP) {
        faults_add(models->faults, models->file, node->line, "models is %s, not a map",
            tree_kind_name(node->kind));
        return;
    }
    if (node->count > MAX_MODELS) {
        faults_add(
            models->faults, models->file, node->line, "more than %d models", MAX_MODELS);
        return;
    }
    for (const struct tree_node *one = node->first; one != NULL; one = one->next) {
        if (!is_name(one->key)) {
            faults_add(models->faults, models->file, one->line,
                "`%s` is no name for a model: letters, digits and _, and no word that is "
                "a type already",
                one->key);
            continue;
        }
        add_model(models, one->key)->node = one;
    }
    for (struct model *model = models->first; model != NULL; model = model->next)
        read_model(models, model);
}

struct model *models_for(
    struct models *models, const struct tree_node *node, const char *name)
{
    struct model *model;
    struct type *type;

    if (node->kind == TREE_TEXT) {
        model = models_find(models, node->text);
        if (model != NULL)
            return model;
    }
    model = models_find(models, name);
    if (model != NULL)
        return model;
    type = read_type(models, node);
    if (type == NULL)
        return NULL;
    model = add_model(models, models_text(models, name));
    model->state = MODEL_READ;
    model->type = type;
    return model;
}

/* ---- what they refer to ---- */

static bool has_name(const cJSON *names, const char *name)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, names)
    {
        if (str_eq(one->valuestring, name))
            return true;
    }
    return false;
}

static void use_type(const struct models *models, const struct type *type, cJSON *names)
{
    if (type->kind == TYPE_MODEL)
        models_used(models, type->text, names);
    for (const struct type *part = type->parts; part != NULL; part = part->next)
        use_type(models, part, names);
    for (const struct model_field *field = type->fields; field != NULL;
         field = field->next)
        use_type(models, field->type, names);
}

void models_used(const struct models *models, const char *name, cJSON *names)
{
    const struct model *model = models_find(models, name);

    if (model == NULL || has_name(names, name))
        return;
    cJSON_AddItemToArray(names, cJSON_CreateString(name));
    if (model->type != NULL)
        use_type(models, model->type, names);
    for (const struct model_field *field = model->fields; field != NULL;
         field = field->next)
        use_type(models, field->type, names);
}
