/* SPDX-License-Identifier: Apache-2.0 */
/* Substring search that knows no case, in any alphabet, as an SQL function:
 *
 *   folded_contains(text, folded)    does `text`, folded, contain `folded`? NULL: no
 *
 * Folding is what glibc's C.UTF-8 makes of each character alone: letters written with
 * combining marks, and what has no single lower-case letter, are compared as they are.
 * Without that locale only ASCII letters are folded. */
#ifndef STORE_SQLITE_FOLD_H
#define STORE_SQLITE_FOLD_H

#include <locale.h>
#include <sqlite3.h>
#include <stdbool.h>

/* For freelocale(); (locale_t)0 when the system has no C.UTF-8. */
locale_t fold_letters(void);
/* Defines the function; `letters` is borrowed until `db` is closed. A result code. */
int fold_define(sqlite3 *db, locale_t letters);
/* The caller frees. */
char *fold_text(locale_t letters, const char *text);
/* The function itself. */
bool fold_contains(locale_t letters, const char *text, const char *folded);

#endif
