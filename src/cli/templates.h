/* SPDX-License-Identifier: Apache-2.0 */
/* The files of templates/, embedded: what `nangoctl init` writes, and the types of what
 * scripts are called with, which stand at the end of a models.ts. */
#ifndef CLI_TEMPLATES_H
#define CLI_TEMPLATES_H

enum template_form {
    TEMPLATE_ZERO = 1,
    TEMPLATE_YAML = 2,
};

struct template_file {
    const char *name; /* within the project */
    int forms;        /* of enum template_form */
    const char *text;
};

/* Ends with a NULL name. */
extern const struct template_file template_files[];
extern const char template_sdk[];

#endif
