/* SPDX-License-Identifier: Apache-2.0 */
/* The prelude (js/), bundled and embedded when the program was built. ASCII. */
#ifndef RUNNER_PRELUDE_H
#define RUNNER_PRELUDE_H

extern const char prelude_text[]; /* NUL-terminated */

#endif
