/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with catalogue files: a list of FILE:LINE and a message, so that whoever
 * writes an entry sees all of it in one go. Nothing here fails; a list stops growing at
 * FAULTS_MAX. */
#ifndef CATALOG_FAULT_H
#define CATALOG_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define FAULTS_MAX 100

struct fault {
    char *file;
    int line; /* 0 = the file as a whole */
    char *message;
    size_t order; /* in which it was found */
};

/* Zeroed = empty. */
struct faults {
    struct fault *items;
    size_t count;
    size_t capacity;
};

void faults_add(struct faults *faults, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Moves the first fault into *err as "FILE:LINE: message", 400 `invalid_catalog`. Returns
 * false. */
bool faults_to_err(const struct faults *faults, struct err *err);
/* By line; those of one line as they were found. */
void faults_sort(struct faults *faults);
void faults_finish(struct faults *faults);

#endif
