/* SPDX-License-Identifier: Apache-2.0 */
/* Values as JSON Schema sees them: their kinds, and when two are the same. Depth is that
 * of a parsed document, which json_parse() bounds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "jsonschema/jsonschema_int.h"

static const struct {
    const char *name;
    unsigned type;
} types[] = {
    {"null", TYPE_NULL},
    {"boolean", TYPE_BOOLEAN},
    {"integer", TYPE_INTEGER},
    {"number", TYPE_NUMBER},
    {"string", TYPE_STRING},
    {"array", TYPE_ARRAY},
    {"object", TYPE_OBJECT},
};

unsigned type_of_name(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].name, name) == 0)
            return types[i].type;
    return 0;
}

unsigned type_of_value(const cJSON *value)
{
    switch (value->type & 0xFF) {
    case cJSON_NULL:
        return TYPE_NULL;
    case cJSON_True:
    case cJSON_False:
        return TYPE_BOOLEAN;
    case cJSON_Number: /* what is too large for a double is no number */
        if (!isfinite(value->valuedouble))
            return 0;
        return trunc(value->valuedouble) == value->valuedouble
                   ? TYPE_INTEGER | TYPE_NUMBER
                   : TYPE_NUMBER;
    case cJSON_String:
        return TYPE_STRING;
    case cJSON_Array:
        return TYPE_ARRAY;
    case cJSON_Object:
        return TYPE_OBJECT;
    default:
        return 0;
    }
}

static bool take(uint64_t *steps)
{
    if (*steps == 0)
        return false;
    --*steps;
    return true;
}

/* Those that begin as the first do need not be looked for. */
static const cJSON *find_member(
    const cJSON *object, const cJSON *at, const char *name, uint64_t *steps)
{
    if (at != NULL && strcmp(at->string, name) == 0)
        return at;
    cJSON_ArrayForEach(at, object)
    {
        if (!take(steps))
            return NULL;
        if (strcmp(at->string, name) == 0)
            return at;
    }
    return NULL;
}

bool value_equal(const cJSON *a, const cJSON *b, uint64_t *steps)
{
    const cJSON *left = a->child, *right = b->child;

    if (!take(steps) || (a->type & 0xFF) != (b->type & 0xFF))
        return false;
    switch (a->type & 0xFF) {
    case cJSON_Number:
        return a->valuedouble >= b->valuedouble && a->valuedouble <= b->valuedouble;
    case cJSON_String:
        return strcmp(a->valuestring, b->valuestring) == 0;
    case cJSON_Array:
        for (; left != NULL && right != NULL; left = left->next, right = right->next)
            if (!value_equal(left, right, steps))
                return false;
        return left == NULL && right == NULL;
    case cJSON_Object: /* no two members have one name */
        for (; left != NULL && right != NULL; left = left->next, right = right->next) {
            const cJSON *same = find_member(b, right, left->string, steps);

            if (same == NULL || !value_equal(left, same, steps))
                return false;
        }
        return left == NULL && right == NULL;
    default:
        return true;
    }
}

static uint64_t mix(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= UINT64_C(0xD6E8FEB86659FD93);
    hash ^= hash >> 32;
    return hash;
}

static uint64_t hash_text(const char *text, uint64_t *steps)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001B3);
    *steps -= *steps < len / 64 ? *steps : len / 64;
    return mix(hash);
}

uint64_t value_hash(const cJSON *value, uint64_t *steps)
{
    uint64_t hash = mix((uint64_t)(value->type & 0xFF));
    double number = value->valuedouble;
    const cJSON *child;
    uint64_t bits;

    if (!take(steps))
        return 0;
    switch (value->type & 0xFF) {
    case cJSON_Number:
        if (number >= 0 && number <= 0)
            number = 0; /* as is -0 */
        memcpy(&bits, &number, sizeof bits);
        return mix(hash ^ bits);
    case cJSON_String:
        return hash ^ hash_text(value->valuestring, steps);
    case cJSON_Array:
        cJSON_ArrayForEach(child, value)
        {
            hash = mix(hash + value_hash(child, steps));
        }
        return hash;
    case cJSON_Object: /* in any order */
        cJSON_ArrayForEach(child, value)
        {
            hash += mix(hash_text(child->string, steps) ^ value_hash(child, steps));
        }
        return mix(hash);
    default:
        return hash;
    }
}
