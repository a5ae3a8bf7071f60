/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing small XML documents. No I/O. The reader takes bytes from outside:
 * it is one pass, bounded in depth, and knows the five entities and character references
 * only. See xml.h. */
#include "auth/xml.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_DEPTH 64
/* Elements and attributes: members are looked for one after another. */
#define MAX_NODES 10000

struct reader {
    const char *at;
    const char *end;
    size_t nodes;
};

/* ---- reading ---- */

static bool looking_at(const struct reader *r, const char *mark)
{
    size_t len = strlen(mark);

    return (size_t)(r->end - r->at) >= len && memcmp(r->at, mark, len) == 0;
}

static void skip_space(struct reader *r)
{
    while (r->at < r->end && *r->at != '\0' && strchr(" \t\r\n", *r->at) != NULL)
        r->at++;
}

/* Moves past the next `mark`; false when there is none. */
static bool skip_past(struct reader *r, const char *mark)
{
    const char *found = memmem(r->at, (size_t)(r->end - r->at), mark, strlen(mark));

    if (found == NULL)
        return false;
    r->at = found + strlen(mark);
    return true;
}

/* Comments, instructions and white space between elements. */
static bool skip_misc(struct reader *r)
{
    for (;;) {
        skip_space(r);
        if (looking_at(r, "<!--")) {
            r->at += 4;
            if (!skip_past(r, "-->"))
                return false;
        } else if (looking_at(r, "<?")) {
            if (!skip_past(r, "?>"))
                return false;
        } else {
            return true;
        }
    }
}

static void utf8_append(struct buf *out, unsigned long code)
{
    if (code < 0x80) {
        buf_putc(out, (char)code);
    } else if (code < 0x800) {
        buf_putc(out, (char)(0xc0 | code >> 6));
        buf_putc(out, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        buf_putc(out, (char)(0xe0 | code >> 12));
        buf_putc(out, (char)(0x80 | (code >> 6 & 0x3f)));
        buf_putc(out, (char)(0x80 | (code & 0x3f)));
    } else {
        buf_putc(out, (char)(0xf0 | code >> 18));
        buf_putc(out, (char)(0x80 | (code >> 12 & 0x3f)));
        buf_putc(out, (char)(0x80 | (code >> 6 & 0x3f)));
        buf_putc(out, (char)(0x80 | (code & 0x3f)));
    }
}

/* `&…;` at r->at. */
static bool read_reference(struct reader *r, struct buf *out)
{
    static const struct {
        const char *mark;
        char is;
    } entities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    char digits[12] = "";
    const char *end;
    char *rest;
    unsigned long code;
    bool hex;

    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        if (looking_at(r, entities[i].mark)) {
            buf_putc(out, entities[i].is);
            r->at += strlen(entities[i].mark);
            return true;
        }
    }
    end = memchr(r->at, ';', (size_t)(r->end - r->at));
    if (!looking_at(r, "&#") || end == NULL)
        return false;
    r->at += 2;
    hex = *r->at == 'x';
    if (hex)
        r->at++;
    if (end - r->at < 1 || (size_t)(end - r->at) >= sizeof digits)
        return false;
    memcpy(digits, r->at, (size_t)(end - r->at));
    if (strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
        return false;
    code = strtoul(digits, &rest, hex ? 16 : 10);
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return false;
    utf8_append(out, code);
    r->at = end + 1;
    return true;
}

/* Character data up to one of `stops`, which is not read. */
static bool read_data(struct reader *r, const char *stops, struct buf *out)
{
    while (r->at < r->end && *r->at != '\0' && strchr(stops, *r->at) == NULL) {
        if (*r->at != '&')
            buf_putc(out, *r->at++);
        else if (!read_reference(r, out))
            return false;
    }
    return r->at < r->end && *r->at != '\0';
}

static bool is_name_char(char c)
{
    return (unsigned char)c > 0x7f ||
           (c != '\0' && (strchr("_-.:", c) != NULL || (c >= '0' && c <= '9') ||
                             (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')));
}

/* A name without its prefix, to be freed; NULL when there is none. */
static char *read_name(struct reader *r)
{
    const char *begin = r->at;

    while (r->at < r->end && is_name_char(*r->at)) {
        if (*r->at == ':')
            begin = r->at + 1;
        r->at++;
    }
    return r->at > begin ? str_ndup(begin, (size_t)(r->at - begin)) : NULL;
}

/* A second member of one name makes a list of them. */
static void member_add(cJSON *object, const char *name, cJSON *value)
{
    cJSON *there = json_get_mut(object, name);
    cJSON *list;

    if (there == NULL) {
        json_set(object, name, value);
    } else if (cJSON_IsArray(there)) {
        cJSON_AddItemToArray(there, value);
    } else {
        list = cJSON_CreateArray();
        cJSON_AddItemToArray(list, cJSON_Duplicate(there, true));
        cJSON_AddItemToArray(list, value);
        json_set(object, name, list);
    }
}

/* Attributes up to the end of the tag. *empty: it was `/>`. */
static bool read_attributes(struct reader *r, cJSON *object, bool *empty)
{
    cJSON *attributes = cJSON_CreateObject();
    bool ok = false;

    for (;;) {
        struct buf value;
        char *name, quote[2] = "";

        skip_space(r);
        *empty = looking_at(r, "/>");
        if (*empty || looking_at(r, ">")) {
            r->at += *empty ? 2 : 1;
            ok = true;
            break;
        }
        name = ++r->nodes <= MAX_NODES ? read_name(r) : NULL;
        if (name == NULL)
            break;
        skip_space(r);
        buf_init(&value, 0);
        if (looking_at(r, "=")) {
            r->at++;
            skip_space(r);
        }
        if (looking_at(r, "\"") || looking_at(r, "'")) {
            quote[0] = *r->at++;
            ok = read_data(r, quote, &value) && ++r->at <= r->end;
        }
        if (ok)
            json_set_str(attributes, name, value.data != NULL ? value.data : "");
        free(name);
        buf_finish(&value);
        if (!ok)
            break;
        ok = false;
    }
    if (attributes->child != NULL)
        json_set(object, "$", attributes);
    else
        cJSON_Delete(attributes);
    return ok;
}

static bool read_element(struct reader *r, cJSON *parent, int depth);

/* Text and children up to `</`. */
static bool read_content(struct reader *r, cJSON *object, struct buf *text, int depth)
{
    for (;;) {
        if (!read_data(r, "<", text))
            return false;
        if (looking_at(r, "</"))
            return true;
        if (looking_at(r, "<!--") || looking_at(r, "<?")) {
            if (!skip_past(r, r->at[1] == '?' ? "?>" : "-->"))
                return false;
        } else if (looking_at(r, "<![CDATA[")) {
            const char *begin = r->at + 9;

            if (!skip_past(r, "]]>"))
                return false;
            buf_append(text, begin, (size_t)(r->at - 3 - begin));
        } else if (!read_element(r, object, depth + 1)) {
            return false;
        }
    }
}

/* What an element comes to: its text alone, or its members. Takes over `object`. */
static cJSON *element_value(cJSON *object, struct buf *text)
{
    char *trimmed = str_trim(text->data != NULL ? text->data : (char[]){""});

    if (object->child == NULL) {
        cJSON_Delete(object);
        return cJSON_CreateString(trimmed);
    }
    if (*trimmed != '\0')
        json_set_str(object, "_", trimmed);
    return object;
}

static bool read_end(struct reader *r, const char *name)
{
    char *closing;
    bool ok;

    r->at += 2;
    closing = read_name(r);
    skip_space(r);
    ok = str_eq(closing, name) && looking_at(r, ">");
    r->at += ok ? 1 : 0;
    free(closing);
    return ok;
}

static bool read_element(struct reader *r, cJSON *parent, int depth)
{
    cJSON *object;
    struct buf text;
    char *name;
    bool empty = false, ok;

    if (depth > MAX_DEPTH || ++r->nodes > MAX_NODES || !looking_at(r, "<"))
        return false;
    r->at++;
    name = read_name(r);
    if (name == NULL)
        return false;
    object = cJSON_CreateObject();
    buf_init_secret(&text, 0);
    ok = read_attributes(r, object, &empty) &&
         (empty || (read_content(r, object, &text, depth) && read_end(r, name)));
    if (ok)
        member_add(parent, name, element_value(object, &text));
    else
        cJSON_Delete(object);
    buf_finish(&text);
    free(name);
    return ok;
}

cJSON *xml_parse(const char *text, size_t len)
{
    struct reader r = {.at = text, .end = text + len};
    cJSON *out;
    bool ok;

    if (text == NULL || !str_is_utf8(text, len))
        return NULL;
    if (looking_at(&r, "\xef\xbb\xbf"))
        r.at += 3;
    out = cJSON_CreateObject();
    ok = skip_misc(&r) && read_element(&r, out, 0) && skip_misc(&r) && r.at == r.end;
    if (ok)
        return out;
    cJSON_Delete(out);
    return NULL;
}

/* ---- writing ---- */

static void escaped(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '&')
            buf_puts(out, "&amp;");
        else if (*text == '<')
            buf_puts(out, "&lt;");
        else if (*text == '>')
            buf_puts(out, "&gt;");
        else if (*text == '"')
            buf_puts(out, "&quot;");
        else if ((unsigned char)*text >= 0x20 || strchr("\t\r\n", *text) != NULL)
            buf_putc(out, *text);
    }
}

static void write_scalar(const cJSON *value, struct buf *out)
{
    struct buf text;

    if (cJSON_IsNull(value))
        return;
    if (cJSON_IsString(value)) {
        escaped(out, value->valuestring);
        return;
    }
    buf_init(&text, 0);
    json_append(&text, value);
    escaped(out, text.data);
    buf_finish(&text);
}

static void write_one(const char *name, const cJSON *value, struct buf *out)
{
    const cJSON *child = cJSON_IsObject(value) ? value->child : NULL;

    buf_printf(out, "<%s", name);
    for (; child != NULL; child = child->next) {
        if (child->string[0] != '$')
            continue;
        buf_printf(out, " %s=\"", child->string + 1);
        write_scalar(child, out);
        buf_putc(out, '"');
    }
    buf_putc(out, '>');
    if (cJSON_IsObject(value))
        xml_write(value, out);
    else
        write_scalar(value, out);
    buf_printf(out, "</%s>", name);
}

void xml_write(const cJSON *value, struct buf *out)
{
    const cJSON *child, *item;

    cJSON_ArrayForEach(child, value)
    {
        if (child->string[0] == '$')
            continue;
        if (!cJSON_IsArray(child)) {
            write_one(child->string, child, out);
            continue;
        }
        cJSON_ArrayForEach(item, child) write_one(child->string, item, out);
    }
}
