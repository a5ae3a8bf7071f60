/* SPDX-License-Identifier: Apache-2.0 */
/* What may be quoted of a failed token answer. Providers put all kinds of things in
 * there, at worst what they were sent; only the two members of RFC 6749 section 5.2 are
 * read, shortened, and dropped whole when they hold anything that we sent in confidence.
 */
#include <stdio.h>
#include <string.h>

#include "auth/token.h"
#include "base/json.h"
#include "base/str.h"

#define QUOTE_MAX 160

/* Appends printable characters of `text`; UTF-8 stays whole, controls become spaces. */
static void quote_append(struct buf *out, const char *text)
{
    size_t len = strlen(text);

    if (len > QUOTE_MAX) {
        len = QUOTE_MAX;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    for (size_t i = 0; i < len; i++)
        buf_putc(out, (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i]);
}

/* `error` is a text, or an object with a text `code` or `type` (Facebook's way). */
static const char *error_code(const cJSON *answer)
{
    const cJSON *error = json_get(answer, "error");
    const char *code = json_str(error, "code");

    if (cJSON_IsString(error))
        return error->valuestring;
    return code != NULL ? code : json_str(error, "type");
}

static const char *error_description(const cJSON *answer)
{
    const char *text = json_str(answer, "error_description");

    if (text == NULL)
        text = json_str(json_get(answer, "error"), "message");
    return text != NULL ? text : json_str(answer, "message");
}

static bool holds_secret(const char *text, const struct token_secrets *secrets)
{
    for (size_t i = 0; text != NULL && i < TOKEN_SECRETS; i++) {
        if (!str_is_empty(secrets->items[i]) && strstr(text, secrets->items[i]) != NULL)
            return true;
    }
    return false;
}

void token_error_text(const char *answer, size_t len, const struct token_secrets *secrets,
    char *out, size_t out_size)
{
    cJSON *parsed = json_parse_lenient(answer, len, NULL);
    const char *code = error_code(parsed);
    const char *description = error_description(parsed);
    struct buf text;

    buf_init(&text, 0);
    out[0] = '\0';
    if (holds_secret(code, secrets) || holds_secret(description, secrets))
        goto done;
    if (code != NULL)
        quote_append(&text, code);
    if (code != NULL && description != NULL)
        buf_puts(&text, ": ");
    if (description != NULL)
        quote_append(&text, description);
    if (text.len > 0)
        str_copy(out, out_size, text.data);

done:
    buf_finish(&text);
    cJSON_Delete(parsed);
}
