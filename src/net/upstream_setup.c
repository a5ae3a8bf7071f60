/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl options for one request, and what its results mean to us.
 *
 * HTTP/1.1 only: libcurl gives each HTTP/2 stream a receive window of 32 MB, which it
 * fills even while the transfer is paused, and a proxy must hold a slow reader's transfer
 * in constant memory. Proxies from the environment are not used: an address that the
 * policy judged is the one that is connected to. */
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/piece.h"
#include "base/str.h"
#include "net/inflate.h"
#include "net/upstream_int.h"

#define RECEIVE_BUFFER 16384L
#define SEND_BUFFER 32768L
#define KEEP_HEAD_BYTES 4096
#define OWN_FIELDS 4
#define HEAD_PIECE 2048
#define HEAD_FROM 256 /* shorter texts are URLs and the like, which are kept for long */

/* libcurl writes a request's head a character at a time into a buffer that doubles from 32
 * bytes on: once that is clearly a head it gets a whole piece, which it need not leave. */
static void *resize_piece(void *p, size_t size)
{
    size_t room = p != NULL ? malloc_usable_size(p) : 0;
    void *larger;

    if (size <= room)
        return p;
    if (size < HEAD_FROM || size > HEAD_PIECE)
        return realloc(p, size);
    larger = piece_take(HEAD_PIECE);
    if (larger != NULL && p != NULL) {
        memcpy(larger, p, room);
        piece_give(p);
    }
    return larger;
}

static char *duplicate_piece(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = piece_take(size);

    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

static void *zeroed_piece(size_t count, size_t size)
{
    void *p;

    if (size > 0 && count > SIZE_MAX / size)
        return NULL;
    p = piece_take(count * size);
    return p != NULL ? memset(p, 0, count * size) : NULL;
}

void up_spare_receive_buffers(void)
{
    piece_spare((size_t)RECEIVE_BUFFER + 1); /* libcurl adds a byte */
}

void up_global_init(void)
{
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, piece_take, piece_give, resize_piece,
            duplicate_piece, zeroed_piece) != CURLE_OK)
        abort();
}

curl_socket_t up_open_socket(
    void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct up_guard *guard = arg;

    (void)purpose;
    if (guard->policy != NULL && !policy_check_address(guard->policy, &address->addr)) {
        guard->denied = true;
        return CURL_SOCKET_BAD;
    }
    guard->denied = false; /* another address of that name will do */
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void up_setup_handle(CURL *easy, const char *ca_file, int64_t connect_timeout_ms)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A call that ends while its name is looked up must not wait for the resolver. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 30L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
        (long)(connect_timeout_ms > 0 ? connect_timeout_ms : 30000));
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, up_open_socket);
    if (ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
}

/* ---- headers ----
 *
 * libcurl takes a list of "Name: value" lines and borrows it for the call. The whole list
 * is one block: the nodes, then their lines. */

struct list_block {
    size_t size;
    struct curl_slist nodes[];
};

static bool is_framing(const char *name)
{
    return str_eq_nocase(name, "content-length") ||
           str_eq_nocase(name, "transfer-encoding");
}

/* Fields that the caller left open: libcurl adds some by itself unless told not to by an
 * empty line; one is ours to say. */
static size_t own_fields(const struct up_request *request, const char *out[OWN_FIELDS])
{
    static const struct {
        const char *name, *line;
        bool with_body_only, with_decompress_only;
    } own[OWN_FIELDS] = {
        {"accept", "Accept:", false, false},
        {"content-type", "Content-Type:", true, false},
        {"expect", "Expect:", true, false},
        {"accept-encoding", "Accept-Encoding: gzip, deflate, br", false, true},
    };
    size_t count = 0;

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (own[i].with_body_only && request->body_kind == UP_BODY_NONE &&
            str_eq(request->method, "GET"))
            continue;
        if (own[i].with_decompress_only && !request->decompress)
            continue;
        if (request->headers == NULL ||
            http_headers_find(request->headers, own[i].name) == NULL)
            out[count++] = own[i].line;
    }
    return count;
}

static char *put(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

static struct curl_slist *make_list(const struct up_request *request)
{
    static const struct http_headers none = {0};
    const struct http_headers *headers =
        request->headers != NULL ? request->headers : &none;
    const char *own[OWN_FIELDS];
    size_t extra = own_fields(request, own);
    size_t size =
        sizeof(struct list_block) + (headers->count + extra) * sizeof(struct curl_slist);
    size_t count = 0;
    struct list_block *block;
    char *text;

    text = NULL;
    for (size_t i = 0; i < headers->count; i++)
        size += strlen(headers->items[i].name) + strlen(headers->items[i].value) + 3;
    for (size_t i = 0; i < extra; i++)
        size += strlen(own[i]) + 1;
    block = mem_alloc(size);
    block->size = size;
    text = (char *)&block->nodes[headers->count + extra];
    for (size_t i = 0; i < headers->count; i++) {
        const struct http_header *field = &headers->items[i];
        size_t value_len = strlen(field->value);

        if (is_framing(field->name))
            continue;
        block->nodes[count++].data = text;
        text = put(text, field->name, strlen(field->name));
        /* libcurl's spelling for a field without a value is a semicolon. */
        text = value_len > 0 ? put(text, ": ", 2) : put(text, ";", 1);
        text = put(text, field->value, value_len + 1);
    }
    for (size_t i = 0; i < extra; i++) {
        block->nodes[count++].data = text;
        text = put(text, own[i], strlen(own[i]) + 1);
    }
    if (count == 0) {
        free(block);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        block->nodes[i].next = i + 1 < count ? &block->nodes[i + 1] : NULL;
    return block->nodes;
}

void up_free_list(struct curl_slist *list)
{
    struct list_block *block;

    if (list == NULL)
        return;
    block =
        (struct list_block *)(void *)((char *)list - offsetof(struct list_block, nodes));
    mem_wipe(block, block->size);
    free(block);
}

bool up_request_is_sound(const struct up_request *request)
{
    if (!http_is_token(request->method))
        return false;
    for (size_t i = 0; request->headers != NULL && i < request->headers->count; i++) {
        if (!http_is_token(request->headers->items[i].name) ||
            !http_is_field_value(request->headers->items[i].value))
            return false;
    }
    return true;
}

/* ---- whose connections ---- */

bool up_owner_admits(struct up_owner *owner, const struct policy *policy)
{
    if (!owner->known) {
        owner->known = true;
        owner->judged = policy != NULL;
        if (policy != NULL)
            policy_copy(&owner->policy, policy);
        return true;
    }
    return owner->judged == (policy != NULL) &&
           (policy == NULL || policy_equal(&owner->policy, policy));
}

void up_owner_finish(struct up_owner *owner)
{
    if (owner->judged)
        policy_finish(&owner->policy);
    *owner = (struct up_owner){0};
}

/* ---- method and body ---- */

/* Methods whose empty body is said to be empty. */
static bool announces_empty(const char *method)
{
    static const char *const names[] = {"POST", "PUT", "PATCH", "PROPFIND", "REPORT"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_eq(method, names[i]))
            return true;
    }
    return false;
}

static void set_method(CURL *easy, const struct up_request *request)
{
    bool head = str_eq(request->method, "HEAD") && request->body_kind == UP_BODY_NONE;
    bool get = str_eq(request->method, "GET") && request->body_kind == UP_BODY_NONE;

    /* Back to a plain GET, whatever this handle did before. */
    curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    if (request->body_kind == UP_BODY_STREAM ||
        (request->body_kind == UP_BODY_BYTES && request->body_len > UP_POST_AT_ONCE)) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_len);
    } else if (request->body_kind == UP_BODY_BYTES || announces_empty(request->method)) {
        bool some = request->body_kind == UP_BODY_BYTES;

        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, some ? request->body : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
            (curl_off_t)(some ? request->body_len : 0));
    } else if (head) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, head || get ? NULL : request->method);
}

static void set_certificate(CURL *easy, const struct up_request *request)
{
    struct curl_blob certificate = {.flags = CURL_BLOB_COPY};
    struct curl_blob key = {.flags = CURL_BLOB_COPY};

    if (request->client_certificate_pem == NULL)
        return;
    certificate.data = (void *)(uintptr_t)request->client_certificate_pem;
    certificate.len = strlen(request->client_certificate_pem);
    key.data = (void *)(uintptr_t)request->client_key_pem;
    key.len = strlen(request->client_key_pem);
    curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &certificate);
    curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
}

struct curl_slist *up_setup_request(
    CURL *easy, const struct up_request *request, struct up_guard *guard, bool shared)
{
    struct curl_slist *list = make_list(request);

    guard->policy = request->policy;
    guard->denied = false;
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, shared ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, shared ? 0L : 1L);
    set_method(easy, request);
    set_certificate(easy, request);
    return list;
}

/* ---- the answer's head ---- */

void up_head_init(struct up_head *head)
{
    *head = (struct up_head){0};
    buf_init_secret(&head->text, 0);
}

void up_head_finish(struct up_head *head)
{
    buf_finish(&head->text);
    free(head->headers.items);
    head->headers = (struct http_headers){0};
}

void up_head_reset(struct up_head *head)
{
    if (head->text.capacity > KEEP_HEAD_BYTES) {
        buf_finish(&head->text);
        buf_init_secret(&head->text, 0);
    } else if (head->text.len > 0) {
        mem_wipe(head->text.data, head->text.len);
        buf_clear(&head->text);
    }
    head->headers.count = 0;
    head->count = 0;
    head->status = 0;
    head->complete = false;
    head->refused = false;
}

/* A field that could not be passed on (a folded line, a control character) is left out.
 */
static void add_line(struct up_head *head, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    size_t start = head->text.len, name_len;
    const char *value, *end = line + len;

    if (colon == NULL)
        return;
    name_len = (size_t)(colon - line);
    value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (memchr(value, '\0', (size_t)(end - value)) != NULL)
        return;
    buf_append(&head->text, line, name_len);
    buf_putc(&head->text, '\0');
    buf_append(&head->text, value, (size_t)(end - value));
    buf_putc(&head->text, '\0');
    if (strlen(head->text.data + start) == name_len &&
        http_is_token(head->text.data + start) &&
        http_is_field_value(head->text.data + start + name_len + 1))
        head->count++;
    else
        head->text.len = start;
}

/* The block stands still now: the fields can point into it. */
static void index_fields(struct up_head *head)
{
    struct http_headers *headers = &head->headers;
    char *at = head->text.data;

    if (headers->capacity < head->count) {
        headers->items =
            mem_resize_array(headers->items, head->count, sizeof *headers->items);
        headers->capacity = head->count;
    }
    for (size_t i = 0; i < head->count; i++) {
        headers->items[i].name = at;
        at += strlen(at) + 1;
        headers->items[i].value = at;
        at += strlen(at) + 1;
    }
    headers->count = head->count;
}

static void forget(struct http_headers *headers, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < headers->count; i++)
        if (!str_eq_nocase(headers->items[i].name, name))
            headers->items[kept++] = headers->items[i];
    headers->count = kept;
}

/* A transfer coding overrides a length (RFC 9112 section 6.3); lengths that differ leave
 * open where the answer ends. */
static bool has_one_length(struct http_headers *headers)
{
    const char *length = http_headers_find(headers, "content-length");

    if (http_headers_find(headers, "transfer-encoding") != NULL) {
        forget(headers, "content-length");
        return true;
    }
    for (size_t i = 0; length != NULL && i < headers->count; i++) {
        if (str_eq_nocase(headers->items[i].name, "content-length") &&
            !str_eq(headers->items[i].value, length))
            return false;
    }
    return true;
}

/* `HTTP/1.1 200 OK`; 0 when it is no such line. */
static int status_of(const char *line, size_t len)
{
    const char *space = memchr(line, ' ', len);
    int status = 0;

    if (space == NULL)
        return 0;
    for (const char *c = space + 1; c < line + len && *c != ' '; c++) {
        if (*c < '0' || *c > '9' || status > 99)
            return 0;
        status = 10 * status + (*c - '0');
    }
    return status;
}

bool up_head_line(struct up_head *head, const char *line, size_t len)
{
    if (head->complete)
        return false; /* a trailer */
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
        len--;
    if (len == 0) {
        if (head->status < 200)
            return false;
        index_fields(head);
        head->refused = !has_one_length(&head->headers);
        head->complete = !head->refused;
        return head->complete;
    }
    if (len > 5 && memcmp(line, "HTTP/", 5) == 0) {
        up_head_reset(head);
        head->status = status_of(line, len);
        /* Nobody asked for another protocol, and libcurl would take what follows for a
         * body. */
        head->refused = head->status == 101;
    } else {
        add_line(head, line, len);
    }
    return false;
}

struct inflater *up_head_inflate(struct up_head *head)
{
    const char *coding = http_headers_find(&head->headers, "content-encoding");
    struct inflater *inflater = coding != NULL ? inflater_new(coding) : NULL;

    if (inflater != NULL) {
        forget(&head->headers, "content-encoding");
        forget(&head->headers, "content-length");
    }
    return inflater;
}

/* ---- failures ---- */

static const struct {
    const char *code, *text;
} failures[] = {
    [UP_OK] = {"", ""},
    [UP_DENIED] = {"EACCES", "The outbound URL is not allowed"},
    [UP_UNRESOLVED] = {"ENOTFOUND", "The host name does not resolve"},
    [UP_REFUSED] = {"ECONNREFUSED", "The host refused the connection"},
    [UP_UNREACHABLE] = {"EHOSTUNREACH", "The host is unreachable"},
    [UP_RESET] = {"ECONNRESET",
        "The connection was closed before the answer was complete"},
    [UP_TIMEOUT] = {"ETIMEDOUT", "The host did not answer in time"},
    [UP_TLS] = {"EPROTO", "The TLS handshake failed or the certificate is not trusted"},
    [UP_BAD_URL] = {"ERR_INVALID_URL", "The URL is not valid"},
    [UP_TOO_LARGE] = {"ERR_BODY_TOO_LARGE", "The answer is larger than what is accepted"},
    [UP_FAILED] = {"ERR_NETWORK", "The call failed"},
};

const char *up_failure_code(enum up_failure failure)
{
    return failures[failure].code;
}

const char *up_failure_text(enum up_failure failure)
{
    return failures[failure].text;
}

/* Only of a connection that was not made: libcurl keeps an old number otherwise. */
static enum up_failure failure_of_errno(CURL *easy)
{
    long number = 0;

    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
    switch (number) {
    case ECONNREFUSED:
        return UP_REFUSED;
    case EHOSTUNREACH:
    case ENETUNREACH:
        return UP_UNREACHABLE;
    case ETIMEDOUT:
        return UP_TIMEOUT;
    default:
        return UP_FAILED;
    }
}

enum up_failure up_failure_of(CURL *easy, CURLcode code, const struct up_guard *guard)
{
    long sent = 0;

    if (code == CURLE_OK)
        return UP_OK;
    if (guard->denied)
        return UP_DENIED;
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return UP_UNRESOLVED;
    case CURLE_COULDNT_CONNECT:
        return failure_of_errno(easy);
    case CURLE_OPERATION_TIMEDOUT:
        return UP_TIMEOUT;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND: /* a reused connection was closed under the body */
        return UP_RESET;
    case CURLE_UNSUPPORTED_PROTOCOL: /* also of an answer that is no HTTP/1 */
        curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
        return sent > 0 ? UP_FAILED : UP_BAD_URL;
    case CURLE_URL_MALFORMAT:
        return UP_BAD_URL;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
        return UP_TLS;
    default:
        return UP_FAILED;
    }
}
