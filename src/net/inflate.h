/* SPDX-License-Identifier: Apache-2.0 */
/* Undoing Content-Encoding in constant memory: gzip, deflate (with and without the zlib
 * head) and br, one coding. libcurl can do it too, but decodes all that it holds even
 * while its receiver wants to wait: a small answer then takes up any amount of memory. */
#ifndef NET_INFLATE_H
#define NET_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

struct inflater;

/* NULL when `coding` (the field's value) is not one that can be undone here. */
struct inflater *inflater_new(const char *coding);
void inflater_free(struct inflater *inflater); /* wipes; accepts NULL */

enum inflate_result {
    INFLATE_ON,    /* all of the input was used */
    INFLATE_WAIT,  /* `put` wants to wait: call again with the same input */
    INFLATE_BROKEN /* it is not what the coding says */
};
/* Decodes input and hands it to `put` in pieces. After INFLATE_WAIT the next call gets the
 * same bytes from their beginning, more may follow them; what was used of them is
 * remembered here, and the piece that was refused is offered again. */
enum inflate_result inflater_feed(struct inflater *inflater, const char *data, size_t len,
    bool (*put)(void *arg, const char *data, size_t len), void *arg);
/* Did the input end where the coding says that it ends? Nothing at all is an empty body. */
bool inflater_is_whole(const struct inflater *inflater);

#endif
