/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing what the commands share; the key ring and the first environments
 * are made here when a data directory is new. */
#include "nangod/node.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"
#include "nangod/settings_check.h"

/* The fault lies in what a setting says. */
static bool is_of_setting(
    const struct settings *settings, const char *name, struct err *err)
{
    str_copy(err->code, sizeof err->code, "invalid_setting");
    return err_context(err, "%s: %s", settings_source(settings, name), name);
}

static bool init_log(struct node *node, struct err *err)
{
    const struct settings *s = &node->settings;
    enum log_level level;

    node->log.fd = STDERR_FILENO;
    node->log.clock = &node->clock;
    node->log.text = strcmp(s->log_format, "text") == 0 ||
                     (strcmp(s->log_format, "auto") == 0 && isatty(STDERR_FILENO));
    if (!log_level_parse(s->log_level, &level))
        return err_internal(err, "log.level"); /* the table allows only levels */
    node->log.level = level;
    return s->clock_offset_file == NULL ||
           clock_map_offset(&node->clock, s->clock_offset_file, err) ||
           is_of_setting(s, "clock.offset_file", err);
}

static bool load_kek(
    struct node *node, bool may_create, uint8_t kek[VAULT_KEY_LEN], struct err *err)
{
    struct kek_source source = {
        .key_text = node->settings.vault_key,
        .key_file = node->settings.vault_key_file,
        .data_dir = node->settings.data_dir,
        .may_create = may_create,
        .log = &node->log,
    };

    if (kek_load(&source, kek, err))
        return true;
    if (!str_is_empty(source.key_text))
        is_of_setting(&node->settings, "vault.key", err);
    else if (!str_is_empty(source.key_file))
        is_of_setting(&node->settings, "vault.key_file", err);
    else if (!may_create) /* there are secrets, and their key is not given */
        str_copy(err->code, sizeof err->code, "invalid_setting");
    return false;
}

/* The vault over the data keys as the store keeps them. Also what the store asks before
 * it changes anything. An empty ring is none to open: the first key is made later. */
static bool open_ring(
    void *arg, const struct store_key *keys, size_t count, struct err *err)
{
    struct node *node = arg;
    uint8_t kek[VAULT_KEY_LEN];
    struct vault_ring_entry *ring;
    bool ok;

    if (count == 0)
        return true;
    ring = mem_resize_array(NULL, count, sizeof *ring);
    for (size_t i = 0; i < count; i++) {
        ring[i].number = keys[i].number;
        ring[i].wrapped = keys[i].wrapped.data;
        ring[i].wrapped_len = keys[i].wrapped.len;
    }
    ok = load_kek(node, false, kek, err) &&
         vault_open(kek, ring, count, &node->vault, err);
    mem_wipe(kek, sizeof kek);
    free(ring);
    return ok;
}

static bool open_vault(struct node *node, struct err *err)
{
    struct store_key *keys = NULL;
    size_t count = 0;
    bool ok = store_list_keys(node->store, &keys, &count, err) &&
              open_ring(node, keys, count, err);

    store_keys_free(keys, count);
    return ok &&
           (node->vault != NULL ||
               err_internal(err, "the store has no keys yet: start the server once"));
}

/* The first data key of a new store. */
static bool make_vault(struct node *node, struct err *err)
{
    uint8_t kek[VAULT_KEY_LEN];
    struct buf wrapped;
    bool ok;

    buf_init_secret(&wrapped, 0);
    ok = load_kek(node, true, kek, err) && vault_new_key(kek, 1, &wrapped, err) &&
         store_put_key(node->store, 1, wrapped.data, wrapped.len, err) &&
         open_vault(node, err);
    mem_wipe(kek, sizeof kek);
    buf_finish(&wrapped);
    return ok;
}

static bool seal_key(struct node *node, const char *secret, struct api_key_row *key,
    struct buf *sealed, struct err *err)
{
    char context[CONTEXT_SIZE];

    crypto_sha256(secret, strlen(secret), key->sha256);
    token_context(context, "api_key", key->sha256);
    if (!vault_seal(node->vault, context, secret, strlen(secret), sealed, err))
        return false;
    key->secret.data = (uint8_t *)sealed->data;
    key->secret.len = sealed->len;
    return true;
}

bool node_make_key(struct node *node, int64_t environment_id, const char *name,
    const char *scopes, char secret[UUID_TEXT_SIZE], struct api_key_row **out,
    struct err *err)
{
    struct api_key_row key = {.environment_id = environment_id,
        .display_name = str_dup(name),
        .scopes = str_dup(scopes)};
    struct api_key_row *made = NULL;
    struct buf sealed;
    bool ok;

    buf_init(&sealed, 0);
    crypto_uuid_v4(secret);
    ok = seal_key(node, secret, &key, &sealed, err) &&
         store_insert_api_key(node->store, &key, &made, err);
    if (out != NULL)
        *out = made;
    else
        api_key_row_unref(made);
    free(key.display_name);
    free(key.scopes);
    buf_finish(&sealed);
    return ok;
}

/* The key that an environment begins with. */
static bool make_first_key(struct node *node, int64_t environment_id, struct err *err)
{
    char secret[UUID_TEXT_SIZE];
    bool ok =
        node_make_key(node, environment_id, "default", ALL_SCOPES, secret, NULL, err);

    mem_wipe(secret, sizeof secret);
    return ok;
}

static bool make_environment(struct node *node, const char *name, struct err *err)
{
    struct environment_row *row = NULL;
    struct environment_row wanted = {0};
    bool ok;

    if (!store_find_environment_by_name(node->store, name, &row, err))
        return false;
    if (row != NULL) {
        environment_row_unref(row);
        return true;
    }
    wanted.name = str_dup(name);
    wanted.is_production = strcmp(name, "prod") == 0;
    crypto_uuid_v4(wanted.uuid);
    crypto_uuid_v4(wanted.public_key);
    ok = store_insert_environment(node->store, &wanted, &row, err);
    environment_row_unref(row);
    free(wanted.name);
    return ok;
}

/* The two environments that every installation begins with. `prod` is made last and
 * cannot be deleted: where it is missing, the first start did not get to its end. An
 * environment without any key gets one, for the same reason. */
static bool make_environments(struct node *node, struct err *err)
{
    struct environment_row *prod = NULL;
    struct environment_row **rows = NULL;
    size_t count = 0;
    bool ok = true;

    if (!store_find_environment_by_name(node->store, "prod", &prod, err))
        return false;
    node->first_start = prod == NULL;
    environment_row_unref(prod);
    if (node->first_start &&
        (!make_environment(node, "dev", err) || !make_environment(node, "prod", err)))
        return false;
    if (!store_list_environments(node->store, &rows, &count, err))
        return false;
    for (size_t i = 0; ok && i < count; i++) {
        struct api_key_row **keys = NULL;
        size_t key_count = 0;

        ok = store_list_api_keys(node->store, rows[i]->id, &keys, &key_count, err) &&
             (key_count > 0 || make_first_key(node, rows[i]->id, err));
        store_api_keys_free(keys, key_count);
    }
    store_environments_free(rows, count);
    return ok;
}

bool node_open(struct node *node, const struct settings_flags *flags, enum node_use use,
    struct err *err)
{
    struct store_config config;
    bool ok;

    memset(node, 0, sizeof *node);
    if (!settings_load(&node->settings, flags, err) || !init_log(node, err))
        return false;
    if (use == NODE_WRITE) /* before there are threads that log */
        log_start(&node->log);
    /* Before anything is made. */
    if (use == NODE_WRITE && !settings_check(&node->settings, &node->log, err))
        return false;
    if (use == NODE_SETTINGS)
        return true;
    memset(&config, 0, sizeof config);
    config.data_dir = node->settings.data_dir;
    config.clock = &node->clock;
    config.log = &node->log;
    config.read_only = use == NODE_FILE || use == NODE_READ;
    config.beside_server = use == NODE_TOOL;
    config.existing = use == NODE_ALONE;
    config.cache_entries = (size_t)node->settings.store_cache_entries;
    config.check_after_crash_only =
        str_eq(node->settings.store_check_at_start, "after_crash");
    config.accept_keys = open_ring;
    config.accept_keys_arg = node;
    if (!store_open(&config, &node->store, err))
        return false;
    if (use == NODE_FILE)
        return true;
    if (use != NODE_WRITE)
        ok = node->vault != NULL || open_vault(node, err);
    else
        ok = (node->vault != NULL || make_vault(node, err)) &&
             make_environments(node, err);
    settings_forget_secrets(&node->settings);
    return ok;
}

void node_close(struct node *node)
{
    vault_free(node->vault);
    store_close(node->store);
    log_stop(&node->log);
    settings_finish(&node->settings);
    memset(node, 0, sizeof *node);
}

bool node_find_environment(
    struct node *node, const char *name, struct environment_row **out, struct err *err)
{
    return store_find_environment_by_name(node->store, name, out, err) &&
           (*out != NULL ||
               err_set(err, 404, "not_found", "there is no environment `%.100s`", name));
}

char *node_unseal(
    struct node *node, const char *context, const struct blob *sealed, struct err *err)
{
    char *plain = NULL;
    size_t len;

    return vault_unseal(
               node->vault, context, sealed->data, sealed->len, &plain, &len, err)
               ? plain
               : NULL;
}
