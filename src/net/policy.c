/* SPDX-License-Identifier: Apache-2.0 */
/* Where outbound calls may go: hosts by name, addresses by range.
 *
 * A host that is an address in disguise (decimal, octal or hex IPv4, brackets, trailing
 * dots) is read the way the resolver reads it, with inet_aton()'s rules, and judged as
 * the address. An IPv6 address that carries an IPv4 one (mapped, compatible, NAT64, 6to4)
 * is judged as both. */
#include "net/policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static const char *const default_denied[] = {
    "169.254.169.254",
    "metadata.google.internal",
    "localhost",
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
};

/* Lower case, without brackets and trailing dots. */
static char *normal_host(const char *host, size_t len)
{
    char *text;

    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    while (len > 0 && host[len - 1] == '.')
        len--;
    text = str_ndup(host, len);
    str_lower(text);
    return text;
}

static void list_add(char ***list, size_t *count, const char *host)
{
    *list = mem_resize_array(*list, *count + 1, sizeof **list);
    (*list)[(*count)++] = normal_host(host, strlen(host));
}

static void list_clear(char ***list, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        free((*list)[i]);
    free(*list);
    *list = NULL;
    *count = 0;
}

void policy_init(struct policy *policy, bool allow_private)
{
    memset(policy, 0, sizeof *policy);
    policy->mode = allow_private ? POLICY_PERMISSIVE : POLICY_DENYLIST;
    policy->block_private = policy->block_link_local = policy->block_loopback =
        !allow_private;
    policy->max_redirects = 5;
    for (size_t i = 0;
         !allow_private && i < sizeof default_denied / sizeof *default_denied; i++)
        list_add(&policy->denylist, &policy->deny_count, default_denied[i]);
}

void policy_finish(struct policy *policy)
{
    list_clear(&policy->denylist, &policy->deny_count);
    list_clear(&policy->allowlist, &policy->allow_count);
}

void policy_copy(struct policy *out, const struct policy *from)
{
    *out = *from;
    out->denylist = out->allowlist = NULL;
    out->deny_count = out->allow_count = 0;
    for (size_t i = 0; i < from->deny_count; i++)
        list_add(&out->denylist, &out->deny_count, from->denylist[i]);
    for (size_t i = 0; i < from->allow_count; i++)
        list_add(&out->allowlist, &out->allow_count, from->allowlist[i]);
}

static bool lists_equal(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++) {
        if (strcmp(a[i], b[i]) != 0)
            return false;
    }
    return true;
}

bool policy_equal(const struct policy *a, const struct policy *b)
{
    return a->mode == b->mode && a->block_private == b->block_private &&
           a->block_link_local == b->block_link_local &&
           a->block_loopback == b->block_loopback &&
           a->max_redirects == b->max_redirects &&
           a->exempt.sin_port == b->exempt.sin_port &&
           a->exempt.sin_addr.s_addr == b->exempt.sin_addr.s_addr &&
           lists_equal(a->denylist, a->deny_count, b->denylist, b->deny_count) &&
           lists_equal(a->allowlist, a->allow_count, b->allowlist, b->allow_count);
}

/* ---- upstream's variables ---- */

static bool read_hosts(
    const cJSON *value, const char *name, char ***list, size_t *count, struct err *err)
{
    const cJSON *item;

    if (!cJSON_IsArray(value))
        return err_set(
            err, 0, "invalid_setting", "%s must be a list of host names", name);
    cJSON_ArrayForEach(item, value)
    {
        if (!cJSON_IsString(item) || *item->valuestring == '\0')
            return err_set(
                err, 0, "invalid_setting", "%s must be a list of host names", name);
        list_add(list, count, item->valuestring);
    }
    return true;
}

static bool read_flag(const cJSON *item, bool *out, struct err *err)
{
    if (!cJSON_IsBool(item))
        return err_set(
            err, 0, "invalid_setting", "%s must be true or false", item->string);
    *out = cJSON_IsTrue(item);
    return true;
}

static bool read_mode(struct policy *policy, const cJSON *item, struct err *err)
{
    static const char *const names[] = {"denylist", "allowlist", "permissive"};

    for (size_t i = 0; cJSON_IsString(item) && i < sizeof names / sizeof names[0]; i++) {
        if (str_eq(item->valuestring, names[i])) {
            if (i == POLICY_PERMISSIVE)
                policy->block_loopback = false;
            else if (policy->mode == POLICY_PERMISSIVE) /* an overlay takes that back */
                policy->block_loopback = true;
            policy->mode = (enum policy_mode)i;
            return true;
        }
    }
    return err_set(
        err, 0, "invalid_setting", "mode: accepted are denylist, allowlist, permissive");
}

static bool read_member(struct policy *policy, const cJSON *item, struct err *err)
{
    const char *key = item->string;

    if (str_eq(key, "mode"))
        return read_mode(policy, item, err);
    if (str_eq(key, "denylist")) {
        list_clear(&policy->denylist, &policy->deny_count);
        return read_hosts(item, key, &policy->denylist, &policy->deny_count, err);
    }
    if (str_eq(key, "allowlist")) {
        list_clear(&policy->allowlist, &policy->allow_count);
        return read_hosts(item, key, &policy->allowlist, &policy->allow_count, err);
    }
    if (str_eq(key, "blockPrivateIps"))
        return read_flag(item, &policy->block_private, err);
    if (str_eq(key, "blockLinkLocal"))
        return read_flag(item, &policy->block_link_local, err);
    if (str_eq(key, "maxRedirects")) {
        if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > 50)
            return err_set(err, 0, "invalid_setting", "maxRedirects must be 0 to 50");
        policy->max_redirects = item->valueint;
        return true;
    }
    return err_set(err, 0, "invalid_setting",
        "unknown member `%.60s`; accepted: mode, denylist, allowlist, blockPrivateIps, "
        "blockLinkLocal, maxRedirects",
        key);
}

bool policy_apply_json(struct policy *policy, const char *json, struct err *err)
{
    cJSON *object = json_parse(json, strlen(json), err);
    const cJSON *item;
    bool ok = true;

    if (object == NULL) {
        err->status = 0;
        str_copy(err->code, sizeof err->code, "invalid_setting");
        return false;
    }
    if (!cJSON_IsObject(object))
        ok = err_set(
            err, 0, "invalid_setting", "the outbound policy must be a JSON object");
    if (ok) {
        cJSON_ArrayForEach(item, object)
        {
            ok = read_member(policy, item, err);
            if (!ok)
                break;
        }
    }
    cJSON_Delete(object);
    return ok;
}

bool policy_apply_denylist(struct policy *policy, const char *value, struct err *err)
{
    cJSON *list;
    bool ok;

    if (value == NULL)
        return true;
    if (*value == '\0') {
        list_clear(&policy->denylist, &policy->deny_count);
        policy->block_loopback = false;
        return true;
    }
    list = json_parse(value, strlen(value), err);
    if (list == NULL || !cJSON_IsArray(list)) {
        cJSON_Delete(list);
        return err_set(
            err, 0, "invalid_setting", "the denylist must be a JSON list of hosts");
    }
    if (cJSON_GetArraySize(list) == 0) {
        list_clear(&policy->denylist, &policy->deny_count);
        policy->block_loopback = false;
    }
    ok = read_hosts(list, "the denylist", &policy->denylist, &policy->deny_count, err);
    cJSON_Delete(list);
    return ok;
}

/* ---- addresses ---- */

struct range {
    uint32_t base, mask;
    enum {
        LOOPBACK,
        PRIVATE,
        LINK_LOCAL
    } kind;
};

static const struct range v4_ranges[] = {
    {0x00000000, 0xff000000, LOOPBACK},   /* 0/8: this host */
    {0x7f000000, 0xff000000, LOOPBACK},   /* 127/8 */
    {0x0a000000, 0xff000000, PRIVATE},    /* 10/8 */
    {0xac100000, 0xfff00000, PRIVATE},    /* 172.16/12 */
    {0xc0a80000, 0xffff0000, PRIVATE},    /* 192.168/16 */
    {0x64400000, 0xffc00000, PRIVATE},    /* 100.64/10: carrier-grade NAT */
    {0xa9fe0000, 0xffff0000, LINK_LOCAL}, /* 169.254/16 */
};

static bool blocks(const struct policy *policy, int kind)
{
    return (kind == LOOPBACK && policy->block_loopback) ||
           (kind == PRIVATE && policy->block_private) ||
           (kind == LINK_LOCAL && policy->block_link_local);
}

static bool listed(char *const *list, size_t count, const char *host)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], host) == 0)
            return true;
    }
    return false;
}

static bool v4_passes(const struct policy *policy, uint32_t address)
{
    struct in_addr in = {.s_addr = htonl(address)};
    char text[INET_ADDRSTRLEN];

    for (size_t i = 0; i < sizeof v4_ranges / sizeof v4_ranges[0]; i++) {
        if ((address & v4_ranges[i].mask) == v4_ranges[i].base &&
            blocks(policy, (int)v4_ranges[i].kind))
            return false;
    }
    inet_ntop(AF_INET, &in, text, sizeof text);
    return !listed(policy->denylist, policy->deny_count, text);
}

static uint32_t v4_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
           bytes[3];
}

/* The IPv4 address that an IPv6 one carries. */
static bool embedded_v4(const uint8_t b[16], uint32_t *out)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t zero[12] = {0};

    if (memcmp(b, mapped, 12) == 0 || memcmp(b, nat64, 12) == 0 ||
        memcmp(b, zero, 12) == 0)
        *out = v4_at(b + 12);
    else if (b[0] == 0x20 && b[1] == 0x02) /* 6to4 */
        *out = v4_at(b + 2);
    else
        return false;
    return true;
}

static bool v6_passes(const struct policy *policy, const struct in6_addr *address)
{
    static const uint8_t nat64_local[6] = {0, 0x64, 0xff, 0x9b, 0, 1};
    static const uint8_t teredo[4] = {0x20, 0x01, 0, 0};
    const uint8_t *b = address->s6_addr;
    char text[INET6_ADDRSTRLEN];
    uint32_t v4;

    inet_ntop(AF_INET6, address, text, sizeof text);
    if (listed(policy->denylist, policy->deny_count, text))
        return false;
    if (IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_UNSPECIFIED(address))
        return !policy->block_loopback;
    if ((b[0] & 0xfe) == 0xfc || memcmp(b, teredo, 4) == 0 ||
        memcmp(b, nat64_local, 6) == 0)
        return !policy->block_private;
    if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
        return !policy->block_link_local;
    return !embedded_v4(b, &v4) || v4_passes(policy, v4);
}

static bool is_exempt(const struct policy *policy, const struct sockaddr_in *address)
{
    return policy->exempt.sin_port != 0 && address->sin_port == policy->exempt.sin_port &&
           address->sin_addr.s_addr == policy->exempt.sin_addr.s_addr;
}

/* The exempt address as it stands in a URL: its dotted form and its port. */
static bool url_is_exempt(const struct policy *policy, const char *url)
{
    char text[INET_ADDRSTRLEN], wanted[64];
    size_t len;

    if (policy->exempt.sin_port == 0)
        return false;
    inet_ntop(AF_INET, &policy->exempt.sin_addr, text, sizeof text);
    snprintf(wanted, sizeof wanted, "http://%s:%d", text, ntohs(policy->exempt.sin_port));
    len = strlen(wanted);
    return strncmp(url, wanted, len) == 0 &&
           (url[len] == '\0' || strchr("/?#", url[len]));
}

bool policy_check_address(const struct policy *policy, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four =
            (const struct sockaddr_in *)(const void *)address;

        return is_exempt(policy, four) || v4_passes(policy, ntohl(four->sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six =
            (const struct sockaddr_in6 *)(const void *)address;

        return v6_passes(policy, &six->sin6_addr);
    }
    return false; /* nothing else is dialled */
}

/* A host that reads as an address is judged as one; a name passes here. */
static bool literal_passes(const struct policy *policy, const char *host)
{
    struct in6_addr six;
    struct in_addr four;

    if (inet_pton(AF_INET6, host, &six) == 1)
        return v6_passes(policy, &six);
    if (inet_aton(host, &four) == 1)
        return v4_passes(policy, ntohl(four.s_addr));
    return true;
}

static bool in_allowlist(const struct policy *policy, const char *host)
{
    size_t len = strlen(host);

    for (size_t i = 0; i < policy->allow_count; i++) {
        size_t n = strlen(policy->allowlist[i]);

        if (len >= n && strcmp(host + len - n, policy->allowlist[i]) == 0 &&
            (len == n || host[len - n - 1] == '.'))
            return true;
    }
    return false;
}

/* What two readers of URLs could read in two ways, and so judge one host and call
 * another: a backslash, a second `@`, percent-encoding or other alphabets in the host
 * (which some fold to ASCII), control characters. */
static bool is_plain_authority(const char *from, size_t len)
{
    size_t ats = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)from[i];

        if (c <= 0x20 || c >= 0x7f || c == '\\')
            return false;
        if (c == '@')
            ats++;
        if (c == '%' && memchr(from + i, '@', len - i) == NULL)
            return false;
    }
    return ats <= 1;
}

/* The host between `//` (and user info) and the port; NULL when there is none, or when it
 * is not plain. */
static char *host_of(const char *url)
{
    const char *from = strstr(url, "://");
    const char *at;
    size_t len, host_len;

    if (from == NULL)
        return NULL;
    from += 3;
    len = strcspn(from, "/?#");
    if (!is_plain_authority(from, len))
        return NULL;
    at = memchr(from, '@', len);
    if (at != NULL) {
        len -= (size_t)(at + 1 - from);
        from = at + 1;
    }
    if (*from == '[') {
        const char *close = memchr(from, ']', len);

        if (close == NULL)
            return NULL;
        host_len = (size_t)(close - from) + 1;
    } else {
        const char *colon = memchr(from, ':', len);

        host_len = colon != NULL ? (size_t)(colon - from) : len;
    }
    return host_len > 0 ? normal_host(from, host_len) : NULL;
}

bool policy_check_url(const struct policy *policy, const char *url, struct err *err)
{
    const char *refusal = NULL;
    char *host = NULL;

    if (url_is_exempt(policy, url))
        return true;
    if (!str_starts_nocase(url, "http://") && !str_starts_nocase(url, "https://"))
        refusal = "the scheme is neither http nor https";
    else if ((host = host_of(url)) == NULL)
        refusal = "it has no host, or not a plain one";
    else if (policy->mode == POLICY_ALLOWLIST && !in_allowlist(policy, host))
        refusal = "the host is not in the allowlist";
    else if (listed(policy->denylist, policy->deny_count, host))
        refusal = "the host is in the denylist";
    else if (!literal_passes(policy, host))
        refusal = "the address is in a blocked range";
    free(host);
    return refusal == NULL || err_set(err, 400, "base_url_override_not_allowed",
                                  "The outbound URL is not allowed: %s", refusal);
}
