/* SPDX-License-Identifier: Apache-2.0 */
/* Where outbound calls may go (contract proxy.md section 9): schemes, host lists, address
 * ranges. The host is judged before a call, each address at the moment a socket is opened
 * to it, so that what was judged is what is connected to. */
#ifndef NET_POLICY_H
#define NET_POLICY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/err.h"

enum policy_mode {
    POLICY_DENYLIST,
    POLICY_ALLOWLIST,
    POLICY_PERMISSIVE,
};

struct policy {
    enum policy_mode mode;
    char **denylist; /* hosts: lower case, no brackets, no trailing dot */
    size_t deny_count;
    char **allowlist;
    size_t allow_count;
    bool block_private;    /* 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7, … */
    bool block_link_local; /* 169.254/16, fe80::/10 */
    bool block_loopback;   /* 127/8, ::1, 0/8, :: */
    int max_redirects;
    struct sockaddr_in
        exempt; /* one address and port that is always open; port 0 = none */
};

/* The default policy. `allow_private` opens loopback, private and link-local ranges and
 * empties the denylist (setting outbound.allow_private). */
void policy_init(struct policy *policy, bool allow_private);
void policy_finish(struct policy *policy);
void policy_copy(struct policy *out, const struct policy *from);
bool policy_equal(const struct policy *a, const struct policy *b);
/* Upstream's variables: NANGO_OUTBOUND_URL_POLICY (JSON object laid over `policy`) and
 * NANGO_PROXY_BASE_URL_OVERRIDE_DENYLIST (unset: NULL; "" or []: none; JSON list:
 * merged). */
bool policy_apply_json(struct policy *policy, const char *json, struct err *err);
bool policy_apply_denylist(struct policy *policy, const char *value, struct err *err);

/* Judges scheme, host name, and the address when the host is a literal in any spelling.
 * False: *err has status 400, code `base_url_override_not_allowed`. */
bool policy_check_url(const struct policy *policy, const char *url, struct err *err);
bool policy_check_address(const struct policy *policy, const struct sockaddr *address);

#endif
