/* SPDX-License-Identifier: Apache-2.0 */
/* An end user as sessions and OAuth states keep it, seen as a row of the store. */
#ifndef AUTH_END_USER_H
#define AUTH_END_USER_H

#include <cjson/cJSON.h>

#include "store/store.h"

/* Fills `out` with pointers into the two objects; its tags_json stays NULL. False when
 * there is no end user. `organization` may be NULL. */
bool end_user_view(
    const cJSON *end_user, const cJSON *organization, struct end_user_row *out);

#endif
