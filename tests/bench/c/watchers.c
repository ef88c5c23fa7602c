/* Many clients of the stream protocol in one thread, and how stale what each of them shows has been.
 *
 * watchers PORT TOKEN LOCATION SKU_PREFIX SKUS CLIENTS WATCHED
 *
 * Client number n watches WATCHED skus of SKU_PREFIX000000 and up, drawn at random, the same in each run. Says "ready"
 * when all of them have their snapshot. Reads lines: "change SKU VERSION MICROSECONDS" (of the day's clock) before a
 * change is published; "report" asks for a line of JSON. A client is stale from the instant of the first change of a
 * level that it has not got until it gets that or a later one: a delivery that stands for several changes counts with
 * the oldest. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sending.h"

enum { WATCHED_MAX = 64, REMEMBERED = 4096, COMING_MAX = 64, EVENTS = 512, BUFFER_BYTES = 1 << 20 };
enum { BUCKET_US = 20, BUCKETS = 1000000 };

struct client {
    int fd, upgraded, ready;
    int sku[WATCHED_MAX];
    uint32_t version[WATCHED_MAX];
    char *rest; /* the beginning of a frame whose end has not come yet */
    size_t rest_bytes;
};

static struct client *clients;
static int client_count, watched, sku_count, ready_count, port, epoll;
static const char *token, *location, *prefix;
static int64_t (*changed_at)[REMEMBERED]; /* of a sku and a version, in microseconds */
static uint32_t *newest, *staleness;
static uint64_t delivered, changes_shown;
static char buffer[BUFFER_BYTES], line[4096];
static size_t line_bytes;

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A frame as clients send it; a mask of zeros leaves the payload as it is. */
static size_t masked(char *into, int opcode, const char *payload, size_t size) {
    size_t head = 0;
    into[head++] = (char)(0x80 | opcode);
    into[head++] = (char)(0x80 | (size > 125 ? 126 : size));
    if (size > 125) into[head++] = (char)(size >> 8), into[head++] = (char)size;
    memset(into + head, 0, 4);
    memcpy(into + head + 4, payload, size);
    return head + 4 + size;
}

static void draw_skus(struct client *client) {
    for (int at = 0; at < watched;) {
        int sku = (int)(random() % sku_count), known = 0;
        for (int other = 0; other < at; other++) known |= client->sku[other] == sku;
        if (known) continue;
        client->sku[at] = sku;
        client->version[at++] = 1;
    }
}

static void come(struct client *client) {
    static char opening[65536], message[32768];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    address.sin_port = htons((uint16_t)port);
    draw_skus(client);
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (client->fd < 0 || connect(client->fd, (void *)&address, sizeof address)) fail("connect");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    size_t size = (size_t)sprintf(opening,
        "GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: stockwire.v1\r\n\r\n", port);
    int told = sprintf(message, "{\"type\":\"connect\",\"id\":1,\"token\":\"%s\"}", token);
    size += masked(opening + size, 1, message, (size_t)told);
    told = sprintf(message, "{\"type\":\"subscribe\",\"id\":2,\"location\":\"%s\",\"skus\":[", location);
    for (int at = 0; at < watched; at++)
        told += sprintf(message + told, "%s\"%s%06d\"", at ? "," : "", prefix, client->sku[at]);
    told += sprintf(message + told, "]}");
    size += masked(opening + size, 1, message, (size_t)told);
    write_all(client->fd, opening, size);
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event)) fail("epoll_ctl");
}

static void hear_orders(void);

static void shown(struct client *client, int sku, uint32_t version, int64_t now) {
    if (version > newest[sku]) hear_orders(); /* it was changed since this turn began */
    for (int at = 0; at < watched; at++) {
        if (client->sku[at] != sku || version <= client->version[at]) continue;
        int64_t stale_us = now - changed_at[sku][(client->version[at] + 1) % REMEMBERED];
        int64_t bucket = stale_us < 0 ? 0 : stale_us / BUCKET_US;
        staleness[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
        delivered++;
        changes_shown += version - client->version[at];
        client->version[at] = version;
    }
}

/* The number behind a field of a message; -1 if it has none. */
static long number_behind(const char *message, size_t size, const char *field) {
    const char *found = memmem(message, size, field, strlen(field));
    return found ? strtol(found + strlen(field), NULL, 10) : -1;
}

static void take_message(struct client *client, int opcode, const char *message, size_t size, int64_t now) {
    char answer[256];
    if (opcode == 9 && size <= 125) write_all(client->fd, answer, masked(answer, 10, message, size));
    if (opcode == 8) fprintf(stderr, "the hub has closed a connection: %.*s\n", (int)size - 2, message + 2), exit(3);
    if (opcode != 1) return;
    if (size > 15 && !memcmp(message, "{\"type\":\"level\"", 15)) {
        const char *sku = memmem(message, size, prefix, strlen(prefix));
        long version = number_behind(message, size, "\"version\":");
        if (sku && version > 0) shown(client, (int)strtol(sku + strlen(prefix), NULL, 10), (uint32_t)version, now);
    } else if (!client->ready && memmem(message, size, "\"last\":true", 11)) {
        client->ready = 1, ready_count++;
    } else if (memmem(message, size, "\"type\":\"error\"", 14)) {
        fprintf(stderr, "%.*s\n", (int)size, message), exit(3);
    }
}

/* How many bytes of these are whole messages, which have been taken. */
static size_t take_frames(struct client *client, const char *bytes, size_t size, int64_t now) {
    size_t taken = 0;
    while (size - taken >= 2) {
        const unsigned char *frame = (const unsigned char *)bytes + taken;
        size_t payload = frame[1] & 127, head = 2;
        if (payload == 126) payload = (size_t)frame[2] << 8 | frame[3], head = 4;
        if (payload == 127) payload = (size_t)frame[6] << 24 | frame[7] << 16 | frame[8] << 8 | frame[9], head = 10;
        if (size - taken < head || size - taken < head + payload) break;
        take_message(client, frame[0] & 15, bytes + taken + head, payload, now);
        taken += head + payload;
    }
    return taken;
}

static void hear(struct client *client) {
    size_t size = client->rest_bytes, taken = 0;
    memcpy(buffer, client->rest, size);
    ssize_t got = recv(client->fd, buffer + size, sizeof buffer - size - 16, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) fprintf(stderr, "the hub has cut a connection off\n"), exit(3);
    size += (size_t)got;
    if (!client->upgraded) {
        char *end = memmem(buffer, size, "\r\n\r\n", 4);
        if (!end) goto keep;
        if (!memmem(buffer, (size_t)(end - buffer), " 101 ", 5)) fprintf(stderr, "%.200s\n", buffer), exit(3);
        client->upgraded = 1;
        taken = (size_t)(end + 4 - buffer);
    }
    taken += take_frames(client, buffer + taken, size - taken, now_us());
keep:
    client->rest_bytes = size - taken;
    client->rest = realloc(client->rest, client->rest_bytes + 16);
    memcpy(client->rest, buffer + taken, client->rest_bytes);
}

static double percentile_ms(double share, uint64_t of) {
    uint64_t seen = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++)
        if ((seen += staleness[bucket]) && (double)seen >= share * (double)of) return bucket * BUCKET_US / 1000.0;
    return 0;
}

static void report(void) {
    uint64_t behind = 0;
    for (int number = 0; number < client_count; number++)
        for (int at = 0; at < watched; at++)
            behind += clients[number].version[at] < newest[clients[number].sku[at]];
    printf("{\"delivered\":%llu,\"changes\":%llu,\"behind\":%llu,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"longest_ms\":%.2f}\n",
        (unsigned long long)delivered, (unsigned long long)changes_shown, (unsigned long long)behind,
        percentile_ms(0.5, delivered), percentile_ms(0.99, delivered), percentile_ms(1, delivered));
    fflush(stdout);
}

static void take_line(const char *said) {
    int sku;
    unsigned version;
    long long at_us;
    if (sscanf(said, "change %d %u %lld", &sku, &version, &at_us) == 3) {
        changed_at[sku][version % REMEMBERED] = at_us;
        newest[sku] = version;
    } else if (!strncmp(said, "report", 6)) {
        report();
    }
}

static void hear_orders(void) {
    ssize_t got;
    while ((got = read(0, line + line_bytes, sizeof line - line_bytes)) > 0) {
        line_bytes += (size_t)got;
        char *start = line, *end;
        while ((end = memchr(start, '\n', (size_t)(line + line_bytes - start)))) take_line(start), start = end + 1;
        line_bytes = (size_t)(line + line_bytes - start);
        memmove(line, start, line_bytes);
    }
    if (got == 0) exit(0);
}

static void turn(int timeout_ms) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll, events, EVENTS, timeout_ms);
    hear_orders(); /* first: of a change that comes, the instant is known */
    for (int at = 0; at < count; at++)
        if (events[at].data.ptr) hear(events[at].data.ptr);
}

int main(int count, char **arguments) {
    if (count != 8) return fprintf(stderr, "watchers PORT TOKEN LOCATION SKU_PREFIX SKUS CLIENTS WATCHED\n"), 2;
    port = atoi(arguments[1]), token = arguments[2], location = arguments[3], prefix = arguments[4];
    sku_count = atoi(arguments[5]), client_count = atoi(arguments[6]), watched = atoi(arguments[7]);
    if (watched > WATCHED_MAX || watched > sku_count) return fprintf(stderr, "too many skus watched\n"), 2;
    clients = calloc((size_t)client_count, sizeof *clients);
    changed_at = calloc((size_t)sku_count, sizeof *changed_at);
    newest = calloc((size_t)sku_count, sizeof *newest), staleness = calloc(BUCKETS, sizeof *staleness);
    epoll = epoll_create1(0);
    struct epoll_event orders = {.events = EPOLLIN, .data.ptr = NULL};
    fcntl(0, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &orders)) fail("standard input");
    for (int number = 0; number < client_count; number++) {
        come(&clients[number]);
        while (number + 1 - ready_count >= COMING_MAX) turn(100);
    }
    while (ready_count < client_count) turn(100);
    printf("ready\n");
    fflush(stdout);
    for (;;) turn(100);
}
