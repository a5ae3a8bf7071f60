/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts of events that somebody waits for: those that judge a connection before it takes
 * effect, and those that run before one is deleted. All enabled ones of the event and the
 * integration run, by name, one after the other. Those that run after a creation are
 * ordered in the store, in the write that creates, and run from there (async.h). */
#ifndef SCRIPTS_EVENTS_H
#define SCRIPTS_EVENTS_H

#include "auth/gate.h"
#include "scripts/action.h"

/* All borrowed. */
struct script_events {
    struct actions *actions; /* NULL: this server runs no scripts */
    struct store *store;
    const struct log *log;
};

/* What connection_put() asks; `events` is borrowed. Where no scripts run, those who should
 * judge refuse, and nothing is ordered. */
struct connection_gate script_events_gate(struct script_events *events);

/* Is there anything to run before a connection is deleted? */
bool script_events_precede_deletion(struct script_events *events,
    struct connection_row *connection, bool *yes, struct err *err);
/* Runs it. Blocking, for the time limit of each script at most. What fails is logged. */
void script_events_run_before_deletion(
    struct script_events *events, struct connection_row *connection);

/* Logs that a script of an event failed: which and how. Why, which may be anything that a
 * script puts in words, only at the level of what scripts log. */
void script_event_log_failure(const struct log *log, const char *event, const char *name,
    const struct script_outcome *outcome);

#endif
