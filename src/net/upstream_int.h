/* SPDX-License-Identifier: Apache-2.0 */
/* What the two forms of outbound call share: turning a request into libcurl options,
 * collecting the answer's head, and naming failures. */
#ifndef NET_UPSTREAM_INT_H
#define NET_UPSTREAM_INT_H

#include <curl/curl.h>

#include "net/upstream.h"

/* The answer's head as it comes, line by line; interim answers (1xx) are forgotten. One
 * block of text and one array, kept for the next answer: a proxied call copies every
 * field once. */
struct up_head {
    struct buf text;             /* name NUL value NUL, ... */
    struct http_headers headers; /* filled when complete; its items point into `text` */
    size_t count;
    int status;
    bool complete;
    bool refused; /* no answer that can be passed on: the call fails */
};
struct inflater;
void up_head_init(struct up_head *head);
void up_head_finish(struct up_head *head);
/* Forgets the answer, wiped; keeps the storage unless it is large. */
void up_head_reset(struct up_head *head);
/* One header line as libcurl hands it over. True when the head has just become complete.
 */
bool up_head_line(struct up_head *head, const char *line, size_t len);
/* The body can be inflated: what describes the bytes on the wire goes. NULL when it is not
 * coded, or in no way that we know: then the fields stay. */
struct inflater *up_head_inflate(struct up_head *head);

/* What a socket callback needs to know; also says afterwards whether it refused an
 * address. */
struct up_guard {
    const struct policy *policy; /* NULL = none */
    bool denied;
};

/* Whose connections these are. libcurl hands an open connection to any call for the same
 * host; one that was judged by another policy must not be among them. */
struct up_owner {
    bool known;
    bool judged; /* false: the owner's calls have no policy */
    struct policy policy;
};
/* True when a call under `policy` may use the owner's connections; the first call becomes
 * the owner. */
bool up_owner_admits(struct up_owner *owner, const struct policy *policy);
void up_owner_finish(struct up_owner *owner);

/* libcurl's CURLOPT_OPENSOCKETFUNCTION with a guard as its argument: judges the address at
 * the moment of connecting, so that what is judged is what is used. */
curl_socket_t up_open_socket(
    void *guard, curlsocktype purpose, struct curl_sockaddr *address);
/* Once on a reactor's thread: what is received there is the providers' data. */
void up_spare_receive_buffers(void);
/* Options that never change for a handle's life. */
void up_setup_handle(CURL *easy, const char *ca_file, int64_t connect_timeout_ms);
/* False when a method or a field cannot be sent as it is (a line break in a value would
 * forge further fields). */
bool up_request_is_sound(const struct up_request *request);
/* Options of one request; sets each one that up_setup_request() of another may have set.
 * `shared`: the connection may be one that was left open, and may be left open itself.
 * The list stays the caller's until the call ended: up_free_list(). */
struct curl_slist *up_setup_request(
    CURL *easy, const struct up_request *request, struct up_guard *guard, bool shared);
void up_free_list(struct curl_slist *list); /* wipes */
enum up_failure up_failure_of(CURL *easy, CURLcode code, const struct up_guard *guard);
/* Text for people, without URL or secrets. */
const char *up_failure_text(enum up_failure failure);

/* Bodies of bytes above this go by the read callback (UP_BODY_BYTES as well), so that
 * their progress is seen; smaller ones leave with the head. */
#define UP_POST_AT_ONCE ((int64_t)64 * 1024)

#endif
