/*
 * Lets vpcd 3.3 connect again after a card has left.
 *
 * In reversed mode that version connects once. When the connection ends it
 * waits for a client on a socket it never opened, and takes pcscd down with
 * it. Loaded before the driver, this takes the place of its function.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* The beginning of the driver's own structure. */
struct vicc_ctx {
    int server_sock;
    int client_sock;
    char *hostname;
    unsigned short port;
};

static int connect_to(const char *address, unsigned short port)
{
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port)};
    int sock;

    if (inet_pton(AF_INET, address, &there.sin_addr) != 1)
        return -1;
    sock = socket(AF_INET, SOCK_STREAM, 0);
    if (sock >= 0 && connect(sock, (struct sockaddr *)&there, sizeof there) != 0) {
        close(sock);
        sock = -1;
    }
    return sock;
}

int vicc_connect(struct vicc_ctx *ctx, long seconds, long microseconds)
{
    (void)seconds;
    (void)microseconds;
    if (ctx == 0)
        return 0;
    if (ctx->client_sock < 0 && ctx->hostname != 0)
        ctx->client_sock = connect_to(ctx->hostname, ctx->port);
    return ctx->client_sock >= 0;
}
