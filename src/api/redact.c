/* SPDX-License-Identifier: Apache-2.0 */
/* One pass with a reading and a writing position: the text only shrinks. A string
 * followed by a colon is a name; no stack is needed. What is cut is overwritten by what
 * follows, and the rest behind the new end is wiped. */
#include "api/redact.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"

/* Behind the closing quote of the string that begins at `s`. */
static const char *skip_string(const char *s)
{
    for (s++; *s != '"' && *s != '\0'; s++)
        if (*s == '\\' && s[1] != '\0')
            s++;
    return *s == '"' ? s + 1 : s;
}

static const char *skip_value(const char *s)
{
    size_t depth = 0;

    do {
        if (*s == '"') {
            s = skip_string(s);
            continue;
        }
        if (*s == '{' || *s == '[')
            depth++;
        else if (*s == '}' || *s == ']')
            depth--;
        s++;
        if (depth == 0 && (s[-1] == '}' || s[-1] == ']'))
            break;
    } while (*s != '\0' && (depth > 0 || (*s != ',' && *s != '}' && *s != ']')));
    return s;
}

enum name_verdict {
    NAME_OTHER,
    NAME_REFRESH_TOKEN,
    NAME_UNCLEAR,
};

/* `name` without its quotes. */
static enum name_verdict judge_name(const char *name, size_t len)
{
    static const char wanted[] = "refreshtoken";
    size_t matched = 0;

    for (size_t i = 0; i < len; i++) {
        char c = (char)(name[i] | 0x20);

        if (name[i] == '\\') {
            if (name[i + 1] == 'u')
                return NAME_UNCLEAR;
            i++;
        } else if (c >= 'a' && c <= 'z') {
            if (c != wanted[matched])
                return NAME_OTHER;
            matched++;
        }
    }
    return wanted[matched] == '\0' ? NAME_REFRESH_TOKEN : NAME_OTHER;
}

bool redact_refresh_tokens(char *text)
{
    const char *in = text;
    char *out = text;

    while (*in != '\0') {
        enum name_verdict verdict = NAME_OTHER;
        const char *end;

        if (*in != '"') {
            *out++ = *in++;
            continue;
        }
        end = skip_string(in);
        if (*end == ':')
            verdict = judge_name(in + 1, (size_t)(end - in) - 2);
        if (verdict == NAME_UNCLEAR)
            return false;
        if (verdict == NAME_REFRESH_TOKEN) {
            in = skip_value(end + 1);
            if (*in == ',')
                in++;
            else if (out > text && out[-1] == ',')
                out--;
            continue;
        }
        memmove(out, in, (size_t)(end - in));
        out += end - in;
        in = end;
    }
    mem_wipe(out, (size_t)(in - out));
    *out = '\0';
    return true;
}
