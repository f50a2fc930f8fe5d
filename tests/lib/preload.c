// SPDX-License-Identifier: GPL-2.0
/*
 * For unmodified programs: every TCP or MPTCP socket they ask for becomes one of the protocol in
 * MPTCP_RS_PROTOCOL. It does what mptcpize(8) does, for another number than 262.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

typedef int socket_call(int family, int type, int protocol);

int socket(int family, int type, int protocol)
{
	socket_call *next = (socket_call *)dlsym(RTLD_NEXT, "socket");
	const char *wanted = getenv("MPTCP_RS_PROTOCOL");
	int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	int internet = family == AF_INET || family == AF_INET6;
	int tcp = protocol == 0 || protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;

	if (wanted && internet && kind == SOCK_STREAM && tcp)
		protocol = atoi(wanted);
	return next(family, type, protocol);
}
