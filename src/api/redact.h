/* SPDX-License-Identifier: Apache-2.0 */
/* Taking refresh tokens out of JSON text, without building a tree. */
#ifndef API_REDACT_H
#define API_REDACT_H

#include <stdbool.h>

/* Removes, in place, every member whose name reads "refreshtoken" (letters only, any
 * case, any depth): what credentials_hide_refresh_token() does to a tree. `text` must be
 * JSON as json_print() writes it: valid, no white space between tokens. False when a name
 * holds an escape that could spell letters: the text is then as it was or partly done,
 * and the tree must do it. */
bool redact_refresh_tokens(char *text);

#endif
