/* SPDX-License-Identifier: Apache-2.0 */
/* The fields that many requests share (contract http-api.md section 1.5): their patterns,
 * and ready rules for tags, end users, organizations and webhook URLs. */
#ifndef API_FIELDS_H
#define API_FIELDS_H

#include "api/validate.h"
#include "base/buf.h"
#include "net/policy.h"
#include "store/store.h"

#define FIELD_MAX 255

extern const struct pattern PATTERN_KEY; /* integration id */
extern const struct pattern PATTERN_CONNECTION_ID;
extern const struct pattern PATTERN_PROVIDER;
extern const struct pattern PATTERN_ENVIRONMENT;

#define RULE_KEY_FIELD(field)                                                            \
    {                                                                                    \
        .name = (field), .kind = RULE_STRING, .pattern = &PATTERN_KEY, .max = FIELD_MAX  \
    }
#define RULE_TEXT_FIELD(field, is_optional)                                              \
    {                                                                                    \
        .name = (field), .kind = RULE_STRING, .optional = (is_optional), .min = 1,       \
        .max = FIELD_MAX                                                                 \
    }

extern const struct shape SHAPE_END_USER;
extern const struct shape SHAPE_ORGANIZATION;
void check_tags(struct issues *issues, const cJSON *value); /* for RULE_CUSTOM */
void check_url(struct issues *issues, const cJSON *value);  /* http(s), or empty */
/* For RULE_CUSTOM: goes out, and not to us. The context of validate() says what that
 * means. */
void check_webhook_url(struct issues *issues, const cJSON *value);
struct webhook_bounds {
    const struct policy *policy; /* of outbound calls */
    const char *public_url;      /* ours */
};

#define RULE_TAGS(is_optional)                                                           \
    {                                                                                    \
        .name = "tags", .kind = RULE_CUSTOM, .optional = (is_optional),                  \
        .check = check_tags                                                              \
    }
#define RULE_END_USER                                                                    \
    {                                                                                    \
        .name = "end_user", .kind = RULE_OBJECT, .optional = true,                       \
        .shape = &SHAPE_END_USER                                                         \
    }
#define RULE_WEBHOOK_URL                                                                 \
    {                                                                                    \
        .name = "webhook_url_override", .kind = RULE_CUSTOM, .optional = true,           \
        .check = check_webhook_url                                                       \
    }

/* The tag map to store: what `end_user` and `organization` say, then `tags` over it, keys
 * in lower case. Any may be NULL. The caller frees. */
cJSON *tags_derive(const cJSON *end_user, const cJSON *organization, const cJSON *tags);

/* A borrowed row of a checked end_user object; `tags_text` keeps its tags and must
 * outlive it. */
void end_user_read(const cJSON *end_user, const cJSON *organization,
    struct end_user_row *out, struct buf *tags_text);

/* Every string member of `object` as a new object; others are left out. */
cJSON *strings_of(const cJSON *object);

#endif
