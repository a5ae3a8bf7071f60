/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/rough_server.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#define PATIENCE_S 10

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static int counts[ROUGH_COUNTS];
static bool is_open;
/* A test begins with each reset; what is left of requests from before counts no more. */
static unsigned test_number;
static _Thread_local unsigned requested_by;

static void count(enum rough_count which, int more)
{
    pthread_mutex_lock(&lock);
    if (requested_by == test_number)
        counts[which] += more;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
}

int rough_count(enum rough_count which)
{
    int now;

    pthread_mutex_lock(&lock);
    now = counts[which];
    pthread_mutex_unlock(&lock);
    return now;
}

bool rough_await(enum rough_count which, int number)
{
    struct timespec until;
    bool there;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&lock);
    while (counts[which] < number && pthread_cond_timedwait(&change, &lock, &until) == 0)
        ;
    there = counts[which] >= number;
    pthread_mutex_unlock(&lock);
    return there;
}

void rough_reset(void)
{
    pthread_mutex_lock(&lock);
    memset(counts, 0, sizeof counts);
    test_number++;
    is_open = false;
    pthread_mutex_unlock(&lock);
}

void rough_open(void)
{
    pthread_mutex_lock(&lock);
    is_open = true;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
}

static void wait_at_gate(void)
{
    pthread_mutex_lock(&lock);
    if (requested_by == test_number)
        counts[ROUGH_HELD]++;
    pthread_cond_broadcast(&change);
    while (!is_open)
        pthread_cond_wait(&change, &lock);
    pthread_mutex_unlock(&lock);
}

static void sleep_ms(long ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/* ---- one connection ---- */

struct talk {
    int fd;
    size_t len; /* of what was read and not used */
    char buffer[16384];
    char path[256];
    bool has_key;
};

static bool say(struct talk *talk, const void *data, size_t len)
{
    for (const char *at = data; len > 0;) {
        ssize_t sent = send(talk->fd, at, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

__attribute__((format(printf, 2, 3))) static bool sayf(
    struct talk *talk, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return say(talk, text, (size_t)len);
}

static bool read_more(struct talk *talk)
{
    ssize_t got =
        read(talk->fd, talk->buffer + talk->len, sizeof talk->buffer - 1 - talk->len);

    if (got <= 0)
        return false;
    talk->len += (size_t)got;
    talk->buffer[talk->len] = '\0';
    return true;
}

static void use(struct talk *talk, size_t len)
{
    talk->len -= len;
    memmove(talk->buffer, talk->buffer + len, talk->len + 1);
}

/* The end of the line that begins the buffer, behind it; NULL when the connection ends. */
static char *line(struct talk *talk)
{
    char *end;

    while ((end = strstr(talk->buffer, "\r\n")) == NULL)
        if (!read_more(talk))
            return NULL;
    return end + 2;
}

static bool read_body(struct talk *talk, size_t len, bool counted)
{
    while (len > 0) {
        size_t part = talk->len < len ? talk->len : len;

        if (part == 0 && !read_more(talk))
            return false;
        use(talk, part);
        len -= part;
        if (counted)
            count(ROUGH_UPLOADED, (int)part);
    }
    return true;
}

static bool read_chunks(struct talk *talk)
{
    for (;;) {
        char *end = line(talk);
        size_t len;

        if (end == NULL)
            return false;
        len = strtoul(talk->buffer, NULL, 16);
        use(talk, (size_t)(end - talk->buffer));
        if (!read_body(talk, len, true) || !read_body(talk, 2, false))
            return false;
        if (len == 0)
            return true;
    }
}

static bool read_request(struct talk *talk)
{
    size_t body = 0;
    bool chunked = false;
    char *end = line(talk);

    /* What is no request begins with what the one before had too much of. */
    if (end == NULL || sscanf(talk->buffer, "%*[A-Z] /%250[^ ]", talk->path) != 1)
        return false;
    pthread_mutex_lock(&lock);
    requested_by = test_number;
    pthread_mutex_unlock(&lock);
    talk->has_key = false;
    while (end != NULL && end != talk->buffer + 2) {
        use(talk, (size_t)(end - talk->buffer));
        end = line(talk);
        if (strncasecmp(talk->buffer, "Authorization:", 14) == 0)
            talk->has_key = true;
        else if (strncasecmp(talk->buffer, "Content-Length:", 15) == 0)
            body = strtoul(talk->buffer + 15, NULL, 10);
        else if (strncasecmp(talk->buffer, "Transfer-Encoding:", 18) == 0)
            chunked = true;
    }
    if (end == NULL)
        return false;
    use(talk, 2);
    count(ROUGH_REQUESTS, 1);
    return chunked ? read_chunks(talk) : read_body(talk, body, true);
}

/* ---- answers; false ends the connection ---- */

static bool answer(
    struct talk *talk, const char *status, const char *head, const char *body)
{
    return sayf(talk, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, head,
        strlen(body), body);
}

static bool begin(struct talk *talk, const char *head)
{
    return sayf(talk, "HTTP/1.1 %s\r\nTransfer-Encoding: chunked\r\n\r\n", head);
}

/* Waits until the client's side has all that was sent: send() returns before that. */
static void arrive(const struct talk *talk)
{
    int left = 0;

    while (ioctl(talk->fd, SIOCOUTQ, &left) == 0 && left > 0)
        sched_yield();
}

#define ONE_PIECE "1\r\nx\r\n"
#define LAST_PIECE "0\r\n\r\n"

/* A first piece, and more behind the gate. */
static bool gated(struct talk *talk)
{
    if (!begin(talk, "200 OK") || !sayf(talk, ONE_PIECE))
        return false;
    wait_at_gate();
    if (!sayf(talk, ONE_PIECE LAST_PIECE))
        return false;
    arrive(talk);
    count(ROUGH_PASSED, 1);
    return true;
}

/* All of it at once; counted when it is there. */
static bool pieces(struct talk *talk)
{
    if (!begin(talk, "200 OK") || !sayf(talk, ONE_PIECE ONE_PIECE LAST_PIECE))
        return false;
    arrive(talk);
    count(ROUGH_PASSED, 1);
    return true;
}

static bool drip(struct talk *talk)
{
    bool alive = begin(talk, "200 OK");

    for (int i = 0; alive && i < 12; i++) {
        alive = sayf(talk, ONE_PIECE);
        sleep_ms(100);
    }
    return alive && sayf(talk, LAST_PIECE);
}

/* More than a paused client reads at once, and each read of it so much that a part is to be
 * kept. */
static bool zipped(struct talk *talk)
{
    enum {
        PLAIN = 1 << 20,
        PACKED = 1 << 18
    };
    unsigned char *plain = calloc(1, PLAIN), *packed = malloc(PACKED);
    z_stream zip = {
        .next_in = plain, .avail_in = PLAIN, .next_out = packed, .avail_out = PACKED};
    bool alive;

    deflateInit2(&zip, 9, Z_DEFLATED, 15 + 16, 8, Z_HUFFMAN_ONLY);
    deflate(&zip, Z_FINISH);
    deflateEnd(&zip);
    alive =
        sayf(talk,
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
            (size_t)zip.total_out) &&
        say(talk, packed, zip.total_out);
    free(plain);
    free(packed);
    return alive;
}

static bool endless_redirect(struct talk *talk)
{
    static const char piece[0x1000];

    if (!begin(talk, "302 Found\r\nLocation: /proxy/ok"))
        return false;
    while (sayf(talk, "1000\r\n") && say(talk, piece, sizeof piece) && sayf(talk, "\r\n"))
        ;
    return false;
}

/* Whoever waits for its end waits long. */
static bool slow_redirect(struct talk *talk)
{
    bool alive = begin(talk, "302 Found\r\nLocation: /proxy/ok");

    for (int i = 0; alive && i < 10 * PATIENCE_S; i++) {
        alive = sayf(talk, ONE_PIECE);
        sleep_ms(100);
    }
    return false;
}

static bool flood(struct talk *talk)
{
    if (!sayf(talk, "HTTP/1.1 200 OK\r\n"))
        return false;
    while (sayf(talk, "a: b\r\nc: d\r\ne: f\r\ng: h\r\ni: j\r\nk: l\r\nm: n\r\n"))
        ;
    return false;
}

static bool early_hints(struct talk *talk)
{
    while (sayf(talk, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"))
        ;
    return false;
}

static bool hop(struct talk *talk)
{
    sleep_ms(100);
    return answer(talk, "302 Found", "Location: /proxy/hop\r\n", "");
}

static bool silent(struct talk *talk)
{
    return read_more(talk); /* until the client leaves */
}

/* Whether the key came with the request. */
static bool key(struct talk *talk)
{
    return answer(talk, "200 OK", "Content-Type: application/json\r\n",
        talk->has_key ? "{\"key\":true}" : "{\"key\":false}");
}

static bool array(struct talk *talk)
{
    enum {
        NUMBERS = 1000000
    };
    char *text = malloc(2 * NUMBERS + 2);
    bool alive;

    if (text == NULL)
        return false;
    memset(text, '1', 2 * NUMBERS + 1);
    for (size_t i = 0; i < 2 * NUMBERS; i += 2)
        text[i] = i == 0 ? '[' : ',';
    text[2 * NUMBERS] = ']';
    alive =
        sayf(talk, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 2 * NUMBERS + 1) &&
        say(talk, text, 2 * NUMBERS + 1);
    free(text);
    return alive;
}

static const struct {
    const char *path;
    bool (*act)(struct talk *talk);
    const char *status, *head, *body; /* without act */
} behaviours[] = {
    {"proxy/ok", NULL, "200 OK", "Content-Type: application/json\r\n", "{\"a\":1}"},
    {"proxy/capitals", NULL, "200 OK", "Content-Type: Application/JSON\r\n", "{\"a\":1}"},
    {"proxy/status", NULL, "404 Not Found", "HTTP/x: 200\r\n", "{}"},
    {"proxy/ftp", NULL, "307 Away", "Location: ftp://127.0.0.1/x\r\n", ""},
    {"proxy/out", NULL, "307 Away", "Location: /key\r\n", ""},
    {"proxy/climb", NULL, "307 Away", "Location: /proxy/..%2fkey\r\n", ""},
    {"proxy/climb2", NULL, "307 Away", "Location: /proxy/x/%2E%2e/%2e./key\r\n", ""},
    {"proxy/within", NULL, "307 Away", "Location: /proxy/a%2Fb...c/key?next=%2F..%2f\r\n",
        ""},
    {"proxy/gated", gated, NULL, NULL, NULL},
    {"proxy/pieces", pieces, NULL, NULL, NULL},
    {"proxy/drip", drip, NULL, NULL, NULL},
    {"proxy/zipped", zipped, NULL, NULL, NULL},
    {"proxy/endless", endless_redirect, NULL, NULL, NULL},
    {"proxy/stuck", slow_redirect, NULL, NULL, NULL},
    {"proxy/flood", flood, NULL, NULL, NULL},
    {"proxy/hints", early_hints, NULL, NULL, NULL},
    {"proxy/hop", hop, NULL, NULL, NULL},
    {"proxy/silent", silent, NULL, NULL, NULL},
    {"action/array", array, NULL, NULL, NULL},
    {"providers/silent", silent, NULL, NULL, NULL},
    {"providers/bom", NULL, "200 OK", "", "\xef\xbb\xbf{\"data\":{\"name\":\"x\"}}"},
    {"providers/later", NULL, "429 Too Many", "Retry-After: 7 \r\n", "{}"},
    {"connections", NULL, "307 Away", "Location: /elsewhere\r\n", ""},
    {"elsewhere", NULL, "200 OK", "", "{\"connections\":[]}"},
};

static bool act(struct talk *talk)
{
    size_t len = strcspn(talk->path, "?");

    for (size_t i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++) {
        if (strlen(behaviours[i].path) != len ||
            strncmp(talk->path, behaviours[i].path, len) != 0)
            continue;
        if (behaviours[i].act != NULL)
            return behaviours[i].act(talk);
        return answer(talk, behaviours[i].status, behaviours[i].head, behaviours[i].body);
    }
    return key(talk);
}

static void *serve(void *arg)
{
    struct talk *talk = calloc(1, sizeof *talk);
    int fd = (int)(long)arg;

    if (talk != NULL) {
        talk->fd = fd;
        while (read_request(talk) && act(talk))
            ;
    }
    free(talk);
    close(fd);
    return NULL;
}

static void *accept_all(void *arg)
{
    int listener = (int)(long)arg, fd, on = 1;
    pthread_attr_t detached;
    pthread_t thread;

    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (pthread_create(&thread, &detached, serve, (void *)(long)fd) != 0)
            close(fd);
    }
    return NULL;
}

bool rough_start(char *host, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    pthread_t thread;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 128) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return false;
    snprintf(host, size, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return pthread_create(&thread, NULL, accept_all, (void *)(long)fd) == 0;
}
