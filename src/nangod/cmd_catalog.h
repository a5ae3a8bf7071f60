/* SPDX-License-Identifier: Apache-2.0 */
/* `nangod catalog`: see cmd_catalog.c. */
#ifndef NANGOD_CMD_CATALOG_H
#define NANGOD_CMD_CATALOG_H

int cmd_catalog(int argc, char **argv);

#endif
