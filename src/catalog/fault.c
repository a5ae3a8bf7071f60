/* SPDX-License-Identifier: Apache-2.0 */
/* The list of faults found in catalogue files. See fault.h. */
#include "catalog/fault.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

void faults_add(struct faults *faults, const char *file, int line, const char *fmt, ...)
{
    struct buf message;
    va_list args;

    if (faults->count == FAULTS_MAX)
        return;
    if (faults->count == faults->capacity) {
        faults->capacity = faults->capacity > 0 ? faults->capacity * 2 : 8;
        faults->items =
            mem_resize_array(faults->items, faults->capacity, sizeof(*faults->items));
    }
    buf_init(&message, 0);
    va_start(args, fmt);
    buf_vprintf(&message, fmt, args);
    va_end(args);
    faults->items[faults->count] = (struct fault){
        .file = str_dup(file),
        .line = line,
        .order = faults->count,
        .message = buf_take(&message, NULL),
    };
    faults->count++;
}

static int by_line(const void *a, const void *b)
{
    const struct fault *x = a, *y = b;
    int order = (x->line > y->line) - (x->line < y->line);

    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

void faults_sort(struct faults *faults)
{
    if (faults->count > 1)
        qsort(faults->items, faults->count, sizeof(*faults->items), by_line);
}

bool faults_to_err(const struct faults *faults, struct err *err)
{
    const struct fault *first;

    if (faults->count == 0)
        return err_internal(err, "a catalogue file was refused without a fault");
    first = &faults->items[0];
    if (first->line == 0)
        return err_set(
            err, 400, "invalid_catalog", "%s: %s", first->file, first->message);
    return err_set(err, 400, "invalid_catalog", "%s:%d: %s", first->file, first->line,
        first->message);
}

void faults_finish(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        free(faults->items[i].file);
        free(faults->items[i].message);
    }
    free(faults->items);
    *faults = (struct faults){0};
}
