/* A pipe to or from the container, whose other side is our own stdio. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>

/* More than a pipe keeps: a process that still runs writes what comes after this much. */
#define DRAIN_LIMIT (256 * 1024)

static bool is_empty(const struct stream *stream) {
    return stream->start == stream->end;
}

int stream_open(struct stream *stream, int from, int to, int ours) {
    int flags;

    stream->from = from;
    stream->to = to;
    stream->ours = ours;
    if (ours < 0)
        return 0;
    /* The container's end has flags of its own. */
    flags = fcntl(ours, F_GETFL);
    return flags < 0 || fcntl(ours, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

void stream_close(struct stream *stream) {
    if (stream->ours >= 0)
        close(stream->ours);
    stream->ours = -1;
    stream->start = stream->end = 0;
}

struct pollfd stream_interest(const struct stream *stream) {
    if (stream->ours < 0)
        return (struct pollfd){.fd = -1};
    return is_empty(stream) ? (struct pollfd){.fd = stream->from, .events = POLLIN}
                            : (struct pollfd){.fd = stream->to, .events = POLLOUT};
}

static void fill(struct stream *stream) {
    ssize_t got = read(stream->from, stream->bytes, sizeof(stream->bytes));

    if (got > 0) {
        stream->start = 0;
        stream->end = (size_t)got;
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        /* The end. When it is that of our stdin, the container sees it by this. */
        stream_close(stream);
    }
}

static void empty(struct stream *stream) {
    ssize_t put = write(stream->to, stream->bytes + stream->start, stream->end - stream->start);

    if (put >= 0)
        stream->start += (size_t)put;
    else if (errno != EINTR && errno != EAGAIN)
        /* Nobody reads any more. The container gets EPIPE by this. */
        stream_close(stream);
}

void stream_move(struct stream *stream) {
    if (is_empty(stream))
        fill(stream);
    else
        empty(stream);
}

bool stream_drain(struct stream *stream) {
    if (stream->ours < 0)
        return false;
    if (!is_empty(stream)) {
        empty(stream);
        return stream->ours >= 0;
    }
    if (stream->drained >= DRAIN_LIMIT)
        return false;
    fill(stream);
    stream->drained += stream->end;
    return stream->ours >= 0 && !is_empty(stream);
}
