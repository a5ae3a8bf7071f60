/* SPDX-License-Identifier: Apache-2.0 */
/* The built pages of web/, embedded when the program was built (web/embed.mjs). */
#ifndef API_WEB_FILES_H
#define API_WEB_FILES_H

#include <stddef.h>

struct web_bytes {
    const unsigned char *data;
    size_t len;
};

struct web_file {
    const char *name; /* without folders; all but index.html hold a hash of their text */
    const char *type;
    struct web_bytes plain, gzip, brotli;
};
extern const struct web_file web_files[];
extern const size_t web_file_count;

#endif
