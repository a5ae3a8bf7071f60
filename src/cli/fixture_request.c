/* SPDX-License-Identifier: Apache-2.0 */
/* How a request finds its recorded answer. A recording identifies a request by a hash of
 * its method, path, parameters, headers and body, or spells them out. */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/weburl.h"
#include "cli/fixture_int.h"

/* Longer bodies stand in the hash as their own hash. */
#define MAX_BODY_UNITS 1000

static void pairs_add(struct pairs *pairs, char *name, char *value)
{
    pairs->items = mem_resize_array(pairs->items, pairs->count + 1, sizeof *pairs->items);
    pairs->items[pairs->count++] = (struct pair){name, value};
}

static const char *pairs_get(const struct pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->items[i].name, name) == 0)
            return pairs->items[i].value;
    }
    return NULL;
}

static void pairs_remove(struct pairs *pairs, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->items[i].name, name) != 0) {
            pairs->items[kept++] = pairs->items[i];
            continue;
        }
        free(pairs->items[i].name);
        free(pairs->items[i].value);
    }
    pairs->count = kept;
}

static void pairs_finish(struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].name);
        free(pairs->items[i].value);
    }
    free(pairs->items);
    memset(pairs, 0, sizeof *pairs);
}

/* Stable, which qsort() is not. */
static void pairs_sort(struct pairs *pairs)
{
    for (size_t i = 1; i < pairs->count; i++) {
        struct pair moved = pairs->items[i];
        size_t at = i;

        while (at > 0 && strcmp(pairs->items[at - 1].name, moved.name) > 0) {
            pairs->items[at] = pairs->items[at - 1];
            at--;
        }
        pairs->items[at] = moved;
    }
}

static bool pairs_equal(const struct pairs *a, const struct pairs *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i].name, b->items[i].name) != 0 ||
            strcmp(a->items[i].value, b->items[i].value) != 0)
            return false;
    }
    return true;
}

/* `a=1&b=2`, form-decoded. */
static void add_query(struct pairs *pairs, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *next = memchr(text, '&', (size_t)(end - text)), *equals;
        struct buf name, value;

        next = next == NULL ? end : next;
        equals = memchr(text, '=', (size_t)(next - text));
        if (next > text) {
            buf_init(&name, 0);
            buf_init(&value, 0);
            if (!str_percent_decode(
                    text, (size_t)((equals == NULL ? next : equals) - text), true, &name))
                buf_clear(&name);
            if (equals != NULL && !str_percent_decode(equals + 1,
                                      (size_t)(next - equals - 1), true, &value)) {
                buf_clear(&value);
                buf_append(&value, equals + 1, (size_t)(next - equals - 1));
            }
            pairs_add(pairs, buf_take(&name, NULL), buf_take(&value, NULL));
        }
        text = next + 1;
    }
}

/* A value as JavaScript's String() has it; an array's elements joined by commas. */
static char *value_text(struct json_raw value)
{
    struct buf out;

    buf_init(&out, 0);
    if (json_raw_kind(value) == JSON_RAW_ARRAY) {
        struct json_raw_iter iter;
        struct json_raw element;
        bool first = true;

        json_raw_begin(value, &iter);
        while (json_raw_next(&iter, NULL, &element)) {
            char *text = value_text(element);

            if (!first)
                buf_putc(&out, ',');
            first = false;
            buf_puts(&out, text);
            free(text);
        }
    } else if (!json_raw_append_string(value, &out)) {
        json_raw_append_compact(value, &out);
    }
    return buf_take(&out, NULL);
}

static void add_params(struct pairs *pairs, struct json_raw params)
{
    struct json_raw_iter iter;
    struct json_raw key, value;

    if (json_raw_kind(params) == JSON_RAW_STRING) {
        char *text = json_raw_dup_string(params);
        const char *query = text[0] == '?' ? text + 1 : text;

        add_query(pairs, query, strlen(query));
        free(text);
        return;
    }
    if (json_raw_kind(params) != JSON_RAW_OBJECT)
        return;
    json_raw_begin(params, &iter);
    while (json_raw_next(&iter, &key, &value)) {
        char *name = json_raw_dup_string(key), *text = value_text(value);
        bool replaced = false;

        /* URLSearchParams.set(): the first of that name changes, the others go. */
        for (size_t i = 0; i < pairs->count && !replaced; i++) {
            if (strcmp(pairs->items[i].name, name) == 0) {
                pairs_remove(pairs, name);
                replaced = true;
            }
        }
        pairs_add(pairs, name, text);
    }
}

/* Headers of the transport and of the proxy itself, which recordings leave out. */
static bool is_transport(const char *name)
{
    static const char *const names[] = {"authorization", "user-agent",
        "nango-proxy-user-agent", "accept", "accept-encoding", "content-length", "host",
        "retries", "retry-on", "connection-id", "provider-config-key",
        "base-url-override", "forward-headers-on-redirect", "nango-is-sync",
        "nango-is-script", "nango-is-dry-run", "nango-activity-log-id"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static bool is_plain_content_type(const char *value)
{
    return str_eq_nocase(value, "application/json") ||
           str_starts_nocase(value, "application/x-www-form-urlencoded") ||
           str_eq_nocase(value, "undefined");
}

/* Of a name given twice the first counts. `named`, unless NULL, gets the names as they were given. */
static void add_headers(struct pairs *pairs, struct pairs *named, struct json_raw headers)
{
    static const char prefix[] = "nango-proxy-";
    const size_t prefix_len = sizeof prefix - 1;
    struct json_raw_iter iter;
    struct json_raw key, value;

    json_raw_begin(headers, &iter);
    while (json_raw_next(&iter, &key, &value)) {
        struct json_raw pair[2] = {key, value};
        char *given, *name, *text;

        if (json_raw_kind(headers) == JSON_RAW_ARRAY) { /* a list of [name, value] */
            struct json_raw_iter inner;
            size_t at = 0;

            json_raw_begin(value, &inner);
            while (at < 2 && json_raw_next(&inner, NULL, &pair[at]))
                at++;
            if (at < 2)
                continue;
        }
        given = json_raw_dup_string(pair[0]);
        if (given == NULL)
            continue;
        if (str_starts_nocase(given, prefix))
            memmove(given, given + prefix_len, strlen(given) - prefix_len + 1);
        name = str_dup(given);
        str_lower(name);
        text = value_text(pair[1]);
        if (is_transport(name) || pairs_get(pairs, name) != NULL ||
            (strcmp(name, "content-type") == 0 && is_plain_content_type(text))) {
            free(given);
            free(name);
            free(text);
            continue;
        }
        if (named != NULL)
            pairs_add(named, given, str_dup(text));
        else
            free(given);
        pairs_add(pairs, name, text);
    }
    pairs_sort(pairs);
    if (named != NULL)
        pairs_sort(named);
}

/* The text that stands for a body; NULL for none, which is all that JavaScript takes for false. */
static char *body_text(struct json_raw body)
{
    struct json_raw bytes = json_raw_get(body, "$bytes");
    struct buf out;
    double number;
    char *text;

    if (json_raw_kind(bytes) == JSON_RAW_STRING)
        body = bytes;
    switch (json_raw_kind(body)) {
    case JSON_RAW_ABSENT:
    case JSON_RAW_NULL:
        return NULL;
    case JSON_RAW_BOOL:
        if (!json_raw_is_true(body))
            return NULL;
        break;
    case JSON_RAW_NUMBER:
        if (json_raw_number(body, &number) && number == 0)
            return NULL;
        break;
    case JSON_RAW_ARRAY:
    case JSON_RAW_OBJECT:
    case JSON_RAW_STRING:
        break;
    }
    buf_init(&out, 0);
    if (!json_raw_append_string(body, &out))
        json_raw_append_compact(body, &out);
    if (out.len == 0) {
        buf_finish(&out);
        return NULL;
    }
    text = buf_take(&out, NULL);
    if (str_utf16_len(text) > MAX_BODY_UNITS) {
        uint8_t digest[20];
        char hex[41];

        crypto_sha1(text, strlen(text), digest);
        str_hex(digest, sizeof digest, hex);
        free(text);
        text = str_printf("sha1:%s", hex);
    }
    return text;
}

static void append_pairs(struct buf *out, const struct pairs *pairs)
{
    buf_putc(out, '[');
    for (size_t i = 0; i < pairs->count; i++) {
        buf_puts(out, i > 0 ? ",[" : "[");
        json_raw_append_quoted(pairs->items[i].name, strlen(pairs->items[i].name), out);
        buf_putc(out, ',');
        json_raw_append_quoted(pairs->items[i].value, strlen(pairs->items[i].value), out);
        buf_putc(out, ']');
    }
    buf_putc(out, ']');
}

static bool is_empty_body(const char *data)
{
    return data == NULL || str_eq(data, "{}") || str_eq(data, "[]");
}

static void hash_request(
    struct request *request, const struct pairs *headers, const char *data)
{
    struct buf text;
    uint8_t digest[20];

    assert(request->hash_count < MAX_HASHES);
    buf_init(&text, 0);
    buf_puts(&text, "{\"method\":");
    json_raw_append_quoted(request->method, strlen(request->method), &text);
    buf_puts(&text, ",\"endpoint\":");
    json_raw_append_quoted(request->path, strlen(request->path), &text);
    buf_puts(&text, ",\"params\":");
    append_pairs(&text, &request->params);
    buf_puts(&text, ",\"headers\":");
    append_pairs(&text, headers);
    if (data != NULL) {
        buf_puts(&text, ",\"data\":");
        json_raw_append_quoted(data, strlen(data), &text);
    }
    buf_putc(&text, '}');
    crypto_sha1(text.data, text.len, digest);
    str_hex(digest, sizeof digest, request->hashes[request->hash_count++]);
    buf_finish(&text);
}

bool request_read(struct json_raw call, struct request *request)
{
    struct weburl url;
    struct pairs named = {0};
    char *endpoint = json_raw_dup_string(json_raw_get(call, "endpoint")), *whole;
    const char *path;
    size_t path_len;

    memset(request, 0, sizeof *request);
    if (endpoint == NULL)
        return false;
    if (str_starts_nocase(endpoint, "http://") || str_starts_nocase(endpoint, "https://"))
        whole = str_dup(endpoint);
    else
        whole = str_printf(
            "http://localhost/%s", endpoint[0] == '/' ? endpoint + 1 : endpoint);
    free(endpoint);
    if (!weburl_parse(whole, &url)) {
        free(whole);
        return false;
    }
    free(whole);
    request->method = json_raw_dup_string(json_raw_get(call, "method"));
    if (request->method == NULL)
        request->method = str_dup("get");
    str_lower(request->method);
    path = url.text + url.path;
    path_len = url.path_len;
    if (path_len > 0 && *path == '/') {
        path++;
        path_len--;
    }
    request->path = str_ndup(path, path_len);
    if (str_starts(request->path, "proxy/"))
        memmove(request->path, request->path + 6, strlen(request->path) - 5);
    if (url.has_query)
        add_query(&request->params, url.text + url.query, url.query_len);
    weburl_finish(&url);
    add_params(&request->params, json_raw_get(call, "params"));
    pairs_sort(&request->params);
    add_headers(&request->headers, &named, json_raw_get(call, "headers"));
    request->data = body_text(json_raw_get(call, "body"));
    hash_request(request, &named, request->data);
    hash_request(request, &request->headers, request->data);
    if (request->data != NULL && is_empty_body(request->data)) {
        hash_request(request, &named, NULL);
        hash_request(request, &request->headers, NULL);
    }
    pairs_finish(&named);
    return true;
}

struct json_raw request_as_recorded(struct json_raw call, bool fetched, struct buf *text)
{
    struct json_raw url = json_raw_get(call, "url"),
                    type = json_raw_get(call, "contentType");
    bool is_form =
        json_raw_is_string(type, "application/x-www-form-urlencoded;charset=utf-8");

    if ((!fetched && !is_form) || call.len < 2)
        return call;
    if (fetched) {
        buf_puts(text, "{\"endpoint\":");
        buf_append(text, url.text, url.len);
        buf_putc(text, ',');
        buf_append(text, call.text + 1, call.len - 1);
    } else {
        /* URLSearchParams, which has no JSON but that of an empty object. */
        buf_append(text, call.text, call.len - 1);
        buf_puts(text, ",\"body\":\"{}\"}");
    }
    return (struct json_raw){.text = text->data, .len = text->len};
}

void request_finish(struct request *request)
{
    free(request->method);
    free(request->path);
    free(request->data);
    pairs_finish(&request->params);
    pairs_finish(&request->headers);
    memset(request, 0, sizeof *request);
}

/* Whether a recorded `request` describes ours. */
static bool described(const struct request *request, struct json_raw recorded)
{
    struct pairs params = {0}, headers = {0};
    struct json_raw data = json_raw_get(recorded, "data");
    bool same;

    add_params(&params, json_raw_get(recorded, "params"));
    pairs_sort(&params);
    add_headers(&headers, NULL, json_raw_get(recorded, "headers"));
    same = pairs_equal(&params, &request->params) &&
           pairs_equal(&headers, &request->headers);
    if (same && json_raw_kind(data) != JSON_RAW_ABSENT) {
        char *text = body_text(data);

        same = str_eq(text, request->data) ||
               (is_empty_body(text) && is_empty_body(request->data));
        free(text);
    }
    pairs_finish(&params);
    pairs_finish(&headers);
    return same;
}

/* `only`: it is the only answer of its path. Then, without a `request`, it is for whoever asks without
 * parameters, even if its hash is another's: the recorder is as generous. */
static bool fits(const struct request *request, struct json_raw answer, bool only)
{
    struct json_raw hash = json_raw_get(answer, "hash"),
                    recorded = json_raw_get(answer, "request");

    for (size_t i = 0; i < request->hash_count; i++)
        if (json_raw_kind(hash) == JSON_RAW_STRING &&
            json_raw_is_string(hash, request->hashes[i]))
            return true;
    if (json_raw_kind(recorded) == JSON_RAW_OBJECT)
        return described(request, recorded);
    return only && request->params.count == 0;
}

static struct json_raw find_among(const struct request *request, struct json_raw answers)
{
    struct json_raw none = {NULL, 0}, answer;
    struct json_raw_iter iter;
    size_t count = 0;

    if (json_raw_kind(answers) == JSON_RAW_OBJECT)
        return fits(request, answers, true) ? answers : none;
    json_raw_begin(answers, &iter);
    while (json_raw_next(&iter, NULL, &answer))
        count++;
    json_raw_begin(answers, &iter);
    while (json_raw_next(&iter, NULL, &answer)) {
        if (fits(request, answer, count == 1))
            return answer;
    }
    return none;
}

static struct json_raw first_among(const struct request *request, struct json_raw answers)
{
    (void)request;
    return json_raw_kind(answers) == JSON_RAW_ARRAY ? json_raw_at(answers, 0) : answers;
}

/* A path stands in recordings with or without its leading slash. */
static struct json_raw find_by(const struct request *request, struct json_raw api,
    struct json_raw (*choose)(const struct request *, struct json_raw))
{
    struct json_raw paths = json_raw_get(api, request->method), found;
    char *with_slash = str_printf("/%s", request->path);

    found = choose(request, json_raw_get(paths, request->path));
    if (json_raw_kind(found) == JSON_RAW_ABSENT)
        found = choose(request, json_raw_get(paths, with_slash));
    free(with_slash);
    return found;
}

struct json_raw request_find(const struct request *request, struct json_raw api)
{
    return find_by(request, api, find_among);
}

struct json_raw request_find_any(const struct request *request, struct json_raw api)
{
    return find_by(request, api, first_among);
}
