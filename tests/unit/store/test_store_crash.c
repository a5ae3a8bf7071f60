/* SPDX-License-Identifier: Apache-2.0 */
/* Death by SIGKILL in the middle of writing: whatever was acknowledged is there
 * afterwards, and what was taken stays taken. SOAK=n makes n times as many rounds.
 *
 * This shows what survives the process. That it survives the machine as well rests on
 * synchronous=FULL, which no test here can take the power away from. */
#include "world.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    WRITERS = 4,
    ROUNDS = 20
};

/* One acknowledged piece of work: connection "c-<writer>-<n>" is stored and the state of
 * the same name is used up. Smaller than PIPE_BUF, so it arrives whole or not at all. */
struct ack {
    uint32_t round, writer, number;
};

struct job {
    struct world *w;
    uint32_t round, writer;
    int pipe;
};

static void name_of(const struct ack *ack, char out[64])
{
    (void)snprintf(out, 64, "c-%u-%u-%u", ack->round, ack->writer, ack->number);
}

/* In the child: nothing of cmocka. */
static void *work(void *arg)
{
    const struct job *job = arg;
    struct ack ack = {job->round, job->writer, 0};

    for (;; ack.number++) {
        struct connection_row wanted, *made = NULL;
        struct oauth_state_row fresh = {.environment_id = job->w->env->id,
            .payload = text_blob("p"),
            .expires_at_ms = NOW_MS + 1};
        struct oauth_state_row *taken = NULL;
        struct err err = {0};
        uint8_t hash[SHA256_LEN];
        char name[64];
        char tags[] = "{\"plan\":\"pro\"}";
        struct end_user_row person = {.id = name};
        bool created;

        name_of(&ack, name);
        wanted = a_connection(job->w->github, name);
        wanted.credentials = text_blob(name);
        wanted.tags_json = tags;
        wanted.end_user = &person;
        if (!store_insert_oauth_state(job->w->store, hash_of(name, hash), &fresh, &err) ||
            !store_take_oauth_state(job->w->store, hash, NOW_MS, &taken, &err) ||
            taken == NULL ||
            !store_put_connection(job->w->store, &wanted, NULL, &created, &made, &err))
            _exit(1);
        oauth_state_row_free(taken);
        connection_row_unref(made);
        if (write(job->pipe, &ack, sizeof ack) != (ssize_t)sizeof ack)
            _exit(2);
    }
    return NULL;
}

static _Noreturn void child(struct world *w, uint32_t round, int pipe)
{
    struct store_config config = {.data_dir = w->dir, .clock = &w->clock};
    struct job jobs[WRITERS];
    struct err err = {0};
    pthread_t thread;

    if (!open_store(&config, &w->store, &err))
        _exit(3);
    for (uint32_t i = 0; i < WRITERS; i++) {
        jobs[i] = (struct job){w, round, i, pipe};
        if (pthread_create(&thread, NULL, work, &jobs[i]) != 0)
            _exit(4);
    }
    for (;;)
        pause();
}

/* Kills the child once it has acknowledged `enough`; all that it did acknowledge is
 * added. */
static struct ack *kill_after(
    pid_t pid, int pipe, size_t enough, struct ack *acks, size_t *count)
{
    size_t seen = 0;
    struct ack ack;
    ssize_t got;
    int status;

    while ((got = read(pipe, &ack, sizeof ack)) == (ssize_t)sizeof ack) {
        acks = mem_resize_array(acks, *count + 1, sizeof *acks);
        acks[(*count)++] = ack;
        if (++seen == enough)
            assert_int_equal(kill(pid, SIGKILL), 0);
    }
    assert_int_equal(got, 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(
        WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); /* it failed by itself? */
    assert_true(seen >= enough);
    return acks;
}

static void expect_kept(struct world *w, const struct ack *ack)
{
    struct connection_row *row;
    struct oauth_state_row *taken = NULL;
    uint8_t hash[SHA256_LEN];
    char name[64];

    name_of(ack, name);
    row = find_connection(w, w->github, name);
    if (row == NULL)
        fail_msg("%s was acknowledged and is lost", name);
    expect_blob(row->credentials, name);
    connection_row_unref(row);
    MUST(store_take_oauth_state(w->store, hash_of(name, hash), NOW_MS, &taken, &err));
    assert_null(taken);
}

TEST(what_was_acknowledged_survives_being_killed)
{
    struct world w;
    struct ack *acks = NULL;
    size_t count = 0, rounds = ROUNDS * env_number("SOAK", 1);

    world_begin(&w);
    store_close(w.store);
    w.store = NULL;
    for (uint32_t round = 0; round < rounds; round++) {
        int pipes[2];
        size_t before = count;
        pid_t pid;

        assert_int_equal(pipe(pipes), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            (void)close(pipes[0]);
            child(&w, round, pipes[1]);
        }
        assert_int_equal(close(pipes[1]), 0);
        acks = kill_after(pid, pipes[0], 20 + round * 7 % 40, acks, &count);
        assert_int_equal(close(pipes[0]), 0);

        world_open(&w); /* recovers, and checks what it finds */
        for (size_t i = before; i < count; i++)
            expect_kept(&w, &acks[i]);
        store_close(w.store);
        w.store = NULL;
    }
    world_open(&w);
    for (size_t i = 0; i < count; i++)
        expect_kept(&w, &acks[i]);
    MUST(store_check(w.store, &err));
    print_message("%zu rounds, %zu acknowledged writes, none lost\n", rounds, count);
    free(acks);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_being_killed),
    };

    return RUN_FOR_EACH_STORE(tests);
}
