/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the caller's headers (contract proxy.md section 1). Each fault is reported
 * under the validator's code, message and path that clients of the reference server know.
 * An optional header without a value counts as absent: old clients send several of them
 * that way. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "proxy/forward_int.h"

#define PREFIX "nango-proxy-"
#define MAX_TEXT 255
#define MAX_RETRIES 1000

static void add_fault(
    cJSON **errors, const char *code, const char *message, const char *header)
{
    cJSON *fault = cJSON_CreateObject();
    cJSON *path = cJSON_CreateArray();

    if (*errors == NULL)
        *errors = cJSON_CreateArray();
    json_set_str(fault, "code", code);
    json_set_str(fault, "message", message);
    cJSON_AddItemToArray(path, cJSON_CreateString(header));
    json_set(fault, "path", path);
    cJSON_AddItemToArray(*errors, fault);
}

/* An optional header; NULL when absent or empty. */
static const char *optional(const struct http_req *req, const char *name)
{
    const char *value = http_header(req, name);

    return str_is_empty(value) ? NULL : value;
}

static bool fits(const char *value, const char *header, cJSON **errors)
{
    if (strlen(value) <= MAX_TEXT || str_utf16_len(value) <= MAX_TEXT)
        return true;
    add_fault(
        errors, "too_big", "Too big: expected string to have <=255 characters", header);
    return false;
}

/* A required text of certain characters. */
static const char *key(const struct http_req *req, const char *header, const char *extra,
    const char *pattern, cJSON **errors)
{
    const char *value = http_header(req, header);

    if (value == NULL) {
        add_fault(errors, "invalid_type",
            "Invalid input: expected string, received undefined", header);
        return NULL;
    }
    if (*value == '\0' || !str_all_alnum_or(value, extra)) {
        char *message = str_printf("Invalid string: must match pattern %s", pattern);

        add_fault(errors, "invalid_format", message, header);
        free(message);
    }
    fits(value, header, errors);
    return value;
}

/* JavaScript's idea of a number, as far as a count of retries needs it. */
static int retries(const struct http_req *req, cJSON **errors)
{
    const char *value = optional(req, "retries");
    char *end;
    double number;

    if (value == NULL)
        return 0;
    number = strtod(value, &end);
    if (end == value || *end != '\0' || !isfinite(number)) {
        add_fault(errors, "invalid_type", "Invalid input: expected number, received NaN",
            "retries");
        return 0;
    }
    if (number < 0) {
        add_fault(errors, "too_small", "Too small: expected number to be >=0", "retries");
        return 0;
    }
    return number > MAX_RETRIES ? MAX_RETRIES : (int)number;
}

static void retry_on(
    const struct http_req *req, struct forward_options *out, cJSON **errors)
{
    const char *value = optional(req, "retry-on");
    const char *at = value;

    while (at != NULL) {
        size_t digits = strspn(at, "0123456789");
        bool last = at[digits] == '\0';

        if (digits == 0 || (!last && at[digits] != ',')) {
            add_fault(errors, "invalid_format",
                "Invalid string: must match pattern /^\\d+(,\\d+)*$/", "retry-on");
            return;
        }
        /* No status has more digits, and nobody lists more of them. */
        if (digits <= 3 && out->retry_on_count < FORWARD_MAX_RETRY_ON)
            out->retry_on[out->retry_on_count++] = (int)strtol(at, NULL, 10);
        at = last ? NULL : at + digits + 1;
    }
}

static bool flag(const struct http_req *req, const char *header, cJSON **errors)
{
    const char *value = optional(req, header);

    if (value == NULL || str_eq(value, "false"))
        return false;
    if (!str_eq(value, "true"))
        add_fault(errors, "invalid_value",
            "Invalid option: expected one of \"true\"|\"false\"", header);
    return true;
}

/* As far as JavaScript's URL would take it: a scheme, and for the web's own schemes a
 * host. */
static bool is_url(const char *text)
{
    size_t scheme = strcspn(text, ":");
    const char *rest = text + scheme;

    if (!((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z') || *rest != ':')
        return false;
    for (size_t i = 0; i < scheme; i++) {
        char c = text[i];

        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') &&
            strchr("+-.", c) == NULL)
            return false;
    }
    rest++;
    if (!str_starts_nocase(text, "http:") && !str_starts_nocase(text, "https:"))
        return true;
    rest += strspn(rest, "/\\");
    return *rest != '\0' && strchr(":?#@ ", *rest) == NULL;
}

bool forward_options_read(
    const struct http_req *req, struct forward_options *out, cJSON **errors)
{
    const char *log_id = optional(req, "nango-activity-log-id");

    *errors = NULL;
    memset(out, 0, sizeof *out);
    out->provider_config_key =
        key(req, "provider-config-key", "~:.@ _-", "/^[a-zA-Z0-9~:.@ _-]+$/", errors);
    out->connection_id = key(req, "connection-id", ",.;:=+~[]|@${}\"'\\/_ -",
        "/^[a-zA-Z0-9,.;:=+~[\\]|@${}\"'\\\\/_ -]+$/", errors);
    out->retries = retries(req, errors);
    out->base_override = optional(req, "base-url-override");
    if (out->base_override != NULL && !is_url(out->base_override))
        add_fault(errors, "invalid_union", "Invalid input", "base-url-override");
    out->decompress = flag(req, "decompress", errors);
    retry_on(req, out, errors);
    out->forward_on_redirect = flag(req, "forward-headers-on-redirect", errors);
    if (log_id != NULL)
        fits(log_id, "nango-activity-log-id", errors);
    out->operation = log_id;
    flag(req, "nango-is-sync", errors);
    flag(req, "nango-is-dry-run", errors);
    return *errors == NULL;
}

/* The message to the provider is framed by us: the caller cannot have a say in that. */
static bool frames_a_message(const char *name)
{
    return http_is_hop_by_hop(name) || str_eq_nocase(name, "content-length") ||
           str_eq_nocase(name, "expect");
}

static void pass_header(void *arg, const char *name, const char *value)
{
    struct http_headers *out = arg;
    const char *before;

    if (!str_starts_nocase(name, PREFIX))
        return;
    name += sizeof PREFIX - 1;
    if (*name == '\0' || frames_a_message(name))
        return;
    before = http_headers_find(out, name);
    if (before != NULL) { /* a repeated field is a list (RFC 9110 section 5.3) */
        char *both = str_printf("%s, %s", before, value);

        http_headers_set(out, name, both);
        free(both);
    } else {
        http_headers_add(out, name, value);
    }
}

void forward_passed_headers(const struct http_req *req, struct http_headers *out)
{
    http_each_header(req, pass_header, out);
}
