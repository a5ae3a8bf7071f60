/* SPDX-License-Identifier: Apache-2.0 */
/* The assertion that a two-step provider's entry describes (contract auth.md section 5,
 * step 2): a JWT, or a SAML 2.0 bearer assertion (RFC 7522). No I/O.
 *
 * The SAML text is written in the form that exclusive canonicalization gives (Exclusive
 * XML Canonicalization 1.0): attributes in order, namespaces where they are first used,
 * no white space between elements, `"&<>` and line ends escaped as section 2.3 of
 * Canonical XML asks. So what is signed is what stands there, and no XML library is
 * needed. */
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/jwt.h"
#include "auth/token_int.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/pem.h"

#define CODE "failed_to_generate"
#define JWT_LIFE_S 3600
#define SAML_LIFE_S 300
#define LIFE_MAX_S INT64_C(3153600000) /* a hundred years */
#define SAML_NS "urn:oasis:names:tc:SAML:2.0:assertion"
#define DSIG_NS "http://www.w3.org/2000/09/xmldsig#"
#define C14N "http://www.w3.org/2001/10/xml-exc-c14n#"

struct making {
    const cJSON *rules;
    const struct token_values *values;
    int64_t now_ms;
    struct err *err;
};

/* The catalogue has it as a number, or as the text of one. */
static int64_t life_of(const cJSON *rules, int64_t otherwise)
{
    const char *text = json_str(rules, "lifetimeInSeconds");
    int64_t life = 0;

    if ((text != NULL ? str_to_i64(text, &life)
                      : json_i64(rules, "lifetimeInSeconds", &life)) &&
        life > 0 && life <= LIFE_MAX_S)
        return life;
    return otherwise;
}

/* A rule's text, rendered; NULL when the entry has none, or with an error when something
 * that it names was not submitted. */
static char *rule_text(const struct making *m, const char *name, bool *ok)
{
    const char *template = json_str(m->rules, name);
    bool complete;
    char *text;

    if (template == NULL)
        return NULL;
    text = token_values_text(m->values, template, &complete);
    if (complete && text[0] != '\0')
        return text;
    mem_free_text(text);
    *ok = err_set(m->err, 400, CODE,
        "The assertion cannot be made: %s was not submitted. An assertion whose key is "
        "not kept ends with its lifetime; authorize again",
        template);
    return NULL;
}

/* As rule_text() for what may be a list as well, which is joined by commas. */
static char *rule_texts(const struct making *m, const char *name, bool *ok)
{
    const cJSON *list = json_get(m->rules, name), *item;
    struct buf out;

    if (!cJSON_IsArray(list))
        return rule_text(m, name, ok);
    buf_init(&out, 0);
    cJSON_ArrayForEach(item, list)
    {
        char *text = token_values_text(m->values, item->valuestring, NULL);

        buf_printf(&out, "%s%s", out.len > 0 ? "," : "", text);
        mem_free_text(text);
    }
    return buf_take(&out, NULL);
}

/* ---- JWT ---- */

static bool make_jwt(const struct making *m, const char *key, struct buf *out)
{
    int64_t now_s = m->now_ms / 1000;
    cJSON *header = token_values_render(m->values, json_get(m->rules, "header"));
    cJSON *payload = token_values_render(m->values, json_get(m->rules, "payload"));
    bool ok;

    if (!cJSON_IsObject(header) || !cJSON_IsObject(payload)) {
        ok = err_set(m->err, 400, CODE, "The catalogue's assertion has no claims");
    } else {
        json_set_i64(payload, "iat", now_s);
        json_set_i64(payload, "exp", now_s + life_of(m->rules, JWT_LIFE_S));
        if (json_get(header, "typ") == NULL)
            json_set_str(header, "typ", "JWT");
        ok = jwt_sign(header, payload, key, strlen(key), out, m->err);
    }
    cJSON_Delete(header);
    cJSON_Delete(payload);
    return ok;
}

/* ---- SAML ---- */

static void xml_text(struct buf *out, const char *text, bool attribute)
{
    for (; *text != '\0'; text++) {
        if (*text == '&')
            buf_puts(out, "&amp;");
        else if (*text == '<')
            buf_puts(out, "&lt;");
        else if (*text == '>' && !attribute)
            buf_puts(out, "&gt;");
        else if (*text == '"' && attribute)
            buf_puts(out, "&quot;");
        else if (*text == '\r')
            buf_puts(out, "&#xD;");
        else if (attribute && (*text == '\n' || *text == '\t'))
            buf_puts(out, *text == '\n' ? "&#xA;" : "&#x9;");
        else if ((unsigned char)*text >= 0x20 || *text == '\n' || *text == '\t')
            buf_putc(out, *text);
    }
}

static void element(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "<saml:%s>", name);
    xml_text(out, text, false);
    buf_printf(out, "</saml:%s>", name);
}

static void attribute_write(
    const struct making *m, const cJSON *attribute, struct buf *out)
{
    cJSON *value = token_values_render(m->values, attribute);
    char *printed = cJSON_IsString(value) ? NULL : json_print(value);

    buf_puts(out, "<saml:Attribute Name=\"");
    xml_text(out, attribute->string, true);
    buf_puts(out, "\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:basic\">");
    element(out, "AttributeValue", printed != NULL ? printed : value->valuestring);
    buf_puts(out, "</saml:Attribute>");
    free(printed);
    cJSON_Delete(value);
}

struct saml {
    char id[40];
    char begins[CLOCK_TEXT_SIZE], ends[CLOCK_TEXT_SIZE];
    char *issuer, *subject, *audiences, *recipient, *session;
};

static void saml_finish(struct saml *s)
{
    free(s->issuer);
    mem_free_text(s->subject);
    free(s->audiences);
    free(s->recipient);
    free(s->session);
}

static bool saml_read(const struct making *m, struct saml *s)
{
    int64_t life_s = life_of(m->rules, SAML_LIFE_S);
    bool ok = true;

    memset(s, 0, sizeof *s);
    s->id[0] = '_';
    crypto_random_hex(s->id + 1, 16);
    clock_text_z(m->now_ms, s->begins);
    clock_text_z(m->now_ms + life_s * 1000, s->ends);
    s->issuer = rule_text(m, "issuer", &ok);
    s->subject = rule_text(m, "nameIdentifier", &ok);
    s->audiences = rule_texts(m, "audiences", &ok);
    s->recipient = rule_text(m, "recipient", &ok);
    s->session = rule_text(m, "sessionIndex", &ok);
    if (ok && (s->issuer == NULL || s->subject == NULL))
        ok = err_set(
            m->err, 400, CODE, "The catalogue's assertion names no issuer or subject");
    return ok;
}

static void saml_open(const struct saml *s, struct buf *out)
{
    buf_printf(out,
        "<saml:Assertion xmlns:saml=\"" SAML_NS "\" ID=\"%s\" IssueInstant=\"%s\" "
        "Version=\"2.0\">",
        s->id, s->begins);
    element(out, "Issuer", s->issuer);
}

static void saml_subject(const struct saml *s, struct buf *out)
{
    buf_puts(out,
        "<saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:"
        "unspecified\">");
    xml_text(out, s->subject, false);
    buf_puts(out, "</saml:NameID><saml:SubjectConfirmation "
                  "Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">");
    buf_printf(out, "<saml:SubjectConfirmationData NotOnOrAfter=\"%s\"", s->ends);
    if (s->recipient != NULL) {
        buf_puts(out, " Recipient=\"");
        xml_text(out, s->recipient, true);
        buf_putc(out, '"');
    }
    buf_puts(out, "></saml:SubjectConfirmationData></saml:SubjectConfirmation>"
                  "</saml:Subject>");
}

static void saml_conditions(const struct saml *s, struct buf *out)
{
    char *rest = s->audiences, *one;

    buf_printf(out, "<saml:Conditions NotBefore=\"%s\" NotOnOrAfter=\"%s\">", s->begins,
        s->ends);
    if (rest != NULL) {
        buf_puts(out, "<saml:AudienceRestriction>");
        while ((one = strsep(&rest, ",")) != NULL)
            element(out, "Audience", str_trim(one));
        buf_puts(out, "</saml:AudienceRestriction>");
    }
    buf_puts(out, "</saml:Conditions>");
}

static void saml_statements(const struct making *m, const struct saml *s, struct buf *out)
{
    const cJSON *attributes = json_get(m->rules, "attributes"), *attribute;

    buf_printf(out, "<saml:AuthnStatement AuthnInstant=\"%s\"", s->begins);
    if (s->session != NULL) {
        buf_puts(out, " SessionIndex=\"");
        xml_text(out, s->session, true);
        buf_putc(out, '"');
    }
    buf_puts(out, "><saml:AuthnContext>");
    element(out, "AuthnContextClassRef",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified");
    buf_puts(out, "</saml:AuthnContext></saml:AuthnStatement>");
    if (cJSON_GetArraySize(attributes) == 0)
        return;
    buf_puts(out, "<saml:AttributeStatement>");
    cJSON_ArrayForEach(attribute, attributes) attribute_write(m, attribute, out);
    buf_puts(out, "</saml:AttributeStatement>");
}

/* The enveloped signature over the assertion as it is without it (XML Signature,
 * sections 4 and 6.6.4). */
static bool saml_signature(const struct making *m, const struct saml *s, const char *key,
    const struct buf *whole, struct buf *out)
{
    uint8_t digest[SHA256_LEN];
    struct buf info, value;
    bool ok;

    crypto_sha256(whole->data, whole->len, digest);
    buf_init(&info, 0);
    buf_init(&value, 0);
    buf_printf(&info,
        "<ds:SignedInfo xmlns:ds=\"" DSIG_NS "\">"
        "<ds:CanonicalizationMethod Algorithm=\"" C14N "\"></ds:CanonicalizationMethod>"
        "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#"
        "rsa-sha256\"></ds:SignatureMethod><ds:Reference URI=\"#%s\"><ds:Transforms>"
        "<ds:Transform Algorithm=\"" DSIG_NS "enveloped-signature\"></ds:Transform>"
        "<ds:Transform Algorithm=\"" C14N "\"></ds:Transform></ds:Transforms>"
        "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\">"
        "</ds:DigestMethod><ds:DigestValue>",
        s->id);
    str_base64(digest, sizeof digest, &info);
    buf_puts(&info, "</ds:DigestValue></ds:Reference></ds:SignedInfo>");
    ok = pem_sign(key, "RSA", EVP_sha256(), &info, &value);
    if (ok)
        buf_printf(out,
            "<ds:Signature xmlns:ds=\"" DSIG_NS "\">%s<ds:SignatureValue>%s"
            "</ds:SignatureValue></ds:Signature>",
            info.data, value.data);
    else
        err_set(m->err, 400, CODE,
            "The private key cannot be read: it must be an RSA key as PEM without a pass "
            "phrase");
    buf_finish(&info);
    buf_finish(&value);
    return ok;
}

static bool make_saml(const struct making *m, const char *key, struct buf *out)
{
    struct buf head, rest, whole, signature;
    struct saml saml;
    bool ok;

    buf_init_secret(&head, 0);
    buf_init_secret(&rest, 0);
    buf_init_secret(&whole, 0);
    buf_init_secret(&signature, 0);
    ok = saml_read(m, &saml);
    if (ok) {
        saml_open(&saml, &head);
        saml_subject(&saml, &rest);
        saml_conditions(&saml, &rest);
        saml_statements(m, &saml, &rest);
        buf_puts(&rest, "</saml:Assertion>");
        buf_append(&whole, head.data, head.len);
        buf_append(&whole, rest.data, rest.len);
        ok = key == NULL || saml_signature(m, &saml, key, &whole, &signature);
    }
    if (ok) {
        buf_clear(&whole);
        buf_append(&whole, head.data, head.len);
        if (signature.len > 0)
            buf_append(&whole, signature.data, signature.len);
        buf_append(&whole, rest.data, rest.len);
        str_base64(whole.data, whole.len, out);
    }
    saml_finish(&saml);
    buf_finish(&head);
    buf_finish(&rest);
    buf_finish(&whole);
    buf_finish(&signature);
    return ok;
}

bool assertion_of_entry(const struct provider *provider, const cJSON *fields,
    const cJSON *config, const cJSON *options, const struct template_stable *stable,
    struct buf *assertion, struct err *err)
{
    const struct token_values values = {
        .layers = {{.prefix = "assertionOption", .object = options}, {.object = fields},
            {.prefix = "connectionConfig", .object = config}},
        .count = 3,
        .stable = stable,
    };
    const struct making m = {
        .rules = json_get(provider->entry, "assertion"),
        .values = &values,
        .now_ms = template_now_ms(stable),
        .err = err,
    };
    bool jwt = str_eq(json_str(m.rules, "type"), "jwt");
    bool ok = true;
    char *key = rule_text(&m, "key", &ok);

    if (ok && jwt && key == NULL)
        ok = err_set(err, 400, CODE, "The catalogue's assertion names no key");
    ok = ok && (jwt ? make_jwt(&m, key, assertion) : make_saml(&m, key, assertion));
    mem_free_text(key);
    return ok;
}

bool assertion_expiry(const char *assertion, int64_t *expires_at_ms)
{
    static const char mark[] = "NotOnOrAfter=\"";
    const char *at = NULL, *end = NULL;
    struct buf text;
    bool ok = false;
    char *date;

    if (jwt_expiry(assertion, expires_at_ms))
        return true;
    buf_init_secret(&text, 0);
    if (str_unbase64(assertion, strlen(assertion), &text) && text.len > 0)
        at = strstr(text.data, mark);
    if (at != NULL) {
        at += sizeof mark - 1;
        end = strchr(at, '"');
    }
    if (end != NULL) {
        date = str_ndup(at, (size_t)(end - at));
        ok = clock_parse(date, expires_at_ms);
        free(date);
    }
    buf_finish(&text);
    return ok;
}
