/* SPDX-License-Identifier: Apache-2.0 */
/* A proxied request's address. The official client's params replace those of one name in
 * the endpoint, and then the whole query is written anew, as a form is; so here. */
#include <string.h>

#include "sdk/proxy_int.h"

struct pair {
    struct ngo_text name;
    struct ngo_text value;
    bool gone;
};

struct query {
    const struct ngo_mem *mem;
    struct pair *pairs;
    size_t count;
    size_t capacity;
    bool failed;
};

static void query_finish(struct query *query)
{
    for (size_t i = 0; i < query->count; i++) {
        ngo_text_finish(&query->pairs[i].name);
        ngo_text_finish(&query->pairs[i].value);
    }
    ngo_free(query->mem, query->pairs);
}

static struct pair *query_add(struct query *query)
{
    struct pair *pair;

    if (query->count == query->capacity) {
        size_t capacity = query->capacity > 0 ? 2 * query->capacity : 8;
        struct pair *grown =
            ngo_resize(query->mem, query->pairs, capacity * sizeof *grown);

        if (grown == NULL) {
            query->failed = true;
            return NULL;
        }
        query->pairs = grown;
        query->capacity = capacity;
    }
    pair = &query->pairs[query->count++];
    memset(pair, 0, sizeof *pair);
    ngo_text_init(&pair->name, query->mem);
    ngo_text_init(&pair->value, query->mem);
    return pair;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Form decoding: + is a space; what is no escape stays as it is. */
static void decode(struct ngo_text *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '%' && i + 2 < len && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
            ngo_text_putc(out, (char)(hex(s[i + 1]) << 4 | hex(s[i + 2])));
            i += 2;
        } else {
            ngo_text_putc(out, s[i] == '+' ? ' ' : s[i]);
        }
    }
    ngo_text_add(out, "", 0);
}

static void query_parse(struct query *query, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end && !query->failed) {
        const char *stop = memchr(text, '&', (size_t)(end - text));
        const char *equals;
        struct pair *pair;

        if (stop == NULL)
            stop = end;
        equals = memchr(text, '=', (size_t)(stop - text));
        if (stop > text && (pair = query_add(query)) != NULL) {
            const char *name_end = equals != NULL ? equals : stop;

            decode(&pair->name, text, (size_t)(name_end - text));
            if (equals != NULL)
                decode(&pair->value, equals + 1, (size_t)(stop - equals - 1));
        }
        text = stop < end ? stop + 1 : end;
    }
}

static bool is_named(const struct pair *pair, const char *name)
{
    return pair->name.len == strlen(name) &&
           (pair->name.len == 0 || memcmp(pair->name.data, name, pair->name.len) == 0);
}

/* The first of that name gets the value, the others go; or there is a new one. */
static void query_set(struct query *query, const char *name, const char *value)
{
    struct pair *found = NULL;

    for (size_t i = 0; i < query->count; i++) {
        if (query->pairs[i].gone || !is_named(&query->pairs[i], name))
            continue;
        if (found == NULL)
            found = &query->pairs[i];
        else
            query->pairs[i].gone = true;
    }
    if (found == NULL) {
        found = query_add(query);
        if (found == NULL)
            return;
        ngo_text_puts(&found->name, name);
    }
    ngo_text_finish(&found->value);
    ngo_text_puts(&found->value, value);
}

static void query_write(struct query *query, nango_call *call)
{
    for (size_t i = 0; i < query->count; i++) {
        struct pair *pair = &query->pairs[i];

        query->failed = query->failed || pair->name.failed || pair->value.failed;
        if (!pair->gone && !query->failed)
            ngo_call_query(call, pair->name.data != NULL ? pair->name.data : "",
                pair->value.data != NULL ? pair->value.data : "", NGO_FORM);
    }
    if (query->failed)
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
}

/* Characters that no address holds as they are, and that people write nevertheless: as the
 * URL standard has them in a path and in a query. */
#define PATH_ESCAPED "\"<>`{}"
#define QUERY_ESCAPED "\"<>'"

static void put_address(nango_call *call, const char *s, size_t len, const char *escaped)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        char escape[3] = {'%', digits[c >> 4], digits[c & 15]};

        if (c < 0x20 || c == 0x7f) {
            ngo_call_fail(
                call, NANGO_E_ARGUMENT, "the endpoint holds a control character");
            return;
        }
        if (c == ' ' || c > 0x7f || strchr(escaped, (int)c) != NULL)
            ngo_text_add(&call->url, escape, sizeof escape);
        else
            ngo_text_putc(&call->url, (char)c);
    }
}

static void set_params(
    nango_call *call, const nango_proxy_config *config, const char *text, size_t len)
{
    struct query query = {.mem = &call->mem};

    query_parse(&query, text, len);
    for (size_t i = 0; i < config->param_count && !query.failed; i++)
        query_set(&query, config->params[i].name, config->params[i].value);
    query_write(&query, call);
    query_finish(&query);
}

/* Early clients' HTTP library puts params behind the endpoint's query. */
static void append_params(
    nango_call *call, const nango_proxy_config *config, const char *text, size_t len)
{
    if (len > 0) {
        ngo_text_putc(&call->url, '?');
        put_address(call, text, len, QUERY_ESCAPED);
        call->has_query = true;
    }
    for (size_t i = 0; i < config->param_count; i++)
        ngo_call_query(call, config->params[i].name, config->params[i].value, NGO_AXIOS);
}

static void put_text(nango_call *call, const char *text, bool has_query)
{
    if (has_query)
        ngo_call_fail(
            call, NANGO_E_ARGUMENT, "Can not set query params in endpoint and in params");
    ngo_text_putc(&call->url, '?');
    if (*text == '?')
        text++;
    put_address(call, text, strcspn(text, "#"), QUERY_ESCAPED);
}

void ngo_proxy_url(nango_call *call, const nango_proxy_config *config)
{
    const char *endpoint = config->endpoint;
    size_t len = strcspn(endpoint, "#"); /* a fragment stays with the client */
    const char *mark = memchr(endpoint, '?', len);
    size_t path_len = mark != NULL ? (size_t)(mark - endpoint) : len;
    size_t query_len = mark != NULL ? len - path_len - 1 : 0;
    const char *query = mark != NULL ? mark + 1 : "";

    for (size_t i = 0; i < config->param_count; i++)
        if (config->params[i].name == NULL || config->params[i].value == NULL) {
            ngo_call_fail(call, NANGO_E_ARGUMENT, "params[%zu] lacks name or value", i);
            return;
        }
    if (*endpoint != '/')
        ngo_text_putc(&call->url, '/');
    put_address(call, endpoint, path_len, PATH_ESCAPED);
    if (config->params_text != NULL && *config->params_text != '\0') {
        put_text(call, config->params_text, mark != NULL || config->param_count > 0);
    } else if (config->param_count == 0) {
        if (mark != NULL) {
            ngo_text_putc(&call->url, '?');
            put_address(call, query, query_len, QUERY_ESCAPED);
        }
    } else if (ngo_early(call->client)) {
        append_params(call, config, query, query_len);
    } else {
        set_params(call, config, query, query_len);
    }
}
