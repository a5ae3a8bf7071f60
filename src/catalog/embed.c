/* SPDX-License-Identifier: Apache-2.0 */
/* Build tool: reads provider files and writes them, checked and resolved, as a C source
 * that defines what catalog/embedded.h declares, so that a start of the server parses no
 * YAML.
 *
 *   catalog-embed OUT.c FILE.yaml…
 *
 * Files are layers in the order of their names. Exits 1 with FILE:LINE messages on any
 * fault, an unknown key included: our own files must be exact. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "catalog/layer.h"

/* One string literal, broken into short lines. */
static void write_literal(FILE *out, const struct buf *text)
{
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->data[i];
        if (i % 96 == 0)
            fputs(i == 0 ? "    \"" : "\"\n    \"", out);
        if (c == '"' || c == '\\' || c == '?' || c < 0x20 || c > 0x7e)
            fprintf(out, "\\%03o", c);
        else
            fputc(c, out);
    }
    fputs("\"", out);
}

static bool write_source(const char *path, const struct buf *text)
{
    FILE *out = fopen(path, "we");
    bool ok;

    if (!out)
        return false;
    fputs("/* Made by catalog-embed from catalog/. */\n"
          "#include \"catalog/embedded.h\"\n\n"
          "const char catalog_embedded_text[] =\n",
        out);
    write_literal(out, text);
    fprintf(out, ";\nconst size_t catalog_embedded_len = %zu;\n", text->len);
    ok = !ferror(out);
    return fclose(out) == 0 && ok;
}

int main(int argc, char **argv)
{
    struct log log = {.fd = STDERR_FILENO, .level = LOG_WARN, .text = true};
    struct layers layers = {0};
    struct faults faults = {0};
    struct buf text;
    int status = 1;

    if (argc < 3) {
        fprintf(stderr, "usage: catalog-embed OUT.c FILE.yaml...\n");
        return 2;
    }
    buf_init(&text, 0);
    for (int i = 2; i < argc; i++)
        layers_add_file(&layers, argv[i], &faults);
    for (size_t i = 0; i < faults.count; i++)
        fprintf(stderr, "%s:%d: %s\n", faults.items[i].file, faults.items[i].line,
            faults.items[i].message);
    if (faults.count > 0)
        goto done;
    if (layers.unknown) {
        schema_log_unknown(layers.unknown, &log);
        goto done;
    }
    layers_print(&layers, &text);
    if (!write_source(argv[1], &text)) {
        perror(argv[1]);
        goto done;
    }
    status = 0;

done:
    buf_finish(&text);
    faults_finish(&faults);
    layers_finish(&layers);
    return status;
}
