// SPDX-License-Identifier: GPL-2.0
/*
 * Sends hostile TCP segments with malformed kind-30 options at a live IPv4 connection and at its
 * listener: fuzz SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT INTERFACE COUNT SEED
 *
 * It watches the interface for the connection's real sequence numbers. A segment with numbers
 * that the receiver accepts is a pure ACK without data, and the data-level numbers in it are far
 * from the true ones; a segment with data, SYN, FIN or RST has numbers far outside of the window.
 * Thus nothing here is what a correct receiver would have to obey, and the connection must live.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAR 0x80000000u

enum { OWN_TTL = 63, MAX_OPTIONS = 40, KIND_MPTCP = 30, KIND_UNKNOWN = 222, SUBTYPE_DSS = 2 };

/* What the real segments of the connection said last. */
struct seen {
	uint32_t next_seq, ack, tsval, tsecr, data_ack, dsn;
	uint16_t window;
	int any;
};

static uint64_t state;
static struct in_addr source, destination;
static uint16_t source_port, destination_port;
static int raw, sniffer;

static uint32_t draw(void)
{
	/* xorshift64*: the seed tells the whole run. */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 2685821657736338717ull) >> 32);
}

static uint32_t below(uint32_t bound)
{
	return draw() % bound;
}

static uint32_t far_from(uint32_t known)
{
	return known + FAR + (draw() & 0x0fffffff) - 0x08000000;
}

static void put32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, 4);
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, 4);
	return ntohl(value);
}

static void note_dss(struct seen *seen, const uint8_t *option, int length)
{
	uint8_t flags = option[3];
	int at = 4;

	if (flags & 1) {
		at += flags & 2 ? 8 : 4;
		if (at <= length)
			seen->data_ack = get32(option + at - 4);
	}
	if (flags & 4) {
		at += flags & 8 ? 8 : 4;
		if (at <= length)
			seen->dsn = get32(option + at - 4);
	}
}

static void note_options(struct seen *seen, const uint8_t *at, int left)
{
	while (left > 1 && at[0] != TCPOPT_EOL) {
		int length = at[0] == TCPOPT_NOP ? 1 : at[1];

		if (length < 1 || length > left)
			return;
		if (at[0] == TCPOPT_TIMESTAMP && length == TCPOLEN_TIMESTAMP) {
			seen->tsval = get32(at + 2);
			seen->tsecr = get32(at + 6);
		} else if (at[0] == KIND_MPTCP && length >= 4 && at[2] >> 4 == SUBTYPE_DSS) {
			note_dss(seen, at, length);
		}
		at += length;
		left -= length;
	}
}

/* Reads what passed on the interface since the last call. */
static void watch(struct seen *seen)
{
	uint8_t packet[2048];
	int budget = 4096;
	ssize_t got;

	while (budget-- && (got = recv(sniffer, packet, sizeof(packet), MSG_DONTWAIT)) > 0) {
		const struct iphdr *ip = (const void *)packet;
		const struct tcphdr *tcp = (const void *)(packet + ip->ihl * 4);
		uint32_t size = ntohs(ip->tot_len) - ip->ihl * 4;

		if (got < 40 || ip->version != 4 || ip->protocol != IPPROTO_TCP || ip->ttl == OWN_TTL)
			continue;
		if (ip->saddr != source.s_addr || ip->daddr != destination.s_addr)
			continue;
		if (tcp->source != source_port || tcp->dest != destination_port || tcp->rst)
			continue;
		seen->next_seq = ntohl(tcp->seq) + size - tcp->doff * 4 + tcp->syn + tcp->fin;
		seen->ack = ntohl(tcp->ack_seq);
		seen->window = tcp->window;
		seen->any = 1;
		if (got >= ip->ihl * 4 + tcp->doff * 4)
			note_options(seen, (const uint8_t *)(tcp + 1), tcp->doff * 4 - 20);
	}
}

/* Keeps the short data-level numbers of a DSS away from the true ones. */
static void spoil_dss(const struct seen *seen, uint8_t *option, int room)
{
	int at = 4;

	if (room < 4 || option[2] >> 4 != SUBTYPE_DSS)
		return;
	if (option[3] & 1) {
		if (!(option[3] & 2) && room >= at + 4)
			put32(option + at, far_from(seen->data_ack));
		at += option[3] & 2 ? 8 : 4;
	}
	if (option[3] & 4 && !(option[3] & 8) && room >= at + 4)
		put32(option + at, far_from(seen->dsn));
}

/* Writes one hostile option into at most `room` bytes; gives the bytes written. */
static int make_option(const struct seen *seen, uint8_t *at, int room, uint32_t subtype)
{
	static const uint8_t usual[][8] = {
		{ 4, 12, 20, 22, 24 }, { 12, 16, 24 }, { 8, 12, 16, 18, 20, 24, 26, 28 },
		{ 8, 10, 16, 18, 20, 22, 28 }, { 4, 5, 11 }, { 3, 4 }, { 12 }, { 12 }, { 4 },
	};
	int length, told, i;

	if (subtype < 9 && below(3)) {
		do
			length = usual[subtype][below(8)];
		while (!length);
	} else {
		length = 3 + below(26);
	}
	if (length > room)
		length = room;
	if (length < 2)
		return 0;
	for (i = 0; i < length; i++)
		at[i] = draw();
	told = length;
	if (!below(8))
		told = below(4) ? (int)below(4) : (int)below(256);
	at[0] = KIND_MPTCP;
	at[1] = told;
	if (length > 2)
		at[2] = subtype << 4 | (at[2] & 0x0f);
	spoil_dss(seen, at, length);
	return length;
}

/*
 * Broken lengths make a receiver read options where noise stands. A timestamp or a SACK block found
 * there would be obeyed, as from any peer who knows the sequence numbers: takes such kinds away.
 */
static void keep_only_mptcp(uint8_t *at, int left)
{
	while (left > 1 && at[0] != TCPOPT_EOL) {
		int length = at[0] == TCPOPT_NOP ? 1 : at[1];

		if (at[0] != TCPOPT_NOP && at[0] != KIND_MPTCP)
			at[0] = KIND_UNKNOWN;
		if (length < 1 || length > left)
			return;
		at += length;
		left -= length;
	}
}

static int make_options(const struct seen *seen, uint8_t *options, int timestamps, uint32_t number)
{
	int used = 0, own;

	memset(options, TCPOPT_NOP, MAX_OPTIONS);
	if (timestamps) {
		options[2] = TCPOPT_TIMESTAMP;
		options[3] = TCPOLEN_TIMESTAMP;
		put32(options + 4, seen->tsval);
		put32(options + 8, seen->tsecr);
		used = 12;
	}
	own = used;
	/* All sixteen subtypes in turn; sometimes two options, sometimes noise behind them. */
	used += make_option(seen, options + used, MAX_OPTIONS - used, number & 15);
	if (!below(6))
		used += make_option(seen, options + used, MAX_OPTIONS - used, below(16));
	if (!below(16))
		while (used < MAX_OPTIONS && below(8))
			options[used++] = draw();
	used = (used + 3) & ~3;
	keep_only_mptcp(options + own, used - own);
	return used;
}

static uint16_t checksum(const uint8_t *tcp, int length)
{
	uint32_t sum = IPPROTO_TCP + length;
	const uint8_t *address = (const uint8_t *)&source;
	int i;

	for (i = 0; i < 4; i += 2)
		sum += address[i] << 8 | address[i + 1];
	address = (const uint8_t *)&destination;
	for (i = 0; i < 4; i += 2)
		sum += address[i] << 8 | address[i + 1];
	for (i = 0; i < length; i++)
		sum += i & 1 ? tcp[i] : tcp[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static int send_one(const struct seen *seen, uint32_t number)
{
	uint8_t packet[20 + 60 + 64] = { 0 };
	struct iphdr *ip = (void *)packet;
	struct tcphdr *tcp = (void *)(packet + 20);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = destination };
	uint32_t kind = below(100);
	int plausible = kind < 40 && seen->any, options, data = 0, i, length;

	tcp->source = source_port;
	tcp->dest = destination_port;
	tcp->ack = 1;
	tcp->window = seen->window;
	if (plausible) {
		tcp->seq = htonl(seen->next_seq - (below(8) ? 0 : below(3)));
		tcp->ack_seq = htonl(seen->ack);
	} else {
		tcp->seq = htonl(far_from(seen->next_seq));
		tcp->ack_seq = htonl(draw());
		tcp->window = draw();
		data = below(2) ? (int)below(65) : 0;
		tcp->psh = below(2);
		tcp->fin = !below(8);
		tcp->rst = !below(8);
		tcp->syn = !below(8);
		tcp->urg = !below(8);
		tcp->ack = !!below(8);
	}
	if (kind >= 70) {
		/* At the listener, from a port where nobody is: a SYN, or an ACK of no handshake. */
		tcp->source = htons(1024 + below(50000));
		tcp->syn = kind < 95;
		tcp->ack = !tcp->syn;
		tcp->fin = tcp->rst = 0;
	}
	options = make_options(seen, (uint8_t *)(tcp + 1), seen->tsval && (plausible || below(2)), number);
	tcp->doff = (20 + options) / 4;
	for (i = 0; i < data; i++)
		packet[40 + options + i] = draw();
	length = 20 + options + data;
	tcp->check = checksum((uint8_t *)tcp, length);
	if (!below(20))
		tcp->check ^= 0x5555;
	ip->version = 4;
	ip->ihl = 5;
	ip->ttl = OWN_TTL;
	ip->protocol = IPPROTO_TCP;
	ip->saddr = source.s_addr;
	ip->daddr = destination.s_addr;
	if (sendto(raw, packet, 20 + length, 0, (struct sockaddr *)&to, sizeof(to)) >= 0)
		return 1;
	if (errno != ENOBUFS) {
		perror("fuzz: sendto");
		exit(1);
	}
	usleep(1000);
	return 0;
}

int main(int count, char **words)
{
	struct seen seen = { 0 };
	struct sockaddr_ll link = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	uint32_t number, total, sent = 0, plausible = 0;

	if (count != 8 || !inet_aton(words[1], &source) || !inet_aton(words[2], &destination)) {
		fprintf(stderr, "usage: fuzz SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT INTERFACE COUNT SEED\n");
		return 2;
	}
	source_port = htons(atoi(words[3]));
	destination_port = htons(atoi(words[4]));
	link.sll_ifindex = if_nametoindex(words[5]);
	total = strtoul(words[6], NULL, 10);
	state = strtoull(words[7], NULL, 10) * 2 + 1;
	raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	sniffer = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
	if (raw < 0 || sniffer < 0 || bind(sniffer, (struct sockaddr *)&link, sizeof(link))) {
		perror("fuzz: socket");
		return 1;
	}
	for (number = 0; sent < total && number < 2 * total; number++) {
		if (number % 32 == 0)
			watch(&seen);
		sent += send_one(&seen, number);
		plausible += seen.any;
	}
	printf("%u segments sent, %u of them with the connection in sight\n", sent, plausible);
	return sent == total && plausible > total / 2 ? 0 : 1;
}
