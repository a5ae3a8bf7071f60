/* SPDX-License-Identifier: Apache-2.0 */
/* The table of catalogue keys and the walk that holds an entry against it. See schema.h.
 *
 * A rule names a key, the kinds of value it takes (bits), and what else is asked of the
 * value: one of some words, a check of its own, or rules for what is inside. To teach the
 * catalogue a new key, add a row. */
#include "catalog/schema.h"

#include "catalog/hash.h"
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/catalog.h"
#include "catalog/pattern.h"

enum value {
    V_TEXT = 1,
    V_BOOL = 2,
    V_NUMBER = 4,
    V_TEXTS = 8,       /* a list of texts */
    V_MAP = 16,        /* a map with the members of `inside` */
    V_MAPS = 32,       /* a list of such maps */
    V_NAMED_MAPS = 64, /* a map of such maps, its names checked by `name_ok` */
    V_FREE_MAP = 128,  /* a map of anything */
    V_TEMPLATES =
        256, /* a map of texts, numbers and booleans, its names checked by `name_ok` */
    V_ANY = 512,
};

struct rule {
    const char *key;
    unsigned takes;
    bool required;
    const char *const *words;               /* the texts that are allowed; NULL = all */
    const struct rule *inside;              /* ends with a NULL key */
    const char *(*fault)(const char *text); /* NULL = fine */
    bool (*name_ok)(const char *name);
};

#define WORDS(...)                                                                       \
    (const char *const[])                                                                \
    {                                                                                    \
        __VA_ARGS__, NULL                                                                \
    }

/* ---- checks of single values ---- */

static bool is_auth_mode(const char *text)
{
    return auth_mode_parse(text) != AUTH_UNKNOWN;
}

static const char *auth_mode_fault(const char *text)
{
    return is_auth_mode(text) ? NULL : "no such auth_mode";
}

/* Each `${` needs its `}`. */
static const char *template_fault(const char *text)
{
    const char *open = text;

    while ((open = strstr(open, "${"))) {
        if (!strchr(open, '}'))
            return "`${` without `}`";
        open += 2;
    }
    return NULL;
}

static bool is_field_name(const char *name)
{
    return *name && str_all_alnum_or(name, "_.-");
}

static bool is_header_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            return false;
    return *name && str_all_alnum_or(name, "_.-");
}

bool schema_is_entry_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            return false;
    return *name && strlen(name) <= 255 && str_all_alnum_or(name, "-");
}

static const char *error_code_fault(const char *text)
{
    bool class_form = strlen(text) == 3 && text[0] >= '1' && text[0] <= '5' &&
                      text[1] == 'x' && text[2] == 'x';
    const char *dash = strchr(text, '-');
    size_t first = strspn(text, "0123456789");

    if (class_form || (first == 3 && text[3] == '\0'))
        return NULL;
    if (first == 3 && dash == text + 3 && strspn(dash + 1, "0123456789") == 3 &&
        dash[4] == '\0')
        return NULL;
    return "neither a status (`429`), a class (`5xx`) nor a range (`500-502`)";
}

/* ---- the table, from the inside out ---- */

static const struct rule visible_when_rules[] = {
    {.key = "field", .takes = V_TEXT, .required = true},
    {.key = "equals", .takes = V_TEXT, .required = true},
    {0},
};

static const struct rule field_rules[] = {
    {.key = "type", .takes = V_TEXT, .required = true, .words = WORDS("string")},
    {.key = "title", .takes = V_TEXT},
    {.key = "description", .takes = V_TEXT},
    {.key = "example", .takes = V_TEXT},
    {.key = "pattern", .takes = V_TEXT, .fault = pattern_fault},
    {.key = "format",
        .takes = V_TEXT,
        .words = WORDS("hostname", "uri", "uuid", "email")},
    {.key = "enum", .takes = V_TEXTS},
    {.key = "order", .takes = V_NUMBER},
    {.key = "secret", .takes = V_BOOL},
    {.key = "prefix", .takes = V_TEXT},
    {.key = "suffix", .takes = V_TEXT},
    {.key = "optional", .takes = V_BOOL},
    {.key = "default_value", .takes = V_TEXT},
    {.key = "hidden", .takes = V_BOOL},
    {.key = "automated", .takes = V_BOOL},
    {.key = "doc_section", .takes = V_TEXT},
    {.key = "warnings", .takes = V_TEMPLATES},
    {.key = "visible_when", .takes = V_MAP, .inside = visible_when_rules},
    {0},
};

static const struct rule in_body_rules[] = {
    {.key = "path", .takes = V_TEXT, .required = true},
    {.key = "value", .takes = V_TEXT, .required = true, .fault = pattern_match_fault},
    {.key = "strategy", .takes = V_TEXT, .required = true, .words = WORDS("at", "after")},
    {0},
};

static const struct rule retry_rules[] = {
    {.key = "at", .takes = V_TEXTS},
    {.key = "after", .takes = V_TEXTS},
    {.key = "remaining", .takes = V_TEXT},
    {.key = "error_code", .takes = V_TEXTS, .fault = error_code_fault},
    {.key = "in_body", .takes = V_MAP, .inside = in_body_rules},
    {0},
};

/* Ours: how many calls a provider takes, where its answers do not say. */
static const struct rule rate_rules[] = {
    {.key = "requests", .takes = V_NUMBER, .required = true},
    {.key = "seconds", .takes = V_NUMBER, .required = true},
    {.key = "scope", .takes = V_TEXT, .words = WORDS("connection", "integration")},
    {0},
};

static const struct rule paginate_rules[] = {
    {.key = "type",
        .takes = V_TEXT,
        .required = true,
        .words = WORDS("cursor", "link", "offset")},
    {.key = "cursor_name_in_request", .takes = V_TEXT},
    {.key = "cursor_path_in_response", .takes = V_TEXT},
    {.key = "limit_name_in_request", .takes = V_TEXT},
    {.key = "limit", .takes = V_NUMBER},
    {.key = "response_path", .takes = V_TEXT},
    {.key = "link_rel_in_response_header", .takes = V_TEXT},
    {.key = "link_path_in_response_body", .takes = V_TEXT},
    {.key = "offset_name_in_request", .takes = V_TEXT},
    {.key = "offset_start_value", .takes = V_NUMBER},
    {.key = "offset_calculation_method",
        .takes = V_TEXT,
        .words = WORDS("by-response-size", "per-page")},
    {.key = "in_body", .takes = V_BOOL},
    {0},
};

static const struct rule verification_rules[] = {
    {.key = "method", .takes = V_TEXT, .words = WORDS("GET", "POST")},
    {.key = "endpoints", .takes = V_TEXTS, .required = true},
    {.key = "base_url_override", .takes = V_TEXT, .fault = template_fault},
    {.key = "headers",
        .takes = V_TEMPLATES,
        .name_ok = is_header_name,
        .fault = template_fault},
    {.key = "data", .takes = V_ANY},
    {0},
};

static const struct rule proxy_rules[] = {
    {.key = "base_url", .takes = V_TEXT, .required = true, .fault = template_fault},
    {.key = "headers",
        .takes = V_TEMPLATES,
        .name_ok = is_header_name,
        .fault = template_fault},
    {.key = "query", .takes = V_TEMPLATES, .fault = template_fault},
    {.key = "body", .takes = V_FREE_MAP},
    {.key = "decompress", .takes = V_BOOL},
    {.key = "forward_headers_on_redirect", .takes = V_BOOL},
    {.key = "retry", .takes = V_MAP, .inside = retry_rules},
    {.key = "rate_limit", .takes = V_MAP, .inside = rate_rules},
    {.key = "paginate", .takes = V_MAP, .inside = paginate_rules},
    {.key = "verification", .takes = V_MAP, .inside = verification_rules},
    {.key = "connection_config", .takes = V_FREE_MAP},
    {0},
};

static const char *const body_formats[] = {"form", "json", "query", "xml", NULL};
static const char *const http_methods[] = {"GET", "POST", NULL};

static const struct rule step_rules[] = {
    {.key = "token_url", .takes = V_TEXT, .required = true, .fault = template_fault},
    {.key = "token_params", .takes = V_FREE_MAP},
    {.key = "token_headers", .takes = V_FREE_MAP},
    {.key = "token_request_method", .takes = V_TEXT, .words = http_methods},
    {.key = "body_format", .takes = V_TEXT, .words = body_formats},
    {0},
};

static const struct rule token_response_rules[] = {
    {.key = "token", .takes = V_TEXT, .required = true},
    {.key = "token_expiration", .takes = V_TEXT},
    {.key = "token_expiration_strategy",
        .takes = V_TEXT,
        .words = WORDS("expireAt", "expireIn")},
    {.key = "refresh_token", .takes = V_TEXT},
    {0},
};

static const struct rule signature_rules[] = {
    {.key = "protocol",
        .takes = V_TEXT,
        .required = true,
        .words = WORDS("WSSE", "RSA", "HMAC", "EC")},
    {.key = "hmac_secret_encoding", .takes = V_TEXT, .words = WORDS("hex", "utf8")},
    {0},
};

static const struct rule token_rules[] = {
    {.key = "signing_key", .takes = V_TEXT, .fault = template_fault},
    {.key = "expires_in_ms", .takes = V_NUMBER},
    {.key = "header", .takes = V_FREE_MAP},
    {.key = "payload", .takes = V_FREE_MAP},
    {0},
};

static const struct rule assertion_rules[] = {
    {.key = "type", .takes = V_TEXT, .required = true, .words = WORDS("jwt", "saml")},
    {.key = "key", .takes = V_TEXT, .fault = template_fault},
    {.key = "lifetimeInSeconds", .takes = V_NUMBER | V_TEXT},
    {.key = "header", .takes = V_FREE_MAP},
    {.key = "payload", .takes = V_FREE_MAP},
    {.key = "issuer", .takes = V_TEXT},
    {.key = "nameIdentifier", .takes = V_TEXT},
    {.key = "audiences", .takes = V_TEXT | V_TEXTS},
    {.key = "recipient", .takes = V_TEXT},
    {.key = "sessionIndex", .takes = V_TEXT},
    {.key = "attributes", .takes = V_FREE_MAP},
    {0},
};

static const struct rule token_urls_rules[] = {
    {.key = "OAUTH2", .takes = V_TEXT, .fault = template_fault},
    {.key = "APP", .takes = V_TEXT, .fault = template_fault},
    {0},
};

static const char *const categories[] = {"accounting", "analytics", "ats", "banking",
    "cms", "communication", "crm", "design", "dev-tools", "e-commerce", "erp", "gaming",
    "hr", "iam", "invoicing", "knowledge-base", "legal", "marketing", "mcp", "other",
    "payment", "popular", "productivity", "search", "social", "sports", "storage",
    "support", "surveys", "ticketing", "video", NULL};

static const struct rule entry_rules[] = {
    {.key = "display_name", .takes = V_TEXT},
    {.key = "docs", .takes = V_TEXT},
    {.key = "docs_connect", .takes = V_TEXT},
    {.key = "setup_guide_url", .takes = V_TEXT},
    {.key = "alias", .takes = V_TEXT},
    {.key = "categories", .takes = V_TEXTS, .words = categories},
    {.key = "auth_mode", .takes = V_TEXT, .fault = auth_mode_fault},
    {.key = "auth_type", .takes = V_TEXT, .words = WORDS("BASIC")},
    {.key = "installation", .takes = V_TEXT, .words = WORDS("outbound")},
    {.key = "authorization_url", .takes = V_TEXT, .fault = template_fault},
    {.key = "authorization_url_skip_encode",
        .takes = V_TEXTS,
        .words = WORDS("scopes", "base_url")},
    {.key = "authorization_url_skip_empty", .takes = V_BOOL},
    {.key = "authorization_url_replacements", .takes = V_TEMPLATES},
    {.key = "authorization_url_fragment", .takes = V_TEXT},
    {.key = "authorization_params", .takes = V_TEMPLATES, .fault = template_fault},
    {.key = "authorization_code_param_in_callback", .takes = V_TEXT},
    {.key = "authorization_code_param_in_webhook", .takes = V_TEXT},
    {.key = "authorization_method", .takes = V_TEXT, .words = WORDS("header", "body")},
    {.key = "scope_separator", .takes = V_TEXT},
    {.key = "default_scopes", .takes = V_TEXTS},
    {.key = "disable_pkce", .takes = V_BOOL},
    {.key = "token_url",
        .takes = V_TEXT | V_MAP,
        .inside = token_urls_rules,
        .fault = template_fault},
    {.key = "token_url_skip_encode", .takes = V_TEXTS, .words = WORDS("base_url")},
    {.key = "token_params", .takes = V_FREE_MAP},
    {.key = "token_headers", .takes = V_FREE_MAP},
    {.key = "token_request_auth_method",
        .takes = V_TEXT,
        .words = WORDS("basic", "custom", "private_key_jwt")},
    {.key = "token_request_method", .takes = V_TEXT, .words = http_methods},
    {.key = "body_format", .takes = V_TEXT, .words = body_formats},
    {.key = "token_response", .takes = V_MAP, .inside = token_response_rules},
    {.key = "token_response_headers", .takes = V_TEXTS},
    {.key = "token_expires_in_ms", .takes = V_NUMBER},
    {.key = "expires_in_unit", .takes = V_TEXT, .words = WORDS("milliseconds")},
    {.key = "token_expiration_buffer", .takes = V_NUMBER},
    {.key = "alternate_access_token_response_path", .takes = V_TEXT},
    {.key = "token_response_metadata", .takes = V_TEXTS},
    {.key = "redirect_uri_metadata", .takes = V_TEXTS},
    {.key = "webhook_response_metadata", .takes = V_TEXTS},
    {.key = "refresh_token_response_metadata", .takes = V_TEXTS},
    {.key = "refresh_url", .takes = V_TEXT, .fault = template_fault},
    {.key = "refresh_params", .takes = V_FREE_MAP},
    {.key = "refresh_token_params", .takes = V_FREE_MAP},
    {.key = "refresh_token_headers", .takes = V_FREE_MAP},
    {.key = "additional_steps", .takes = V_MAPS, .inside = step_rules},
    {.key = "assertion", .takes = V_MAP, .inside = assertion_rules},
    {.key = "assertion_option",
        .takes = V_NAMED_MAPS,
        .inside = field_rules,
        .name_ok = is_field_name},
    {.key = "signature", .takes = V_MAP, .inside = signature_rules},
    {.key = "token", .takes = V_MAP, .inside = token_rules},
    {.key = "signature_method",
        .takes = V_TEXT,
        .words = WORDS("HMAC-SHA1", "PLAINTEXT", "RSA-SHA1")},
    {.key = "request_url", .takes = V_TEXT, .fault = template_fault},
    {.key = "request_params", .takes = V_TEMPLATES, .fault = template_fault},
    {.key = "request_http_method", .takes = V_TEXT, .words = http_methods},
    {.key = "token_http_method", .takes = V_TEXT, .words = http_methods},
    {.key = "registration_url", .takes = V_TEXT, .fault = template_fault},
    {.key = "registration_params", .takes = V_FREE_MAP},
    {.key = "client_registration",
        .takes = V_TEXT,
        .words = WORDS("dynamic", "static", "cimd")},
    {.key = "require_client_certificate", .takes = V_BOOL},
    {.key = "connection_config",
        .takes = V_NAMED_MAPS,
        .inside = field_rules,
        .name_ok = is_field_name},
    {.key = "credentials",
        .takes = V_NAMED_MAPS,
        .inside = field_rules,
        .name_ok = is_field_name},
    {.key = "integration_config",
        .takes = V_NAMED_MAPS,
        .inside = field_rules,
        .name_ok = is_field_name},
    {.key = "connection_configuration", .takes = V_TEXTS},
    {.key = "post_connection_script", .takes = V_TEXT},
    {.key = "pre_connection_creation_script", .takes = V_TEXT},
    {.key = "pre_connection_deletion_script", .takes = V_TEXT},
    {.key = "credentials_verification_script", .takes = V_TEXT},
    {.key = "webhook_routing_script", .takes = V_TEXT},
    {.key = "webhook_user_defined_secret", .takes = V_BOOL},
    {.key = "webhook_allowed_query_params", .takes = V_TEXTS},
    {.key = "proxy", .takes = V_MAP, .inside = proxy_rules},
    {.key = "auth", .takes = V_FREE_MAP},
    {.key = "decode_url", .takes = V_BOOL},
    {0},
};

/* ---- unknown keys ---- */

struct schema_unknown {
    char *path;
    char *file;
    int line;
    UT_hash_handle hh;
};

static void remember_unknown(
    struct schema_unknown **all, const char *path, const char *file, int line)
{
    struct schema_unknown *one;

    HASH_FIND_STR(*all, path, one);
    if (one)
        return;
    one = MEM_NEW(struct schema_unknown);
    one->path = str_dup(path);
    one->file = str_dup(file);
    one->line = line;
    HASH_ADD_KEYPTR(hh, *all, one->path, strlen(one->path), one);
}

void schema_log_unknown(const struct schema_unknown *unknown, const struct log *log)
{
    for (; unknown; unknown = unknown->hh.next)
        log_event(log, LOG_WARN, "catalogue key not known, ignored",
            LOG_STR("key", unknown->path), LOG_STR("file", unknown->file),
            LOG_INT("line", unknown->line), LOG_END);
}

void schema_free_unknown(struct schema_unknown *unknown)
{
    struct schema_unknown *one;
    struct schema_unknown *next;

    HASH_ITER(hh, unknown, one, next)
    {
        HASH_DEL(unknown, one);
        free(one->path);
        free(one->file);
        free(one);
    }
}

/* ---- the walk ---- */

struct walk {
    const char *file;
    const char *entry;
    struct faults *faults;
    struct schema_unknown **unknown;
};

static void __attribute__((format(printf, 4, 5)))
add_fault(const struct walk *w, int line, const char *path, const char *fmt, ...)
{
    struct buf text;
    va_list args;

    buf_init(&text, 0);
    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    faults_add(w->faults, w->file, line, "%s: `%s`: %s", w->entry, path, text.data);
    buf_finish(&text);
}

static void describe(unsigned takes, struct buf *out)
{
    static const struct {
        unsigned value;
        const char *words;
    } names[] = {
        {V_TEXT, "a text"},
        {V_BOOL, "true or false"},
        {V_NUMBER, "a number"},
        {V_TEXTS, "a list of texts"},
        {V_MAP | V_NAMED_MAPS | V_FREE_MAP | V_TEMPLATES, "a map"},
        {V_MAPS, "a list of maps"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!(takes & names[i].value))
            continue;
        if (out->len > 0)
            buf_puts(out, " or ");
        buf_puts(out, names[i].words);
    }
}

static void wrong_kind(const struct walk *w, const struct rule *rule,
    const struct tree_node *node, const char *path)
{
    struct buf wanted;

    buf_init(&wanted, 0);
    describe(rule->takes, &wanted);
    add_fault(w, node->line, path, "must be %s, is %s", wanted.data,
        tree_kind_name(node->kind));
    buf_finish(&wanted);
}

static void check_text(const struct walk *w, const struct rule *rule,
    const struct tree_node *node, const char *path)
{
    const char *fault;

    if (rule->words && !str_is_empty(node->text)) {
        const char *const *word = rule->words;
        while (*word && strcmp(*word, node->text) != 0)
            word++;
        if (!*word) {
            add_fault(
                w, node->line, path, "`%s` is not one of the allowed values", node->text);
            return;
        }
    }
    fault = rule->fault && !str_is_empty(node->text) ? rule->fault(node->text) : NULL;
    if (fault)
        add_fault(w, node->line, path, "`%s`: %s", node->text, fault);
}

static void check_map(const struct walk *w, const struct rule *rules,
    const struct tree_node *map, const char *path, const char *shape);

static void check_texts(const struct walk *w, const struct rule *rule,
    const struct tree_node *list, const char *path)
{
    for (const struct tree_node *item = list->first; item; item = item->next) {
        if (item->kind != TREE_TEXT)
            add_fault(w, item->line, path, "must hold texts only, not %s",
                tree_kind_name(item->kind));
        else
            check_text(w, rule, item, path);
    }
}

static void check_maps(const struct walk *w, const struct rule *rule,
    const struct tree_node *list, const char *path, const char *shape)
{
    for (const struct tree_node *item = list->first; item; item = item->next) {
        if (item->kind != TREE_MAP)
            add_fault(w, item->line, path, "must hold maps only, not %s",
                tree_kind_name(item->kind));
        else
            check_map(w, rule->inside, item, path, shape);
    }
}

/* Members with free names: fields, headers, parameters. */
static void check_named(const struct walk *w, const struct rule *rule,
    const struct tree_node *map, const char *path, const char *shape)
{
    for (const struct tree_node *item = map->first; item; item = item->next) {
        char *inner = str_printf("%s.%s", path, item->key);
        char *inner_shape = str_printf("%s.*", shape);
        if (rule->name_ok && !rule->name_ok(item->key))
            add_fault(w, item->line, inner, "not a valid name");
        if (rule->takes & V_NAMED_MAPS) {
            if (item->kind == TREE_MAP)
                check_map(w, rule->inside, item, inner, inner_shape);
            else
                add_fault(w, item->line, inner, "must be a map, is %s",
                    tree_kind_name(item->kind));
        } else if (item->kind == TREE_TEXT) {
            check_text(w, rule, item, inner);
        } else if (item->kind != TREE_NUMBER && item->kind != TREE_BOOL) {
            add_fault(w, item->line, inner, "must be a text, is %s",
                tree_kind_name(item->kind));
        }
        free(inner);
        free(inner_shape);
    }
}

/* `path` is for people, `shape` has `*` for free names: the same key of two fields is
 * one. */
static void check_value(const struct walk *w, const struct rule *rule,
    const struct tree_node *node, const char *path, const char *shape)
{
    unsigned takes = rule->takes;

    if (takes & V_ANY)
        return;
    switch (node->kind) {
    case TREE_TEXT:
        if (takes & V_TEXT) {
            check_text(w, rule, node, path);
            return;
        }
        break;
    case TREE_BOOL:
        if (takes & V_BOOL)
            return;
        break;
    case TREE_NUMBER:
        if (takes & V_NUMBER)
            return;
        break;
    case TREE_LIST:
        if (takes & V_TEXTS) {
            check_texts(w, rule, node, path);
            return;
        }
        if (takes & V_MAPS) {
            check_maps(w, rule, node, path, shape);
            return;
        }
        break;
    case TREE_MAP:
        if (takes & V_FREE_MAP)
            return;
        if (takes & V_MAP) {
            check_map(w, rule->inside, node, path, shape);
            return;
        }
        if (takes & (V_NAMED_MAPS | V_TEMPLATES)) {
            check_named(w, rule, node, path, shape);
            return;
        }
        break;
    case TREE_NULL:
        break;
    }
    wrong_kind(w, rule, node, path);
}

static void check_map(const struct walk *w, const struct rule *rules,
    const struct tree_node *map, const char *path, const char *shape)
{
    const char *dot = *path ? "." : "";

    for (const struct tree_node *item = map->first; item; item = item->next) {
        char *inner = str_printf("%s%s%s", path, dot, item->key);
        char *inner_shape = str_printf("%s%s%s", shape, dot, item->key);
        const struct rule *rule = rules;
        while (rule->key && strcmp(rule->key, item->key) != 0)
            rule++;
        if (rule->key)
            check_value(w, rule, item, inner, inner_shape);
        else
            remember_unknown(w->unknown, inner_shape, w->file, item->line);
        free(inner);
        free(inner_shape);
    }
    for (const struct rule *rule = rules; rule->key; rule++)
        if (rule->required && !tree_get(map, rule->key))
            add_fault(w, map->line, *path ? path : ".", "`%s` is missing", rule->key);
}

bool schema_check(const char *file, const struct tree_node *entry, struct faults *faults,
    struct schema_unknown **unknown)
{
    struct walk w = {
        .file = file, .entry = entry->key, .faults = faults, .unknown = unknown};
    size_t before = faults->count;

    if (!schema_is_entry_name(entry->key))
        faults_add(faults, file, entry->line,
            "`%s` is not a name of an entry (lower-case letters, digits, `-`)",
            entry->key);
    if (entry->kind != TREE_MAP)
        faults_add(faults, file, entry->line, "%s: must be a map, is %s", entry->key,
            tree_kind_name(entry->kind));
    else
        check_map(&w, entry_rules, entry, "", "");
    return faults->count == before;
}

bool schema_check_resolved(const char *file, int line, const cJSON *entry,
    struct faults *faults, const char *name)
{
    if (str_is_empty(json_str(entry, "auth_mode"))) {
        faults_add(faults, file, line, "%s: `auth_mode` is missing", name);
        return false;
    }
    return true;
}
