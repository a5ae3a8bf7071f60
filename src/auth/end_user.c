/* SPDX-License-Identifier: Apache-2.0 */
/* Viewing the end user of a session. */
#include "auth/end_user.h"

#include <string.h>

#include "base/json.h"

static char *member(const cJSON *object, const char *key)
{
    const cJSON *item = json_get(object, key);

    return cJSON_IsString(item) ? item->valuestring : NULL;
}

bool end_user_view(
    const cJSON *end_user, const cJSON *organization, struct end_user_row *out)
{
    memset(out, 0, sizeof *out);
    out->id = member(end_user, "id");
    if (out->id == NULL)
        return false;
    out->email = member(end_user, "email");
    out->display_name = member(end_user, "display_name");
    out->organization_id = member(organization, "id");
    out->organization_display_name = member(organization, "display_name");
    return true;
}
