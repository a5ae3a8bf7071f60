/* SPDX-License-Identifier: Apache-2.0 */
/* The strict parser of request heads and chunked bodies. */
#include "net/http_parse.h"

#include <string.h>

#include "base/str.h"

#define MAX_SIZE_LINE 256 /* a chunk's size line with its extensions */
#define MAX_TRAILERS (8 * 1024)

size_t http_head_length(const char *data, size_t len, size_t from)
{
    const char *at;

    /* The end may straddle what was searched before. */
    for (size_t i = from > 3 ? from - 3 : 0; i < len; i = (size_t)(at - data) + 1) {
        at = memchr(data + i, '\n', len - i);
        if (at == NULL)
            return 0;
        size_t here = (size_t)(at - data);

        /* An empty line after a bare LF ends a head too: the parser then refuses it, and
         * need not wait for more. */
        if ((here >= 2 && memcmp(at - 2, "\n\r", 2) == 0) ||
            (here >= 1 && at[-1] == '\n'))
            return here + 1;
    }
    return 0;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Cuts the next line off; false when it does not end in CRLF, or holds a control
 * character. */
static bool next_line(char **at, char *end, char **line)
{
    char *lf = memchr(*at, '\n', (size_t)(end - *at));

    if (lf == NULL || lf == *at || lf[-1] != '\r')
        return false;
    *line = *at;
    lf[-1] = '\0';
    for (const unsigned char *c = (unsigned char *)*line; c < (unsigned char *)lf - 1;
         c++) {
        if ((*c < 0x20 && *c != '\t') || *c == 0x7f)
            return false;
    }
    *at = lf + 1;
    return true;
}

static int parse_version(const char *text, int *minor)
{
    if (strncmp(text, "HTTP/", 5) != 0 || text[5] < '0' || text[5] > '9' ||
        text[6] != '.' || text[7] < '0' || text[7] > '9' || text[8] != '\0')
        return 400;
    if (text[5] != '1')
        return 505;
    *minor = text[7] == '0' ? 0 : 1;
    return 0;
}

static bool is_escape(const char *text, size_t len)
{
    return len > 2 && text[0] == '%' && str_hex_value(text[1]) >= 0 &&
           str_hex_value(text[2]) >= 0;
}

/* RFC 9112 section 3.2: `uri-host [":" port]` (RFC 3986 section 3.2.2), `len` bytes; no
 * user information. */
static bool is_authority(const char *text, size_t len)
{
    static const char plain[] = "-._~!$&'()*+,;=";
    size_t at = 0;

    if (len > 0 && text[0] == '[') {
        while (at < len && text[at] != ']')
            at++;
        for (size_t i = 1; i < at; i++) {
            if (!is_alnum(text[i]) && strchr(":.-_~", text[i]) == NULL)
                return false;
        }
        if (at < 2 || at++ == len)
            return false;
    } else {
        while (at < len && (is_alnum(text[at]) || strchr(plain, text[at]) != NULL ||
                               is_escape(text + at, len - at)))
            at++;
    }
    if (at == len)
        return true;
    if (at == 0 || text[at++] != ':')
        return false;
    while (at < len && text[at] >= '0' && text[at] <= '9')
        at++;
    return at == len;
}

/* Absolute form (RFC 9112 section 3.2.2) becomes origin form; authority form is for
 * CONNECT, which we do not serve. */
static bool to_origin_form(char **target, const char *method)
{
    if (**target == '/')
        return true;
    if (strcmp(*target, "*") == 0)
        return strcmp(method, "OPTIONS") == 0;
    if (str_starts_nocase(*target, "http://") || str_starts_nocase(*target, "https://")) {
        char *host = strstr(*target, "//") + 2;
        size_t len = strcspn(host, "/?#");
        char *path = host + len;

        if (len == 0 || !is_authority(host, len) || *path == '#')
            return false;
        if (*path != '/') { /* no path means the root; the host is not needed any more */
            *--path = '/';
            if (path[1] != '?')
                path[1] = '\0';
        }
        *target = path;
        return true;
    }
    return false;
}

static int parse_request_line(char *line, struct http_head *out)
{
    char *target = strchr(line, ' ');
    char *version;

    if (target == NULL)
        return 400;
    *target++ = '\0';
    version = strchr(target, ' ');
    if (version == NULL || version == target)
        return 400;
    *version++ = '\0';
    out->method = line;
    out->target = target;
    if (!http_is_token(line) || strchr(target, '\t') != NULL ||
        !to_origin_form(&out->target, line))
        return 400;
    return parse_version(version, &out->minor);
}

static bool parse_field(char *line, struct http_header *out)
{
    char *colon = strchr(line, ':');

    if (colon == NULL)
        return false;
    *colon = '\0';
    out->name = line;
    if (!http_is_token(line)) /* a folded line and a space before the colon end here */
        return false;
    out->value = colon + 1;
    while (*out->value == ' ' || *out->value == '\t')
        out->value++;
    for (size_t n = strlen(out->value);
         n > 0 && (out->value[n - 1] == ' ' || out->value[n - 1] == '\t'); n--)
        out->value[n - 1] = '\0';
    return true;
}

/* One of a comma-separated list, any case. */
static bool lists(const char *value, const char *word)
{
    size_t len = strlen(word);

    while (*value != '\0') {
        size_t n;

        value += strspn(value, " \t,");
        n = strcspn(value, " \t,");
        if (n == len && str_starts_nocase(value, word))
            return true;
        value += n;
    }
    return false;
}

static bool parse_length(const char *value, int64_t *out)
{
    size_t digits = strspn(value, "0123456789");

    return digits > 0 && digits <= 18 && value[digits] == '\0' && str_to_i64(value, out);
}

struct framing {
    int hosts, lengths, codings;
};

static int read_framing_field(
    const struct http_header *field, struct http_head *out, struct framing *seen)
{
    if (str_eq_nocase(field->name, "host")) {
        if (++seen->hosts > 1 || !is_authority(field->value, strlen(field->value)))
            return 400;
    } else if (str_eq_nocase(field->name, "content-length")) {
        if (++seen->lengths > 1 || !parse_length(field->value, &out->body_length))
            return 400;
    } else if (str_eq_nocase(field->name, "transfer-encoding")) {
        if (++seen->codings > 1 || !str_eq_nocase(field->value, "chunked"))
            return 400;
    } else if (str_eq_nocase(field->name, "connection")) {
        if (lists(field->value, "close"))
            out->keep_alive = false;
        else if (out->minor == 0 && lists(field->value, "keep-alive"))
            out->keep_alive = true;
    } else if (str_eq_nocase(field->name, "expect")) {
        if (!str_eq_nocase(field->value, "100-continue"))
            return 417;
        out->expects_continue = out->minor > 0;
    }
    return 0;
}

int http_head_parse(char *text, size_t len, struct http_head *out)
{
    char *at = text, *end = text + len, *line;
    struct framing seen = {0};
    int status;

    out->field_count = 0;
    out->body_length = 0;
    out->expects_continue = false;
    if (!next_line(&at, end, &line))
        return 400;
    status = parse_request_line(line, out);
    if (status != 0)
        return status;
    out->keep_alive = out->minor > 0;
    for (;;) {
        if (!next_line(&at, end, &line))
            return 400;
        if (*line == '\0')
            break;
        if (out->field_count == HTTP_MAX_FIELDS)
            return 431;
        if (!parse_field(line, &out->fields[out->field_count]))
            return 400;
        status = read_framing_field(&out->fields[out->field_count++], out, &seen);
        if (status != 0)
            return status;
    }
    if (seen.hosts > 1 || (seen.hosts == 0 && out->minor > 0))
        return 400;
    if (seen.codings > 0 && (seen.lengths > 0 || out->minor == 0))
        return 400;
    if (seen.codings > 0)
        out->body_length = -1;
    return at == end ? 0 : 400;
}

/* ---- chunks ----
 *
 *   SIZE ─digits─► EXTENSION ─CR─► SIZE_LF ─LF─► DATA ─all─► DATA_CR ► DATA_LF ─► SIZE
 *                                        └─size 0─► LINE ─► TRAILER ─CR LF─► LINE …
 *                                                     └─CR─► END_LF ─► DONE */
enum {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA = HTTP_CHUNKS_DATA,
    DATA_CR,
    DATA_LF,
    LINE,
    TRAILER,
    TRAILER_LF,
    END_LF,
    DONE,
};

/* One byte outside of chunk data; false when it may not stand there. */
static bool step(struct http_chunks *c, unsigned char byte)
{
    int digit = str_hex_value((char)byte);

    switch (c->state) {
    case SIZE:
        if (digit >= 0 && ++c->overhead <= 15) {
            c->left = c->left << 4 | (uint64_t)digit;
            return true;
        }
        if (digit >= 0 || c->overhead == 0)
            return false;
        if (byte == '\r')
            c->state = SIZE_LF;
        else if (byte == ';')
            c->state = EXTENSION;
        else
            return false;
        return true;
    case EXTENSION:
        if (byte == '\r')
            c->state = SIZE_LF;
        else if ((byte < 0x20 && byte != '\t') || byte == 0x7f ||
                 ++c->overhead > MAX_SIZE_LINE)
            return false;
        return true;
    case SIZE_LF:
        c->overhead = 0;
        c->state = c->left > 0 ? DATA : LINE;
        return byte == '\n';
    case DATA_CR:
        c->state = DATA_LF;
        return byte == '\r';
    case DATA_LF:
        c->state = SIZE;
        return byte == '\n';
    case LINE:
        c->state = byte == '\r' ? END_LF : TRAILER;
        return byte == '\r' ||
               (byte > 0x20 && byte != 0x7f && ++c->overhead < MAX_TRAILERS);
    case TRAILER:
        if (byte == '\r')
            c->state = TRAILER_LF;
        else if ((byte < 0x20 && byte != '\t') || byte == 0x7f ||
                 ++c->overhead > MAX_TRAILERS)
            return false;
        return true;
    case TRAILER_LF:
        c->state = LINE;
        return byte == '\n';
    case END_LF:
        c->state = DONE;
        return byte == '\n';
    default:
        return false;
    }
}

int http_chunks_read(struct http_chunks *chunks, const char *data, size_t len,
    size_t *used, const char **piece, size_t *piece_len)
{
    size_t i = 0;

    *piece = NULL;
    *piece_len = 0;
    while (i < len && chunks->state != DONE) {
        if (chunks->state == DATA) {
            size_t n = len - i < chunks->left ? len - i : (size_t)chunks->left;

            *piece = data + i;
            *piece_len = n;
            chunks->left -= n;
            if (chunks->left == 0)
                chunks->state = DATA_CR;
            *used = i + n;
            return 0; /* one piece at a time */
        }
        if (!step(chunks, (unsigned char)data[i]))
            return -1;
        i++;
    }
    *used = i;
    return chunks->state == DONE ? 1 : 0;
}
