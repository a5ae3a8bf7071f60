/* SPDX-License-Identifier: Apache-2.0 */
/* What redirects need to know of URLs. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "net/upstream.h"

char *up_resolve_url(const char *base, const char *location)
{
    CURLU *url = curl_url();
    char *text = NULL, *out = NULL;

    if (location[0] == '#') { /* the same document; libcurl would cut the path */
        curl_url_cleanup(url);
        return str_ndup(base, strcspn(base, "#"));
    }
    if (url != NULL &&
        curl_url_set(url, CURLUPART_URL, base, CURLU_PATH_AS_IS) == CURLUE_OK &&
        curl_url_set(url, CURLUPART_URL, location, CURLU_PATH_AS_IS | CURLU_URLENCODE) ==
            CURLUE_OK &&
        curl_url_get(url, CURLUPART_URL, &text, CURLU_PATH_AS_IS) == CURLUE_OK)
        out = str_dup(text);
    curl_free(text);
    curl_url_cleanup(url);
    return out;
}

/* `port` is NULL when it is the scheme's own. */
static bool take_apart(const char *text, char **scheme, char **host, char **port)
{
    CURLU *url = curl_url();
    bool ok = url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
              curl_url_get(url, CURLUPART_SCHEME, scheme, 0) == CURLUE_OK &&
              curl_url_get(url, CURLUPART_HOST, host, 0) == CURLUE_OK;

    if (ok)
        curl_url_get(url, CURLUPART_PORT, port, CURLU_NO_DEFAULT_PORT);
    curl_url_cleanup(url);
    return ok;
}

bool up_same_site(const char *from, const char *to)
{
    char *from_scheme = NULL, *from_host = NULL, *from_port = NULL;
    char *to_scheme = NULL, *to_host = NULL, *to_port = NULL;
    bool same = false;

    if (take_apart(from, &from_scheme, &from_host, &from_port) &&
        take_apart(to, &to_scheme, &to_host, &to_port)) {
        size_t from_len = strlen(from_host), to_len = strlen(to_host);

        same = str_eq_nocase(from_host, to_host) ||
               (to_len > from_len && to_host[to_len - from_len - 1] == '.' &&
                   str_eq_nocase(to_host + to_len - from_len, from_host));
        if (!str_eq(from_port, to_port)) /* another service of that host */
            same = false;
        if (str_eq_nocase(from_scheme, "https") && !str_eq_nocase(to_scheme, "https"))
            same = false;
    }
    curl_free(from_scheme);
    curl_free(from_host);
    curl_free(from_port);
    curl_free(to_scheme);
    curl_free(to_host);
    curl_free(to_port);
    return same;
}
