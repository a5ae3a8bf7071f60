/* SPDX-License-Identifier: Apache-2.0 */
/* Is this text one JSON value? cJSON is lenient (numbers like 01, raw control characters,
 * U+0000), so each text is checked first against RFC 8259; the messages are those that
 * JavaScript's parser gives, because the official clients' users know them. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

#define MAX_DEPTH 512

struct check {
    const char *text;
    size_t len;
    size_t at;
    bool grammar_only; /* RFC 8259 and nothing of ours */
    bool gave_up;      /* nested too deep to be looked at, and only the grammar matters */
    struct err *err;
};

static bool fail_at(struct check *c, const char *what)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < c->at; i++) {
        column++;
        if (c->text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    return err_set(c->err, 400, "invalid_json",
        "%s in JSON at position %zu (line %zu column %zu)", what, c->at, line, column);
}

static bool fail_end(struct check *c)
{
    return err_set(c->err, 400, "invalid_json", "Unexpected end of JSON input");
}

/* `Unexpected token 'x', "…" is not valid JSON`, with ten characters on either side. */
static bool fail_token(struct check *c)
{
    size_t from = c->at > 10 ? c->at - 10 : 0;
    size_t to = c->len - c->at > 10 ? c->at + 10 : c->len;
    size_t token = 1;

    if (c->len <= 20) { /* short enough to be shown whole */
        from = 0;
        to = c->len;
    }
    /* Never cut through a character. */
    while (from > 0 && ((unsigned char)c->text[from] & 0xc0) == 0x80)
        from--;
    while (to < c->len && ((unsigned char)c->text[to] & 0xc0) == 0x80)
        to++;
    while (
        c->at + token < c->len && ((unsigned char)c->text[c->at + token] & 0xc0) == 0x80)
        token++;
    if (!str_is_utf8(c->text + from, to - from))
        return fail_at(c, "Unexpected token");
    return err_set(c->err, 400, "invalid_json",
        "Unexpected token '%.*s', %s\"%.*s\"%s is not valid JSON", (int)token,
        c->text + c->at, from > 0 ? "..." : "", (int)(to - from), c->text + from,
        to < c->len ? "..." : "");
}

static bool fail_here(struct check *c)
{
    return c->at >= c->len ? fail_end(c) : fail_token(c);
}

static char peek(const struct check *c)
{
    return c->at < c->len ? c->text[c->at] : '\0';
}

static void skip_space(struct check *c)
{
    while (c->at < c->len && strchr(" \t\n\r", c->text[c->at]) != NULL &&
           c->text[c->at] != '\0')
        c->at++;
}

static bool check_word(struct check *c, const char *word)
{
    for (; *word != '\0'; word++, c->at++) {
        if (peek(c) != *word)
            return fail_here(c);
    }
    return true;
}

static bool digits(struct check *c)
{
    size_t from = c->at;

    while (peek(c) >= '0' && peek(c) <= '9')
        c->at++;
    return c->at > from;
}

static bool check_number(struct check *c)
{
    if (peek(c) == '-') {
        c->at++;
        if (peek(c) < '0' || peek(c) > '9')
            return fail_at(c, "No number after minus sign");
    }
    if (peek(c) == '0') {
        c->at++;
        if (peek(c) >= '0' && peek(c) <= '9')
            return fail_at(c, "Unexpected number");
    } else {
        digits(c);
    }
    if (peek(c) == '.') {
        c->at++;
        if (!digits(c))
            return fail_at(c, "Unterminated fractional number");
    }
    if (peek(c) == 'e' || peek(c) == 'E') {
        c->at++;
        if (peek(c) == '+' || peek(c) == '-')
            c->at++;
        if (!digits(c))
            return fail_at(c, "Exponent part is missing a number");
    }
    return true;
}

/* Four hex digits at `at`; -1 when they are not. */
static int hex4(const struct check *c, size_t at)
{
    unsigned char raw[2];
    char text[5];

    if (at + 4 > c->len)
        return -1;
    memcpy(text, c->text + at, 4);
    text[4] = '\0';
    if (!str_unhex(text, raw, 2))
        return -1;
    return raw[0] << 8 | raw[1];
}

static bool check_unicode(struct check *c)
{
    int unit = hex4(c, c->at);

    if (unit < 0)
        return fail_at(c, "Bad Unicode escape");
    if (c->grammar_only) { /* which code units are paired is no matter of grammar */
        c->at += 4;
        return true;
    }
    if (unit == 0)
        return fail_at(c, "The character U+0000 is not accepted");
    if (unit >= 0xd800 && unit <= 0xdfff) {
        int low = c->at + 6 <= c->len && memcmp(c->text + c->at + 4, "\\u", 2) == 0
                      ? hex4(c, c->at + 6)
                      : -1;

        if (unit >= 0xdc00 || low < 0xdc00 || low > 0xdfff)
            return fail_at(c, "A lone surrogate is not accepted");
        c->at += 6;
    }
    c->at += 4;
    return true;
}

static bool check_string(struct check *c)
{
    c->at++;
    for (;;) {
        unsigned char ch;

        if (c->at >= c->len)
            return fail_at(c, "Unterminated string");
        ch = (unsigned char)c->text[c->at];
        if (ch == '"') {
            c->at++;
            return true;
        }
        if (ch < 0x20)
            return fail_at(c, "Bad control character in string literal");
        c->at++;
        if (ch != '\\')
            continue;
        ch = (unsigned char)peek(c);
        if (ch == 'u') {
            c->at++;
            if (!check_unicode(c))
                return false;
        } else if (ch != 0 && strchr("\"\\/bfnrt", ch) != NULL) {
            c->at++;
        } else {
            return fail_at(c, "Bad escaped character");
        }
    }
}

static bool check_value(struct check *c, int depth);

static bool check_members(struct check *c, int depth)
{
    c->at++;
    skip_space(c);
    if (peek(c) == '}') {
        c->at++;
        return true;
    }
    for (bool first = true;; first = false) {
        skip_space(c);
        if (peek(c) != '"')
            return fail_at(c, first ? "Expected property name or '}'"
                                    : "Expected double-quoted property name");
        if (!check_string(c))
            return false;
        skip_space(c);
        if (peek(c) != ':')
            return c->at >= c->len ? fail_end(c)
                                   : fail_at(c, "Expected ':' after property name");
        c->at++;
        if (!check_value(c, depth))
            return false;
        skip_space(c);
        if (peek(c) == '}') {
            c->at++;
            return true;
        }
        if (peek(c) != ',')
            return fail_at(c, "Expected ',' or '}' after property value");
        c->at++;
    }
}

static bool check_elements(struct check *c, int depth)
{
    c->at++;
    skip_space(c);
    if (peek(c) == ']') {
        c->at++;
        return true;
    }
    for (;;) {
        if (!check_value(c, depth))
            return false;
        skip_space(c);
        if (peek(c) == ']') {
            c->at++;
            return true;
        }
        if (peek(c) != ',')
            return c->at >= c->len
                       ? fail_end(c)
                       : fail_at(c, "Expected ',' or ']' after array element");
        c->at++;
    }
}

static bool check_value(struct check *c, int depth)
{
    if (depth > MAX_DEPTH && c->grammar_only) {
        c->gave_up = true;
        return false;
    }
    if (depth > MAX_DEPTH)
        return fail_at(c, "Nesting deeper than 512 levels");
    skip_space(c);
    switch (peek(c)) {
    case '{':
        return check_members(c, depth + 1);
    case '[':
        return check_elements(c, depth + 1);
    case '"':
        return check_string(c);
    case 't':
        return check_word(c, "true");
    case 'f':
        return check_word(c, "false");
    case 'n':
        return check_word(c, "null");
    default:
        if (peek(c) == '-' || (peek(c) >= '0' && peek(c) <= '9'))
            return check_number(c);
        return fail_here(c);
    }
}

static bool check(struct check *c)
{
    if (!check_value(c, 0))
        return c->gave_up;
    skip_space(c);
    if (c->at < c->len)
        return fail_at(c, "Unexpected non-whitespace character after JSON");
    return true;
}

bool json_check_strict(const char *text, size_t len, struct err *err)
{
    struct check c = {.text = text, .len = len, .err = err};

    if (!str_is_utf8(text, len))
        return err_set(err, 400, "invalid_json", "The text is not valid UTF-8");
    return check(&c);
}

bool json_check_syntax(const char *text, size_t len, struct err *err)
{
    struct check c = {.text = text, .len = len, .grammar_only = true, .err = err};

    return check(&c);
}
