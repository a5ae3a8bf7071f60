/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of nangod: one table declares them all (settings.c); the file, the
 * environment and the flags are read against it, and the help, the sample file and
 * docs/settings.md are made from it.
 *
 * Later wins: default, file (`name = value` lines, # comments), environment, flags. */
#ifndef NANGOD_SETTINGS_H
#define NANGOD_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct settings {
    char *data_dir;
    char *listen;
    char *admin_listen;
    char *public_url;
    char *connect_ui_url;
    char *log_level;
    char *log_format;
    int64_t http_threads;
    int64_t http_workers;
    int64_t http_body_limit;
    int64_t http_body_memory;
    int64_t http_head_limit;
    int64_t http_idle_timeout_s;
    int64_t http_min_body_rate;
    int64_t http_body_grace_s;
    int64_t http_max_connections;
    int64_t http_drain_timeout_s;
    char *vault_key; /* secret */
    char *vault_key_file;
    char *catalog_file;
    char *catalog_overlay_dir;
    bool outbound_allow_private;
    char *outbound_policy;
    char *outbound_policy_oauth;
    char *outbound_denylist; /* NULL = unset: "" has a meaning */
    char *outbound_ca_file;
    int64_t outbound_connect_timeout_ms;
    int64_t outbound_idle_timeout_ms;
    int64_t outbound_max_connections;
    int64_t outbound_threads;
    bool proxy_base_url_override;
    int64_t proxy_max_buffered_body;
    int64_t proxy_max_body;
    int64_t proxy_backoff_base_ms;
    char *proxy_network_errors;
    int64_t proxy_refetch_after_ms;
    bool oauth_require_cookie;
    int64_t refresh_token_timeout_ms;
    int64_t refresh_background_period_s;
    int64_t refresh_idle_hours;
    int64_t store_cache_entries;
    char *store_check_at_start;
    int64_t store_deleted_retention_days;
    char *scripts_runner;
    int64_t scripts_max_runners;
    int64_t scripts_spare_runners;
    int64_t scripts_runs_per_runner;
    int64_t scripts_memory_mb;
    int64_t scripts_cpu_s;
    int64_t scripts_load_timeout_s;
    char *scripts_esbuild;
    int64_t scripts_code_limit;
    int64_t scripts_compile_timeout_s;
    int64_t scripts_compile_memory_mb;
    int64_t scripts_max_builds;
    int64_t scripts_dryrun_timeout_s;
    int64_t scripts_action_timeout_s;
    int64_t scripts_action_start_s;
    int64_t scripts_event_timeout_s;
    int64_t scripts_input_limit;
    int64_t scripts_output_limit;
    bool scripts_validate;
    int64_t scripts_log_limit;
    int64_t scripts_retry_ms;
    int64_t scripts_async_retention_h;
    int64_t syncs_timeout_s;
    int64_t syncs_at_once;
    int64_t syncs_retries;
    int64_t records_max_bytes;
    int64_t records_prune_after_days;
    bool records_seal;
    char *webhooks_retry_waits;
    int64_t proxy_max_hold_s;
    int64_t webhooks_timeout_s;
    int64_t webhooks_max_body;
    int64_t webhooks_ingress_per_minute;
    bool webhooks_ingress_enforce;
    int64_t webhooks_at_once;
    int64_t webhooks_per_url;
    int64_t webhooks_retention_days;
    int64_t webhooks_dead_retention_days;
    bool logs_enabled;
    char *logs_level;
    int64_t logs_retention_days;
    int64_t logs_max_size;
    int64_t logs_queue_size;
    char *clock_offset_file;
    char **sources; /* where each value came from, in the order of the table */
};

/* What the command line says besides the command's own words. */
struct settings_flags {
    const char *config; /* --config FILE; NULL */
    char *
        *sets; /* key=value texts, in order; --data and --listen are turned into these */
    int count;
};

/* False: *err names the source (FILE:LINE, the variable, the flag), the setting, and what
 * is accepted. The caller finishes *out in either case. */
bool settings_load(
    struct settings *out, const struct settings_flags *flags, struct err *err);
void settings_finish(struct settings *settings); /* wipes the secret ones */

/* Once the secrets were used: wipes them here and in the environment, for the rest of the
 * process's life. A digest stays in their place, for settings_changed(). */
void settings_forget_secrets(struct settings *settings);
bool settings_is_forgotten(const char *secret); /* it is such a digest */

/* Names of settings that differ and need a restart to take effect, comma-separated; ""
 * when none. The caller frees. */
char *settings_changed(const struct settings *before, const struct settings *now);

/* FILE:LINE, a variable, the command line, or the default. */
const char *settings_source(const struct settings *settings, const char *name);

void settings_write_sample(FILE *to);
void settings_write_markdown(FILE *to);

#endif
