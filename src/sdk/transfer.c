/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its answer, by a libcurl easy handle. Whoever runs the handle (run.c,
 * async.c) calls ngo_transfer_begin() before and ngo_transfer_end() after.
 *
 * Redirects are followed here and not by libcurl, which would hand every header to whatever
 * host the answer names: beyond the server's own origin go only those that say nothing of
 * anyone. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "sdk/client_int.h"

/* As many as the official client's HTTP library follows. */
#define MAX_REDIRECTS 21

/* Bytes of all of an answer's headers; libcurl has a bound of its own above this. */
#define MAX_HEAD (256 * 1024)

/* Bytes of a redirect's body that are read to keep the connection; then it is dropped. */
#define MAX_REDIRECT_BODY (64 * 1024)

/* No time is longer: what is added to it must not overflow. */
#define MAX_TIME_MS ((int64_t)INT32_MAX)

int64_t ngo_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void failed_inside(nango_call *call)
{
    call->transfer->failed_inside = true;
}

static bool is_redirect(const nango_call *call)
{
    int status = call->response->status;

    return (status == 301 || status == 302 || status == 303 || status == 307 ||
               status == 308) &&
           nango_response_header(call->response, "Location") != NULL;
}

/* All headers of an answer are there. False: stop the transfer. */
static bool head_ends(nango_call *call)
{
    struct ngo_transfer *transfer = call->transfer;
    bool go_on = true;

    if (call->response->status < 200) {
        transfer->head_begins = true; /* 100 or its like: another one follows */
        return true;
    }
    transfer->head_done = true;
    transfer->redirected = is_redirect(call);
    if (transfer->redirected || !call->streamed || call->stream.on_head == NULL)
        return true;
    call->client->in_callback++;
    go_on = call->stream.on_head(call->response, call->stream.user);
    call->client->in_callback--;
    if (!go_on) {
        ngo_call_fail(call, NANGO_E_CANCELLED, "on_head ended the call");
        failed_inside(call);
    }
    return go_on && !call->cancelled;
}

/* "HTTP/1.1 200 OK" begins an answer; there may have been others (100, or the answer of an
 * HTTP proxy on the way). */
static bool status_line(nango_call *call, const char *line, size_t len)
{
    char text[32];
    int status = 0;

    if (!call->transfer->head_begins)
        return false;
    call->transfer->head_begins = false;
    if (len < 5 || strncmp(line, "HTTP/", 5) != 0)
        return false;
    ngo_response_clear(call->response);
    snprintf(text, sizeof text, "%.*s", (int)(len < 31 ? len : 31), line);
    if (sscanf(text, "HTTP/%*s %d", &status) == 1)
        call->response->status = status;
    return true;
}

static size_t on_header(char *line, size_t size, size_t count, void *user)
{
    nango_call *call = user;
    size_t all = size * count, len = all;
    const char *colon, *value;

    call->transfer->last_piece_ms = ngo_now_ms();
    if (call->cancelled)
        return 0;
    if (call->transfer->head_done) /* a trailer; nobody asked for one */
        return all;
    call->transfer->head_bytes += all;
    if (call->transfer->head_bytes > MAX_HEAD) {
        ngo_call_fail(call, NANGO_E_TOO_LARGE,
            "the answer's headers have more than %d bytes", MAX_HEAD);
        failed_inside(call);
        return 0;
    }
    while (len > 0 && strchr("\r\n \t", line[len - 1]) != NULL && line[len - 1] != '\0')
        len--;
    if (len == 0)
        return head_ends(call) ? all : 0;
    if (status_line(call, line, len))
        return all;
    colon = memchr(line, ':', len);
    if (colon == NULL || colon == line)
        return all;
    value = colon + 1;
    while (value < line + len && (*value == ' ' || *value == '\t'))
        value++;
    if (!ngo_response_add_header(call->response, line, (size_t)(colon - line), value,
            (size_t)(line + len - value))) {
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
        failed_inside(call);
        return 0;
    }
    return all;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    nango_call *call = user;
    size_t len = size * count;
    bool go_on = true;

    call->transfer->last_piece_ms = ngo_now_ms();
    if (call->cancelled)
        return 0;
    if (call->transfer->redirected) {
        call->transfer->thrown_bytes += len;
        call->transfer->redirect_cut = call->transfer->thrown_bytes > MAX_REDIRECT_BODY;
        return call->transfer->redirect_cut ? 0 : len;
    }
    if (call->paused)
        return CURL_WRITEFUNC_PAUSE;
    if (call->streamed) {
        if (call->stream.on_data != NULL) {
            call->client->in_callback++;
            go_on = call->stream.on_data(data, len, call->stream.user);
            call->client->in_callback--;
        }
        if (!go_on) {
            ngo_call_fail(call, NANGO_E_CANCELLED, "on_data ended the call");
            failed_inside(call);
        }
        return go_on && !call->cancelled ? len : 0;
    }
    if (len > call->client->max_response_bytes - call->response->body.len) {
        ngo_call_fail(call, NANGO_E_TOO_LARGE,
            "the answer has more than max_response_bytes, which is %zu",
            call->client->max_response_bytes);
        failed_inside(call);
        return 0;
    }
    ngo_text_add(&call->response->body, data, len);
    if (call->response->body.failed) {
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
        failed_inside(call);
        return 0;
    }
    return len;
}

/* libcurl sends what it is given, even more or less than was announced, and goes on using
 * the connection: the next request would then be read as a part of this one's body. */
static size_t on_read(char *data, size_t size, size_t count, void *user)
{
    nango_call *call = user;
    struct ngo_transfer *transfer = call->transfer;
    int64_t announced = call->stream.read_size > 0 ? call->stream.read_size : -1;
    size_t room = size * count;
    int64_t got;

    transfer->last_piece_ms = ngo_now_ms();
    if (call->cancelled)
        return CURL_READFUNC_ABORT;
    if (announced >= 0 && (uint64_t)(announced - transfer->sent_bytes) < room)
        room = (size_t)(announced - transfer->sent_bytes);
    if (room == 0)
        return 0;
    call->client->in_callback++;
    got = call->stream.read(data, room, call->stream.user);
    call->client->in_callback--;
    if (got == NANGO_STREAM_WAIT && call->client->attached && call->state == NGO_MOVING)
        return CURL_READFUNC_PAUSE;
    if (got < 0 || (uint64_t)got > room)
        ngo_call_fail(call, NANGO_E_CANCELLED, "read ended the call");
    else if (got == 0 && announced >= 0)
        ngo_call_fail(call, NANGO_E_ARGUMENT,
            "read ended after %lld bytes of the announced %lld",
            (long long)transfer->sent_bytes, (long long)announced);
    if (call->error.code != NANGO_OK) {
        failed_inside(call);
        return CURL_READFUNC_ABORT;
    }
    transfer->sent_bytes += got;
    return (size_t)got;
}

static int on_seek(void *user, curl_off_t offset, int origin)
{
    nango_call *call = user;
    bool done;

    if (offset != 0 || origin != SEEK_SET || call->stream.rewind == NULL ||
        call->cancelled)
        return CURL_SEEKFUNC_CANTSEEK;
    call->client->in_callback++;
    done = call->stream.rewind(call->stream.user);
    call->client->in_callback--;
    call->transfer->sent_bytes = 0;
    return done ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

/* A stream may take as long as it likes, but for the time between two pieces. libcurl calls
 * this at least once a second while it watches the speed. */
static int on_progress(
    void *user, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
    nango_call *call = user;
    int64_t idle_ms = ngo_now_ms() - call->transfer->last_piece_ms;

    (void)total;
    (void)now;
    (void)up_total;
    (void)up_now;
    if (!call->streamed || call->client->timeout_ms == 0 || call->paused ||
        idle_ms <= call->client->timeout_ms)
        return 0;
    ngo_call_fail(call, NANGO_E_TIMEOUT, "nothing moved for %lld ms", (long long)idle_ms);
    failed_inside(call);
    return 1;
}

/* What a host that is not the server may be told. */
static bool may_leave(const char *name)
{
    return strcasecmp(name, "Accept") == 0 || strcasecmp(name, "User-Agent") == 0 ||
           strcasecmp(name, "Content-Type") == 0;
}

static bool add_line(struct ngo_transfer *transfer, const char *line)
{
    struct curl_slist *list = curl_slist_append(transfer->list, line);

    if (list != NULL)
        transfer->list = list;
    return list != NULL;
}

static void free_list(struct ngo_transfer *transfer)
{
    for (struct curl_slist *node = transfer->list; node != NULL; node = node->next)
        ngo_wipe(node->data, strlen(node->data));
    curl_slist_free_all(transfer->list);
    transfer->list = NULL;
}

static bool build_list(nango_call *call, bool at_home)
{
    struct ngo_transfer *transfer = call->transfer;
    bool typed = false, good = true;

    free_list(transfer);
    for (size_t i = 0; good && i < call->header_count; i++) {
        const struct ngo_header *header = &call->headers[i];
        struct ngo_text line;

        if (!at_home && !may_leave(header->name))
            continue;
        typed = typed || strcasecmp(header->name, "Content-Type") == 0;
        ngo_text_init(&line, &call->mem);
        ngo_text_puts(&line, header->name);
        /* This is how libcurl is told of an empty value. */
        ngo_text_puts(&line, *header->value != '\0' ? ": " : ";");
        ngo_text_puts(&line, header->value);
        good = !line.failed && add_line(transfer, line.data);
        ngo_text_finish(&line);
    }
    /* What libcurl would add of its own. */
    if (good && !typed)
        good = add_line(transfer, "Content-Type:");
    return good && add_line(transfer, "Expect:");
}

#define SET(option, value)                                                               \
    if (code == CURLE_OK)                                                                \
    code = curl_easy_setopt(easy, (option), (value))

static CURLcode set_body(nango_call *call, CURL *easy)
{
    bool streams = call->streamed && call->stream.read != NULL;
    CURLcode code = CURLE_OK;

    if (streams) {
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_INFILESIZE_LARGE,
            (curl_off_t)(call->stream.read_size > 0 ? call->stream.read_size : -1));
    } else if (call->has_body) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        SET(CURLOPT_POSTFIELDS, call->body.data != NULL ? call->body.data : "");
    }
    SET(CURLOPT_CUSTOMREQUEST, call->method);
    return code;
}

/* What is left of the time for the whole answer, redirects included. */
static int64_t left_ms(const nango_call *call)
{
    int64_t left = call->client->timeout_ms - (ngo_now_ms() - call->transfer->look_ms);

    return left > 0 ? left : 0;
}

static CURLcode set_limits(nango_call *call, CURL *easy)
{
    const nango_client *client = call->client;
    bool whole = !call->streamed && client->timeout_ms > 0;
    bool pieces = call->streamed && client->timeout_ms > 0;
    CURLcode code = CURLE_OK;

    SET(CURLOPT_TIMEOUT_MS, whole ? (long)left_ms(call) : 0L);
    /* A speed that nothing falls below for so long: it only makes libcurl look. */
    SET(CURLOPT_LOW_SPEED_LIMIT, pieces ? 1L : 0L);
    SET(CURLOPT_LOW_SPEED_TIME, pieces ? 1000000000L : 0L);
    SET(CURLOPT_NOPROGRESS, pieces ? 0L : 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, client->connect_timeout_ms > 0
                                       ? (long)client->connect_timeout_ms
                                       : (long)MAX_TIME_MS);
    return code;
}

/* What one request needs of its own: everything that set_nothing() takes back. */
static CURLcode set_request(nango_call *call, CURL *easy)
{
    struct ngo_transfer *transfer = call->transfer;
    CURLcode code = CURLE_OK;

    SET(CURLOPT_HTTPGET, 1L);
    SET(CURLOPT_ERRORBUFFER, transfer->reason);
    SET(CURLOPT_PRIVATE, call);
    SET(CURLOPT_URL, call->url.data);
    SET(CURLOPT_HTTPHEADER, transfer->list);
    SET(CURLOPT_HEADERDATA, call);
    SET(CURLOPT_WRITEDATA, call);
    SET(CURLOPT_READDATA, call);
    SET(CURLOPT_SEEKDATA, call);
    SET(CURLOPT_XFERINFODATA, call);
    if (code == CURLE_OK)
        code = set_limits(call, easy);
    if (code == CURLE_OK)
        code = set_body(call, easy);
    return code;
}

/* Nothing of a call may be reachable from a handle at rest. curl_easy_reset() would do it
 * and restore libcurl's defaults with it, but says nothing when it lacks the memory for
 * these and leaves them half done. None of these allocates. */
static void set_nothing(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
    curl_easy_setopt(easy, CURLOPT_URL, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_READDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, NULL);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)-1);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
}

/* A handle with what all of the client's requests have in common. NULL: memory is out. */
static CURL *handle_new(const nango_client *client)
{
    CURL *easy = curl_easy_init();
    CURLcode code = CURLE_OK;

    if (easy == NULL)
        return NULL;
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_ACCEPT_ENCODING, "");
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    /* A name that is looked up slowly must not hold up a timeout or a cancelled call. */
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (client->ca_file != NULL)
        SET(CURLOPT_CAINFO, client->ca_file);
    if (code == CURLE_OK)
        return easy;
    curl_easy_cleanup(easy);
    return NULL;
}

static bool take_handle(nango_call *call)
{
    nango_client *client = call->client;
    struct ngo_transfer *transfer = call->transfer;

    if (transfer == NULL) {
        transfer = ngo_alloc(&call->mem, sizeof *transfer);
        if (transfer == NULL)
            return false;
        transfer->began_ms = transfer->look_ms = ngo_now_ms();
        call->transfer = transfer;
    }
    if (transfer->easy == NULL && client->idle_count > 0)
        transfer->easy = client->idle[--client->idle_count];
    if (transfer->easy == NULL)
        transfer->easy = handle_new(client);
    return transfer->easy != NULL;
}

/* The part of an origin between scheme and port. */
static bool same_host(const char *a, const char *b)
{
    const char *a_host = strstr(a, "://"), *b_host = strstr(b, "://");
    const char *a_end = strrchr(a, ':'), *b_end = strrchr(b, ':');

    return a_end - a_host == b_end - b_host &&
           strncmp(a_host, b_host, (size_t)(a_end - a_host)) == 0;
}

/* Whether the address is the server's: its own origin, or the same host by TLS where it
 * was without. */
/* The path of an address behind the host's own path; NULL when it is not below that. */
static const char *path_below(const nango_client *client, const char *url)
{
    const char *base = strchr(strstr(client->host, "://") + 3, '/');
    const char *path = strchr(strstr(url, "://") + 3, '/');
    size_t len = base != NULL ? strlen(base) : 0;

    if (path == NULL || strncmp(path, base != NULL ? base : "", len) != 0)
        return NULL;
    return path + len;
}

/* What comes through the proxy is a provider's word, and must not lead the key to another of
 * the server's routes. */
static bool is_allowed(const nango_call *call)
{
    const char *path = path_below(call->client, call->url.data);

    if (!call->proxied)
        return true;
    return path != NULL && strncmp(path, "/proxy/", 7) == 0 &&
           strcasestr(path, "%2e") == NULL && strcasestr(path, "%2f") == NULL;
}

static bool is_home(nango_call *call, bool *memory)
{
    char *origin;
    bool is_url, home;

    if (call->transfer->redirects == 0)
        return true;
    origin = ngo_origin(&call->mem, call->url.data, &is_url);
    *memory = origin != NULL || !is_url;
    home = origin != NULL && (strcmp(origin, call->client->origin) == 0 ||
                                 (strncmp(call->client->origin, "http:", 5) == 0 &&
                                     strncmp(origin, "https:", 6) == 0 &&
                                     same_host(origin, call->client->origin)));
    ngo_free(&call->mem, origin);
    return home && is_allowed(call);
}

bool ngo_transfer_begin(nango_call *call)
{
    bool memory = true, home;
    CURLcode code = CURLE_OUT_OF_MEMORY;

    if (call->error.code != NANGO_OK)
        return false;
    if (call->url.failed || call->body.failed || !take_handle(call)) {
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
        return false;
    }
    if (call->transfer->redirects == 0)
        call->transfer->look_ms = ngo_now_ms();
    call->transfer->head_begins = true;
    call->transfer->head_done = call->transfer->redirected = false;
    call->transfer->redirect_cut = false;
    call->transfer->head_bytes = call->transfer->thrown_bytes = 0;
    call->transfer->sent_bytes = 0;
    call->transfer->last_piece_ms = ngo_now_ms();
    if (!call->streamed && call->client->timeout_ms > 0 && left_ms(call) == 0) {
        ngo_call_fail(
            call, NANGO_E_TIMEOUT, "the redirects take longer than the timeout");
        return false;
    }
    call->transfer->reason[0] = '\0';
    if (call->response == NULL)
        call->response = ngo_response_new(&call->mem);
    home = is_home(call, &memory);
    if (!home && (call->has_body || (call->streamed && call->stream.read != NULL))) {
        ngo_call_fail(call, NANGO_E_NETWORK,
            "the server redirects the request's body to another host, which does not get "
            "it");
        return false;
    }
    set_nothing(call->transfer->easy);
    if (memory && call->response != NULL && build_list(call, home))
        code = set_request(call, call->transfer->easy);
    if (code == CURLE_OK)
        return true;
    if (code == CURLE_OUT_OF_MEMORY)
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
    else
        ngo_call_fail(call, NANGO_E_ARGUMENT, "libcurl refuses the request: %s",
            curl_easy_strerror(code));
    return false;
}

void ngo_transfer_free(nango_call *call)
{
    struct ngo_transfer *transfer = call->transfer;

    if (transfer == NULL)
        return;
    if (transfer->easy != NULL) {
        set_nothing(transfer->easy);
        if (call->client->idle_count < NGO_IDLE_MAX)
            call->client->idle[call->client->idle_count++] = transfer->easy;
        else
            curl_easy_cleanup(transfer->easy);
    }
    free_list(transfer);
    ngo_free(&call->mem, transfer);
    call->transfer = NULL;
}

/* The address that the answer's Location names, seen from the present one. NULL: none that
 * can be gone to. libcurl would tell it, but only of transfers that ended well. */
static char *location_of(nango_call *call)
{
    CURLU *url = curl_url();
    char *to = NULL, *scheme = NULL;
    bool good = url != NULL &&
                curl_url_set(url, CURLUPART_URL, call->url.data, 0) == CURLUE_OK &&
                curl_url_set(url, CURLUPART_URL,
                    nango_response_header(call->response, "Location"),
                    CURLU_URLENCODE) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
                curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK;

    if (good && curl_url_get(url, CURLUPART_URL, &to, 0) != CURLUE_OK)
        to = NULL;
    curl_free(scheme);
    curl_url_cleanup(url);
    return to;
}

/* Points the call to where the answer says. False: it cannot go there. */
static bool follow(nango_call *call)
{
    struct ngo_transfer *transfer = call->transfer;
    int status = call->response->status;
    char *to;

    if (transfer->redirects == MAX_REDIRECTS) {
        ngo_call_fail(call, NANGO_E_NETWORK, "more than %d redirects", MAX_REDIRECTS);
        return false;
    }
    to = location_of(call);
    if (to == NULL) {
        ngo_call_fail(call, NANGO_E_NETWORK,
            "the server redirects to what is no http or https address");
        return false;
    }
    transfer->redirects++;
    ngo_text_finish(&call->url);
    ngo_text_puts(&call->url, to);
    curl_free(to);
    /* 307 and 308 repeat the request; 301 and 302 make a GET of a POST, as every client
     * does, and 303 of everything (RFC 9110, section 15.4). */
    if ((status == 303 && strcmp(call->method, "GET") != 0) ||
        ((status == 301 || status == 302) && strcmp(call->method, "POST") == 0)) {
        call->method = "GET";
        ngo_text_finish(&call->body);
        call->has_body = false;
        call->stream.read = NULL;
    } else if (call->streamed && call->stream.read != NULL &&
               on_seek(call, 0, SEEK_SET) != CURL_SEEKFUNC_OK) {
        ngo_call_fail(call, NANGO_E_NETWORK,
            "the server redirects, and the request's body cannot be read again");
        return false;
    }
    ngo_response_clear(call->response);
    return true;
}

void ngo_transfer_renew(nango_call *call)
{
    if (call->transfer != NULL)
        call->transfer->redirects = 0;
}

enum ngo_end ngo_transfer_end(nango_call *call, CURLcode code, void **result)
{
    *result = NULL;
    if (code == CURLE_WRITE_ERROR && call->transfer->redirect_cut && !call->cancelled)
        code = CURLE_OK;
    if (code != CURLE_OK || call->error.code != NANGO_OK) {
        ngo_fail_by_libcurl(call, code);
        return NGO_DONE;
    }
    if (call->transfer->redirected)
        return follow(call) ? NGO_AGAIN : NGO_DONE;
    *result = ngo_decode(call);
    if (call->wait != NULL && *result == NULL && call->error.code == NANGO_OK)
        return NGO_LATER;
    return NGO_DONE;
}
