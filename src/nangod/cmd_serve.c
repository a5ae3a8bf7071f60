/* SPDX-License-Identifier: Apache-2.0 */
/* `nangod serve`: starts the server and waits for signals.
 *
 *   SIGTERM, SIGINT: finish requests in progress, exit 0; once more: end at once, exit 3
 *   SIGHUP: reload
 *
 * Exit codes: 0 stopped in order, 1 could not start or run, 2 wrong usage or
 * configuration, 3 ended at once. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/secret.h"
#include "nangod/cmd.h"
#include "nangod/serve.h"
#include "nangod/settings_check.h"
#include "nangod/welcome.h"

#define SWEEP_SECONDS 60
#define EXIT_AT_ONCE 3

/* The dev key, once, and only where a person is looking. */
static void greet(struct node *node)
{
    struct environment_row *dev = NULL;
    struct api_key_row **keys = NULL;
    struct err err = {0};
    char context[CONTEXT_SIZE];
    size_t count = 0;
    char *secret = NULL;

    if (!node->first_start || !isatty(STDOUT_FILENO))
        return;
    if (store_find_environment_by_name(node->store, "dev", &dev, &err) && dev != NULL &&
        store_list_api_keys(node->store, dev->id, &keys, &count, &err) && count > 0) {
        token_context(context, "api_key", keys[0]->sha256);
        secret = node_unseal(node, context, &keys[0]->secret, &err);
    }
    if (secret != NULL)
        printf("secret key of environment dev, shown this once: %s\n"
               "(later: nangod keys --data %s)\n",
            secret, node->settings.data_dir);
    secret_free(secret);
    store_api_keys_free(keys, count);
    environment_row_unref(dev);
}

static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void wait_for_the_end(
    struct daemon *daemon, const sigset_t *set, const struct settings_flags *flags)
{
    const struct timespec pause = {.tv_sec = SWEEP_SECONDS};

    for (;;) {
        int got = sigtimedwait(set, NULL, &pause);

        if (got == SIGTERM || got == SIGINT)
            return;
        if (got == SIGHUP)
            daemon_reload(daemon, flags);
        else if (got < 0 && errno == EAGAIN)
            daemon_sweep(daemon);
    }
}

struct stop {
    const struct log *log;
    atomic_bool done;
};

/* A second signal: whoever sent it does not want to wait for the first. What was
 * acknowledged is on the disk, as it is when the machine stops. */
static void *end_at_once(void *arg)
{
    const struct stop *stop = arg;
    sigset_t set;
    int got;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigwait(&set, &got);
    if (stop->done)
        return NULL;
    log_event(stop->log, LOG_WARN, "ended at once by a second signal", LOG_END);
    log_flush(stop->log);
    _exit(EXIT_AT_ONCE);
}

static void stop_daemon(struct daemon *daemon)
{
    struct stop stop = {.log = daemon_server(daemon)->log};
    pthread_t second;
    bool watched = pthread_create(&second, NULL, end_at_once, &stop) == 0;

    daemon_stop(daemon);
    if (!watched)
        return;
    stop.done = true;
    pthread_kill(second, SIGTERM);
    pthread_join(second, NULL);
}

/* `nangod -t`: all that can be wrong before listening. */
static int check_configuration(struct node *node)
{
    struct catalog_source source = {
        .file = node->settings.catalog_file,
        .overlay_dir = node->settings.catalog_overlay_dir,
        .log = &node->log,
    };
    struct catalog *catalog = NULL;
    struct err err = {0};
    bool ok = settings_check(&node->settings, &node->log, &err) &&
              catalog_load(&source, &catalog, &err);

    if (ok)
        printf("configuration ok, %zu providers\n", catalog_count(catalog));
    catalog_unref(catalog);
    return ok ? 0 : cmd_fail(&err);
}

/* The public address last: who waits for that line has read the other. */
static void say_where(const struct daemon *daemon)
{
    const struct log *log = daemon_server(daemon)->log;
    const char *admin = daemon_admin_address(daemon);

    if (*admin != '\0')
        printf("admin listening on http://%s\n", admin);
    printf("listening on http://%s\n", daemon_address(daemon));
    log_event(log, LOG_INFO, "listening", LOG_STR("address", daemon_address(daemon)),
        LOG_STR("admin_address", *admin != '\0' ? admin : NULL), LOG_END);
}

/* After what was logged before. */
static int fail(const struct node *node, const struct err *err)
{
    log_flush(&node->log);
    return cmd_fail(err);
}

int cmd_serve(int argc, char **argv)
{
    struct options options;
    struct node node = {0};
    struct daemon *daemon = NULL;
    struct err err = {0};
    sigset_t signals;
    int code = EXIT_USAGE;

    if (!options_read(&options, argc, argv))
        goto done;
    if (options.rest_count > 0) {
        fprintf(stderr, "nangod: serve takes no argument `%s`\n", options.rest[0]);
        goto done;
    }
    block_signals(&signals);
    if (!node_open(&node, &options.flags, options.check_only ? NODE_SETTINGS : NODE_WRITE,
            &err)) {
        code = fail(&node, &err);
        goto done;
    }
    if (options.check_only) {
        code = check_configuration(&node);
        goto done;
    }
    if (!daemon_start(&node, options.demo, &daemon, &err)) {
        code = fail(&node, &err);
        goto done;
    }
    say_where(daemon);
    greet(&node);
    if (options.demo && !welcome_demo(daemon, &node, &err)) {
        code = fail(&node, &err);
        daemon_stop(daemon);
        goto done;
    }
    fflush(stdout);
    wait_for_the_end(daemon, &signals, &options.flags);
    stop_daemon(daemon);
    code = 0;

done:
    node_close(&node);
    options_finish(&options);
    return code;
}
