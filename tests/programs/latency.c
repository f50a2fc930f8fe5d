// SPDX-License-Identifier: GPL-2.0
/*
 * Times short exchanges over one protocol:
 *   latency serve PROTOCOL PORT                           until it is killed
 *   latency fetch PROTOCOL ADDRESS PORT COUNT SIZE        connect, ask, read SIZE bytes, close
 *   latency pingpong PROTOCOL ADDRESS PORT COUNT SIZE     SIZE bytes there and back on one connection
 * The client prints the nanoseconds of one exchange on average. A request is eight bytes: the
 * number of bytes to answer with, or 0 for an echo until the end of the stream.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 17];

/* No-operations by which tools/profile begins and ends to count. */
#define BEGIN_PROFILE() __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00\n.long 0x4d510001")
#define END_PROFILE() __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00\n.long 0x4d510000")

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void write_all(int fd, const void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t count = write(fd, (const char *)data + done, size - done);

		if (count <= 0)
			fail("latency: write");
		done += count;
	}
}

/* Reads exactly so much, or less at the end of the stream. */
static size_t read_all(int fd, void *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t count = read(fd, (char *)data + done, size - done);

		if (count < 0)
			fail("latency: read");
		if (count == 0)
			break;
		done += count;
	}
	return done;
}

static int open_socket(int protocol)
{
	int fd = socket(AF_INET, SOCK_STREAM, protocol), on = 1;

	if (fd < 0)
		fail("latency: socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void echo(int fd)
{
	ssize_t count;

	while ((count = read(fd, buffer, sizeof(buffer))) > 0)
		write_all(fd, buffer, count);
}

static __attribute__((noreturn)) void serve(int protocol, int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int listener = open_socket(protocol), on = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 128))
		fail("latency: listen");
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		uint64_t size;

		if (fd < 0)
			fail("latency: accept");
		if (read_all(fd, &size, sizeof(size)) == sizeof(size)) {
			if (size)
				write_all(fd, buffer, size);
			else
				echo(fd);
		}
		close(fd);
	}
}

static int dial(int protocol, const struct sockaddr_in *address)
{
	int fd = open_socket(protocol);

	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)))
		fail("latency: connect");
	return fd;
}

static void fetch(int protocol, const struct sockaddr_in *address, uint64_t size)
{
	int fd = dial(protocol, address);

	write_all(fd, &size, sizeof(size));
	if (read_all(fd, buffer, size) != size || read(fd, buffer, 1) != 0) {
		fprintf(stderr, "latency: the answer is not of %llu bytes\n", (unsigned long long)size);
		exit(1);
	}
	close(fd);
}

static void ping(int fd, size_t size)
{
	write_all(fd, buffer, size);
	if (read_all(fd, buffer, size) != size)
		fail("latency: echo");
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

int main(int words, char **word)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	uint64_t started, zero = 0;
	long count, size, i;
	int fd = -1;

	if (words == 4 && !strcmp(word[1], "serve"))
		serve(atoi(word[2]), atoi(word[3]));
	if (words != 7 || !inet_aton(word[3], &address.sin_addr) || atol(word[6]) > (long)sizeof(buffer)) {
		fprintf(stderr, "usage: latency serve PROTOCOL PORT | fetch|pingpong PROTOCOL ADDRESS PORT COUNT SIZE\n");
		return 2;
	}
	address.sin_port = htons(atoi(word[4]));
	count = atol(word[5]);
	size = atol(word[6]);
	if (!strcmp(word[1], "pingpong")) {
		fd = dial(atoi(word[2]), &address);
		write_all(fd, &zero, sizeof(zero));
	}
	/* A tenth more at the start, untimed, warms the caches up. */
	for (i = -count / 10, started = now(); i < count; i++) {
		if (i == 0) {
			BEGIN_PROFILE();
			started = now();
		}
		if (fd >= 0)
			ping(fd, size);
		else
			fetch(atoi(word[2]), &address, size);
	}
	started = now() - started;
	END_PROFILE();
	printf("%llu\n", (unsigned long long)(started / count));
	return 0;
}
