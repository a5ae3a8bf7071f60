/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects. They are followed here and not by libcurl, which would hand every header to
 * whatever host the answer names: beyond the server's own origin go only those that say
 * nothing of anyone. */
#include <string.h>
#include <strings.h>

#include "sdk/client_int.h"

/* As many as the official client's HTTP library follows. */
#define MAX_REDIRECTS 21

bool ngo_is_redirect(const nango_call *call)
{
    int status = call->response->status;

    return (status == 301 || status == 302 || status == 303 || status == 307 ||
               status == 308) &&
           nango_response_header(call->response, "Location") != NULL;
}

bool ngo_may_leave(const char *name)
{
    return strcasecmp(name, "Accept") == 0 || strcasecmp(name, "User-Agent") == 0 ||
           strcasecmp(name, "Content-Type") == 0;
}

/* The part of an origin between scheme and port. */
static bool same_host(const char *a, const char *b)
{
    const char *a_host = strstr(a, "://"), *b_host = strstr(b, "://");
    const char *a_end = strrchr(a, ':'), *b_end = strrchr(b, ':');

    return a_end - a_host == b_end - b_host &&
           strncmp(a_host, b_host, (size_t)(a_end - a_host)) == 0;
}

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

/* Whether there is a step upwards in a path, as any server on the way may read it. */
static bool has_step(const char *path, size_t len)
{
    size_t dots = 0, others = 0;

    for (size_t i = 0; i < len; i++) {
        size_t left = len - i;

        if (path[i] == '/' || path[i] == '\\' ||
            (left >= 3 && (strncasecmp(path + i, "%2f", 3) == 0 ||
                              strncasecmp(path + i, "%5c", 3) == 0))) {
            if (dots == 2 && others == 0)
                return true;
            dots = others = 0;
            i += path[i] == '%' ? 2 : 0;
        } else if (path[i] == '.' ||
                   (left >= 3 && strncasecmp(path + i, "%2e", 3) == 0)) {
            dots++;
            i += path[i] == '%' ? 2 : 0;
        } else {
            others++;
        }
    }
    return dots == 2 && others == 0;
}

/* What comes through the proxy is a provider's word, and must not lead the key to another of
 * the server's routes. */
static bool is_allowed(const nango_call *call)
{
    const char *path = path_below(call->client, call->url.data);

    if (!call->proxied)
        return true;
    return path != NULL && strncmp(path, "/proxy/", 7) == 0 &&
           !has_step(path, strcspn(path, "?"));
}

bool ngo_is_home(nango_call *call, bool *memory)
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

bool ngo_follow(nango_call *call)
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
               !ngo_transfer_rewind(call)) {
        ngo_call_fail(call, NANGO_E_NETWORK,
            "the server redirects, and the request's body cannot be read again");
        return false;
    }
    ngo_response_clear(call->response);
    return true;
}
