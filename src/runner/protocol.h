/* SPDX-License-Identifier: Apache-2.0 */
/* What nango-runner and its host say to each other, over one stream socket or a pair of
 * pipes. Both sides use this file.
 *
 * A frame is a length (u32, little-endian, at most PROTOCOL_MAX_FRAME) and that many bytes
 * of JSON: one object whose FIRST member is "t", the kind of message. Unknown members are
 * ignored; an unknown kind is a fault that ends the conversation. Version 1:
 *
 * host → runner
 *   {"t":"run","id":N,"form":"zero"|"yaml",
 *    "kind":"sync"|"action"|"on-event"|"webhook"|"function"|"any",
 *    "code":TEXT,"file":NAME,"props":{…},"input":ANY,"now":MS|null,"fixture":BOOL,
 *    "load":BOOL,"webhooks":BOOL,"describe":{"integration","name"},
 *    "limits":{"wall_ms","cpu_ms","memory_mb","output_bytes","logs","log_bytes"}}
 *        One execution. `code` is CommonJS; absent: that of the run before. `form` absent: told from the exports. `props`
 *        become properties of the script's `nango` object: connectionId,
 *        providerConfigKey, provider, environmentId, environmentName, activityLogId,
 *        syncId, syncJobId, nangoConnectionId, scriptType, lastSyncDate (ISO text),
 *        track_deletes, variant, syncConfig, isCLI, attributes; besides `models` (names
 *        the sync may save; absent = any), `paginate` (the provider's defaults), `name`
 *        (the script's), `logger` (level, or "off"). `input` is an action's input, a
 *        webhook's payload or a function's trigger. `now` fixes the script's clock. A limit of 0 or absent: none.
 *        memory_mb, cpu_ms are set once, by the first run of a process. With `load` nothing
 *        is called: the code is evaluated, and its exports must be what `kind` and `form`
 *        are called by (any: one of the kinds that a form has a function for), with a
 *        handler of webhooks where `webhooks` says so. `done` then has an error of type
 *        script_does_not_load, or with `describe` the output: what the script says of
 *        itself, as a flow of a deploy (contract http-api.md section 12), a script of events
 *        {type, event}; else none.
 *   {"t":"result","id":N,"ok":true,"value":ANY}           answers a call; no value =
 *   {"t":"result","id":N,"ok":false,"error":{"name","message","code"?,"type"?,
 *        "payload"?,"response"?:{"status","headers","data"}}}          undefined
 *   {"t":"abort"}                                         the run is cancelled
 *
 * runner → host
 *   {"t":"ready","version":1}                             warm and sealed; send a run
 *   {"t":"call","id":N,"method":NAME,"args":[…]}          a method of `nango` (calls below)
 *   {"t":"log","level":NAME,"message":TEXT,"meta"?:ANY}
 *   {"t":"done","id":N,"status":"ok","output"?:ANY}       `id` is the run's
 *   {"t":"done","id":N,"status":"error","error":{"type","message","payload"?,"stack",
 *        "status"?,"upstream"?:{"status","headers","body"},
 *        "at"?:{"file","line","column"?}}}         `at`: of code that does not load
 *
 * Bytes cross as {"$bytes":"<base64>"}.
 *
 * Calls whose arguments are not simply those of the method of that name:
 *   proxy [{method, endpoint, providerConfigKey, connectionId, headers:{name:text},
 *          params?: text | {name: text | [text]}, body?: text | bytes, contentType?,
 *          retries?, retryOn?, baseUrlOverride?, responseType?, decompress?, retryHeader?,
 *          forwardHeadersOnRedirect?, timeout?, page?}]
 *      → {status, headers:{name:text}, data: ANY | text: TEXT | data: bytes}. With `text`
 *        the runner decodes as the script's `responseType` asks (JSON unless told
 *        otherwise). A status of 400 and more comes as an error with `response`; an error
 *        without one means that no answer was had (`code`: ECONNREFUSED, ETIMEDOUT, …).
 *   uncontrolledFetch [{url, method, headers, body?: text | bytes}]
 *      → {status, statusText?, url?, headers, text | data: bytes}
 *   getConnection [providerConfigKey, connectionId, options?] → a connection
 *   batchSave, batchDelete, batchUpdate [rows, model] → whatever; at most 1000 rows
 *   getRecordsByIds [ids, model] → [[id, record]…]; at most 100 ids, as text
 *   listRecords [model, cursor|null] → {records, next_cursor}
 *   triggerSync [providerConfigKey, connectionId, sync, options]
 *   releaseAllLocks [] is sent at the end of a run that took a lock
 *   getMetadata [] is asked only in a fixture run; else metadata is the connection's.
 *
 * A runner is untrusted once it has run a script: a host checks every frame
 * (protocol_parse() does the grammar), bounds what it keeps, and answers only what the
 * run may ask. */
#ifndef RUNNER_PROTOCOL_H
#define RUNNER_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_raw.h"

#define PROTOCOL_VERSION 1
#define PROTOCOL_MAX_FRAME ((size_t)64 << 20)
#define PROTOCOL_HEADER 4

enum message_kind {
    MESSAGE_UNKNOWN,
    MESSAGE_RUN,
    MESSAGE_RESULT,
    MESSAGE_ABORT,
    MESSAGE_READY,
    MESSAGE_CALL,
    MESSAGE_LOG,
    MESSAGE_DONE,
};

struct message {
    enum message_kind kind;
    struct json_raw body; /* the whole object; borrowed from the frame */
};

/* Reads a frame's text. False when it is no message. */
bool protocol_parse(const char *text, size_t len, struct message *out, struct err *err);
/* As protocol_parse(), without checking the grammar of what follows `t`: for the runner,
 * whose JSON.parse() does that, and which trusts its host. */
enum message_kind protocol_kind(const char *text, size_t len);

/* The frame at the front of `in`, if it is whole: *text borrows from `in`, and
 * protocol_frame_size(len) bytes are to be dropped after use. 1 = there is one, 0 = more bytes are needed,
 * -1 = its length is not allowed. */
int protocol_frame(const struct buf *in, size_t max, const char **text, size_t *len);
size_t protocol_frame_size(size_t len);

/* Appends a frame: begin, then append JSON text to `out`, then end with what begin
 * returned. */
size_t protocol_begin(struct buf *out);
void protocol_end(struct buf *out, size_t begun);

/* Blocking; EINTR is retried. False on error or end (errno 0 = the other side closed). */
bool protocol_write(int fd, const void *data, size_t len);
/* Reads what is there into `in`, at least one byte. */
bool protocol_read(int fd, struct buf *in);

#endif
