/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/throttle.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/hash.h"

#define HOUR_MS ((int64_t)3600000)
#define USUAL_BLOCK_MS 1000 /* after a 429 that does not say for how long */
#define RESERVE 10          /* a tenth of what is allowed is for those who wait */
#define MANY 65536          /* budgets; then those that say nothing any more go */
#define STAGGER_MS 20       /* between those that were held back together */

struct key {
    int64_t id;
    int64_t of_integration; /* else of a connection */
};

struct budget {
    struct key key;
    int64_t blocked_until_ms;
    /* as the last answer said; -1 = it did not */
    double limit, remaining;
    int64_t reset_ms;
    /* of a declared rate */
    double tokens;
    int64_t filled_ms; /* 0 = never */
    int64_t waiting;   /* told to wait until the same moment */
    int64_t waiting_for_ms;
    UT_hash_handle hh;
};

struct throttle {
    pthread_mutex_t lock;
    struct budget *all;
    atomic_bool any; /* spares those a lock who are bound by nothing */
};

struct throttle *throttle_new(void)
{
    struct throttle *throttle = MEM_NEW(struct throttle);

    pthread_mutex_init(&throttle->lock, NULL);
    return throttle;
}

void throttle_free(struct throttle *throttle)
{
    struct budget *budget, *next;

    if (throttle == NULL)
        return;
    HASH_ITER(hh, throttle->all, budget, next)
    {
        HASH_DEL(throttle->all, budget);
        free(budget);
    }
    pthread_mutex_destroy(&throttle->lock);
    free(throttle);
}

/* ---- budgets ---- */

static bool is_spent(const struct budget *budget, int64_t now_ms)
{
    return budget->blocked_until_ms <= now_ms && budget->reset_ms <= now_ms &&
           budget->filled_ms + HOUR_MS < now_ms;
}

static void make_room(struct throttle *throttle, int64_t now_ms)
{
    struct budget *budget, *next;

    if (HASH_COUNT(throttle->all) < MANY)
        return;
    HASH_ITER(hh, throttle->all, budget, next)
    {
        if (is_spent(budget, now_ms)) {
            HASH_DEL(throttle->all, budget);
            free(budget);
        }
    }
}

static struct budget *find(struct throttle *throttle, int64_t id, bool of_integration)
{
    struct key key;
    struct budget *budget;

    memset(&key, 0, sizeof key);
    key.id = id;
    key.of_integration = of_integration;
    HASH_FIND(hh, throttle->all, &key, sizeof key, budget);
    return budget;
}

/* NULL: there are too many that still say something. */
static struct budget *find_or_make(
    struct throttle *throttle, int64_t id, bool of_integration, int64_t now_ms)
{
    struct budget *budget = find(throttle, id, of_integration);

    if (budget != NULL)
        return budget;
    make_room(throttle, now_ms);
    if (HASH_COUNT(throttle->all) >= MANY)
        return NULL;
    budget = MEM_NEW(struct budget);
    budget->key.id = id;
    budget->key.of_integration = of_integration;
    budget->limit = budget->remaining = -1;
    HASH_ADD(hh, throttle->all, key, sizeof budget->key, budget);
    atomic_store(&throttle->any, true);
    return budget;
}

/* ---- a declared rate ---- */

struct rate {
    double requests, per_ms;
    bool of_integration;
};

/* proxy.rate_limit: {requests, seconds, scope}. */
static bool declared(const struct provider *provider, struct rate *out)
{
    const cJSON *entry = provider != NULL
                             ? json_get(json_get(provider->entry, "proxy"), "rate_limit")
                             : NULL;
    const cJSON *requests = json_get(entry, "requests"),
                *seconds = json_get(entry, "seconds");

    if (!cJSON_IsNumber(requests) || !cJSON_IsNumber(seconds) ||
        requests->valuedouble < 1 || seconds->valuedouble <= 0)
        return false;
    out->requests = requests->valuedouble;
    out->per_ms = requests->valuedouble / (seconds->valuedouble * 1000);
    out->of_integration = str_eq(json_str(entry, "scope"), "integration");
    return true;
}

static void fill(struct budget *budget, const struct rate *rate, int64_t now_ms)
{
    if (budget->filled_ms == 0)
        budget->tokens = rate->requests;
    else if (now_ms > budget->filled_ms)
        budget->tokens = fmin(rate->requests,
            budget->tokens + rate->per_ms * (double)(now_ms - budget->filled_ms));
    budget->filled_ms = now_ms;
}

/* What must be there for it to go. */
static double wanted(const struct rate *rate, bool background)
{
    return background ? 1 + floor(rate->requests / RESERVE) : 1;
}

static int64_t wait_for_token(
    struct budget *budget, const struct rate *rate, const struct throttle_call *call)
{
    double missing;

    fill(budget, rate, call->now_ms);
    missing = fmin(wanted(rate, call->background), rate->requests) - budget->tokens;
    return missing > 0 ? (int64_t)ceil(missing / rate->per_ms) : 0;
}

/* ---- asking ---- */

/* Those that wait for one moment go one after the other. */
static int64_t stagger(struct budget *budget, int64_t until_ms, int64_t now_ms)
{
    if (budget->waiting_for_ms != until_ms) {
        budget->waiting_for_ms = until_ms;
        budget->waiting = 0;
    }
    return until_ms - now_ms + STAGGER_MS * (budget->waiting++ % 50);
}

static int64_t wait_for_learnt(struct budget *budget, const struct throttle_call *call)
{
    double reserve = budget->limit > 0 ? floor(budget->limit / RESERVE) : 0;

    if (!call->background)
        return 0;
    if (budget->blocked_until_ms > call->now_ms)
        return stagger(budget, budget->blocked_until_ms, call->now_ms);
    if (budget->remaining >= 0 && budget->reset_ms > call->now_ms &&
        budget->remaining <= reserve)
        return stagger(budget, budget->reset_ms, call->now_ms);
    return 0;
}

static int64_t ask(
    struct throttle *throttle, const struct throttle_call *call, const struct rate *rate)
{
    struct budget *learnt = find(throttle, call->connection_id, false), *bucket = NULL;
    int64_t wait = learnt != NULL ? wait_for_learnt(learnt, call) : 0;

    if (rate != NULL)
        bucket = find_or_make(throttle,
            rate->of_integration ? call->integration_id : call->connection_id,
            rate->of_integration, call->now_ms);
    if (bucket != NULL) {
        int64_t more = wait_for_token(bucket, rate, call);

        wait = more > wait ? more : wait;
    }
    if (wait > 0)
        return wait;
    if (bucket != NULL)
        bucket->tokens -= 1;
    if (learnt != NULL && learnt->remaining > 0)
        learnt->remaining -= 1; /* until an answer says */
    return 0;
}

int64_t throttle_ask(struct throttle *throttle, const struct throttle_call *call)
{
    struct rate rate;
    bool bound = declared(call->provider, &rate);
    int64_t wait;

    if (!bound && !atomic_load(&throttle->any))
        return 0;
    pthread_mutex_lock(&throttle->lock);
    wait = ask(throttle, call, bound ? &rate : NULL);
    pthread_mutex_unlock(&throttle->lock);
    return wait;
}

/* ---- learning ---- */

struct told {
    double limit, remaining; /* -1 = not told */
    int64_t reset_ms;        /* 0 = not told */
    int64_t block_ms;        /* 0 = it does not say how long */
};

static double number_of(const char *text)
{
    char *end;
    double value;

    if (text == NULL)
        return -1;
    value = strtod(text, &end);
    return end != text && isfinite(value) && value >= 0 ? value : -1;
}

/* By the name that the entry has for it (NULL = none), else by one of those in use. */
static const char *told_as(
    const struct http_headers *headers, const char *own, const char *what)
{
    static const char *const prefixes[] = {"ratelimit-", "x-ratelimit-", "x-rate-limit-"};
    const char *value = own != NULL ? http_headers_find(headers, own) : NULL;
    char name[40];

    for (size_t i = 0; value == NULL && i < sizeof prefixes / sizeof prefixes[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", prefixes[i], what);
        value = http_headers_find(headers, name);
    }
    return value;
}

/* Seconds from now, or seconds or milliseconds since 1970; or a date. */
static int64_t moment_of(const char *text, int64_t now_ms)
{
    double value = number_of(text);
    int64_t ms;

    if (text == NULL)
        return 0;
    if (value >= 1e12 && value < 1e15)
        return (int64_t)value;
    if (value >= 1e9 && value < 1e12)
        return (int64_t)(value * 1000);
    if (value >= 0 && value < 1e9 && strspn(text, "0123456789. ") == strlen(text))
        return now_ms + (int64_t)(value * 1000);
    return clock_parse(text, &ms) ? ms : 0;
}

/* `name=value` in a structured field: `"default";r=50;t=30`, `limit=100, remaining=5`. */
static double parameter(const char *text, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = text; at != NULL; at = strpbrk(at, ";, ")) {
        at += strspn(at, ";, ");
        if (strncmp(at, name, len) == 0 && at[len] == '=')
            return number_of(at + len + 1);
    }
    return -1;
}

static double either(const char *text, const char *short_name, const char *long_name)
{
    double value = parameter(text, short_name);

    return value >= 0 ? value : parameter(text, long_name);
}

/* The draft of the IETF's working group, in its newer and its older form. */
static void read_structured(
    const struct http_headers *headers, int64_t now_ms, struct told *out)
{
    const char *text = http_headers_find(headers, "ratelimit"),
               *policy = http_headers_find(headers, "ratelimit-policy");
    double reset;

    if (text == NULL)
        return;
    out->remaining = either(text, "r", "remaining");
    out->limit = parameter(text, "limit");
    if (out->limit < 0 && policy != NULL)
        out->limit = parameter(policy, "q");
    reset = either(text, "t", "reset");
    if (reset >= 0)
        out->reset_ms = now_ms + (int64_t)(fmin(reset, 1e9) * 1000);
}

/* A header's name, or the first of a list of them; NULL = the entry names none. */
static const char *named(const cJSON *retry, const char *key)
{
    const cJSON *value = json_get(retry, key);

    return cJSON_GetStringValue(
        cJSON_IsArray(value) ? cJSON_GetArrayItem(value, 0) : value);
}

static void read_answer(const struct throttle_call *call,
    const struct http_headers *headers, struct told *out)
{
    const cJSON *retry = call->provider != NULL
                             ? json_get(json_get(call->provider->entry, "proxy"), "retry")
                             : NULL;
    const char *own = named(retry, "remaining"), *at = named(retry, "at"),
               *after = named(retry, "after");
    const char *text;

    *out = (struct told){.limit = -1, .remaining = -1};
    read_structured(headers, call->now_ms, out);
    text = told_as(headers, NULL, "limit");
    if (text != NULL)
        out->limit = number_of(text);
    text = told_as(headers, own, "remaining");
    if (text != NULL)
        out->remaining = number_of(text);
    text = told_as(headers, at, "reset");
    if (text != NULL)
        out->reset_ms = moment_of(text, call->now_ms);
    text = after != NULL ? http_headers_find(headers, after) : NULL;
    if (text == NULL)
        text = http_headers_find(headers, "retry-after");
    if (text != NULL)
        out->block_ms = moment_of(text, call->now_ms) - call->now_ms;
}

static int64_t clip(int64_t ms)
{
    return ms < 0 ? 0 : ms > HOUR_MS ? HOUR_MS : ms;
}

static void note(struct budget *budget, const struct throttle_call *call, int status,
    const struct told *told)
{
    int64_t now = call->now_ms, until;

    if (told->remaining >= 0 && told->reset_ms > now) {
        budget->limit = told->limit;
        budget->remaining = told->remaining;
        budget->reset_ms = now + clip(told->reset_ms - now);
    }
    if (status != 429 && (status != 503 || told->block_ms <= 0))
        return;
    until = told->block_ms > 0     ? told->block_ms
            : told->reset_ms > now ? told->reset_ms - now
                                   : USUAL_BLOCK_MS;
    until = now + clip(until);
    if (until > budget->blocked_until_ms)
        budget->blocked_until_ms = until;
}

/* Most answers say nothing: they are told by their fields' first letters. */
static bool may_tell(
    const struct throttle_call *call, int status, const struct http_headers *headers)
{
    if (status == 429 || status == 503)
        return true;
    for (size_t i = 0; i < headers->count; i++) {
        const char *name = headers->items[i].name;

        if (strncasecmp(name, "ratelimit", 9) == 0 || strncasecmp(name, "x-rate", 6) == 0)
            return true;
    }
    return call->provider != NULL &&
           json_get(json_get(json_get(call->provider->entry, "proxy"), "retry"),
               "remaining") != NULL;
}

void throttle_learn(struct throttle *throttle, const struct throttle_call *call,
    int status, const struct http_headers *headers)
{
    struct budget *budget;
    struct told told;

    if (!may_tell(call, status, headers))
        return;
    read_answer(call, headers, &told);
    if (status != 429 && status != 503 && told.remaining < 0)
        return; /* as nearly all answers */
    pthread_mutex_lock(&throttle->lock);
    budget = find_or_make(throttle, call->connection_id, false, call->now_ms);
    if (budget != NULL)
        note(budget, call, status, &told);
    pthread_mutex_unlock(&throttle->lock);
}
