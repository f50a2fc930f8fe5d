// SPDX-License-Identifier: GPL-2.0
/*
 * For unmodified programs: every TCP socket they ask for becomes one of the protocol in
 * MPTCP_RS_PROTOCOL. It does what mptcpize(8) does, for another number than 262.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

typedef int socket_call(int family, int type, int protocol);

int socket(int family, int type, int protocol)
{
	socket_call *next = (socket_call *)dlsym(RTLD_NEXT, "socket");
	const char *wanted = getenv("MPTCP_RS_PROTOCOL");
	int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	int internet = family == AF_INET || family == AF_INET6;
	int tcp = kind == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP);

	if (wanted && internet && tcp)
		protocol = atoi(wanted);
	return next(family, type, protocol);
}
