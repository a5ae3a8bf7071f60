/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_SQLITE_FUNCTION_JOBS_H
#define STORE_SQLITE_FUNCTION_JOBS_H

struct function_job_ops;
extern const struct function_job_ops sqlite_function_job_ops;

#endif
