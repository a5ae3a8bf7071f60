/* SPDX-License-Identifier: Apache-2.0 */
/* A declarative validator: tables of rules say what a body, a query or a header set may
 * hold, and a failed check gives the issues that clients know (contract http-api.md
 * section 1.2: `{code, message, path}`), in the order of the table, unknown keys last.
 *
 *   static const struct rule rules[] = {
 *       {.name = "provider", .kind = RULE_STRING, .pattern = &PATTERN_PROVIDER,
 *           .max = 255},
 *       {.name = "limit", .kind = RULE_COUNT, .optional = true, .min = 1, .max = 2000},
 *   };
 *   static const struct shape shape = SHAPE_STRICT(rules);
 *
 *   cJSON *issues = validate(&shape, value, NULL);     NULL = all is well */
#ifndef API_VALIDATE_H
#define API_VALIDATE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISSUE_MAX_DEPTH 8
#define ISSUE_MAX_COUNT 100 /* further ones are not listed */
/* Keys of a record whose values have a rule, unless its `max` says otherwise: handlers
 * copy such records key by key, and look up each. */
#define RECORD_MAX_KEYS 1000

/* Issues being collected, and the place in the document. */
struct issues {
    cJSON *list;         /* NULL while there is none */
    const void *context; /* for `check` functions: what validate() was given */
    const char *path[ISSUE_MAX_DEPTH];
    size_t depth;
    size_t count;
};
void issue_add(struct issues *issues, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void issue_enter(struct issues *issues, const char *key); /* borrowed until left */
void issue_leave(struct issues *issues);
/* `Invalid input: expected <what>, received <type of value>`; NULL = undefined. */
void issue_type(struct issues *issues, const char *expected, const cJSON *value);

/* A pattern as its users see it (the regular expression's text) and as we check it. */
struct pattern {
    const char *text; /* with the slashes round it */
    bool (*matches)(const char *s);
};

enum rule_kind {
    RULE_ANY, /* anything, but present unless optional */
    RULE_STRING,
    RULE_BOOL,
    RULE_NUMBER,  /* a whole one */
    RULE_RECORD,  /* an object; each value obeys `item` when given */
    RULE_OBJECT,  /* an object of `shape` */
    RULE_ARRAY,   /* each element obeys `item` */
    RULE_OPTION,  /* one of `options` */
    RULE_OPTIONS, /* some of `options` in a query, separated by commas */
    RULE_LITERAL, /* exactly options[0] */
    RULE_DATE,    /* a date text or milliseconds */
    RULE_VARIANT, /* an object whose `type` chooses one of `variants` */
    RULE_FLAG,    /* a boolean in a query: true/1/yes/on/y/enabled and their opposites */
    RULE_COUNT,   /* a whole number in a query */
    RULE_CUSTOM,  /* `check` does it all */
};

struct shape;
struct variant {
    const char *type;
    const struct shape *shape;
};

struct rule {
    const char *name;
    enum rule_kind kind;
    bool optional;
    bool email;
    size_t min; /* characters; elements; keys (max only); the number itself */
    size_t max; /* 0 = no bound */
    const struct pattern *pattern;
    const char *starts;
    const char *ends;
    const struct shape *shape;
    const struct rule *item;
    const char *const *options;     /* NULL-terminated */
    const struct variant *variants; /* ends with type NULL */
    const char *variant_message;    /* for an unknown `type`; NULL = "Invalid input" */
    /* Called after the checks above passed (RULE_CUSTOM: instead of them). */
    void (*check)(struct issues *issues, const cJSON *value);
};

struct shape {
    const struct rule *rules;
    size_t count;
    bool strict; /* unknown keys are issues */
};
#define SHAPE_STRICT(table)                                                              \
    {                                                                                    \
        (table), sizeof(table) / sizeof((table)[0]), true                                \
    }
#define SHAPE_LOOSE(table)                                                               \
    {                                                                                    \
        (table), sizeof(table) / sizeof((table)[0]), false                               \
    }
extern const struct shape SHAPE_EMPTY; /* strict, no key allowed */

/* The issues, for the caller to free, or NULL. `value` NULL = undefined. `context` goes
 * to the shape's `check` functions; NULL when none of them asks for it. */
cJSON *validate(const struct shape *shape, const cJSON *value, const void *context);
/* One value against one rule, `rule->name` being its path. */
cJSON *validate_value(const struct rule *rule, const cJSON *value);
/* A list of one issue, for checks that need more than the value. `path`: dotted keys are
 * not split; ends with NULL. */
cJSON *issue_list(const char *code, const char *message, const char *const *path);

/* A value that RULE_DATE takes, in milliseconds since 1970. */
bool date_read(const cJSON *value, int64_t *ms);
/* RFC 5321 in the shape that browsers and the official server accept. */
bool is_email(const char *s);

#endif
