/* The limit of a fan-out: for each message one send() of a ready WebSocket frame to each subscriber, and nothing else.
 *
 * Each line on the control connection is a message to everybody. Prints the port of subscribers and that of control. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sending.h"

enum { DESCRIPTORS = 65536, LINE_BYTES = 65536, EVENTS = 256, BACKLOG = 4096 };
enum kind { NOBODY, LISTENER, CONTROL_LISTENER, CONTROL, COMING, SUBSCRIBER };

static const char UPGRADED[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
static unsigned char kinds[DESCRIPTORS];
static int subscribers[DESCRIPTORS], subscribed;
static char lines[LINE_BYTES], frame[LINE_BYTES + 4];
static size_t held;
static int epoll;

static void watch(int fd, enum kind kind) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd >= DESCRIPTORS || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
    kinds[fd] = kind;
}

static int listening(enum kind kind) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(fd, (void *)&address, size) || listen(fd, BACKLOG) || getsockname(fd, (void *)&address, &size)) fail("listen");
    watch(fd, kind);
    return ntohs(address.sin_port);
}

static void take(int listener, enum kind kind) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(fd, kind);
    }
}

static void leave(int fd) {
    for (int at = 0; at < subscribed; at++)
        if (subscribers[at] == fd) subscribers[at] = subscribers[--subscribed];
    kinds[fd] = NOBODY;
    close(fd);
}

static void tell_everybody(const char *message, size_t size) {
    size_t head = 0;
    frame[head++] = (char)0x81;
    if (size > 125) frame[head++] = 126, frame[head++] = (char)(size >> 8);
    frame[head++] = (char)size;
    memcpy(frame + head, message, size);
    for (int at = 0; at < subscribed; at++) write_all(subscribers[at], frame, head + size);
}

static void read_control(int fd) {
    ssize_t got = recv(fd, lines + held, sizeof lines - held, 0);
    if (got <= 0) {
        leave(fd);
        return;
    }
    held += (size_t)got;
    char *line = lines, *end;
    while ((end = memchr(line, '\n', (size_t)(lines + held - line)))) {
        tell_everybody(line, (size_t)(end - line));
        line = end + 1;
    }
    held = (size_t)(lines + held - line);
    memmove(lines, line, held);
}

static void read_subscriber(int fd) {
    char said[4096];
    if (recv(fd, said, sizeof said, 0) <= 0) {
        leave(fd);
    } else if (kinds[fd] == COMING) {
        write_all(fd, UPGRADED, sizeof UPGRADED - 1);
        kinds[fd] = SUBSCRIBER;
        subscribers[subscribed++] = fd;
    }
}

static void ready(int fd) {
    switch (kinds[fd]) {
        case LISTENER: take(fd, COMING); break;
        case CONTROL_LISTENER: take(fd, CONTROL); break;
        case CONTROL: read_control(fd); break;
        case COMING: case SUBSCRIBER: read_subscriber(fd); break;
        default: break; /* it has left while its turn came */
    }
}

int main(void) {
    struct epoll_event events[EVENTS];
    epoll = epoll_create1(0);
    printf("%d %d\n", listening(LISTENER), listening(CONTROL_LISTENER));
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int at = 0; at < count; at++) ready(events[at].data.fd);
    }
}
