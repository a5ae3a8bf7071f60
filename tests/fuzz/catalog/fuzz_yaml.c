/* SPDX-License-Identifier: Apache-2.0 */
/* Catalogue files as an operator may write them, laid over a small one. One that loads
 * can be written down and read back the same; one that does not says where it is wrong,
 * and leaves what was there. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "catalog/layer.h"
#include "catalog/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char beneath[] = "a:\n    auth_mode: NONE\n    proxy:\n        base_url: x\n"
                              "b:\n    alias: a\n    docs: ''\n";

static void reads_back(const struct layers *layers)
{
    struct layers again = {0};
    struct buf first, second;
    struct err err = {0};

    buf_init(&first, 0);
    buf_init(&second, 0);
    layers_print(layers, &first);
    assert(layers_add_resolved(&again, first.data, first.len, &err));
    layers_print(&again, &second);
    assert(str_eq(first.data, second.data));
    buf_finish(&first);
    buf_finish(&second);
    layers_finish(&again);
}

static void is_planned(const struct layers *layers)
{
    for (const struct layered_entry *entry = layers->entries; entry;
         entry = entry->hh.next) {
        struct provider_plan plan;

        plan_init(&plan, entry->json);
        for (size_t i = 0; i < plan.header_count; i++)
            assert(plan.headers[i].text != NULL);
        for (size_t i = 0; i < plan.query_count; i++)
            assert(plan.query[i].text != NULL);
        plan_finish(&plan);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct layers layers = {0};
    struct faults faults = {0};
    bool ok = layers_add_yaml(&layers, "beneath", beneath, strlen(beneath), &faults);
    size_t before = HASH_COUNT(layers.entries);

    assert(ok && faults.count == 0 && before == 2);
    ok = layers_add_yaml(&layers, "f.yaml", (const char *)data, size, &faults);
    assert(ok == (faults.count == 0));
    if (!ok)
        assert(
            faults.items[0].message[0] != '\0' && HASH_COUNT(layers.entries) == before);
    reads_back(&layers);
    is_planned(&layers);
    faults_finish(&faults);
    layers_finish(&layers);
    return 0;
}
