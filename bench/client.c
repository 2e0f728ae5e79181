// Sends the requests of a file one after the other over one kept connection and prints the time each took.
//
//   client PORT HEADER REQUEST-FILE      HEADER: a whole header line, such as "Authorization: Bearer x"
//
// REQUEST-FILE: one request a line, "METHOD PATH BODY", the body may be absent. Output: "STATUS MILLISECONDS BYTES" a line.
// Exists because the time of one request is what is measured, and a scripting language's own would be part of it.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 24];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void send_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0) fail("send");
        data += sent;
        size -= sent;
    }
}

// Reads one answer with a Content-Length, or chunked, or without a body; its size, and its status.
static size_t receive(int fd, int *status) {
    size_t have = 0, head = 0;
    long length = -1;
    int chunked = 0;
    for (;;) {
        ssize_t got = recv(fd, buffer + have, sizeof buffer - 1 - have, 0);
        if (got <= 0) fail("recv");
        have += got;
        buffer[have] = 0;
        if (!head) {
            char *end = strstr(buffer, "\r\n\r\n");
            if (!end) continue;
            head = end + 4 - buffer;
            *status = atoi(buffer + 9);
            *end = 0;
            char *field = strcasestr(buffer, "\r\ncontent-length:");
            if (field) length = atol(field + 17);
            chunked = strcasestr(buffer, "\r\ntransfer-encoding: chunked") != NULL;
            *end = '\r';
            if (*status == 204 || *status == 304) return have;
        }
        if (length >= 0 && have >= head + length) return have;
        if (chunked && have >= head + 5 && !memcmp(buffer + have - 5, "0\r\n\r\n", 5)) return have;
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: client PORT HEADER REQUEST-FILE\n");
        return 2;
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    FILE *file = fopen(argv[3], "r");
    if (!file) fail(argv[3]);
    char *line = NULL, *request = NULL;
    size_t capacity = 0;
    ssize_t size;
    while ((size = getline(&line, &capacity, file)) > 0) {
        if (line[size - 1] == '\n') line[--size] = 0;
        char *path = strchr(line, ' ');
        if (!path) continue;
        *path++ = 0;
        char *body = strchr(path, ' ');
        if (body) *body++ = 0;
        else body = "";
        request = realloc(request, size + 1024 + strlen(argv[2]));
        int length = sprintf(request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                             line, path, argv[2], strlen(body), body);
        int status = 0;
        double begin = now();
        send_all(fd, request, length);
        size_t bytes = receive(fd, &status);
        printf("%d %.4f %zu\n", status, (now() - begin) * 1000, bytes);
        if (status >= 400) fprintf(stderr, "%s %s: %.*s\n", line, path, 400, buffer);
    }
    return 0;
}
