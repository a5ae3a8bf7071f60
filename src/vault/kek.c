/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the key-encryption key (KEK).
 *
 *   key_text  →  key_file  →  $CREDENTIALS_DIRECTORY/nango-encryption-key  →  data_dir
 * file
 *
 * The first source that is given decides; it is never skipped because it is bad, since
 * starting under another key than the operator meant would make every secret unreadable
 * later. An empty key_text or key_file counts as not given.
 *
 * What can fail: a source that cannot be read, or that holds no 32 bytes. Messages name
 * the source and the accepted forms and never show the text. All copies are wiped. */
#include "vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"

#define HEX_LEN (2 * VAULT_KEY_LEN)
#define FILE_MAX 4096 /* room for a text key with generous white space round it */
#define CREDENTIAL_NAME "nango-encryption-key"
#define DATA_DIR_FILE "encryption.key"
#define FORMS                                                                            \
    "a key is 32 bytes, written as 64 hexadecimal digits or as base64 (make one with: "  \
    "openssl rand -base64 32)"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* `from` says where the text stood. */
static bool parse_text(const char *text, size_t len, const char *from,
    uint8_t kek[VAULT_KEY_LEN], struct err *err)
{
    char hex[HEX_LEN + 1];
    struct buf decoded;
    bool ok = false;

    while (len > 0 && is_space(text[0])) {
        text++;
        len--;
    }
    while (len > 0 && is_space(text[len - 1]))
        len--;

    if (len == HEX_LEN) {
        memcpy(hex, text, HEX_LEN);
        hex[HEX_LEN] = '\0';
        ok = str_unhex(hex, kek, VAULT_KEY_LEN);
        mem_wipe(hex, sizeof(hex));
    }
    if (!ok) {
        buf_init_secret(&decoded, 0);
        if (str_unbase64(text, len, &decoded) && decoded.len == VAULT_KEY_LEN) {
            memcpy(kek, decoded.data, VAULT_KEY_LEN);
            ok = true;
        }
        buf_finish(&decoded);
    }
    if (!ok)
        err_internal(err, "the encryption key from %s cannot be read: " FORMS, from);
    return ok;
}

/* Reads at most `size` bytes. A longer file is an error: it is not a key. */
static bool read_whole(int fd, char *out, size_t size, size_t *len)
{
    size_t have = 0;

    for (;;) {
        ssize_t n = read(fd, out + have, size - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        have += (size_t)n;
        if (have == size) {
            errno = EFBIG;
            return false;
        }
    }
    *len = have;
    return true;
}

/* *exists = false when there is no such file, which is then no error. */
static bool load_file(const char *path, const struct log *log, bool *exists,
    uint8_t kek[VAULT_KEY_LEN], struct err *err)
{
    char text[FILE_MAX];
    struct stat st;
    size_t len = 0;
    bool ok = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    *exists = fd >= 0 || errno != ENOENT;
    if (fd < 0) {
        if (*exists)
            err_internal(err, "the encryption key file %s cannot be opened: %s", path,
                strerror(errno));
        return !*exists;
    }
    if (fstat(fd, &st) != 0 || !read_whole(fd, text, sizeof(text), &len)) {
        err_internal(
            err, "the encryption key file %s cannot be read: %s", path, strerror(errno));
        goto done;
    }
    if (S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        log_event(log, LOG_WARN, "encryption key file is open to other users",
            LOG_STR("file", path), LOG_STR("fix", "chmod 600"), LOG_END);
    if (len == VAULT_KEY_LEN) {
        memcpy(kek, text, VAULT_KEY_LEN);
        ok = true;
    } else {
        ok = parse_text(text, len, path, kek, err);
    }

done:
    mem_wipe(text, sizeof(text));
    (void)close(fd);
    return ok;
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok;

    if (fd < 0)
        return false;
    ok = fsync(fd) == 0;
    (void)close(fd);
    return ok;
}

/* Makes a key file. It appears under its name only when it is whole and on disk: a crash
 * half way leaves a temporary file and no bad key. *existed: another one was there, or
 * came first, and stays. */
static bool make_file(const char *path, bool *existed, struct err *err)
{
    uint8_t fresh[VAULT_KEY_LEN];
    char suffix[17];
    char *temporary = NULL, *dir_text = str_dup(path);
    struct buf text;
    bool ok = false;
    int fd;

    *existed = false;
    buf_init_secret(&text, 0);
    crypto_random(fresh, sizeof(fresh));
    str_base64(fresh, sizeof(fresh), &text);
    buf_putc(&text, '\n');
    crypto_random_hex(suffix, 8);
    temporary = str_printf("%s.%s", path, suffix);

    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        err_internal(
            err, "the encryption key file %s cannot be made: %s", path, strerror(errno));
        goto done;
    }
    ok = write_all(fd, text.data, text.len) && fsync(fd) == 0;
    if (ok && link(temporary, path) != 0) {
        *existed = errno == EEXIST;
        ok = *existed;
    }
    ok = ok && sync_dir(dirname(dir_text));
    if (!ok)
        err_internal(err, "the encryption key file %s cannot be written: %s", path,
            strerror(errno));

done:
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(temporary);
    }
    free(temporary);
    free(dir_text);
    buf_finish(&text);
    mem_wipe(fresh, sizeof(fresh));
    return ok;
}

bool kek_generate(const char *file, uint8_t kek[VAULT_KEY_LEN], struct err *err)
{
    bool existed, exists = false;

    if (!make_file(file, &existed, err))
        return false;
    if (existed)
        return err_internal(err, "%s is there already", file);
    return load_file(file, NULL, &exists, kek, err) &&
           (exists || err_internal(err, "the encryption key file %s vanished", file));
}

/* Beside the data, with a warning. When two processes race, the one whose link() comes
 * second reads the other's key. */
static bool make_in_data_dir(
    const char *dir, const char *path, const struct log *log, struct err *err)
{
    bool existed;

    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_internal(
            err, "the data directory %s cannot be made: %s", dir, strerror(errno));
    if (!make_file(path, &existed, err))
        return false;
    log_event(log, LOG_WARN,
        "no encryption key was given: using one kept beside the data",
        LOG_STR("file", path),
        LOG_STR("advice", "back this file up apart from the data, or give "
                          "NANGO_ENCRYPTION_KEY: without "
                          "the key no stored credential can be read"),
        LOG_END);
    return true;
}

static bool load_data_dir(
    const struct kek_source *source, uint8_t kek[VAULT_KEY_LEN], struct err *err)
{
    char *path = str_printf("%s/" DATA_DIR_FILE, source->data_dir);
    bool exists = false;
    bool ok = load_file(path, source->log, &exists, kek, err);

    if (ok && !exists && !source->may_create) {
        ok = err_internal(err,
            "the encryption key that the secrets were stored under is not given: give it "
            "by NANGO_ENCRYPTION_KEY or vault.key_file, or put %s back",
            path);
    } else if (ok && !exists) {
        ok = make_in_data_dir(source->data_dir, path, source->log, err) &&
             load_file(path, source->log, &exists, kek, err);
        if (ok && !exists)
            ok = err_internal(err, "the encryption key file %s vanished", path);
    }
    free(path);
    return ok;
}

bool kek_load(
    const struct kek_source *source, uint8_t kek[VAULT_KEY_LEN], struct err *err)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    bool exists = false;

    if (!str_is_empty(source->key_text))
        return parse_text(source->key_text, strlen(source->key_text),
            "the setting or NANGO_ENCRYPTION_KEY", kek, err);

    if (!str_is_empty(source->key_file)) {
        if (!load_file(source->key_file, source->log, &exists, kek, err))
            return false;
        if (!exists)
            return err_internal(
                err, "there is no encryption key file %s", source->key_file);
        return true;
    }
    if (!str_is_empty(credentials)) {
        char *path = str_printf("%s/%s", credentials,
            source->credential != NULL ? source->credential : CREDENTIAL_NAME);
        bool ok = load_file(path, source->log, &exists, kek, err);
        free(path);
        if (!ok || exists)
            return ok;
    }
    if (str_is_empty(source->data_dir))
        return err_internal(err, "no encryption key is given: " FORMS);
    return load_data_dir(source, kek, err);
}
