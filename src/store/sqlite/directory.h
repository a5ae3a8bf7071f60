/* SPDX-License-Identifier: Apache-2.0 */
/* Who may use the data directory.
 *
 *   nangod.lock        locked by the directory's one server, or by a command that works
 *                      in its place; holds its process id until it ends in order
 *   the directory      locked, shared, by guests (tools beside a server), and by a
 *                      restore for itself alone: a guest that closes the database after
 *                      the files were changed under it would remove the new one's log
 *   nangod.changes     8 bytes, mapped by all who write: counts the writes of guests, so
 *                      that the server sees at its next lookup that its cache is old */
#ifndef STORE_SQLITE_DIRECTORY_H
#define STORE_SQLITE_DIRECTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"

bool directory_make(const char *dir, struct err *err);
bool directory_sync(const char *dir, struct err *err);

/* Takes the server's lock. *unclean: who held it last did not get to its end. The caller
 * gives *fd back by directory_unlock(), or closes it to leave the mark. */
bool directory_lock(const char *dir, int *fd, bool *unclean, struct err *err);
/* Marks an orderly end: only once everything is in the database. */
void directory_unlock(int fd, const struct log *log);

/* The lock of guests, or with `alone` the one that keeps them out; close() gives it
 * back. */
bool directory_enter(const char *dir, bool alone, int *fd, struct err *err);

typedef _Atomic uint64_t change_count;
/* Made where it is missing. Given back by directory_unmap_changes(), which takes NULL. */
bool directory_map_changes(const char *dir, change_count **out, struct err *err);
void directory_unmap_changes(change_count *count);

#endif
