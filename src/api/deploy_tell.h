/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a deploy, told to who asked and to the log of operations. */
#ifndef API_DEPLOY_TELL_H
#define API_DEPLOY_TELL_H

#include "api/api_int.h"
#include "oplog/oplog.h"
#include "scripts/deploy.h"

/* Why it was refused: which script, and where in it. */
void reply_deploy_fault(struct call *call, const struct deploy_fault *fault);

struct oplog_op begin_deploy_operation(struct call *call);
/* Ends the operation. */
void tell_deploy_refusal(
    const struct oplog_op *operation, const struct deploy_fault *fault);

#endif
