/* What the programs of this folder send, whole, and how they end when they cannot go on. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* Also to a socket that does not block: it is asked until it takes the rest. */
static void write_all(int fd, const char *bytes, size_t size) {
    while (size) {
        ssize_t written = send(fd, bytes, size, MSG_NOSIGNAL);
        if (written < 0 && errno != EAGAIN) fail("send");
        if (written < 0) continue;
        bytes += written, size -= (size_t)written;
    }
}
