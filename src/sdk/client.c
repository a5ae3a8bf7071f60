/* SPDX-License-Identifier: Apache-2.0 */
/* Making and freeing a client. */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "sdk/client_int.h"

#define TIMEOUT_MS 30000
#define CONNECT_TIMEOUT_MS 10000
#define MAX_RESPONSE_BYTES ((size_t)256 << 20)

static int64_t time_or(int64_t given, int64_t otherwise)
{
    if (given == 0)
        return otherwise;
    if (given < 0)
        return 0; /* no limit */
    return given < INT32_MAX ? given : INT32_MAX;
}

static bool is_set(const char *s)
{
    return s != NULL && *s != '\0';
}

/* Whether it can stand in a header's value. */
static bool is_clean(const char *s)
{
    for (; s != NULL && *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return false;
    return true;
}

static nango_code check_options(const nango_client_options *options, nango_error *err)
{
    const char *key = is_set(options->api_key) ? options->api_key : options->secret_key;
    const nango_allocator *allocator = options->allocator;

    if (is_set(options->api_key) && is_set(options->secret_key))
        return ngo_error_set(err, NANGO_E_ARGUMENT,
            "You must specify only one of api_key or secret_key, not both");
    if (!is_set(key))
        return ngo_error_set(err, NANGO_E_ARGUMENT,
            "You must specify an API key: set secret_key or api_key");
    if (!is_clean(key))
        return ngo_error_set(err, NANGO_E_ARGUMENT,
            "The key holds a line end or another control character");
    if (!is_clean(options->user_agent) || !is_clean(options->activity_log_id))
        return ngo_error_set(err, NANGO_E_ARGUMENT,
            "user_agent and activity_log_id must not hold control characters");
    if (allocator != NULL && (allocator->alloc == NULL || allocator->release == NULL))
        return ngo_error_set(
            err, NANGO_E_ARGUMENT, "allocator needs both of its functions");
    if (options->headers == NULL && options->header_count > 0)
        return ngo_error_set(err, NANGO_E_ARGUMENT, "headers is NULL");
    if (options->era != NANGO_ERA_CURRENT && options->era != NANGO_ERA_2023)
        return ngo_error_set(err, NANGO_E_ARGUMENT, "era is none of nango_era");
    for (size_t i = 0; i < options->header_count; i++)
        if (!is_set(options->headers[i].name) || options->headers[i].value == NULL ||
            !is_clean(options->headers[i].name) ||
            strpbrk(options->headers[i].name, ": ") != NULL ||
            !is_clean(options->headers[i].value))
            return ngo_error_set(
                err, NANGO_E_ARGUMENT, "headers[%zu] is no header field", i);
    return NANGO_OK;
}

static char *join(const struct ngo_mem *mem, const char *a, const char *b)
{
    struct ngo_text text;

    ngo_text_init(&text, mem);
    ngo_text_puts(&text, a);
    ngo_text_puts(&text, b);
    return ngo_text_take(&text, NULL);
}

/* Scheme, host and port: what two URLs of one server share. */
static char *origin_of(const struct ngo_mem *mem, CURLU *url)
{
    char *scheme = NULL, *host = NULL, *port = NULL, *origin = NULL;
    struct ngo_text text;

    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        ngo_text_init(&text, mem);
        ngo_text_puts(&text, scheme);
        ngo_text_puts(&text, "://");
        for (const char *p = host; *p != '\0'; p++)
            ngo_text_putc(&text, *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p);
        ngo_text_putc(&text, ':');
        ngo_text_puts(&text, port);
        origin = ngo_text_take(&text, NULL);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    return origin;
}

char *ngo_origin(const struct ngo_mem *mem, const char *address, bool *is_url)
{
    CURLU *url = curl_url();
    char *origin = NULL, *scheme = NULL;
    CURLUcode code;

    *is_url = true;
    if (url == NULL)
        return NULL;
    code = curl_url_set(url, CURLUPART_URL, address, 0);
    if (code == CURLUE_OK)
        code = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    if (code == CURLUE_OK && strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        code = CURLUE_UNSUPPORTED_SCHEME;
    if (code == CURLUE_OK)
        origin = origin_of(mem, url);
    else
        *is_url = code == CURLUE_OUT_OF_MEMORY;
    curl_free(scheme);
    curl_url_cleanup(url);
    return origin;
}

static nango_code set_host(nango_client *client, const char *host, nango_error *err)
{
    size_t len = strlen(host);
    bool is_url = true;

    client->host = ngo_strdup(&client->mem, host);
    if (client->host == NULL)
        return ngo_error_set(err, NANGO_E_MEMORY, "memory is out");
    if (len > 0 && client->host[len - 1] == '/')
        client->host[len - 1] = '\0';
    if (strpbrk(host, "?# \t\r\n") == NULL)
        client->origin = ngo_origin(&client->mem, client->host, &is_url);
    else
        is_url = false;
    if (!is_url) /* not repeated when it may hold a password */
        return ngo_error_set(err, NANGO_E_ARGUMENT,
            "Invalid URL provided for the Nango host: %s; it is to be "
            "like " NANGO_LOCAL_HOST,
            strchr(host, '@') == NULL ? host : "(not shown)");
    if (client->origin == NULL)
        return ngo_error_set(err, NANGO_E_MEMORY, "memory is out");
    return NANGO_OK;
}

/* As the official client's, with our own names in it. */
static char *user_agent(const struct ngo_mem *mem, const char *custom)
{
    struct ngo_text text;
    struct utsname system;

    ngo_text_init(&text, mem);
    ngo_text_puts(&text, "nango-c-client/" NANGO_VERSION);
    if (uname(&system) == 0) {
        ngo_text_puts(&text, " (");
        for (const char *p = system.sysname; *p != '\0'; p++)
            ngo_text_putc(&text, *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p);
        ngo_text_putc(&text, '/');
        ngo_text_puts(&text, system.release);
        ngo_text_puts(&text, "; libcurl/");
        ngo_text_puts(&text, curl_version_info(CURLVERSION_NOW)->version);
        ngo_text_putc(&text, ')');
    }
    if (is_set(custom)) {
        ngo_text_puts(&text, "; ");
        ngo_text_puts(&text, custom);
    }
    return ngo_text_take(&text, NULL);
}

static bool copy_texts(nango_client *client, const nango_client_options *options)
{
    const struct ngo_mem *mem = &client->mem;
    const char *key = is_set(options->api_key) ? options->api_key : options->secret_key;
    const char *signing = is_set(options->webhook_signing_key)
                              ? options->webhook_signing_key
                          : is_set(options->secret_key) ? options->secret_key
                                                        : NULL;
    size_t capacity = 0;
    struct {
        const char *from;
        char **to;
    } texts[] = {
        {key, &client->key},
        {signing, &client->signing_key},
        {options->connection_id, &client->connection_id},
        {options->provider_config_key, &client->provider_config_key},
        {options->activity_log_id, &client->activity_log_id},
        {options->ca_file, &client->ca_file},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i].to = ngo_strdup(mem, texts[i].from);
        if (*texts[i].to == NULL && texts[i].from != NULL)
            return false;
    }
    for (size_t i = 0; i < options->header_count; i++) {
        const nango_pair *pair = &options->headers[i];

        if (!ngo_headers_add(mem, &client->headers, &client->header_count, &capacity,
                pair->name, strlen(pair->name), pair->value, strlen(pair->value)))
            return false;
    }
    client->authorization = join(mem, "Bearer ", key);
    client->user_agent = user_agent(mem, options->user_agent);
    return client->authorization != NULL && client->user_agent != NULL;
}

static void set_numbers(nango_client *client, const nango_client_options *options)
{
    client->is_sync = options->is_sync;
    client->is_script = options->is_script;
    client->dry_run = options->dry_run;
    client->era = options->era;
    client->timeout_ms = time_or(options->timeout_ms, TIMEOUT_MS);
    client->connect_timeout_ms = time_or(options->connect_timeout_ms, CONNECT_TIMEOUT_MS);
    client->max_response_bytes = options->max_response_bytes != 0
                                     ? options->max_response_bytes
                                     : MAX_RESPONSE_BYTES;
    client->log = options->log;
    client->log_user = options->log_user;
    client->curl_due_ms = -1;
}

nango_code nango_client_new(
    const nango_client_options *options, nango_client **out, nango_error *err)
{
    static const nango_client_options none;
    struct ngo_mem mem = ngo_mem_default;
    nango_client *client;
    nango_code code;

    if (out == NULL)
        return ngo_error_set(err, NANGO_E_ARGUMENT, "out is required");
    *out = NULL;
    ngo_error_clear(err);
    if (options == NULL)
        options = &none;
    code = check_options(options, err);
    if (code != NANGO_OK)
        return code;
    if (options->allocator != NULL)
        mem.allocator = *options->allocator;
    /* Counted by libcurl; guarded by it since 7.84. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return ngo_error_set(err, NANGO_E_MEMORY, "libcurl could not be initialised");
    client = ngo_alloc(&mem, sizeof *client);
    if (client == NULL) {
        curl_global_cleanup();
        return ngo_error_set(err, NANGO_E_MEMORY, "memory is out");
    }
    client->mem = mem;
    atomic_init(&client->interrupted, false);
    set_numbers(client, options);
    code =
        set_host(client, is_set(options->host) ? options->host : NANGO_DEFAULT_HOST, err);
    if (code == NANGO_OK && copy_texts(client, options))
        client->blocking = curl_multi_init();
    if (code == NANGO_OK && client->blocking == NULL)
        code = ngo_error_set(err, NANGO_E_MEMORY, "memory is out");
    if (code != NANGO_OK) {
        nango_client_free(client);
        return code;
    }
    *out = client;
    return NANGO_OK;
}

nango_code nango_client_new_from_env(
    const nango_client_options *options, nango_client **out, nango_error *err)
{
    nango_client_options filled = {0};

    if (out == NULL)
        return ngo_error_set(err, NANGO_E_ARGUMENT, "out is required");
    if (options != NULL)
        filled = *options;
    if (!is_set(filled.secret_key) && !is_set(filled.api_key)) {
        filled.secret_key = getenv("NANGO_SECRET_KEY");
        if (!is_set(filled.secret_key)) {
            *out = NULL;
            return ngo_error_set(err, NANGO_E_ARGUMENT,
                "You must specify an API key: the environment has no NANGO_SECRET_KEY");
        }
    }
    if (!is_set(filled.host))
        filled.host = getenv("NANGO_HOSTPORT");
    return nango_client_new(&filled, out, err);
}

void nango_client_free(nango_client *client)
{
    struct ngo_mem mem;

    /* Within a callback it is in use: kept, rather than pulled away. */
    if (client == NULL || client->in_callback > 0 || client->in_libcurl > 0)
        return;
    mem = client->mem;
    nango_detach(client);
    if (client->blocking != NULL)
        curl_multi_cleanup(client->blocking);
    for (size_t i = 0; i < client->idle_count; i++)
        curl_easy_cleanup(client->idle[i]);
    nango_response_free(client->last_answer);
    ngo_free(&mem, client->key);
    ngo_free(&mem, client->signing_key);
    ngo_free(&mem, client->host);
    ngo_free(&mem, client->origin);
    ngo_free(&mem, client->connection_id);
    ngo_free(&mem, client->provider_config_key);
    ngo_free(&mem, client->activity_log_id);
    ngo_free(&mem, client->user_agent);
    ngo_free(&mem, client->authorization);
    ngo_free(&mem, client->ca_file);
    ngo_headers_free(&mem, client->headers, client->header_count);
    ngo_free(&mem, client);
    curl_global_cleanup();
}

void nango_client_set_timeout(nango_client *client, int64_t timeout_ms)
{
    if (client != NULL)
        client->timeout_ms = time_or(timeout_ms, 0);
}

const char *nango_client_host(const nango_client *client)
{
    return client != NULL ? client->host : NULL;
}

const nango_response *nango_client_last_answer(const nango_client *client)
{
    return client != NULL ? client->last_answer : NULL;
}

void nango_interrupt(nango_client *client)
{
    if (client == NULL)
        return;
    atomic_store(&client->interrupted, true);
    curl_multi_wakeup(client->blocking);
}

bool ngo_early(const nango_client *client)
{
    return client != NULL && client->era == NANGO_ERA_2023;
}

const struct ngo_mem *ngo_client_mem(const nango_client *client)
{
    return &client->mem;
}

const char *ngo_signing_key(const nango_client *client)
{
    return client != NULL ? client->signing_key : NULL;
}
