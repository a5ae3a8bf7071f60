/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/checkpoints.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "scripts/calls.h"

/* What the official server accepts. */
enum {
    MAX_FIELDS = 16,
    MAX_NAME = 255,
    MAX_TEXT = 4000,
};

char *script_checkpoint_key(const char *kind, const char *name, const char *variant)
{
    return variant != NULL ? str_printf("%s:%s:%s", kind, name, variant)
                           : str_printf("%s:%s", kind, name);
}

void script_checkpoint_init(struct script_checkpoint *checkpoint, struct store *store,
    const struct log *log, int64_t connection_id, char *key)
{
    memset(checkpoint, 0, sizeof *checkpoint);
    checkpoint->store = store;
    checkpoint->log = log;
    checkpoint->connection_id = connection_id;
    checkpoint->key = key;
    pthread_mutex_init(&checkpoint->lock, NULL);
}

void script_checkpoint_finish(struct script_checkpoint *checkpoint)
{
    free(checkpoint->key);
    pthread_mutex_destroy(&checkpoint->lock);
}

/* ---- what a script may save ---- */

static bool fits(struct json_raw text, size_t max)
{
    char *plain = json_raw_dup_string(text);
    bool ok = plain != NULL && str_utf16_len(plain) <= max;

    free(plain);
    return ok;
}

/* A runner may say anything, so what it has checked is looked at here as well. NULL, or
 * what is wrong. */
static const char *fault_of(struct json_raw value)
{
    struct json_raw_iter iter;
    struct json_raw name, item;
    size_t count = 0;

    if (json_raw_kind(value) != JSON_RAW_OBJECT)
        return "it must be an object";
    json_raw_begin(value, &iter);
    while (json_raw_next(&iter, &name, &item)) {
        enum json_raw_kind kind = json_raw_kind(item);

        if (++count > MAX_FIELDS)
            return "it cannot have more than 16 fields";
        if (!fits(name, MAX_NAME))
            return "a field's name cannot have more than 255 characters";
        if (kind != JSON_RAW_STRING && kind != JSON_RAW_NUMBER && kind != JSON_RAW_BOOL)
            return "every value must be a string, a number or a boolean";
        if (kind == JSON_RAW_STRING && !fits(item, MAX_TEXT))
            return "a string cannot have more than 4000 characters";
    }
    return NULL;
}

/* ---- calls; the lock is held ---- */

static bool failed(const struct script_checkpoint *checkpoint, const char *doing,
    const struct err *err, struct buf *out)
{
    bool ours = err->status == 0 || err->status >= 500;

    if (ours)
        log_event(checkpoint->log, LOG_ERROR, "a checkpoint failed",
            LOG_STR("doing", doing), LOG_STR("reason", err->message), LOG_END);
    script_call_refuse(out, "Error", "Error %s checkpoint: %s", doing,
        ours ? "the server's store failed" : err->message);
    return false;
}

static bool look(struct script_checkpoint *checkpoint, struct checkpoint *found,
    const char *doing, struct buf *out)
{
    struct err err = {0};

    if (!store_find_checkpoint(
            checkpoint->store, checkpoint->connection_id, checkpoint->key, found, &err))
        return failed(checkpoint, doing, &err, out);
    checkpoint->seen = true;
    checkpoint->version = found->version;
    return true;
}

static bool see(struct script_checkpoint *checkpoint, const char *doing, struct buf *out)
{
    struct checkpoint found = {0};
    bool ok = checkpoint->seen || look(checkpoint, &found, doing, out);

    free(found.value_json);
    return ok;
}

static bool get(struct script_checkpoint *checkpoint, struct buf *out)
{
    struct checkpoint found = {0};

    if (!look(checkpoint, &found, "getting", out))
        return false;
    buf_puts(out, found.value_json != NULL ? found.value_json : "null");
    free(found.value_json);
    return true;
}

static bool write_value(struct script_checkpoint *checkpoint, const char *value,
    const char *doing, struct buf *out)
{
    struct err err = {0};

    if (!store_put_checkpoint(checkpoint->store, checkpoint->connection_id,
            checkpoint->key, value, &checkpoint->version, &err))
        return failed(checkpoint, doing, &err, out);
    buf_puts(out, "null");
    return true;
}

static bool save(
    struct script_checkpoint *checkpoint, struct json_raw value, struct buf *out)
{
    const char *fault = fault_of(value);
    char *text;
    bool ok;

    if (fault != NULL) {
        script_call_refuse(out, "Error", "Invalid checkpoint: %s", fault);
        return false;
    }
    if (!see(checkpoint, "saving", out))
        return false;
    text = str_ndup(value.text, value.len);
    ok = write_value(checkpoint, text, "saving", out);
    free(text);
    return ok;
}

static bool clear(struct script_checkpoint *checkpoint, struct buf *out)
{
    if (!see(checkpoint, "deleting", out))
        return false;
    if (checkpoint->version > 0)
        return write_value(checkpoint, NULL, "deleting", out);
    buf_puts(out, "null");
    return true;
}

bool script_checkpoint_known(const char *method)
{
    return strcmp(method, "getCheckpoint") == 0 ||
           strcmp(method, "saveCheckpoint") == 0 ||
           strcmp(method, "clearCheckpoint") == 0;
}

bool script_checkpoint_call(struct script_checkpoint *checkpoint, const char *method,
    struct json_raw args, struct buf *out)
{
    bool ok;

    pthread_mutex_lock(&checkpoint->lock);
    if (strcmp(method, "getCheckpoint") == 0)
        ok = get(checkpoint, out);
    else if (strcmp(method, "saveCheckpoint") == 0)
        ok = save(checkpoint, json_raw_at(args, 0), out);
    else
        ok = clear(checkpoint, out);
    pthread_mutex_unlock(&checkpoint->lock);
    return ok;
}
