/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions. See regex.h.
 *
 * PCRE2's own limit is one for each place where a match may begin, and does not see what
 * one item runs over: it alone bounds nothing on a long text. So patterns are compiled to
 * call back before each item, and each call is charged for the way since the last one and
 * for the most that an item may look at without telling. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "base/regex.h"

#include <ctype.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_DEPTH 64
#define MAX_BYTES 32768
/* Backtracks from one place; the effort is what counts. */
#define MATCH_LIMIT 50000000
/* Bytes that one step runs over. */
#define BYTES_PER_STEP 64

struct regex {
    pcre2_code *code;
    uint32_t groups;
    uint64_t weight; /* of a call: what an item may look at without telling */
    bool looks_back; /* to what a group matched, which may be as long as the text */
};

/* ---- syntax ---- */

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

#define HEX "0123456789abcdefABCDEF"

/* `u{1F600}` and `p{…}` at `p`: the length, else 0. */
static size_t long_escape_len(const char *p)
{
    const char *close = p[0] != '\0' && p[1] == '{' ? strchr(p, '}') : NULL;

    if (close == NULL)
        return 0;
    if (*p == 'u' && (close == p + 2 || p + 2 + strspn(p + 2, HEX) != close ||
                         strtoul(p + 2, NULL, 16) > 0x10FFFF))
        return 0;
    return *p == 'u' || *p == 'p' || *p == 'P' ? (size_t)(close - p) + 1 : 0;
}

/* Does the flag "u" know the escape behind a backslash at `p`? */
static bool is_unicode_escape(const char *p, bool in_class)
{
    if (*p == 'p' || *p == 'P' || (*p == 'u' && p[1] == '{'))
        return long_escape_len(p) > 0;
    if (*p == 'u')
        return strspn(p + 1, HEX) >= 4;
    if (*p == 'x')
        return strspn(p + 1, HEX) >= 2;
    if (*p == 'c')
        return isalpha((unsigned char)p[1]);
    if (*p == 'B' || *p == 'k' || (*p >= '1' && *p <= '9'))
        return !in_class;
    if (*p == '-')
        return in_class;
    return strchr("dDwWsSbnrtfv0^$\\.*+?()[]{}|/", *p) != NULL;
}

/* Points past a class that begins at `p`; NULL when it does not end. */
static const char *skip_class(const char *p, bool strict)
{
    for (p++; *p; p++) {
        if (*p == '\\') {
            if (!*++p || (strict && !is_unicode_escape(p, true)))
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

/* `strict`: as the flag "u" is, beside what it means. */
static const char *find_fault(const char *pattern, bool unicode, bool strict)
{
    size_t depth = 0;
    bool atom = false; /* something stands before that a quantifier can repeat */

    for (const char *p = pattern; *p;) {
        size_t braces = braces_len(p);
        if (*p == '\\') {
            if (!p[1])
                return "a lone `\\` at its end";
            if (strict && !is_unicode_escape(p + 1, false))
                return "an unknown escape";
            atom = true;
            p += unicode && long_escape_len(p + 1) > 0 ? 1 + long_escape_len(p + 1) : 2;
        } else if (*p == '[') {
            p = skip_class(p, strict);
            if (!p)
                return "`[` without `]`";
            atom = true;
        } else if (*p == '(') {
            if (++depth > MAX_DEPTH)
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
        } else if (strict && (*p == '{' || *p == '}' || *p == ']')) {
            return "a brace or bracket that stands alone";
        } else {
            atom = *p != '|' && *p != '^';
            p++;
        }
    }
    return depth > 0 ? "`(` without `)`" : NULL;
}

const char *regex_fault(const char *pattern, bool unicode)
{
    return find_fault(pattern, unicode, unicode);
}

/* ---- translation ---- */

/* White space as JavaScript has it. */
#define SPACES                                                                           \
    "\\t\\n\\x0b\\f\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000" \
    "\\ufeff"
#define NO_LINE_ENDS "[^\\n\\r\\u2028\\u2029]"

/* General categories by the names that PCRE2 does not have. */
static const struct {
    const char *name, *value;
} categories[] = {
    {"Letter", "L"},
    {"Cased_Letter", "L&"},
    {"LC", "L&"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Surrogate", "Cs"},
    {"Private_Use", "Co"},
    {"Unassigned", "Cn"},
};

/* `p{…}` at `p`, up to `close`. */
static void translate_property(const char *p, const char *close, struct buf *out)
{
    static const char *const prefixes[] = {"General_Category=", "gc="};
    const char *name = p + 2;
    size_t len;

    for (size_t i = 0; i < 2; i++)
        if (str_starts(name, prefixes[i]))
            name += strlen(prefixes[i]);
    len = (size_t)(close - name);
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++)
        if (strlen(categories[i].name) == len &&
            memcmp(categories[i].name, name, len) == 0) {
            buf_printf(out, "\\%c{%s}", *p, categories[i].value);
            return;
        }
    buf_printf(out, "\\%c{%.*s}", *p, (int)len, name);
}

static long hex4(const char *p, const char *end)
{
    char digits[5];

    if (end - p < 4 || strspn(p, HEX) < 4)
        return -1;
    memcpy(digits, p, 4);
    digits[4] = '\0';
    return strtol(digits, NULL, 16);
}

/* `uD83D\uDE00` at `p` is one character; returns its last byte, NULL when it is not that. */
static const char *translate_pair(const char *p, const char *end, struct buf *out)
{
    long high = hex4(p + 1, end), low;

    if (high < 0xD800 || high > 0xDBFF || end - p < 11 || p[5] != '\\' || p[6] != 'u')
        return NULL;
    low = hex4(p + 7, end);
    if (low < 0xDC00 || low > 0xDFFF)
        return NULL;
    buf_printf(out, "\\u{%lx}", 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
    return p + 10;
}

/* The escape whose first byte behind the backslash is at `p`, as PCRE2 spells it; returns
 * its last byte. */
static const char *translate_escape(
    const char *p, const char *end, bool in_class, bool unicode, struct buf *out)
{
    const char *last = *p == 'u' ? translate_pair(p, end, out) : NULL;

    if (last != NULL)
        return last;
    if (unicode && long_escape_len(p) > 0) {
        last = p + long_escape_len(p) - 1;
        if (*p == 'u')
            buf_printf(out, "\\u{%.*s}", (int)(last - p - 2), p + 2);
        else
            translate_property(p, last, out);
        return last;
    }
    if (*p == 's') {
        buf_puts(out, in_class ? SPACES : "[" SPACES "]");
    } else if (*p == 'S') { /* there is no class within a class: but for U+FEFF */
        buf_puts(out, in_class ? "\\P{Xsp}" : "[^" SPACES "]");
    } else if (*p == 'v') { /* a class there */
        buf_puts(out, "\\x0b");
    } else if (*p == '0') {
        buf_puts(out, "\\x00");
    } else if (isalnum((unsigned char)*p) && !strchr("dDwWbBnrtfcxuk123456789", *p)) {
        buf_putc(out, *p); /* the character itself */
    } else if (in_class && *p == 'B') {
        buf_putc(out, 'B');
    } else {
        buf_putc(out, '\\');
        buf_putc(out, *p);
    }
    return p;
}

/* `most` becomes the largest count of a quantifier. */
static void translate(
    const char *pattern, size_t len, bool unicode, struct buf *out, uint64_t *most)
{
    const char *end = pattern + len;
    bool in_class = false;

    for (const char *p = pattern; p < end; p++) {
        size_t braces = in_class ? 0 : braces_len(p);

        if (*p == '\\' && p + 1 < end) {
            p = translate_escape(p + 1, end, in_class, unicode, out);
            continue;
        }
        for (size_t i = 1; i < braces; i++) {
            uint64_t count = strtoull(p + i, NULL, 10);

            *most = count > *most ? count : *most;
            i += strcspn(p + i, ",}");
        }
        if (*p == '.' && !in_class) {
            buf_puts(out, NO_LINE_ENDS);
            continue;
        }
        /* `[:` begins something in a class, and newer versions repeat by `{,3}`. */
        if ((*p == '[' && in_class) || (*p == '{' && !in_class && braces == 0))
            buf_putc(out, '\\');
        else if (*p == '[')
            in_class = true;
        else if (*p == ']')
            in_class = false;
        buf_putc(out, *p);
    }
}

struct regex *regex_new(const char *pattern, bool unicode, const char **fault)
{
    size_t len = strlen(pattern);
    struct regex *regex = NULL;
    pcre2_compile_context *context;
    pcre2_code *code;
    uint64_t most = 0;
    uint32_t backrefs = 0;
    struct buf text;
    PCRE2_SIZE at;
    int error;

    *fault = len > MAX_BYTES ? "it is too long" : find_fault(pattern, unicode, false);
    if (*fault != NULL)
        return NULL;
    context = pcre2_compile_context_create(NULL);
    if (context == NULL)
        abort();
    pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
    buf_init(&text, 0);
    translate(pattern, len, unicode, &text, &most);
    code = pcre2_compile((PCRE2_SPTR)(text.len > 0 ? text.data : ""), text.len,
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY |
            PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF |
            PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT,
        &error, &at, context);
    pcre2_compile_context_free(context);
    buf_finish(&text);
    if (code == NULL) {
        *fault = "a form that cannot be evaluated";
        return NULL;
    }
    regex = MEM_NEW(struct regex);
    regex->code = code;
    regex->weight = 1 + most / BYTES_PER_STEP;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &regex->groups);
    pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &backrefs);
    regex->looks_back = backrefs > 0;
    return regex;
}

void regex_free(struct regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_code_free(regex->code);
    free(regex);
}

size_t regex_size(const struct regex *regex)
{
    size_t size = 0;

    pcre2_pattern_info(regex->code, PCRE2_INFO_SIZE, &size);
    return size + sizeof *regex;
}

size_t regex_groups(const struct regex *regex)
{
    return regex->groups;
}

/* ---- searching ---- */

struct search {
    struct regex_effort *effort;
    uint64_t weight;
    PCRE2_SIZE at; /* of the last call */
};

static bool take(struct regex_effort *effort, uint64_t steps)
{
    bool enough = effort->steps >= steps;

    effort->steps -= enough ? steps : effort->steps;
    return enough;
}

/* Before each item of the pattern. */
static int on_item(pcre2_callout_block *block, void *arg)
{
    struct search *search = arg;
    PCRE2_SIZE now = block->current_position;
    PCRE2_SIZE way = now > search->at ? now - search->at : search->at - now;

    search->at = now;
    return take(search->effort, search->weight + way / BYTES_PER_STEP)
               ? 0
               : PCRE2_ERROR_MATCHLIMIT;
}

enum regex_found regex_search(const struct regex *regex, const char *text, size_t len,
    struct regex_effort *effort, struct regex_span *group)
{
    struct search search = {.effort = effort, .weight = regex->weight};
    pcre2_match_context *context;
    pcre2_match_data *data;
    int found;

    if (regex->looks_back)
        search.weight += len / BYTES_PER_STEP;
    if (!take(effort, 1 + len / BYTES_PER_STEP))
        return REGEX_GAVE_UP;
    context = pcre2_match_context_create(NULL);
    data = pcre2_match_data_create_from_pattern(regex->code, NULL);
    if (context == NULL || data == NULL)
        abort();
    pcre2_set_match_limit(context, MATCH_LIMIT);
    pcre2_set_heap_limit(context, effort->memory_kb);
    pcre2_set_callout(context, on_item, &search);
    found = pcre2_match(regex->code, (PCRE2_SPTR)text, len, 0, 0, data, context);
    if (group != NULL)
        *group = (struct regex_span){SIZE_MAX, SIZE_MAX};
    if (found > 1 && group != NULL) {
        const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(data);

        *group = (struct regex_span){ends[2], ends[3]}; /* PCRE2_UNSET is SIZE_MAX */
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    return found >= 0                     ? REGEX_YES
           : found == PCRE2_ERROR_NOMATCH ? REGEX_NO
                                          : REGEX_GAVE_UP;
}
