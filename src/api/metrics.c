/* SPDX-License-Identifier: Apache-2.0 */
/* Figures for Prometheus, in its text format: requests by route and class of status,
 * their durations by kind of handler, and what the parts below count themselves.
 *
 * Counters are relaxed atomics in one block: reactors and workers add to them without a
 * lock, and a reader may see one counter a moment before another. */
#include <stdatomic.h>
#include <stdlib.h>

#include "api/api_int.h"
#include "base/mem.h"

#define CLASSES 6 /* 0 = the client left before any answer, 1xx … 5xx */

static const int64_t bounds_us[] = {10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000,
    25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};
#define BOUNDS (sizeof bounds_us / sizeof bounds_us[0])

struct histogram {
    _Atomic uint64_t buckets[BOUNDS + 1];
    _Atomic uint64_t sum_us;
};

struct server_metrics {
    struct histogram durations[RUN_KINDS];
    _Atomic uint64_t (*requests)[CLASSES]; /* by route; the last one is "no route" */
};

static const char *const kind_names[RUN_KINDS] = {
    [RUN_NOW] = "now",
    [RUN_READ] = "read",
    [RUN_WORK] = "work",
    [RUN_PROXY] = "proxy",
};

struct server_metrics *server_metrics_new(void)
{
    struct server_metrics *metrics = MEM_NEW(struct server_metrics);

    metrics->requests = mem_zalloc((api_route_count + 1) * sizeof *metrics->requests);
    return metrics;
}

void server_metrics_free(struct server_metrics *metrics)
{
    if (metrics == NULL)
        return;
    free(metrics->requests);
    free(metrics);
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t get(_Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void metrics_count(struct server_metrics *metrics, const struct route *route, int status,
    int64_t duration_us)
{
    size_t index = route != NULL ? (size_t)(route - api_routes) : api_route_count;
    size_t class = (size_t)status / 100;
    struct histogram *histogram;
    size_t bucket = 0;

    if (metrics == NULL)
        return;
    add(&metrics->requests[index][class < CLASSES ? class : 5], 1);
    if (route == NULL || status == 0)
        return;
    histogram = &metrics->durations[route->run];
    while (bucket < BOUNDS && duration_us > bounds_us[bucket])
        bucket++;
    add(&histogram->buckets[bucket], 1);
    add(&histogram->sum_us, (uint64_t)duration_us);
}

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_one(
    struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
    head(out, name, type, help);
    buf_printf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void write_requests(struct server_metrics *metrics, struct buf *out)
{
    static const char name[] = "nangod_http_requests_total";
    static const char *const classes[CLASSES] = {
        "gone", "1xx", "2xx", "3xx", "4xx", "5xx"};

    head(out, name, "counter", "Requests answered, by route and class of status.");
    for (size_t i = 0; i <= api_route_count; i++) {
        bool known = i < api_route_count;

        for (size_t class = 0; class < CLASSES; class ++) {
            uint64_t count = get(&metrics->requests[i][class]);

            if (count > 0)
                buf_printf(out, "%s{method=\"%s\",route=\"%s\",status=\"%s\"} %llu\n",
                    name, known ? api_routes[i].method : "",
                    known ? api_routes[i].pattern : "none", classes[class],
                    (unsigned long long)count);
        }
    }
}

static void write_durations(struct server_metrics *metrics, struct buf *out)
{
    static const char name[] = "nangod_http_request_duration_seconds";

    head(out, name, "histogram",
        "From the parsed head to the answer handed over, by kind of handler; of proxied "
        "ones to its last byte.");
    for (size_t kind = 0; kind < RUN_KINDS; kind++) {
        struct histogram *histogram = &metrics->durations[kind];
        uint64_t count = 0;

        for (size_t i = 0; i < BOUNDS; i++) {
            count += get(&histogram->buckets[i]);
            buf_printf(out, "%s_bucket{kind=\"%s\",le=\"%g\"} %llu\n", name,
                kind_names[kind], (double)bounds_us[i] / 1e6, (unsigned long long)count);
        }
        count += get(&histogram->buckets[BOUNDS]);
        buf_printf(out, "%s_bucket{kind=\"%s\",le=\"+Inf\"} %llu\n", name,
            kind_names[kind], (unsigned long long)count);
        buf_printf(out, "%s_sum{kind=\"%s\"} %.6f\n", name, kind_names[kind],
            (double)get(&histogram->sum_us) / 1e6);
        buf_printf(out, "%s_count{kind=\"%s\"} %llu\n", name, kind_names[kind],
            (unsigned long long)count);
    }
}

static void write_loops(const struct server *server, struct buf *out)
{
    uint64_t active = 0, connections = 0, refused = 0, upstream = 0;

    for (size_t i = 0; i < server->loop_count; i++) {
        const struct server_loop *loop = &server->loops[i];

        active += http_server_active(loop->public_http);
        connections += http_server_connections(loop->public_http);
        refused += http_server_refused(loop->public_http);
        upstream += up_pool_active(loop->upstream);
    }
    write_one(out, "nangod_http_requests_in_flight", "gauge",
        "Requests read and not yet answered.", active);
    write_one(
        out, "nangod_http_connections", "gauge", "Open client connections.", connections);
    write_one(out, "nangod_http_refused_total", "counter",
        "Requests that were not well-formed HTTP.", refused);
    write_one(out, "nangod_upstream_calls_in_flight", "gauge",
        "Calls to providers under way on the reactors.", upstream);
    write_one(out, "nangod_workers_queued", "gauge", "Requests waiting for a worker.",
        pool_queued(server->workers));
    write_one(out, "nangod_outbound_queued", "gauge",
        "Token calls and credential checks waiting for a thread.",
        pool_queued(server->auth.outbound));
}

static void write_store(const struct server *server, struct buf *out)
{
    struct store_stats stats;

    store_stats(server->auth.store, &stats);
    write_one(
        out, "nangod_store_commits_total", "counter", "Durable commits.", stats.commits);
    write_one(out, "nangod_store_writes_total", "counter", "Writes that they held.",
        stats.writes);
    write_one(out, "nangod_store_cache_hits_total", "counter", "Rows found in the cache.",
        stats.cache_hits);
    write_one(out, "nangod_store_cache_misses_total", "counter",
        "Rows read from the database.", stats.cache_misses);
}

static void write_logs(const struct server *server, struct buf *out)
{
    struct oplog_stats stats;

    oplog_stats(server->oplog, &stats);
    write_one(out, "nangod_logs_operations_total", "counter",
        "Operations written to the logs.", stats.operations);
    write_one(out, "nangod_logs_messages_total", "counter",
        "Messages written to the logs.", stats.messages);
    write_one(out, "nangod_logs_dropped_total", "counter",
        "Operations and messages that were dropped, as they could not be written soon "
        "enough.",
        stats.dropped);
    write_one(out, "nangod_logs_queued_bytes", "gauge", "Logs not written yet.",
        stats.queued_bytes);
}

static void write_calls(const struct server *server, struct buf *out)
{
    struct refresh_stats refresh;
    struct proxy_stats proxy;

    refresher_stats(server->refresher, &refresh);
    write_one(out, "nangod_refresh_requests_total", "counter",
        "Token calls made to refresh connections.", refresh.requests);
    write_one(out, "nangod_refresh_failures_total", "counter", "Those that failed.",
        refresh.failures);
    write_one(out, "nangod_refresh_joined_total", "counter",
        "Callers served by a refresh already under way.", refresh.joined);
    proxy_stats(&server->proxy, &proxy);
    write_one(out, "nangod_proxy_calls_total", "counter",
        "Proxied calls sent to a provider, first tries.", proxy.requests);
    write_one(
        out, "nangod_proxy_retries_total", "counter", "Further tries.", proxy.retries);
    write_one(out, "nangod_proxy_redirects_total", "counter", "Redirects followed.",
        proxy.redirects);
    write_one(out, "nangod_proxy_failures_total", "counter",
        "Calls that ended without an answer from the provider.", proxy.failures);
    write_one(out, "nangod_proxy_held_total", "counter",
        "Calls held back for what the provider allows.", proxy.held);
    write_one(out, "nangod_proxy_abandoned_total", "counter",
        "Calls whose client left first.", proxy.abandoned);
}

void metrics_write(const struct server *server, struct buf *out)
{
    head(out, "nangod_info", "gauge", "What runs.");
    buf_printf(out, "nangod_info{version=\"%s\"} 1\n", NANGO_VERSION);
    if (server->metrics != NULL) {
        write_requests(server->metrics, out);
        write_durations(server->metrics, out);
    }
    write_loops(server, out);
    write_store(server, out);
    write_calls(server, out);
    write_logs(server, out);
}
