/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON parser (RFC 8259) that works within its input: strings are unescaped where they
 * lie, and the values form one array, in the order of the text, each followed by what is
 * within it:
 *
 *   {"a":[1,2],"b":3}   ->   object  a:array  1  2  b:3
 *                            span 5  span 3   1  1  1
 *
 * Numbers keep their text. Lenient in two things, as the official clients are: a byte order
 * mark in front, and a surrogate escape without its other half, which becomes U+FFFD. */
#include <string.h>

#include "sdk/sdk_int.h"

#define MAX_DEPTH 512

/* Lengths and distances have 32 bits, which makes a value a third smaller. */
#define MAX_TEXT UINT32_MAX

struct parser {
    const struct ngo_mem *mem;
    char *at;
    char *end;
    struct nango_json *values;
    size_t count;
    size_t capacity;
    size_t parents[MAX_DEPTH]; /* the arrays and objects that are open, by index */
    size_t depth;
    bool out_of_memory;
};

static void skip_space(struct parser *p)
{
    while (p->at < p->end &&
           (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t'))
        p->at++;
}

/* How many values the text can hold: one, and one more behind each comma and each opening
 * bracket that is not within a string. */
static size_t count_values(const char *at, const char *end)
{
    size_t count = 1;

    for (; at < end; at++) {
        if (*at == ',' || *at == '[' || *at == '{') {
            count++;
        } else if (*at == '"') {
            for (at++; at < end && *at != '"'; at++)
                if (*at == '\\')
                    at++;
        }
    }
    return count;
}

/* Room for all values at once: an array that grows is twice there while it moves. */
static bool reserve(struct parser *p)
{
    size_t count = count_values(p->at, p->end);

    if (count <= SIZE_MAX / sizeof *p->values)
        p->values = ngo_resize(p->mem, NULL, count * sizeof *p->values);
    p->capacity = p->values != NULL ? count : 0;
    p->out_of_memory = p->values == NULL;
    return p->values != NULL;
}

/* A new value, as the last child of the innermost open container. */
static struct nango_json *value_new(struct parser *p, nango_json_type type)
{
    struct nango_json *value;

    if (p->count == p->capacity)
        return NULL; /* cannot be: every value but the first follows what was counted */
    value = &p->values[p->count++];
    memset(value, 0, sizeof *value);
    value->type = (unsigned char)type;
    value->span = 1;
    if (p->depth > 0)
        p->values[p->parents[p->depth - 1]].len++;
    return value;
}

static int hex4(const char *s, const char *end, unsigned *out)
{
    unsigned value = 0;

    if (end - s < 4)
        return 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        unsigned digit;

        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            digit = (unsigned)(c - 'A' + 10);
        else
            return 0;
        value = value << 4 | digit;
    }
    *out = value;
    return 1;
}

/* Writes a code point as UTF-8: at most as many bytes as its escape had. */
static char *put_utf8(char *out, unsigned point)
{
    if (point < 0x80) {
        *out++ = (char)point;
    } else if (point < 0x800) {
        *out++ = (char)(0xc0 | point >> 6);
        *out++ = (char)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        *out++ = (char)(0xe0 | point >> 12);
        *out++ = (char)(0x80 | (point >> 6 & 0x3f));
        *out++ = (char)(0x80 | (point & 0x3f));
    } else {
        *out++ = (char)(0xf0 | point >> 18);
        *out++ = (char)(0x80 | (point >> 12 & 0x3f));
        *out++ = (char)(0x80 | (point >> 6 & 0x3f));
        *out++ = (char)(0x80 | (point & 0x3f));
    }
    return out;
}

/* p->at is behind `\u`. */
static bool parse_unicode(struct parser *p, char **out)
{
    unsigned point, low;

    if (!hex4(p->at, p->end, &point))
        return false;
    p->at += 4;
    if (point >= 0xd800 && point <= 0xdfff) {
        if (point <= 0xdbff && p->end - p->at >= 6 && p->at[0] == '\\' &&
            p->at[1] == 'u' && hex4(p->at + 2, p->end, &low) && low >= 0xdc00 &&
            low <= 0xdfff) {
            point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
            p->at += 6;
        } else {
            point = 0xfffd;
        }
    }
    *out = put_utf8(*out, point);
    return true;
}

/* p->at is at the opening quote; leaves it behind the closing one. */
static bool parse_string(struct parser *p, const char **text, uint32_t *len)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char *out, *start;

    if (p->at >= p->end || *p->at != '"')
        return false;
    start = out = ++p->at;
    for (;;) {
        const char *which;
        char c;

        if (p->at >= p->end || (unsigned char)*p->at < 0x20)
            return false;
        c = *p->at++;
        if (c == '"')
            break;
        if (c != '\\') {
            *out++ = c;
            continue;
        }
        if (p->at >= p->end)
            return false;
        c = *p->at++;
        which = c != '\0' ? strchr(from, c) : NULL;
        if (which != NULL)
            *out++ = to[which - from];
        else if (c != 'u' || !parse_unicode(p, &out))
            return false;
    }
    *out = '\0'; /* over the closing quote, or before it */
    *text = start;
    *len = (uint32_t)(out - start);
    return true;
}

static bool digits(struct parser *p)
{
    char *from = p->at;

    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    return p->at > from;
}

static bool parse_number(struct parser *p, struct nango_json *value)
{
    char *from = p->at;

    if (p->at < p->end && *p->at == '-')
        p->at++;
    if (p->at < p->end && *p->at == '0')
        p->at++;
    else if (!digits(p))
        return false;
    if (p->at < p->end && *p->at == '.') {
        p->at++;
        if (!digits(p))
            return false;
    }
    if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
        p->at++;
        if (p->at < p->end && (*p->at == '+' || *p->at == '-'))
            p->at++;
        if (!digits(p))
            return false;
    }
    value->text = from;
    value->len = (uint32_t)(p->at - from);
    return true;
}

static bool word(struct parser *p, const char *s)
{
    size_t len = strlen(s);

    if ((size_t)(p->end - p->at) < len || memcmp(p->at, s, len) != 0)
        return false;
    p->at += len;
    return true;
}

/* One value; an array or object is only opened. */
static bool parse_value(struct parser *p, const char *name, uint32_t name_len)
{
    struct nango_json *value;
    char c;

    skip_space(p);
    if (p->at >= p->end)
        return false;
    c = *p->at;
    value = value_new(p, NANGO_JSON_NULL);
    if (value == NULL)
        return false;
    value->name = name;
    value->name_len = name_len;
    switch (c) {
    case '{':
    case '[':
        if (p->depth == MAX_DEPTH)
            return false;
        p->at++;
        value->type = c == '{' ? NANGO_JSON_OBJECT : NANGO_JSON_ARRAY;
        p->parents[p->depth++] = p->count - 1;
        return true;
    case '"':
        value->type = NANGO_JSON_STRING;
        return parse_string(p, &value->text, &value->len);
    case 't':
    case 'f':
        value->type = NANGO_JSON_BOOL;
        value->truth = c == 't';
        return word(p, c == 't' ? "true" : "false");
    case 'n':
        return word(p, "null");
    default:
        value->type = NANGO_JSON_NUMBER;
        return parse_number(p, value);
    }
}

/* The innermost container ends; its last child is `last`, SIZE_MAX when it is empty. */
static void close_container(struct parser *p, size_t last)
{
    size_t index = p->parents[--p->depth];

    if (last != SIZE_MAX)
        p->values[last].last = true;
    p->values[index].span = (uint32_t)(p->count - index);
    p->at++;
}

static bool parse_member(struct parser *p, bool object)
{
    const char *name = NULL;
    uint32_t name_len = 0;

    if (object) {
        skip_space(p);
        if (!parse_string(p, &name, &name_len))
            return false;
        skip_space(p);
        if (p->at >= p->end || *p->at != ':')
            return false;
        p->at++;
    }
    return parse_value(p, name, name_len);
}

static bool parse_document(struct parser *p)
{
    /* The last child of each open container, so that closing one needs no search. */
    size_t children[MAX_DEPTH];

    if (!parse_value(p, NULL, 0))
        return false;
    if (p->depth > 0)
        children[0] = SIZE_MAX;
    while (p->depth > 0) {
        size_t index = p->parents[p->depth - 1], depth = p->depth;
        bool object = p->values[index].type == NANGO_JSON_OBJECT;

        skip_space(p);
        if (p->at >= p->end)
            return false;
        if (*p->at == (object ? '}' : ']')) {
            close_container(p, children[depth - 1]);
            continue;
        }
        if (p->values[index].len > 0) {
            if (*p->at != ',')
                return false;
            p->at++;
        }
        children[depth - 1] = p->count;
        if (!parse_member(p, object))
            return false;
        if (p->depth > depth)
            children[depth] = SIZE_MAX;
    }
    skip_space(p);
    if (p->at != p->end)
        return false;
    p->values[0].last = true;
    return true;
}

enum ngo_parse ngo_json_parse(const struct ngo_mem *mem, char *text, size_t len,
    struct ngo_json_doc *doc, size_t *at)
{
    struct parser parser;

    parser.mem = mem;
    parser.at = text;
    parser.end = text + len;
    parser.values = NULL;
    parser.count = parser.capacity = parser.depth = 0;
    parser.out_of_memory = false;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        parser.at += 3;
    doc->values = NULL;
    if (len <= MAX_TEXT && ngo_is_utf8(text, len) && reserve(&parser) &&
        parse_document(&parser)) {
        doc->values = parser.values;
        return NGO_PARSED;
    }
    if (at != NULL)
        *at = (size_t)(parser.at - text);
    ngo_free(mem, parser.values);
    return parser.out_of_memory ? NGO_NO_MEMORY : NGO_NOT_JSON;
}

void ngo_json_finish(const struct ngo_mem *mem, struct ngo_json_doc *doc)
{
    ngo_free(mem, doc->values);
    doc->values = NULL;
}

enum ngo_parse ngo_json_check(const struct ngo_mem *mem, const char *text, size_t len)
{
    struct ngo_json_doc doc;
    enum ngo_parse parsed;
    char *copy = ngo_resize(mem, NULL, len + 1);

    if (copy == NULL)
        return NGO_NO_MEMORY;
    memcpy(copy, text, len);
    copy[len] = '\0';
    parsed = ngo_json_parse(mem, copy, len, &doc, NULL);
    ngo_json_finish(mem, &doc);
    ngo_free(mem, copy);
    return parsed;
}
