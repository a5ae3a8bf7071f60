/* SPDX-License-Identifier: Apache-2.0 */
/* The checkpoint of an execution: what may be saved, and what two at once may do. */
#include "scripts/checkpoints.h"

#include "base/buf.h"
#include "store/world.h"

static struct world w;
static struct connection_row *connection;

static void begin(void)
{
    world_begin(&w);
    connection = given_connection(&w, w.github, "u-1");
}

static void end(void)
{
    connection_row_unref(connection);
    world_end(&w);
}

static struct script_checkpoint an_execution(void)
{
    struct script_checkpoint execution;

    script_checkpoint_init(&execution, w.store, NULL, connection->id,
        script_checkpoint_key("action", "act", NULL));
    return execution;
}

/* The call's answer, or its error's message after "!". */
static void expect(struct script_checkpoint *execution, const char *method,
    const char *args, const char *wanted)
{
    struct json_raw raw = {.text = args, .len = strlen(args)};
    struct json_raw answer;
    struct buf out;
    char *message;

    buf_init(&out, 0);
    if (script_checkpoint_call(execution, method, raw, &out)) {
        assert_string_equal(out.data, wanted);
    } else {
        MUST(json_raw_parse(out.data, out.len, &answer, &err));
        message = json_raw_dup_string(json_raw_get(answer, "message"));
        assert_int_equal(wanted[0], '!');
        assert_string_equal(message, wanted + 1);
        free(message);
    }
    buf_finish(&out);
}

TEST(keys_name_kind_script_and_variant)
{
    char *key = script_checkpoint_key("on-event", "a", NULL);

    assert_string_equal(key, "on-event:a");
    free(key);
    key = script_checkpoint_key("sync", "a", "base");
    assert_string_equal(key, "sync:a:base");
    free(key);
}

TEST(what_one_execution_saves_the_next_gets)
{
    struct script_checkpoint first, second;

    begin();
    first = an_execution();
    expect(&first, "getCheckpoint", "[]", "null");
    expect(&first, "saveCheckpoint", "[{\"s\":\"x\",\"n\":1.5,\"b\":true}]", "null");
    expect(&first, "saveCheckpoint", "[{\"n\":2}]", "null");
    second = an_execution();
    expect(&second, "getCheckpoint", "[]", "{\"n\":2}");
    expect(&second, "clearCheckpoint", "[]", "null");
    expect(&second, "getCheckpoint", "[]", "null");
    expect(&second, "clearCheckpoint", "[]", "null");
    expect(&second, "saveCheckpoint", "[{}]", "null");
    expect(&second, "getCheckpoint", "[]", "{}");
    script_checkpoint_finish(&first);
    script_checkpoint_finish(&second);
    end();
}

TEST(clearing_what_was_never_saved_is_no_fault)
{
    struct script_checkpoint execution;

    begin();
    execution = an_execution();
    expect(&execution, "clearCheckpoint", "[]", "null");
    script_checkpoint_finish(&execution);
    end();
}

TEST(of_two_executions_the_one_that_saw_less_is_refused_until_it_looks)
{
    static const char conflict[] = "!Error saving checkpoint: the checkpoint was changed "
                                   "by another in the meantime";
    struct script_checkpoint first, second;

    begin();
    first = an_execution();
    second = an_execution();
    expect(&first, "getCheckpoint", "[]", "null");
    expect(&second, "saveCheckpoint", "[{\"n\":1}]", "null");
    expect(&first, "saveCheckpoint", "[{\"n\":9}]", conflict);
    expect(&first, "getCheckpoint", "[]", "{\"n\":1}");
    expect(&first, "saveCheckpoint", "[{\"n\":2}]", "null");
    expect(&second, "saveCheckpoint", "[{\"n\":9}]", conflict);
    expect(&second, "clearCheckpoint", "[]",
        "!Error deleting checkpoint: the checkpoint was changed by another in the "
        "meantime");
    expect(&first, "getCheckpoint", "[]", "{\"n\":2}");
    script_checkpoint_finish(&first);
    script_checkpoint_finish(&second);
    end();
}

TEST(what_is_no_flat_object_of_few_short_values_is_refused)
{
    static const struct {
        const char *args;
        const char *fault;
    } rows[] = {
        {"[]", "it must be an object"},
        {"[null]", "it must be an object"},
        {"[[]]", "it must be an object"},
        {"[\"x\"]", "it must be an object"},
        {"[{\"a\":{}}]", "every value must be a string, a number or a boolean"},
        {"[{\"a\":[1]}]", "every value must be a string, a number or a boolean"},
        {"[{\"a\":null}]", "every value must be a string, a number or a boolean"},
    };
    struct script_checkpoint execution;
    struct buf text;

    begin();
    execution = an_execution();
    buf_init(&text, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_clear(&text);
        buf_printf(&text, "!Invalid checkpoint: %s", rows[i].fault);
        expect(&execution, "saveCheckpoint", rows[i].args, text.data);
    }
    for (int fields = 16; fields <= 17; fields++) {
        buf_clear(&text);
        for (int i = 0; i < fields; i++)
            buf_printf(&text, "%s\"f%d\":1", i == 0 ? "[{" : ",", i);
        buf_puts(&text, "}]");
        expect(&execution, "saveCheckpoint", text.data,
            fields == 16 ? "null"
                         : "!Invalid checkpoint: it cannot have more than 16 fields");
    }
    for (int len = 4000; len <= 4001; len++) {
        buf_clear(&text);
        buf_printf(&text, "[{\"a\":\"%0*d\"}]", len, 0);
        expect(&execution, "saveCheckpoint", text.data,
            len == 4000
                ? "null"
                : "!Invalid checkpoint: a string cannot have more than 4000 characters");
    }
    for (int len = 255; len <= 256; len++) {
        buf_clear(&text);
        buf_printf(&text, "[{\"%0*d\":1}]", len, 0);
        expect(&execution, "saveCheckpoint", text.data,
            len == 255 ? "null"
                       : "!Invalid checkpoint: a field's name cannot have more than 255 "
                         "characters");
    }
    buf_finish(&text);
    script_checkpoint_finish(&execution);
    end();
}

TEST(a_connection_that_is_gone_keeps_none)
{
    struct script_checkpoint execution;
    bool found;

    begin();
    execution = an_execution();
    expect(&execution, "saveCheckpoint", "[{\"n\":1}]", "null");
    MUST(store_delete_connection(w.store, connection->id, &found, &err));
    expect(&execution, "getCheckpoint", "[]", "null");
    expect(&execution, "saveCheckpoint", "[{\"n\":1}]",
        "!Error saving checkpoint: the connection does not exist");
    script_checkpoint_finish(&execution);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_name_kind_script_and_variant),
        cmocka_unit_test(what_one_execution_saves_the_next_gets),
        cmocka_unit_test(clearing_what_was_never_saved_is_no_fault),
        cmocka_unit_test(
            of_two_executions_the_one_that_saw_less_is_refused_until_it_looks),
        cmocka_unit_test(what_is_no_flat_object_of_few_short_values_is_refused),
        cmocka_unit_test(a_connection_that_is_gone_keeps_none),
    };

    return RUN_FOR_EACH_STORE(tests);
}
