/*
 * Messages to the engine, later to `start`: u32 type, u32 operation, i32 errno, u32 value, and the
 * detail; each is one packet (lib/plan/wire.ts).
 */
#include "init.h"

struct header {
    uint32_t type;
    uint32_t op;
    int32_t error;
    uint32_t value;
};

void set_detail(struct context *c, const char *text) {
    c->fault = FAULT_NONE;
    c->detail_size = 0;
    c->detail[0] = 0;
    if (text != NULL)
        add_detail(c, text);
}

static void add_bytes(struct context *c, const char *bytes, size_t size) {
    size_t room = sizeof(c->detail) - 1 - c->detail_size;

    if (size > room)
        size = room;
    memcpy(c->detail + c->detail_size, bytes, size);
    c->detail_size += size;
    c->detail[c->detail_size] = 0;
}

void add_detail(struct context *c, const char *text) {
    add_bytes(c, text, strlen(text));
}

void add_detail_bytes(struct context *c, const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        bool control = byte == 0x7f || (byte < ' ' && byte != '\n' && byte != '\t');

        add_bytes(c, control ? "?" : &bytes[i], 1);
    }
}

void add_detail_number(struct context *c, uint64_t number) {
    char buffer[NUMBER_SIZE];

    add_detail(c, format_number(buffer, number));
}

static void set_parts(struct context *c, va_list parts) {
    const char *part;

    set_detail(c, NULL);
    while ((part = va_arg(parts, const char *)) != NULL)
        add_detail(c, part);
}

int fail_parts(struct context *c, uint32_t fault, int error, ...) {
    va_list parts;

    va_start(parts, error);
    set_parts(c, parts);
    va_end(parts);
    c->fault = fault;
    return error;
}

static int send_parts(struct context *c, const struct msghdr *packet, int flags) {
    long sent;

    if (c->channel < 0)
        return -ENOTCONN;
    do
        sent = sys_sendmsg(c->channel, packet, flags | MSG_NOSIGNAL);
    while (sent == -EINTR);
    return sent < 0 ? (int)sent : 0;
}

/* Writes one packet to a pipe. It is shorter than PIPE_BUF, so it arrives as a whole. */
static int write_packet(struct context *c, const struct header *header, const char *detail,
                        size_t size) {
    char packet[sizeof(*header) + WIRE_MAX_DETAIL];
    long written;

    if (c->channel < 0)
        return -ENOTCONN;
    if (size > WIRE_MAX_DETAIL)
        size = WIRE_MAX_DETAIL;
    memcpy(packet, header, sizeof(*header));
    memcpy(packet + sizeof(*header), detail, size);
    /* When the engine is gone SIGPIPE ends the init, which has nobody to work for. */
    do
        written = sys_write(c->channel, packet, sizeof(*header) + size);
    while (written == -EINTR);
    return written < 0 ? (int)written : 0;
}

static int send_packet(struct context *c, struct header *header, const char *detail, size_t size,
                       int flags) {
    struct iovec parts[2] = {
        {.iov_base = header, .iov_len = sizeof(*header)},
        {.iov_base = (void *)detail, .iov_len = size},
    };
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts)};

    if (c->pipes)
        return write_packet(c, header, detail, size);
    return send_parts(c, &packet, flags);
}

int send_descriptor(struct context *c, uint32_t type, int fd) {
    struct header header = {.type = type, .op = c->op};
    struct iovec part = {.iov_base = &header, .iov_len = sizeof(header)};
    struct descriptor_message control = DESCRIPTOR_MESSAGE(fd);
    struct msghdr packet = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };

    if (c->pipes) {
        header.value = (uint32_t)fd;
        return write_packet(c, &header, NULL, 0);
    }
    return send_parts(c, &packet, 0);
}

int send_message(struct context *c, uint32_t type, int error, uint32_t value, const char *detail,
                 size_t detail_size) {
    struct header header = {.type = type, .op = c->op, .error = error, .value = value};

    return send_packet(c, &header, detail, detail_size, 0);
}

void warn_parts(struct context *c, int error, ...) {
    struct header header = {.type = MESSAGE_WARNING, .op = c->op, .error = -error};
    va_list parts;

    va_start(parts, error);
    set_parts(c, parts);
    va_end(parts);
    /* An engine that does not read warnings must not block the container. */
    send_packet(c, &header, c->detail, c->detail_size, MSG_DONTWAIT);
    set_detail(c, NULL);
}

void die(struct context *c, int error) {
    /* A failure cannot be reported. */
    send_message(c, MESSAGE_ERROR, -error, c->fault, c->detail, c->detail_size);
    sys_exit(1);
}
