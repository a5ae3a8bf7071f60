/* SPDX-License-Identifier: Apache-2.0 */
/* When credentials are renewed (contract auth.md section 8.1), what a refusal says,
 * figures, and recovery at start. The refresh itself: refresh_flight.c and
 * refresh_work.c. */
#include "auth/refresh.h"

#include <stdlib.h>
#include <string.h>

#include "auth/refresh_int.h"
#include "base/cond.h"
#include "base/mem.h"
#include "base/str.h"

/* Long-lived tokens that their providers renew on request only. */
static const char *const forced_only[] = {"facebook", "instagram", "threads"};

static bool is_forced_only(const char *provider)
{
    for (size_t i = 0; i < sizeof forced_only / sizeof forced_only[0]; i++) {
        if (str_eq(forced_only[i], provider))
            return true;
    }
    return false;
}

/* A failure that is yet to come was noted before the clock was set back. */
static bool has_just_failed(const struct connection_row *row, int64_t now_ms)
{
    return row->last_refresh_failure_ms != 0 && row->last_refresh_failure_ms <= now_ms &&
           now_ms - row->last_refresh_failure_ms < REFRESH_BACKOFF_MS;
}

enum refresh_need refresh_needed(const struct refresher *refresher,
    const struct connection_row *row, const struct provider *provider, bool forced)
{
    const struct mode *mode = mode_find(row->auth_type);
    int64_t now_ms = clock_now_ms(refresher->auth->clock);
    int64_t margin_ms = provider != NULL ? provider->expiry_margin_ms : 15 * 60 * 1000;

    if (!forced && row->refresh_exhausted)
        return REFRESH_EXHAUSTED;
    if (!forced && has_just_failed(row, now_ms))
        return REFRESH_BACKOFF;
    if (mode == NULL || !mode->can_renew(row, provider))
        return REFRESH_FRESH;
    if (forced)
        return REFRESH_WANTED;
    if (introspect_applies(row) &&
        introspections_know(refresher->introspections, row, now_ms))
        return REFRESH_FRESH;
    if (introspect_applies(row))
        return REFRESH_WANTED; /* the refresh begins by asking the provider */
    if (is_forced_only(row->provider) || row->expires_at_ms == 0)
        return REFRESH_FRESH;
    return row->expires_at_ms - now_ms < margin_ms ? REFRESH_WANTED : REFRESH_FRESH;
}

void refresh_refusal(enum refresh_need need, struct err *err)
{
    if (need == REFRESH_EXHAUSTED)
        err_set(err, 424, "connection_refresh_exhausted",
            "The credentials could not be refreshed for several days; the connection "
            "must be "
            "authorized again");
    else if (need == REFRESH_BACKOFF)
        err_set(err, 424, "connection_refresh_backoff",
            "A recent refresh attempt failed. Backing off before retrying.");
}

struct refresher *refresher_new(const struct auth *auth)
{
    struct refresher *refresher = MEM_NEW(struct refresher);

    refresher->auth = auth;
    crypto_random_hex(refresher->holder_prefix, 16);
    pthread_mutex_init(&refresher->lock, NULL);
    cond_init(&refresher->changed);
    refresher->introspections = introspections_new();
    return refresher;
}

void refresher_settle(struct refresher *refresher)
{
    if (refresher == NULL)
        return;
    pthread_mutex_lock(&refresher->lock);
    while (refresher->flights > 0)
        pthread_cond_wait(&refresher->changed, &refresher->lock);
    pthread_mutex_unlock(&refresher->lock);
}

void refresher_free(struct refresher *refresher)
{
    if (refresher == NULL)
        return;
    refresher_settle(refresher);
    held_free(refresher);
    pthread_cond_destroy(&refresher->changed);
    pthread_mutex_destroy(&refresher->lock);
    introspections_free(refresher->introspections);
    free(refresher);
}

bool refresher_recover(struct refresher *refresher, struct err *err)
{
    bool kept = false;
    bool ok = journal_recover(refresher->auth, 0, &kept, err);

    if (kept)
        atomic_store(&refresher->unsettled, true);
    return ok;
}

void refresher_stats(const struct refresher *refresher, struct refresh_stats *out)
{
    out->requests = atomic_load(&refresher->requests);
    out->failures = atomic_load(&refresher->failures);
    out->joined = atomic_load(&refresher->joined);
}
