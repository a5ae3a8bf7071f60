/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces that the plans of several methods have in common: checks of JSON arguments, the
 * parts of bodies that are the same everywhere, joined values of a query. */
#include "sdk/methods_int.h"

#include <string.h>

void ngo_plan_json_type(nango_call *call)
{
    ngo_call_header(call, "Content-Type", "application/json");
}

static void need_object(nango_call *call, const char *json, const char *what)
{
    if (json[strspn(json, " \t\r\n")] != '{')
        ngo_call_fail(call, NANGO_E_ARGUMENT, "%s must be a JSON object", what);
}

void ngo_plan_object(nango_call *call, const char *json, const char *what)
{
    if (call == NULL || json == NULL)
        return;
    switch (ngo_json_check(&call->mem, json, strlen(json))) {
    case NGO_PARSED:
        need_object(call, json, what);
        return;
    case NGO_NOT_JSON:
        ngo_call_fail(call, NANGO_E_ARGUMENT, "%s is not JSON", what);
        return;
    case NGO_NO_MEMORY:
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
        return;
    }
}

void ngo_plan_body(nango_call *call, const char *json, const char *what)
{
    ngo_call_json_raw(call, json, what);
    if (json != NULL)
        need_object(call, json, what);
}

void ngo_plan_member_object(
    nango_call *call, struct ngo_text *text, const char *name, const char *json)
{
    ngo_plan_object(call, json, name);
    ngo_json_member_raw(text, name, json);
}

struct ngo_text *ngo_plan_open(nango_call *call)
{
    struct ngo_text *text = ngo_call_json(call);

    if (text != NULL)
        ngo_json_open(text, '{');
    return text;
}

void ngo_plan_close(nango_call *call, struct ngo_text *text)
{
    if (text == NULL)
        return;
    ngo_json_close(text, '}');
    ngo_call_json_done(call);
}

void ngo_plan_pairs(nango_call *call, struct ngo_text *text, const char *name,
    const nango_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pairs == NULL || pairs[i].name == NULL || pairs[i].value == NULL) {
            ngo_call_fail(
                call, NANGO_E_ARGUMENT, "a pair of %s has no name or no value", name);
            return;
        }
    }
    ngo_json_member_pairs(text, name, pairs, count);
}

static void write_organization(
    nango_call *call, struct ngo_text *text, const nango_end_user *end_user)
{
    if (end_user->organization_id == NULL && end_user->organization_display_name == NULL)
        return;
    ngo_call_need(call, end_user->organization_id, "The organization's id");
    ngo_json_name(text, "organization");
    ngo_json_open(text, '{');
    ngo_json_member(text, "id", end_user->organization_id);
    ngo_json_member(text, "display_name", end_user->organization_display_name);
    ngo_json_close(text, '}');
}

void ngo_plan_end_user(nango_call *call, struct ngo_text *text,
    const nango_end_user *end_user, bool with_organization)
{
    if (end_user == NULL)
        return;
    if (end_user->id != NULL || end_user->email != NULL ||
        end_user->display_name != NULL || end_user->tag_count > 0) {
        ngo_call_need(call, end_user->id, "The end user's id");
        ngo_json_name(text, "end_user");
        ngo_json_open(text, '{');
        ngo_json_member(text, "id", end_user->id);
        ngo_json_member(text, "email", end_user->email);
        ngo_json_member(text, "display_name", end_user->display_name);
        ngo_plan_pairs(call, text, "tags", end_user->tags, end_user->tag_count);
        ngo_json_close(text, '}');
    }
    if (with_organization)
        write_organization(call, text, end_user);
}

void ngo_plan_query_text(
    nango_call *call, const char *name, struct ngo_text *text, enum ngo_encoding encoding)
{
    if (text->failed)
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
    else
        ngo_call_query(call, name, text->data, encoding);
    ngo_text_finish(text);
}
