/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions. See pattern.h.
 *
 * Matching uses the C library's extended expressions: what JavaScript writes otherwise is
 * translated (`\d`) or refused (look-around, lazy quantifiers, non-capturing groups, back
 * references), so that a pattern never means something else here than where it was
 * written. */
#include "catalog/pattern.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define PATTERN_MAX_DEPTH 64
#define PATTERN_MAX_REPEATS 255

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

/* `{2,500}` makes the C library copy what it repeats, and nested ones multiply: the
 * product of all of them is bounded. */
static bool repeats_too_much(const char *pattern)
{
    unsigned long product = 1;

    for (const char *p = pattern; *p; p++) {
        const char *comma;
        unsigned long times;
        size_t len = braces_len(p);
        if (len == 0)
            continue;
        comma = memchr(p, ',', len);
        times = strtoul(comma && comma[1] != '}' ? comma + 1 : p + 1, NULL, 10);
        if (times > PATTERN_MAX_REPEATS)
            return true;
        product *= times > 0 ? times : 1;
        if (product > PATTERN_MAX_REPEATS)
            return true;
    }
    return false;
}

/* Writes the POSIX form; returns what cannot be translated, or NULL. */
static const char *translate(const char *pattern, struct buf *out)
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
            char c = *++p;
            if (c == 'd')
                buf_puts(out, in_class ? "0-9" : "[0-9]");
            else if (c == 'n')
                buf_putc(out, '\n');
            else if (c == 't')
                buf_putc(out, '\t');
            else if (in_class && isalnum((unsigned char)c))
                return "an escape inside `[]` that cannot be evaluated";
            else if (in_class)
                buf_putc(out, c);
            else if (isalnum((unsigned char)c) && !strchr("swSWbB", c))
                return "an escape that cannot be evaluated";
            else
                buf_append(out, p - 1, 2);
            continue;
        }
        if (*p == '[' && !in_class)
            in_class = true;
        else if (*p == ']')
            in_class = false;
        else if (!in_class && *p == '(' && p + 1 < end && p[1] == '?')
            return "a group with `(?`, which cannot be evaluated";
        else if (!in_class && strchr("*+?}", *p) && p + 1 < end && p[1] == '?')
            return "a lazy quantifier, which cannot be evaluated";
        /* Braces that are no quantifier stand for themselves, but not in POSIX: there
         * `{,9}` repeats. */
        if (!in_class && *p == '{' && braces_len(p) == 0)
            buf_putc(out, '\\');
        buf_putc(out, *p);
    }
    return NULL;
}

static const char *compile(const char *pattern, regex_t *out)
{
    const char *fault = pattern_fault(pattern);
    struct buf posix;

    if (fault)
        return fault;
    if (repeats_too_much(pattern))
        return "more repetitions than can be evaluated";
    buf_init(&posix, 0);
    fault = translate(pattern, &posix);
    if (!fault && regcomp(out, posix.data ? posix.data : "", REG_EXTENDED) != 0)
        fault = "a form that cannot be evaluated";
    buf_finish(&posix);
    return fault;
}

const char *pattern_match_fault(const char *pattern)
{
    regex_t regex;
    const char *fault = compile(pattern, &regex);

    if (!fault) {
        if (regex.re_nsub == 0)
            fault = "no group, so nothing would be read";
        regfree(&regex);
    }
    return fault;
}

char *pattern_match(const char *pattern, const char *text)
{
    regmatch_t groups[2];
    char *found = NULL;
    regex_t regex;

    if (compile(pattern, &regex))
        return NULL;
    if (regexec(&regex, text, 2, groups, 0) == 0 && groups[1].rm_so >= 0)
        found =
            str_ndup(text + groups[1].rm_so, (size_t)(groups[1].rm_eo - groups[1].rm_so));
    regfree(&regex);
    return found;
}
