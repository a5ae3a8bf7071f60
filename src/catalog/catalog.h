/* SPDX-License-Identifier: Apache-2.0 */
/* The provider catalogue (contract providers.md): loaded from the files embedded in the
 * program, from a file that replaces them, and from the operator's overlay directory;
 * aliases resolved.
 *
 * A loaded catalogue never changes and is counted; a reload makes a new one and swaps it
 * in, so whoever holds the old one keeps it until done. */
#ifndef CATALOG_CATALOG_H
#define CATALOG_CATALOG_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"

enum auth_mode {
    AUTH_UNKNOWN,
    AUTH_OAUTH2,
    AUTH_OAUTH1,
    AUTH_API_KEY,
    AUTH_BASIC,
    AUTH_NONE,
    AUTH_OAUTH2_CC,
    AUTH_TWO_STEP,
    AUTH_JWT,
    AUTH_TBA,
    AUTH_APP,
    AUTH_APP_STORE,
    AUTH_CUSTOM,
    AUTH_BILL,
    AUTH_SIGNATURE,
    AUTH_AWS_SIGV4,
    AUTH_INSTALL_PLUGIN,
    AUTH_MCP_OAUTH2,
    AUTH_MCP_OAUTH2_GENERIC,
    AUTH_TABLEAU,
};
const char *auth_mode_name(enum auth_mode mode); /* "OAUTH2", … */
enum auth_mode auth_mode_parse(const char *name);

struct provider {
    const char *name;
    const cJSON *entry; /* the resolved entry, as the API shows it */
    enum auth_mode mode;
    const char *display_name;
    const char *base_url;             /* proxy.base_url, or NULL */
    int64_t expiry_margin_ms;         /* token_expiration_buffer, or 15 minutes */
    const char *origin;               /* the file it came from, without directories */
    const struct provider_plan *plan; /* catalog/plan.h */
};

struct catalog;

struct catalog_source {
    const char *file;        /* one catalogue file in place of the embedded ones; NULL */
    const char *overlay_dir; /* every *.yaml in it is laid over, by name; NULL */
    const char *const
        *overlay_files;     /* further files, over those; NULL-terminated; NULL */
    const char *extra_yaml; /* further entries as text, over all; NULL */
    const struct log *log;  /* unknown keys are warned about here */
};
struct faults; /* catalog/fault.h */
/* As catalog_load(), with every fault found. */
bool catalog_load_checked(
    const struct catalog_source *source, struct catalog **out, struct faults *faults);
/* Refuses the whole on any fault: the message begins with FILE:LINE. */
bool catalog_load(
    const struct catalog_source *source, struct catalog **out, struct err *err);
void catalog_ref(struct catalog *catalog);
void catalog_unref(struct catalog *catalog); /* accepts NULL */

const struct provider *catalog_find(const struct catalog *catalog, const char *name);
size_t catalog_count(const struct catalog *catalog);
const struct provider *catalog_at(const struct catalog *catalog, size_t i); /* by name */
/* `{name: entry}` text for GET /providers.json, made once. */
const char *catalog_json(const struct catalog *catalog, size_t *len);

/* The one that is in force; swapped by a reload. Any thread. */
struct catalog_holder;
struct catalog_holder *catalog_holder_new(
    struct catalog *first); /* takes the reference */
void catalog_holder_free(struct catalog_holder *holder);
struct catalog *catalog_acquire(
    struct catalog_holder *holder); /* catalog_unref() when done */
void catalog_replace(struct catalog_holder *holder, struct catalog *next); /* takes it */

#endif
