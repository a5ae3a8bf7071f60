/* SPDX-License-Identifier: Apache-2.0 */
/* What libcurl itself takes: one plain request, for bench/sdk to compare with. Prints the
 * same JSON as sdk_get.c. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t drop(char *data, size_t size, size_t count, void *user)
{
    (void)data;
    (void)user;
    return size * count;
}

int main(int argc, char **argv)
{
    CURL *easy;
    FILE *file;
    char line[128];
    long rss = -1, private = -1;

    if (argc < 2)
        return 2;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    if (curl_easy_perform(easy) != CURLE_OK)
        return 1;
    file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            rss = strtol(line + 6, NULL, 10);
        if (strncmp(line, "RssAnon:", 8) == 0)
        private = strtol(line + 8, NULL, 10);
    }
    printf("{\"calls\":1,\"failures\":0,\"seconds\":1,\"cpu\":0,\"rss_kb\":%ld,"
           "\"private_kb\":%ld}\n",
        rss, private);
    curl_easy_cleanup(easy);
    curl_global_cleanup();
    return file == NULL;
}
