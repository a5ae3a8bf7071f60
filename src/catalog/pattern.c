/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions. See pattern.h.
 *
 * Matching is PCRE2's. What JavaScript means otherwise is translated, so that a pattern
 * means the same here as where it was written. Patterns are the catalogue's, but texts are
 * anybody's: each match has a bound of steps and of memory. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "catalog/pattern.h"

#include <ctype.h>
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define PATTERN_MAX_DEPTH 64
#define PATTERN_MAX_BYTES 4096
#define MATCH_MAX_STEPS 100000
#define MATCH_MAX_KB 1024

/* `{2}`, `{2,}`, `{2,3}` at `s`: its length, else 0. */
static size_t braces_len(const char *s)
{
    const char *p = s + 1;
    size_t n = strspn(p, "0123456789");

    if (*s != '{' || n == 0)
        return 0;
    p += n;
    if (*p == ',') {
        p++;
        p += strspn(p, "0123456789");
    }
    return *p == '}' ? (size_t)(p - s) + 1 : 0;
}

/* Points past a class that begins at `p`; NULL when it does not end. */
static const char *skip_class(const char *p)
{
    for (p++; *p; p++) {
        if (*p == '\\') {
            if (!*++p)
                return NULL;
        } else if (*p == ']') {
            return p + 1;
        }
    }
    return NULL;
}

/* Points past `(` and what marks its kind; NULL when the kind is unknown. */
static const char *skip_group_mark(const char *p)
{
    static const char *const marks[] = {"?:", "?=", "?!", "?<=", "?<!"};

    p++;
    if (*p != '?')
        return p;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (str_starts(p, marks[i]))
            return p + strlen(marks[i]);
    if (p[1] == '<') {
        const char *end = strchr(p, '>');
        return end ? end + 1 : NULL;
    }
    return NULL;
}

const char *pattern_fault(const char *pattern)
{
    size_t depth = 0;
    bool atom = false; /* something stands before that a quantifier can repeat */

    for (const char *p = pattern; *p;) {
        size_t braces = braces_len(p);
        if (*p == '\\') {
            if (!p[1])
                return "a lone `\\` at its end";
            atom = true;
            p += 2;
        } else if (*p == '[') {
            p = skip_class(p);
            if (!p)
                return "`[` without `]`";
            atom = true;
        } else if (*p == '(') {
            if (++depth > PATTERN_MAX_DEPTH)
                return "groups nested too deeply";
            p = skip_group_mark(p);
            if (!p)
                return "unknown kind of group after `(?`";
            atom = false;
        } else if (*p == ')') {
            if (depth-- == 0)
                return "`)` without `(`";
            atom = true;
            p++;
        } else if (*p == '*' || *p == '+' || *p == '?' || braces > 0) {
            if (!atom)
                return "a quantifier with nothing before it";
            p += braces > 0 ? braces : 1;
            if (*p == '?')
                p++; /* lazy */
            atom = false;
        } else {
            atom = *p != '|' && *p != '^';
            p++;
        }
    }
    return depth > 0 ? "`(` without `)`" : NULL;
}

/* The character behind a backslash, as PCRE2 spells it. */
static void translate_escape(const char *p, bool in_class, struct buf *out)
{
    if (*p == 'v') { /* a class there */
        buf_puts(out, "\\x0b");
    } else if (*p == '0') {
        buf_puts(out, "\\x00");
    } else if (isalnum((unsigned char)*p) && !strchr("dDwWsSbBnrtfcxuk123456789", *p)) {
        buf_putc(out, *p); /* the character itself */
    } else if (in_class && *p == 'B') {
        buf_putc(out, 'B');
    } else {
        buf_putc(out, '\\');
        buf_putc(out, *p);
    }
}

static void translate(const char *pattern, struct buf *out)
{
    size_t len = strlen(pattern);
    const char *end;
    bool in_class = false;

    if (len >= 2 && pattern[0] == '/' && pattern[len - 1] == '/') {
        pattern++;
        len -= 2;
    }
    end = pattern + len;
    for (const char *p = pattern; p < end; p++) {
        if (*p == '\\' && p + 1 < end) {
            translate_escape(++p, in_class, out);
            continue;
        }
        /* `[:` begins something in a class, and newer versions repeat by `{,3}`. */
        if ((*p == '[' && in_class) || (*p == '{' && !in_class && braces_len(p) == 0))
            buf_putc(out, '\\');
        else if (*p == '[')
            in_class = true;
        else if (*p == ']')
            in_class = false;
        buf_putc(out, *p);
    }
}

/* NULL with *fault. */
static pcre2_code *compile(const char *pattern, const char **fault)
{
    pcre2_compile_context *context;
    pcre2_code *code = NULL;
    struct buf text;
    PCRE2_SIZE at;
    int error;

    *fault = pattern_fault(pattern);
    if (*fault != NULL)
        return NULL;
    context = pcre2_compile_context_create(NULL);
    if (context == NULL)
        abort();
    pcre2_set_max_pattern_length(context, PATTERN_MAX_BYTES);
    pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
    buf_init(&text, 0);
    translate(pattern, &text);
    code = pcre2_compile((PCRE2_SPTR)(text.len > 0 ? text.data : ""), text.len,
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY |
            PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C,
        &error, &at, context);
    if (code == NULL)
        *fault = "a form that cannot be evaluated";
    pcre2_compile_context_free(context);
    buf_finish(&text);
    return code;
}

const char *pattern_match_fault(const char *pattern)
{
    const char *fault;
    pcre2_code *code = compile(pattern, &fault);
    uint32_t groups = 0;

    if (code == NULL)
        return fault;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
    pcre2_code_free(code);
    return groups > 0 ? NULL : "no group, so nothing would be read";
}

char *pattern_match(const char *pattern, const char *text)
{
    const char *fault;
    pcre2_code *code = compile(pattern, &fault);
    pcre2_match_context *context;
    pcre2_match_data *data;
    char *found = NULL;

    if (code == NULL)
        return NULL;
    context = pcre2_match_context_create(NULL);
    data = pcre2_match_data_create_from_pattern(code, NULL);
    if (context == NULL || data == NULL)
        abort();
    pcre2_set_match_limit(context, MATCH_MAX_STEPS);
    pcre2_set_heap_limit(context, MATCH_MAX_KB);
    if (pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0, 0, data, context) > 1) {
        const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(data);

        if (ends[2] != PCRE2_UNSET)
            found = str_ndup(text + ends[2], ends[3] - ends[2]);
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_code_free(code);
    return found;
}
