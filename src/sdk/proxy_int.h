/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of a proxied request. */
#ifndef SDK_PROXY_INT_H
#define SDK_PROXY_INT_H

#include "sdk/sdk_int.h"

/* The address: the endpoint below /proxy, with the config's params put in (proxy_url.c). */
void ngo_proxy_url(nango_call *call, const nango_proxy_config *config);
/* The body and its type, which a header of the config's may have named (proxy_body.c). */
void ngo_proxy_body(
    nango_call *call, const nango_proxy_config *config, const char *content_type);

#endif
