/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* The text before the last colon of `text`, whose length is *len, when a number follows. */
static bool cut_number(const char *text, size_t *len, int64_t *number)
{
    size_t at = *len;
    char digits[12];

    while (at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9')
        at--;
    if (at == 0 || at == *len || text[at - 1] != ':' || *len - at >= sizeof digits)
        return false;
    memcpy(digits, text + at, *len - at);
    digits[*len - at] = '\0';
    *len = at - 1;
    return str_to_i64(digits, number);
}

void script_stack_place(const char *stack, char *file, size_t size, int *line)
{
    static const char mark[] = "\n    at ";
    const char *frame = stack != NULL ? strstr(stack, mark) : NULL;
    const char *open;
    int64_t column, row;
    size_t len;

    file[0] = '\0';
    *line = 0;
    if (frame == NULL)
        return;
    frame += strlen(mark);
    len = strcspn(frame, "\n");
    if (len > 0 && frame[len - 1] == ')') {
        open = memrchr(frame, '(', len);
        len = open != NULL ? len - 1 - (size_t)(open + 1 - frame) : len;
        frame = open != NULL ? open + 1 : frame;
    }
    if (!cut_number(frame, &len, &column) || !cut_number(frame, &len, &row) ||
        len >= size || row > INT32_MAX)
        return;
    memcpy(file, frame, len);
    file[len] = '\0';
    *line = (int)row;
}

bool script_loads(
    void *actions, const struct script_source *source, struct deploy_fault *fault)
{
    struct script_outcome outcome;
    bool ok;

    actions_load(actions, source, &outcome);
    ok = outcome.ok;
    if (ok) {
        script_outcome_finish(&outcome);
        return true;
    }
    if (str_eq(outcome.type, "script_aborted"))
        err_set(&fault->err, 503, "server_error", "the server is stopping");
    else if (str_eq(outcome.type, "action_script_failure")) /* not the script's fault */
        err_internal(&fault->err, "%s", outcome.message);
    else
        err_set(&fault->err, 400, "script_does_not_load", "it does not load: %s",
            str_is_empty(outcome.message) ? outcome.type : outcome.message);
    script_stack_place(outcome.stack, fault->file, sizeof fault->file, &fault->line);
    script_outcome_finish(&outcome);
    return false;
}
