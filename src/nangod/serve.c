/* SPDX-License-Identifier: Apache-2.0 */
/* Building the running server from its parts, and taking it apart again.
 *
 *   node (store, vault) ─► catalogue ─► policies ─► auth, refresher, proxy ─► loops ─►
 * listening
 *
 * daemon_stop() goes the other way: stop accepting, let requests end, stop the loops,
 * then the pools, then the rest. */
#include "nangod/serve.h"

#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "auth/background.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/str.h"
#include "demo/demo.h"
#include "inbound/ingress.h"
#include "nangod/settings_check.h"
#include "runner/launch.h"
#include "scripts/loads.h"
#include "store/inbound.h"

#define DAY_MS ((int64_t)86400000)
#define LOG_READERS 2

struct daemon {
    struct node *node;
    struct server server;
    struct scripts scripts;
    struct script_locks *locks; /* of scripts that run */
    struct script_events events;
    struct connection_gate gate;
    struct loads *loads;    /* NULL where no scripts run */
    char *runner, *esbuild; /* programs; NULL = there is none */
    struct catalog_holder *catalogs;
    struct policy policy, oauth_policy;
    struct pool *outbound;
    struct proxy_counters counters;
    struct http_room body_room;
    struct demo *demo;
    struct background *background; /* NULL = none wanted */
    char *public_url, *connect_ui_url, *own_url;
    char address[64], admin_address[64];
    int *listen_fds;
    int admin_fd;
    pthread_t *threads;
    size_t running; /* threads started */
};

static bool load_catalog(const struct settings *settings, const struct demo *demo,
    const struct log *log, struct catalog **out, struct err *err)
{
    struct catalog_source source = {
        .file = settings->catalog_file,
        .overlay_dir = settings->catalog_overlay_dir,
        .extra_yaml = demo != NULL ? demo_catalog(demo) : NULL,
        .log = log,
    };

    bool ok = catalog_load(&source, out, err);

    malloc_trim(0); /* reading a large file took several times what is kept of it */
    return ok;
}

static bool make_policies(struct daemon *daemon, struct err *err)
{
    const struct settings *s = &daemon->node->settings;

    policy_init(&daemon->policy, s->outbound_allow_private);
    if (s->outbound_policy != NULL &&
        !policy_apply_json(&daemon->policy, s->outbound_policy, err))
        return err_context(err, "outbound.policy");
    if (!policy_apply_denylist(&daemon->policy, s->outbound_denylist, err))
        return err_context(err, "outbound.denylist");
    if (daemon->demo != NULL) /* it is on loopback, which is else out of bounds */
        demo_endpoint(daemon->demo, &daemon->policy.exempt);
    policy_copy(&daemon->oauth_policy, &daemon->policy);
    daemon->oauth_policy.block_private = false; /* contract proxy.md section 9 */
    if (s->outbound_policy_oauth != NULL &&
        !policy_apply_json(&daemon->oauth_policy, s->outbound_policy_oauth, err))
        return err_context(err, "outbound.policy_oauth");
    return true;
}

/* Two descriptors for a proxied request, at the bound of connections. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(
            RLIMIT_NOFILE, &limit); /* the soft limit then stays; not a fault */
    }
}

static void make_urls(struct daemon *daemon)
{
    const struct settings *s = &daemon->node->settings;
    size_t len;

    daemon->public_url = str_is_empty(s->public_url)
                             ? str_printf("http://%s", daemon->address)
                             : str_dup(s->public_url);
    len = strlen(daemon->public_url);
    if (len > 0 && daemon->public_url[len - 1] == '/')
        daemon->public_url[len - 1] = '\0';
    daemon->connect_ui_url = str_is_empty(s->connect_ui_url)
                                 ? str_printf("%s/connect", daemon->public_url)
                                 : str_dup(s->connect_ui_url);
}

/* What is told of before this is not kept. */
static bool start_logs(struct daemon *daemon, struct err *err)
{
    const struct settings *s = &daemon->node->settings;
    struct oplog_config config = {
        .dir = s->data_dir,
        .clock = &daemon->node->clock,
        .log = &daemon->node->log,
        .retention_ms = s->logs_retention_days * DAY_MS,
        .max_bytes = (uint64_t)s->logs_max_size,
        .queue_bytes = (size_t)s->logs_queue_size,
    };

    if (!s->logs_enabled)
        return true;
    daemon->server.log_readers = pool_new("logs", LOG_READERS);
    return oplog_level_parse(s->logs_level, &config.level) && /* the table made sure */
           oplog_start(&config, &daemon->server.oplog, err);
}

static void wire(struct daemon *daemon)
{
    const struct settings *s = &daemon->node->settings;
    struct server *server = &daemon->server;

    server->clock = &daemon->node->clock;
    server->log = &daemon->node->log;
    server->auth = (struct auth){
        .store = daemon->node->store,
        .vault = daemon->node->vault,
        .catalogs = daemon->catalogs,
        .clock = server->clock,
        .log = server->log,
        .oplog = server->oplog,
        .policy = &daemon->oauth_policy,
        .proxy_policy = &daemon->policy,
        .ca_file = s->outbound_ca_file,
        .public_url = daemon->public_url,
        .outbound = daemon->outbound,
        .token_timeout_ms = s->refresh_token_timeout_ms,
    };
    server->refresher = refresher_new(&server->auth);
    server->proxy = (struct proxy){
        .auth = &server->auth,
        .refresher = server->refresher,
        .policy = &daemon->policy,
        .base_override_enabled = s->proxy_base_url_override,
        .max_buffered_body = (size_t)s->proxy_max_buffered_body,
        .max_whole_body = (size_t)s->http_body_limit,
        .max_body = (size_t)s->proxy_max_body,
        .backoff_base_ms = s->proxy_backoff_base_ms,
        .network_errors = s->proxy_network_errors,
        .refetch_after_ms = s->proxy_refetch_after_ms,
        .counters = &daemon->counters,
        .throttle = s->proxy_max_hold_s > 0 ? throttle_new() : NULL,
        .max_hold_ms = s->proxy_max_hold_s * 1000,
    };
    server->verifier.needed = proxy_verify_needed;
    server->verifier.check = proxy_verify;
    server->verifier.arg = &server->proxy;
    scripts_init(&daemon->scripts, daemon->node->store);
    server->scripts = &daemon->scripts;
    server->script_keys = script_keys_new();
    daemon->locks = script_locks_new(server->clock);
    server->action_input_limit = (size_t)s->scripts_input_limit;
    server->events = &daemon->events;
    server->event_threads = pool_new("event", (size_t)s->scripts_max_runners);
    server->code_limit = (size_t)s->scripts_code_limit;
    daemon->runner = runner_program(s->scripts_runner);
    daemon->esbuild = compiler_find_esbuild(s->scripts_esbuild);
    server->workers = pool_new("worker", (size_t)s->http_workers);
    server->metrics = server_metrics_new();
    server->public_url = daemon->public_url;
    server->connect_ui_url = daemon->connect_ui_url;
    server->body_limit = (size_t)s->http_body_limit;
    server->webhook_limit = (size_t)s->webhooks_max_body;
    if (s->webhooks_ingress_per_minute > 0)
        server->ingress = ingress_new(server->clock, s->webhooks_ingress_per_minute);
    server->ingress_enforced = s->webhooks_ingress_enforce;
    server->admin_on_public = str_is_empty(s->admin_listen);
    server->require_oauth_cookie = s->oauth_require_cookie;
}

/* Where the server reaches itself: scripts ask it for what they need. */
static void make_own_url(struct daemon *daemon)
{
    const char *port = strrchr(daemon->address, ':');

    if (str_starts(daemon->address, "0.0.0.0:"))
        daemon->own_url = str_printf("http://127.0.0.1%s", port);
    else if (str_starts(daemon->address, "[::]:"))
        daemon->own_url = str_printf("http://[::1]%s", port);
    else
        daemon->own_url = str_printf("http://%s", daemon->address);
}

/* How many scripts of deploys are tried at once: that is work for processors. */
static size_t load_threads(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return processors < 2 ? 2 : processors > 8 ? 8 : (size_t)processors;
}

static void start_loads(struct daemon *daemon)
{
    const struct settings *s = &daemon->node->settings;
    const struct loads_config config = {
        .actions = daemon->server.actions,
        .threads = load_threads(),
        .cpu_ms = s->scripts_load_timeout_s * 1000,
        .memory_mb = s->scripts_memory_mb,
    };

    daemon->loads = loads_new(&config);
    daemon->scripts.check = (struct script_check){loads_check, daemon->loads};
}

static bool make_webhooks(struct daemon *daemon, struct err *err)
{
    const struct settings *s = &daemon->node->settings;
    const struct webhooks_config config = {
        .store = daemon->node->store,
        .vault = daemon->node->vault,
        .oplog = daemon->server.oplog,
        .clock = daemon->server.clock,
        .log = daemon->server.log,
        .policy = &daemon->policy,
        .ca_file = s->outbound_ca_file,
        .at_once = (size_t)s->webhooks_at_once,
        .per_url = (size_t)s->webhooks_per_url,
        .timeout_ms = s->webhooks_timeout_s * 1000,
        .waits = s->webhooks_retry_waits,
    };

    if (!webhooks_new(&config, &daemon->server.webhooks, err))
        return err_context(err, "webhooks.retry_waits");
    daemon->server.auth.webhooks = daemon->server.webhooks;
    return true;
}

static void wake_scripts(void *arg)
{
    struct server *server = arg;

    if (server->async_runs != NULL)
        async_runs_wake(server->async_runs);
}

static bool start_background(struct daemon *daemon, struct err *err)
{
    const struct background_config config = {
        .auth = &daemon->server.auth,
        .refresher = daemon->server.refresher,
        .verifier = &daemon->server.verifier,
        .period_ms = daemon->node->settings.refresh_background_period_s * 1000,
        .idle_ms = daemon->node->settings.refresh_idle_hours * 3600000,
    };

    return config.period_ms == 0 || background_start(&config, &daemon->background, err);
}

static bool start_inbound(struct daemon *daemon, struct err *err)
{
    const struct inbound_config config = {
        .auth = &daemon->server.auth,
        .webhooks = daemon->server.webhooks,
        .ordered = wake_scripts,
        .arg = &daemon->server,
    };

    return inbound_start(&config, &daemon->server.inbound, err);
}

static bool start_functions(struct daemon *daemon, struct err *err)
{
    const struct settings *s = &daemon->node->settings;
    const struct functions_config config = {
        .actions = daemon->server.actions,
        .loads = daemon->loads,
        .scripts = &daemon->scripts,
        .store = daemon->node->store,
        .vault = daemon->node->vault,
        .log = daemon->server.log,
        .compiler =
            {
                .runner = daemon->runner,
                .esbuild = daemon->esbuild,
                .timeout_ms = s->scripts_compile_timeout_s * 1000,
                .memory_mb = s->scripts_compile_memory_mb,
                .max_output = (size_t)s->scripts_code_limit * 8 + ((size_t)64 << 10),
            },
        .threads = (size_t)s->scripts_max_builds,
        .dryrun_ms = s->scripts_dryrun_timeout_s * 1000,
        .max_result = (size_t)s->scripts_output_limit,
    };

    return functions_new(&config, &daemon->server.functions, err);
}

/* Without the records that they have saved, syncs that went on from where they were would
 * leave a hole. Before the file is made: should this server die in between, the next one
 * does the same. */
static bool forget_syncs(struct daemon *daemon, struct err *err)
{
    size_t count = 0;

    if (records_exist(daemon->node->settings.data_dir))
        return true;
    if (!store_forget_syncs(daemon->node->store, &count, err))
        return false;
    if (count > 0)
        log_event(&daemon->node->log, LOG_WARN,
            "records.db is gone: syncs begin anew with their next run",
            LOG_INT("syncs", count), LOG_END);
    return true;
}

static bool open_records(struct daemon *daemon, struct err *err)
{
    const struct settings *s = &daemon->node->settings;
    const struct records_config config = {
        .dir = s->data_dir,
        .vault = daemon->node->vault,
        .seal = s->records_seal,
        .clock = daemon->server.clock,
        .log = daemon->server.log,
    };

    return forget_syncs(daemon, err) &&
           records_open(&config, &daemon->server.records, err);
}

static bool start_syncs(struct daemon *daemon, struct err *err)
{
    const struct settings *s = &daemon->node->settings;
    struct sync_runs_config syncs = {
        .actions = daemon->server.actions,
        .store = daemon->node->store,
        .records = daemon->server.records,
        .oplog = daemon->server.auth.oplog,
        .clock = daemon->server.clock,
        .log = daemon->server.log,
        .webhooks = daemon->server.webhooks,
        .wall_ms = s->syncs_timeout_s * 1000,
        .at_once = (size_t)s->syncs_at_once,
        .max_record = (size_t)s->records_max_bytes,
        .max_retries = (int)s->syncs_retries,
        .retry_ms = s->scripts_retry_ms,
    };

    return sync_runs_start(&syncs, &daemon->server.sync_runs, err);
}

static bool start_scripts(struct daemon *daemon, struct err *err)
{
    const struct settings *s = &daemon->node->settings;
    struct server *server = &daemon->server;
    struct actions_config config = {
        .store = daemon->node->store,
        .catalogs = daemon->catalogs,
        .log = server->log,
        .auth = &server->auth,
        .keys = server->script_keys,
        .locks = daemon->locks,
        .policy = &daemon->policy,
        .ca_file = s->outbound_ca_file,
        .base_url = daemon->own_url,
        .program = daemon->runner,
        .max_runners = (size_t)s->scripts_max_runners,
        .spare_runners = (size_t)s->scripts_spare_runners,
        .runs_per_runner = (uint64_t)s->scripts_runs_per_runner,
        .memory_mb = s->scripts_memory_mb,
        .cpu_ms = s->scripts_cpu_s * 1000,
        .action_wall_ms = s->scripts_action_timeout_s * 1000,
        .event_wall_ms = s->scripts_event_timeout_s * 1000,
        .start_ms = s->scripts_action_start_s * 1000,
        .output_bytes = s->scripts_output_limit,
        .validate = s->scripts_validate,
        .log_bytes = s->scripts_log_limit,
        .call_timeout_ms = s->outbound_idle_timeout_ms,
        .call_max_body = (size_t)s->http_body_limit,
    };
    bool ok = true;

    if (daemon->runner == NULL)
        log_event(server->log, LOG_WARN,
            "nango-runner is not there: scripts are deployed, but not tried before, and "
            "not run",
            LOG_END);
    else
        ok = actions_start(&config, &server->actions, err) ||
             err_context(err, "scripts.runner");
    daemon->events = (struct script_events){
        .actions = server->actions, .store = daemon->node->store, .log = server->log};
    daemon->gate = script_events_gate(&daemon->events);
    server->auth.gate = &daemon->gate;
    if (ok && server->actions != NULL) {
        struct async_config async = {
            .actions = server->actions,
            .store = daemon->node->store,
            .vault = daemon->node->vault,
            .oplog = server->auth.oplog,
            .clock = server->clock,
            .log = server->log,
            .webhooks = server->webhooks,
            .records = server->records,
            .max_record = (size_t)s->records_max_bytes,
            .webhook_wall_ms = s->scripts_event_timeout_s * 1000,
            .retry_ms = s->scripts_retry_ms,
        };

        start_loads(daemon);
        ok = async_runs_start(&async, &server->async_runs, err);
    }
    return ok && start_syncs(daemon, err) && start_functions(daemon, err);
}

static bool listen_all(struct daemon *daemon, struct err *err)
{
    const struct settings *s = &daemon->node->settings;
    size_t count = (size_t)s->http_threads;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    daemon->body_room.max = (size_t)s->http_body_memory;
    if (count == 0)
        count = processors > 0 ? (size_t)processors : 1;
    daemon->listen_fds = mem_resize_array(NULL, count, sizeof *daemon->listen_fds);
    if (!http_listen(s->listen, count, daemon->listen_fds, daemon->address, err))
        return false;
    daemon->server.loop_count = count; /* from here on the descriptors are open */
    return str_is_empty(s->admin_listen) ||
           http_listen(s->admin_listen, 1, &daemon->admin_fd, daemon->admin_address, err);
}

static bool make_loop(struct daemon *daemon, size_t i, struct err *err)
{
    const struct settings *s = &daemon->node->settings;
    struct server_loop *loop = &daemon->server.loops[i];
    struct up_config up = {
        .max_connections = (size_t)s->outbound_max_connections,
        .connect_timeout_ms = s->outbound_connect_timeout_ms,
        .idle_timeout_ms = s->outbound_idle_timeout_ms,
        .ca_file = s->outbound_ca_file,
    };
    struct http_server_config http = {
        .listen_fd = daemon->listen_fds[i],
        .on_request = api_on_request,
        .arg = loop,
        .idle_timeout_s = s->http_idle_timeout_s,
        .min_body_rate = s->http_min_body_rate,
        .body_grace_s = s->http_body_grace_s,
        .body_room = &daemon->body_room,
        .max_connections = (size_t)s->http_max_connections,
        .max_head_bytes = (size_t)s->http_head_limit,
        .log = daemon->server.log,
    };

    loop->server = &daemon->server;
    if (!reactor_new(&loop->reactor, err))
        return false;
    loop->upstream = up_pool_new(loop->reactor, &up);
    if (!http_server_new(loop->reactor, &http, &loop->public_http, err))
        return false;
    if (i > 0 || daemon->admin_fd < 0)
        return true;
    http.listen_fd = daemon->admin_fd;
    http.on_request = api_on_admin_request;
    return http_server_new(loop->reactor, &http, &loop->admin_http, err);
}

static void *run_loop(void *arg)
{
    struct server_loop *loop = arg;

    pthread_setname_np(pthread_self(), "reactor");
    reactor_run(loop->reactor);
    return NULL;
}

static bool start_threads(struct daemon *daemon, struct err *err)
{
    size_t count = daemon->server.loop_count;

    daemon->threads = mem_zalloc(count * sizeof *daemon->threads);
    for (size_t i = 0; i < count; i++) {
        if (pthread_create(
                &daemon->threads[i], NULL, run_loop, &daemon->server.loops[i]) != 0)
            return err_internal(err, "cannot start a thread");
        daemon->running++;
    }
    return true;
}

bool daemon_start(struct node *node, bool demo, struct daemon **out, struct err *err)
{
    struct daemon *daemon = MEM_NEW(struct daemon);
    struct catalog *catalog = NULL;

    daemon->node = node;
    daemon->admin_fd = -1;
    raise_descriptor_limit();
    if (demo && !demo_start(&node->log, &node->clock, &daemon->demo, err))
        goto failed;
    if (!load_catalog(&node->settings, daemon->demo, &node->log, &catalog, err))
        goto failed;
    daemon->catalogs = catalog_holder_new(catalog);
    if (!make_policies(daemon, err) || !listen_all(daemon, err) ||
        !start_logs(daemon, err))
        goto failed;
    make_urls(daemon);
    make_own_url(daemon);
    daemon->outbound = pool_new("outbound", (size_t)node->settings.outbound_threads);
    wire(daemon);
    if (!make_webhooks(daemon, err) || !open_records(daemon, err))
        goto failed;
    /* What was held back when the last server died was promised to nobody. */
    if (!store_drop_held_connections(daemon->node->store, 0, err) ||
        !refresher_recover(daemon->server.refresher, err))
        goto failed;
    daemon->server.loops =
        mem_zalloc(daemon->server.loop_count * sizeof *daemon->server.loops);
    for (size_t i = 0; i < daemon->server.loop_count; i++) {
        if (!make_loop(daemon, i, err))
            goto failed;
    }
    /* The loops come last: their requests find all parts there. */
    if (!start_scripts(daemon, err) || !webhooks_start(daemon->server.webhooks, err) ||
        !start_inbound(daemon, err) || !start_background(daemon, err) ||
        !start_threads(daemon, err))
        goto failed;
    *out = daemon;
    return true;

failed:
    daemon_stop(daemon);
    return false;
}

/* The admin address goes on until the loops end: it tells what is going on. */
static void drain_loop(void *arg)
{
    struct server_loop *loop = arg;

    http_server_drain(loop->public_http);
}

static void acknowledge(void *arg)
{
    sem_post(arg);
}

/* Every loop has done what it was told before. */
static void meet_loops(struct daemon *daemon)
{
    sem_t met;

    sem_init(&met, 0, 0);
    for (size_t i = 0; i < daemon->running; i++)
        reactor_post(daemon->server.loops[i].reactor, acknowledge, &met);
    for (size_t i = 0; i < daemon->running; i++) {
        while (sem_wait(&met) != 0)
            continue; /* interrupted */
    }
    sem_destroy(&met);
}

static size_t in_progress(const struct daemon *daemon)
{
    size_t sum = 0;

    for (size_t i = 0; i < daemon->server.loop_count; i++)
        sum += http_server_active(daemon->server.loops[i].public_http);
    return sum;
}

/* Waits for requests in progress; looking is cheap, and a stop is rare. */
static void drain(struct daemon *daemon)
{
    const struct timespec moment = {.tv_nsec = 5000000};
    int64_t until = clock_mono_ms() + daemon->node->settings.http_drain_timeout_s * 1000;

    daemon->server.stopping = true;
    for (size_t i = 0; i < daemon->running; i++)
        reactor_post(
            daemon->server.loops[i].reactor, drain_loop, &daemon->server.loops[i]);
    /* Once for the drain; and once more, as between the two each loop has read what had
     * come by then. Before that a look at what is in progress would miss requests. */
    meet_loops(daemon);
    meet_loops(daemon);
    while (in_progress(daemon) > 0 && clock_mono_ms() < until)
        nanosleep(&moment, NULL);
    if (in_progress(daemon) == 0)
        return;
    /* Time is up. What was not begun is answered 503; a token call that was sent is
     * waited for, as its answer may be the only copy of a rotated token:
     * refresh.token_timeout_ms bounds that. */
    log_event(daemon->server.log, LOG_WARN, "stopped with requests in progress",
        LOG_INT("requests", in_progress(daemon)), LOG_END);
    pool_give_up(daemon->server.workers);
    pool_give_up(daemon->server.event_threads);
    pool_give_up(daemon->outbound);
}

static void free_loops(struct daemon *daemon)
{
    for (size_t i = 0; daemon->server.loops != NULL && i < daemon->server.loop_count;
         i++) {
        struct server_loop *loop = &daemon->server.loops[i];

        http_server_free(loop->admin_http);
        http_server_free(loop->public_http);
        up_pool_free(loop->upstream);
        reactor_free(loop->reactor);
    }
    free(daemon->server.loops);
    for (size_t i = 0; i < daemon->server.loop_count; i++)
        close(daemon->listen_fds[i]);
    if (daemon->admin_fd >= 0)
        close(daemon->admin_fd);
    free(daemon->listen_fds);
}

void daemon_stop(struct daemon *daemon)
{
    /* Syncs wait for nobody, and go on with the next server: what they ask of this one would
     * only keep it. */
    sync_runs_stop(daemon->server.sync_runs);
    if (daemon->running > 0)
        drain(daemon);
    /* Workers and token calls answer through the reactors: they end first. */
    if (daemon->server.workers != NULL)
        pool_stop(daemon->server.workers);
    inbound_stop(daemon->server.inbound);
    background_stop(daemon->background);
    async_runs_stop(daemon->server.async_runs);
    functions_stop(daemon->server.functions);
    loads_stop(daemon->loads);
    actions_cancel(daemon->server.actions);
    if (daemon->server.event_threads != NULL)
        pool_stop(daemon->server.event_threads);
    actions_stop(daemon->server.actions);
    async_runs_free(daemon->server.async_runs);
    sync_runs_free(daemon->server.sync_runs);
    refresher_settle(daemon->server.refresher);
    webhooks_stop(daemon->server.webhooks);
    if (daemon->outbound != NULL)
        pool_stop(daemon->outbound);
    if (daemon->server.log_readers != NULL)
        pool_stop(daemon->server.log_readers);
    functions_free(daemon->server.functions);
    loads_free(daemon->loads);
    for (size_t i = 0; i < daemon->running; i++)
        reactor_stop(daemon->server.loops[i].reactor);
    for (size_t i = 0; i < daemon->running; i++)
        pthread_join(daemon->threads[i], NULL);
    free(daemon->threads);
    free_loops(daemon); /* requests past the drain ask the refresher to the last */
    refresher_free(daemon->server.refresher);
    if (daemon->server.scripts != NULL)
        scripts_finish(&daemon->scripts);
    pool_free(daemon->server.workers);
    pool_free(daemon->server.event_threads);
    pool_free(daemon->outbound);
    pool_free(daemon->server.log_readers);
    inbound_free(daemon->server.inbound);
    ingress_free(daemon->server.ingress);
    webhooks_free(daemon->server.webhooks);
    records_close(daemon->server.records);
    oplog_stop(daemon->server.oplog); /* nobody tells anything any more */
    server_metrics_free(daemon->server.metrics);
    if (daemon->catalogs != NULL)
        catalog_holder_free(daemon->catalogs);
    policy_finish(&daemon->policy);
    policy_finish(&daemon->oauth_policy);
    demo_stop(daemon->demo);
    throttle_free(daemon->server.proxy.throttle);
    script_keys_free(daemon->server.script_keys);
    script_locks_free(daemon->locks);
    free(daemon->public_url);
    free(daemon->own_url);
    free(daemon->runner);
    free(daemon->esbuild);
    free(daemon->connect_ui_url);
    free(daemon);
}

void daemon_reload(struct daemon *daemon, const struct settings_flags *flags)
{
    struct settings next;
    enum log_level level;
    enum oplog_level logs_level;
    struct catalog *catalog = NULL;
    struct err err = {0};
    char *restart = NULL;

    if (!settings_load(&next, flags, &err) ||
        !settings_check(&next, daemon->server.log, &err) ||
        !load_catalog(&next, daemon->demo, &daemon->node->log, &catalog, &err)) {
        log_event(daemon->server.log, LOG_ERROR, "reload refused",
            LOG_STR("reason", err.message), LOG_END);
        settings_finish(&next);
        return;
    }
    restart = settings_changed(&daemon->node->settings, &next);
    if (*restart != '\0')
        log_event(daemon->server.log, LOG_WARN, "settings that need a restart changed",
            LOG_STR("settings", restart), LOG_END);
    if (log_level_parse(next.log_level, &level)) /* as the table has made sure */
        daemon->node->log.level = level;
    if (oplog_level_parse(next.logs_level, &logs_level))
        oplog_set_level(daemon->server.oplog, logs_level);
    catalog_replace(daemon->catalogs, catalog);
    log_event(daemon->server.log, LOG_INFO, "reloaded",
        LOG_INT("providers", catalog_count(catalog)), LOG_END);
    free(restart);
    settings_finish(&next);
}

/* A sweep takes a part of what there is: SIGTERM waits for it. */
#define RETAIN_AT_ONCE 100000

static bool retain_records(struct daemon *daemon, int64_t now_ms, struct err *err)
{
    int64_t days = daemon->node->settings.records_prune_after_days;
    size_t emptied;

    return days == 0 ||
           records_retain(daemon->server.records, (now_ms - days * DAY_MS) * 1000,
               RETAIN_AT_ONCE, &emptied, err);
}

void daemon_sweep(struct daemon *daemon)
{
    int64_t now = clock_now_ms(daemon->server.clock);
    int64_t days = daemon->node->settings.store_deleted_retention_days;
    struct err err = {0};

    if (!store_sweep_async_runs(daemon->node->store,
            now - daemon->node->settings.scripts_async_retention_h * 3600000, &err) ||
        !store_sweep_function_jobs(daemon->node->store,
            now - daemon->node->settings.scripts_async_retention_h * 3600000, &err) ||
        !store_sweep_inbound(daemon->node->store, now - DAY_MS, &err) ||
        !store_sweep_webhooks(daemon->node->store,
            now - daemon->node->settings.webhooks_retention_days * DAY_MS,
            now - daemon->node->settings.webhooks_dead_retention_days * DAY_MS, &err) ||
        !store_sweep(daemon->node->store, now, now - days * 86400000, &err) ||
        !sync_runs_sweep(daemon->server.sync_runs, &err) ||
        !retain_records(daemon, now, &err))
        log_event(daemon->server.log, LOG_ERROR, "sweep failed",
            LOG_STR("reason", err.message), LOG_END);
    (void)oplog_sweep(daemon->server.oplog, 0); /* goes on by itself */
}

const char *daemon_address(const struct daemon *daemon)
{
    return daemon->address;
}

const char *daemon_admin_address(const struct daemon *daemon)
{
    return daemon->admin_address;
}

const struct server *daemon_server(const struct daemon *daemon)
{
    return &daemon->server;
}
