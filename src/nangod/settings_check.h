/* SPDX-License-Identifier: Apache-2.0 */
/* Whether settings can be served with: what is beyond the table's own checks. */
#ifndef NANGOD_SETTINGS_CHECK_H
#define NANGOD_SETTINGS_CHECK_H

#include "base/log.h"
#include "nangod/settings.h"

/* Reads the files that the settings name, and changes nothing. False: *err names source,
 * setting and what is accepted. The catalogue is checked by loading it. */
bool settings_check(
    const struct settings *settings, const struct log *log, struct err *err);

#endif
