/* SPDX-License-Identifier: Apache-2.0 */
/* The demo provider's server: routes, the thread, and the catalogue entry. What was
 * granted is kept in grants.c. */
#include "demo/demo.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/query.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "demo/grants.h"
#include "net/answer.h"
#include "net/http_server.h"
#include "net/reactor.h"

#define BODY_MAX 16384
#define CONTACTS 23
#define PAGE_SIZE 5

struct demo {
    const struct log *log;
    struct reactor *reactor;
    struct http_server *http;
    struct grants *grants;
    pthread_t thread;
    bool running;
    int listen_fd;
    char address[64];
    char *catalog;
};

static void answer_page(struct http_req *req, int status, const char *html)
{
    answer_text(req, status, "text/html; charset=utf-8", html);
}

static void answer_redirect(struct http_req *req, const char *url)
{
    struct http_headers headers = {0};

    http_headers_add(&headers, "Location", url);
    http_respond(req, 302, &headers, NULL, 0, false);
    http_headers_finish(&headers);
}

/* RFC 6749 section 5.2. */
static void answer_token_error(struct http_req *req, int status, const char *error)
{
    cJSON *body = cJSON_CreateObject();

    json_set_str(body, "error", error);
    answer_json(req, status, body);
}

static void append_pair(struct buf *url, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(url, "%c%s=", strchr(url->data, '?') != NULL ? '&' : '?', name);
    str_form_encode(value, strlen(value), url);
}

/* An http or https URL on this machine. */
static bool is_loopback_url(const char *url)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]"};
    const char *authority;

    if (!str_starts(url, "http://") && !str_starts(url, "https://"))
        return false;
    authority = strstr(url, "//") + 2;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        const char *rest = authority + strlen(hosts[i]);

        if (!str_starts(authority, hosts[i]))
            continue;
        if (*rest == ':')
            rest += 1 + strspn(rest + 1, "0123456789");
        return *rest == '\0' || *rest == '/' || *rest == '?';
    }
    return false;
}

/* Client and redirect URI are judged before anybody is sent to the latter (RFC 6749
 * section 4.1.2.1), at each step anew, as each can be called by itself. Any callback on
 * this machine will do for a demo. */
static bool is_of_client(const cJSON *query)
{
    const char *redirect = json_str(query, "redirect_uri");

    return str_eq(json_str(query, "client_id"), DEMO_CLIENT_ID) && redirect != NULL &&
           is_loopback_url(redirect) && json_str(query, "code_challenge") != NULL;
}

/* GET /authorize: asks the person. */
static void get_authorize(struct demo *demo, struct http_req *req, const cJSON *query)
{
    struct buf page;

    (void)demo;
    if (!is_of_client(query) || !str_eq(json_str(query, "response_type"), "code") ||
        !str_eq(json_str(query, "code_challenge_method"), "S256")) {
        answer_page(req, 400, "<h1>This is not a request of the demo's client</h1>");
        return;
    }
    if (strpbrk(http_query(req), "\"'<>") != NULL) { /* it goes into the page below */
        answer_page(req, 400, "<h1>The query has characters that must be escaped</h1>");
        return;
    }
    buf_init(&page, 0);
    buf_puts(&page,
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\"><title>Demo "
        "provider</title>"
        "<style>body{font:16px system-ui;max-width:26rem;margin:15vh auto;padding:0 1rem}"
        "a{display:inline-block;margin:1rem .5rem 0 0;padding:.6rem "
        "1.2rem;border-radius:.4rem;"
        "text-decoration:none;border:1px solid "
        "#345}a.yes{background:#345;color:#fff}</style>"
        "<h1>Demo provider</h1><p>May this application read the demo account's "
        "contacts?</p>"
        "<a class=\"yes\" href=\"/decide?answer=allow&amp;");
    buf_puts(&page, http_query(req));
    buf_puts(&page, "\">Allow</a><a href=\"/decide?answer=deny&amp;");
    buf_puts(&page, http_query(req));
    buf_puts(&page, "\">Deny</a></html>");
    answer_page(req, 200, page.data);
    buf_finish(&page);
}

/* GET /decide: sends the person back with a code or a denial. */
static void get_decide(struct demo *demo, struct http_req *req, const cJSON *query)
{
    const char *redirect = json_str(query, "redirect_uri");
    struct buf url;
    char code[GRANT_TOKEN_SIZE];

    if (!is_of_client(query)) {
        answer_page(req, 400, "<h1>Begin at the authorization page</h1>");
        return;
    }
    buf_init(&url, 0);
    buf_puts(&url, redirect);
    if (str_eq(json_str(query, "answer"), "allow")) {
        grants_add(demo->grants, redirect, json_str(query, "code_challenge"), code);
        append_pair(&url, "code", code);
    } else {
        append_pair(&url, "error", "access_denied");
        append_pair(&url, "error_description", "The demo account said no");
    }
    append_pair(&url, "state", json_str(query, "state"));
    answer_redirect(req, url.data);
    buf_finish(&url);
}

static void answer_tokens(struct http_req *req, const struct grant_tokens *tokens)
{
    cJSON *body = cJSON_CreateObject();

    json_set_str(body, "access_token", tokens->access);
    json_set_str(body, "refresh_token", tokens->refresh);
    json_set_str(body, "token_type", "bearer");
    json_set_i64(body, "expires_in", GRANT_ACCESS_LIFE_MS / 1000);
    json_set_str(body, "scope", DEMO_SCOPES);
    answer_json(req, 200, body);
}

/* POST /token: RFC 6749 sections 4.1.3 and 6, RFC 7636 section 4.6. */
static void post_token(
    void *arg, struct http_req *req, enum http_body_result result, struct buf *body)
{
    struct demo *demo = arg;
    struct grant_tokens tokens;
    const char *type;
    cJSON *form;
    bool ok = false;

    form = result == HTTP_BODY_OK && body->len > 0 ? query_parse(body->data, body->len)
                                                   : NULL;
    if (form == NULL) {
        answer_token_error(req, 400, "invalid_request");
        return;
    }
    type = json_str(form, "grant_type");
    if (!str_eq(json_str(form, "client_id"), DEMO_CLIENT_ID) ||
        !str_eq(json_str(form, "client_secret"), DEMO_CLIENT_SECRET)) {
        answer_token_error(req, 401, "invalid_client");
        cJSON_Delete(form);
        return;
    }
    if (str_eq(type, "authorization_code"))
        ok = grants_redeem(demo->grants, json_str(form, "code"),
            json_str(form, "redirect_uri"), json_str(form, "code_verifier"), &tokens);
    else if (str_eq(type, "refresh_token"))
        ok = grants_rotate(demo->grants, json_str(form, "refresh_token"), &tokens);
    if (ok)
        answer_tokens(req, &tokens);
    else
        answer_token_error(req, 400,
            str_eq(type, "authorization_code") || str_eq(type, "refresh_token")
                ? "invalid_grant"
                : "unsupported_grant_type");
    cJSON_Delete(form);
}

static bool authorized(const struct demo *demo, const struct http_req *req)
{
    const char *header = http_header(req, "Authorization");

    return header != NULL && str_starts_nocase(header, "Bearer ") &&
           grants_know(demo->grants, header + 7);
}

static void get_contacts(struct demo *demo, struct http_req *req, const cJSON *query)
{
    static const char *const names[] = {
        "Ada", "Grace", "Edsger", "Barbara", "Donald", "Radia"};
    cJSON *body = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(body, "contacts");
    int64_t page = 1;
    int64_t last = (CONTACTS + PAGE_SIZE - 1) / PAGE_SIZE;

    (void)demo;
    if (json_str(query, "page") != NULL &&
        (!str_to_i64(json_str(query, "page"), &page) || page < 1 || page > last)) {
        cJSON_Delete(body);
        answer_token_error(req, 400, "page must be between 1 and 5");
        return;
    }
    for (int64_t i = (page - 1) * PAGE_SIZE; i < page * PAGE_SIZE && i < CONTACTS; i++) {
        cJSON *contact = cJSON_CreateObject();
        char *mail = str_printf("contact%lld@example.com", (long long)i + 1);

        json_set_i64(contact, "id", i + 1);
        json_set_str(
            contact, "name", names[(size_t)i % (sizeof names / sizeof names[0])]);
        json_set_str(contact, "email", mail);
        cJSON_AddItemToArray(list, contact);
        free(mail);
    }
    json_set_i64(body, "page", page);
    json_set(body, "next_page",
        page < last ? cJSON_CreateNumber((double)(page + 1)) : cJSON_CreateNull());
    answer_json(req, 200, body);
}

static void get_me(struct demo *demo, struct http_req *req, const cJSON *query)
{
    cJSON *body = cJSON_CreateObject();

    (void)demo;
    (void)query;
    json_set_str(body, "account", "demo");
    json_set_str(body, "name", "Demo account");
    answer_json(req, 200, body);
}

static const struct route {
    const char *path;
    bool needs_token;
    void (*get)(struct demo *demo, struct http_req *req, const cJSON *query);
} routes[] = {
    {"/authorize", false, get_authorize},
    {"/decide", false, get_decide},
    {"/api/contacts", true, get_contacts},
    {"/api/me", true, get_me},
};

static void on_request(void *arg, struct http_req *req)
{
    struct demo *demo = arg;
    const char *path = http_path(req);

    if (str_eq(http_method(req), "POST") && str_eq(path, "/token")) {
        http_read_body(req, BODY_MAX, post_token, demo);
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        cJSON *query;

        if (!str_eq(http_method(req), "GET") || !str_eq(path, routes[i].path))
            continue;
        if (routes[i].needs_token && !authorized(demo, req)) {
            answer_token_error(req, 401, "invalid_token");
            return;
        }
        query = query_parse(http_query(req), strlen(http_query(req)));
        if (query == NULL)
            answer_token_error(req, 400, "invalid_request");
        else
            routes[i].get(demo, req, query);
        cJSON_Delete(query);
        return;
    }
    answer_token_error(req, 404, "not_found");
}

static void *run(void *arg)
{
    struct demo *demo = arg;

    pthread_setname_np(pthread_self(), "demo");
    reactor_run(demo->reactor);
    return NULL;
}

static char *make_catalog(const char *address)
{
    return str_printf("%s:\n"
                      "    display_name: Demo provider\n"
                      "    categories:\n"
                      "        - other\n"
                      "    auth_mode: OAUTH2\n"
                      "    authorization_url: http://%s/authorize\n"
                      "    token_url: http://%s/token\n"
                      "    default_scopes:\n"
                      "        - %s\n"
                      "    proxy:\n"
                      "        base_url: http://%s/api\n",
        DEMO_PROVIDER, address, address, DEMO_SCOPES, address);
}

bool demo_start(
    const struct log *log, const struct clock *clock, struct demo **out, struct err *err)
{
    struct demo *demo = MEM_NEW(struct demo);
    struct http_server_config config = {
        .on_request = on_request, .arg = demo, .log = log};

    demo->log = log;
    demo->listen_fd = -1;
    demo->grants = grants_new(clock);
    if (!http_listen("127.0.0.1:0", 1, &demo->listen_fd, demo->address, err))
        goto failed;
    config.listen_fd = demo->listen_fd;
    if (!reactor_new(&demo->reactor, err) ||
        !http_server_new(demo->reactor, &config, &demo->http, err))
        goto failed;
    if (pthread_create(&demo->thread, NULL, run, demo) != 0) {
        err_internal(err, "cannot start the demo's thread");
        goto failed;
    }
    demo->running = true;
    demo->catalog = make_catalog(demo->address);
    *out = demo;
    return true;

failed:
    demo_stop(demo);
    return false;
}

void demo_stop(struct demo *demo)
{
    if (demo == NULL)
        return;
    if (demo->running) {
        reactor_stop(demo->reactor);
        pthread_join(demo->thread, NULL);
    }
    http_server_free(demo->http);
    reactor_free(demo->reactor);
    if (demo->listen_fd >= 0)
        close(demo->listen_fd);
    grants_free(demo->grants);
    free(demo->catalog);
    free(demo);
}

const char *demo_catalog(const struct demo *demo)
{
    return demo->catalog;
}

const char *demo_address(const struct demo *demo)
{
    return demo->address;
}

void demo_endpoint(const struct demo *demo, struct sockaddr_in *out)
{
    const char *colon = strrchr(demo->address, ':');

    memset(out, 0, sizeof *out);
    out->sin_family = AF_INET;
    out->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    out->sin_port = htons((uint16_t)strtol(colon + 1, NULL, 10));
}
