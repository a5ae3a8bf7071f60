/* SPDX-License-Identifier: Apache-2.0 */
/* Shared fields: patterns and rules of contract http-api.md section 1.5. */
#include "api/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

#define MAX_TAGS 10
#define MAX_TAG_KEY 64
#define HOST_SIZE 256

static bool is_key(const char *s)
{
    return s[0] != '\0' && str_all_alnum_or(s, "~:.@ _-");
}

static bool is_connection_id(const char *s)
{
    return s[0] != '\0' && str_all_alnum_or(s, ",.;:=+~[]|@${}\"'\\/_ -");
}

static bool is_provider(const char *s)
{
    return s[0] != '\0' && str_all_alnum_or(s, "_-");
}

static bool is_environment(const char *s)
{
    return s[0] != '\0' &&
           strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(s);
}

const struct pattern PATTERN_KEY = {"/^[a-zA-Z0-9~:.@ _-]+$/", is_key};
const struct pattern PATTERN_CONNECTION_ID = {
    "/^[a-zA-Z0-9,.;:=+~[\\]|@${}\"'\\\\/_ -]+$/", is_connection_id};
const struct pattern PATTERN_PROVIDER = {"/^[a-zA-Z0-9_-]+$/", is_provider};
const struct pattern PATTERN_ENVIRONMENT = {"/^[a-z0-9_-]+$/", is_environment};

static const struct rule end_user_tag = {.kind = RULE_STRING, .max = FIELD_MAX};
static const struct rule end_user_rules[] = {
    RULE_TEXT_FIELD("id", false),
    {.name = "email", .kind = RULE_STRING, .optional = true, .email = true, .min = 5},
    {.name = "display_name", .kind = RULE_STRING, .optional = true, .max = FIELD_MAX},
    {.name = "tags", .kind = RULE_RECORD, .optional = true, .item = &end_user_tag},
};
const struct shape SHAPE_END_USER = SHAPE_STRICT(end_user_rules);

static const struct rule organization_rules[] = {
    {.name = "id", .kind = RULE_STRING, .max = FIELD_MAX},
    {.name = "display_name", .kind = RULE_STRING, .optional = true, .max = FIELD_MAX},
};
const struct shape SHAPE_ORGANIZATION = SHAPE_STRICT(organization_rules);

static bool is_tag_key(const char *s)
{
    char first[2] = {s[0], '\0'};

    return first[0] != '\0' && str_all_alnum_or(first, "") &&
           !(first[0] >= '0' && first[0] <= '9') && str_all_alnum_or(s, "_-./") &&
           strlen(s) <= MAX_TAG_KEY;
}

/* Two keys that are one when stored? At most MAX_TAGS of them are compared. */
static bool has_twin(const cJSON *tags)
{
    const cJSON *a, *b;

    cJSON_ArrayForEach(a, tags)
    {
        for (b = a->next; b != NULL; b = b->next)
            if (str_eq_nocase(a->string, b->string))
                return true;
    }
    return false;
}

void check_tags(struct issues *issues, const cJSON *value)
{
    static const struct rule tag = {.kind = RULE_STRING, .min = 1, .max = FIELD_MAX};
    const cJSON *child;
    size_t before = issues->count;
    size_t count = 0;

    if (!cJSON_IsObject(value)) {
        issue_type(issues, "record", value);
        return;
    }
    cJSON_ArrayForEach(child, value)
    {
        size_t len;

        count++;
        issue_enter(issues, child->string);
        len = cJSON_IsString(child) ? str_utf16_len(child->valuestring) : 0;
        if (!is_tag_key(child->string))
            issue_add(issues, "invalid_key", "Invalid key in record");
        else if (!cJSON_IsString(child))
            issue_type(issues, "string", child);
        else if (len < tag.min)
            issue_add(
                issues, "too_small", "Too small: expected string to have >=1 characters");
        else if (len > tag.max)
            issue_add(
                issues, "too_big", "Too big: expected string to have <=255 characters");
        issue_leave(issues);
    }
    if (issues->count > before)
        return;
    if (count > MAX_TAGS) {
        issue_add(issues, "custom", "Tags cannot contain more than %d keys", MAX_TAGS);
        return;
    }
    if (has_twin(value))
        issue_add(issues, "custom", "Tags cannot contain the same key twice");
    cJSON_ArrayForEach(child, value)
    {
        if (str_eq_nocase(child->string, "end_user_email") &&
            !is_email(child->valuestring))
            issue_add(issues, "custom", "Tag \"end_user_email\" must be a valid email");
    }
}

/* Where a URL points. */
struct target {
    char host[HOST_SIZE]; /* lower case, without trailing dots */
    long port;            /* as written, or the scheme's */
};

/* An http(s) URL with a host. */
static bool url_target(const char *url, struct target *out)
{
    const char *at, *end, *host_end;
    char *rest;
    size_t len;

    if (!str_starts_nocase(url, "http://") && !str_starts_nocase(url, "https://"))
        return false;
    out->port = str_starts_nocase(url, "https://") ? 443 : 80;
    at = strstr(url, "//") + 2;
    end = at + strcspn(at, "/?#\\");
    for (const char *p = at; p < end; p++)
        if (*p == '@')
            at = p + 1;
    host_end = memchr(at, *at == '[' ? ']' : ':', (size_t)(end - at));
    if (*at == '[' && host_end == NULL)
        return false;
    host_end = host_end == NULL ? end : *at == '[' ? host_end + 1 : host_end;
    if (host_end + 1 < end) {
        out->port = strtol(host_end + 1, &rest, 10);
        if (*host_end != ':' || host_end[1] < '0' || host_end[1] > '9' || rest != end ||
            out->port > 65535)
            return false;
    }
    len = (size_t)(host_end - at);
    if (len == 0 || len >= sizeof out->host)
        return false;
    memcpy(out->host, at, len);
    out->host[len] = '\0';
    str_lower(out->host);
    while (len > 0 && out->host[len - 1] == '.')
        out->host[--len] = '\0';
    return len > 0 && strpbrk(out->host, " \t\r\n\"<>^`{|}%") == NULL;
}

/* A URL or "": the two are alternatives, hence the code. False after an issue; the host
 * of "" is empty. */
static bool check_url_or_empty(
    struct issues *issues, const cJSON *value, struct target *target)
{
    target->host[0] = '\0';
    if (cJSON_IsString(value) &&
        (value->valuestring[0] == '\0' || url_target(value->valuestring, target)))
        return true;
    issue_add(issues, "invalid_union", "Invalid input");
    return false;
}

void check_url(struct issues *issues, const cJSON *value)
{
    struct target target;

    (void)check_url_or_empty(issues, value, &target);
}

/* Our own host, whatever the port; on a machine's own address, which its programs share,
 * the port tells them apart. */
static bool is_ours(const struct target *target, const char *public_url)
{
    struct target ours;
    bool shared;

    if (!url_target(public_url, &ours) || strcmp(target->host, ours.host) != 0)
        return false;
    shared = strcmp(ours.host, "localhost") == 0 || str_starts(ours.host, "127.") ||
             strcmp(ours.host, "[::1]") == 0;
    return !shared || target->port == ours.port;
}

void check_webhook_url(struct issues *issues, const cJSON *value)
{
    const struct webhook_bounds *bounds = issues->context;
    struct target target;
    struct err err = {0};

    if (!check_url_or_empty(issues, value, &target) || target.host[0] == '\0')
        return;
    if (strcmp(target.host, "nango.dev") == 0 || str_ends(target.host, ".nango.dev"))
        issue_add(
            issues, "custom", "Webhook URLs cannot point to Nango's domain (nango.dev).");
    else if (is_ours(&target, bounds->public_url))
        issue_add(issues, "custom", "Webhook URLs cannot point to this server (%s).",
            target.host);
    else if (!policy_check_url(bounds->policy, value->valuestring, &err))
        issue_add(issues, "custom", "%s", err.message);
}

static void set_tag(cJSON *tags, const char *key, const char *value)
{
    char *name = str_dup(key);

    str_lower(name);
    if (value != NULL)
        json_set_str(tags, name, value);
    free(name);
}

static void set_tags(cJSON *tags, const cJSON *from)
{
    const cJSON *child;

    cJSON_ArrayForEach(child, from)
    {
        if (cJSON_IsString(child))
            set_tag(tags, child->string, child->valuestring);
    }
}

cJSON *tags_derive(const cJSON *end_user, const cJSON *organization, const cJSON *tags)
{
    cJSON *out = cJSON_CreateObject();

    set_tags(out, json_get(end_user, "tags"));
    set_tag(out, "end_user_id", json_str(end_user, "id"));
    set_tag(out, "end_user_email", json_str(end_user, "email"));
    set_tag(out, "end_user_display_name", json_str(end_user, "display_name"));
    set_tag(out, "organization_id", json_str(organization, "id"));
    set_tag(out, "organization_display_name", json_str(organization, "display_name"));
    set_tags(out, tags);
    return out;
}

/* The row's fields are not const because rows own them; here they are only lent. */
static char *lend(const cJSON *object, const char *key)
{
    const cJSON *item = json_get(object, key);

    return cJSON_IsString(item) ? item->valuestring : NULL;
}

void end_user_read(const cJSON *end_user, const cJSON *organization,
    struct end_user_row *out, struct buf *tags_text)
{
    const cJSON *tags = json_get(end_user, "tags");

    *out = (struct end_user_row){
        .id = lend(end_user, "id"),
        .email = lend(end_user, "email"),
        .display_name = lend(end_user, "display_name"),
        .organization_id = lend(organization, "id"),
        .organization_display_name = lend(organization, "display_name"),
    };
    if (cJSON_IsObject(tags)) {
        json_append(tags_text, tags);
        out->tags_json = tags_text->data;
    }
}

cJSON *strings_of(const cJSON *object)
{
    cJSON *out = cJSON_CreateObject();
    const cJSON *child;

    cJSON_ArrayForEach(child, object)
    {
        if (cJSON_IsString(child))
            json_set_str(out, child->string, child->valuestring);
    }
    return out;
}
