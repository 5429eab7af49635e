// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Steering: which worker of a fanout group a frame goes to.
//
// Both directions of a conversation, its fragments and its ICMP errors' siblings share an address pair, so the answer is
// a hash of the innermost address pair that can be reached through VLAN tags and tunnels, mixed with the number of the
// virtual network it was found in. The kernel takes the answer modulo the number of workers. `decode::spread` is
// the same walk in Rust; a test of the sensor holds one against the other.
//
// Rebuild with `make ebpf`; the object is committed with its hash.

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define OUTGOING 4 // PACKET_OUTGOING: data begins with the link layer, otherwise with the network layer
#define STEPS 28
#define MAPPED 0xffff0000ull // ::ffff:0:0/96

typedef struct __sk_buff context;

struct walk {
	__u32 kind;
	__u32 at;
	__u32 tenant;
	__u32 hash;
};

struct pair {
	__u64 a[2];
	__u64 b[2];
};

static __always_inline int load_bytes(context *frame, __u32 at, void *to, __u32 len)
{
	// The headers of what this machine sends are where the helper for relative loads looks; those of what it
	// receives may lie in pages, where only the other one looks.
	if (frame->pkt_type == OUTGOING)
		return bpf_skb_load_bytes_relative(frame, at, to, len, BPF_HDR_START_NET);
	return bpf_skb_load_bytes(frame, at, to, len);
}

#define load(w, at, to, len) load_bytes(frame, at, to, len)

#include "walk.bpf.h"

// Set before the program is loaded.
volatile const __u8 with_tenant = 1;

static __always_inline __u64 rotate(__u64 x, __u32 by)
{
	return (x << by) | (x >> (64 - by));
}

static __always_inline __u64 fold(__u64 high, __u64 low)
{
	__u64 mixed = rotate(high, 23) ^ low;
	mixed = (mixed ^ (mixed >> 32)) * 0xd6e8feb86659fd93ull;
	mixed = (mixed ^ (mixed >> 29)) * 0x9fb21c651e98df25ull;
	return (mixed ^ (mixed >> 32)) + high * 0xa0761d6478bd642full;
}

// The hash of `decode::pair_hash`, mixed with the tenant.
static __always_inline __u32 pair_hash(const struct pair *p, __u32 tenant)
{
	__u64 a = fold(p->a[0], p->a[1]);
	__u64 b = fold(p->b[0], p->b[1]);
	__u64 mixed = (a + b) ^ ((a ^ b) * 0x9e3779b97f4a7c15ull);
	mixed = (mixed ^ (mixed >> 32)) * 0xff51afd7ed558ccdull;
	mixed = (mixed ^ (mixed >> 29)) * 0xc4ceb9fe1a85ec53ull;
	return (__u32)(mixed ^ (mixed >> 32)) ^ (tenant * 0x9e3779b1u);
}

static __always_inline int vlan(context *frame, struct walk *w)
{
	__u16 kind;
	if (load(w, w->at + 2, &kind, 2) < 0)
		return 0;
	w->kind = bpf_ntohs(kind);
	w->at += 4;
	return 1;
}

static __always_inline int ipv4(context *frame, struct walk *w)
{
	__u8 h[20];
	if (load(w, w->at, h, sizeof(h)) < 0 || (h[0] >> 4) != 4 || (h[0] & 15) < 5)
		return 0;
	// As mapped addresses of IPv6, little-endian, as the sensor keeps them.
	__u64 a = (__u64)h[12] << 32 | (__u64)h[13] << 40 | (__u64)h[14] << 48 | (__u64)h[15] << 56;
	__u64 b = (__u64)h[16] << 32 | (__u64)h[17] << 40 | (__u64)h[18] << 48 | (__u64)h[19] << 56;
	struct pair p = {.a = {0, a | MAPPED}, .b = {0, b | MAPPED}};
	w->hash = pair_hash(&p, w->tenant);
	w->kind = IP | h[9];
	w->at += (h[0] & 15) * 4;
	// A fragment's addresses are all that its siblings share.
	return ((h[6] & 0x3f) | h[7]) == 0;
}

static __always_inline int ipv6(context *frame, struct walk *w)
{
	__u8 h[8];
	struct pair p;
	if (load(w, w->at, h, sizeof(h)) < 0 || (h[0] >> 4) != 6)
		return 0;
	if (load(w, w->at + 8, &p, sizeof(p)) < 0)
		return 0;
	w->hash = pair_hash(&p, w->tenant);
	w->kind = IP | h[6];
	w->at += 40;
	return 1;
}

static __always_inline int extension(context *frame, struct walk *w, __u32 unit, __u32 plus)
{
	__u8 h[2];
	if (load(w, w->at, h, 2) < 0)
		return 0;
	w->kind = IP | h[0];
	w->at += (h[1] + plus) * unit;
	return 1;
}

static __always_inline int gre(context *frame, struct walk *w)
{
	__u8 h[4];
	if (load(w, w->at, h, 4) < 0 || (h[1] & 7) || (h[0] & 0x40))
		return 0;
	__u32 kind = (__u32)h[2] << 8 | h[3];
	__u32 at = w->at + 4 + (h[0] & 0x80 ? 4 : 0);
	at += (h[0] & 0x20 ? 4 : 0) + (h[0] & 0x10 ? 4 : 0);
	w->at = at;
	if (kind == ETHERTYPE_ERSPAN2 || kind == ETHERTYPE_ERSPAN3) {
		if (kind == ETHERTYPE_ERSPAN2 && !(h[0] & 0x10)) {
			w->kind = ETHERNET;
			return with_erspan1;
		}
		// Sessions are no tenants: a switch may have one for each direction of a port.
		__u8 e[12];
		if (load(w, at, e, 8) < 0)
			return 0;
		if (kind == ETHERTYPE_ERSPAN2) {
			w->at = at + 8;
			w->kind = ETHERNET;
			return (e[0] >> 4) == 1;
		}
		if (load(w, at, e, 12) < 0 || (e[0] >> 4) != 2)
			return 0;
		w->at = at + (e[11] & 1 ? 20 : 12);
		w->kind = ((e[10] >> 2) & 0x1f) == 0 ? ETHERNET : BY_VERSION;
		return 1;
	}
	w->kind = kind == ETHERTYPE_BRIDGE ? ETHERNET : kind;
	return 1;
}

static __always_inline void enter(struct walk *w, __u32 vni)
{
	if (vni)
		w->tenant = with_tenant ? vni : 0;
}

static __always_inline int vxlan(context *frame, struct walk *w)
{
	__u32 number;
	if (!vxlan_header(frame, w, &number))
		return 0;
	enter(w, number);
	return 1;
}

static __always_inline int geneve(context *frame, struct walk *w)
{
	__u8 h[8];
	if (load(w, w->at, h, 8) < 0 || (h[0] >> 6))
		return 0;
	__u32 kind = (__u32)h[2] << 8 | h[3];
	enter(w, (__u32)h[4] << 16 | (__u32)h[5] << 8 | h[6]);
	w->kind = kind == ETHERTYPE_BRIDGE ? ETHERNET : kind;
	w->at += 8 + (h[0] & 0x3f) * 4;
	return 1;
}

static __always_inline int gtp(context *frame, struct walk *w)
{
	__u8 h[12];
	if (load(w, w->at, h, 8) < 0 || (h[0] & 0xf0) != 0x30 || h[1] != 255)
		return 0;
	w->kind = BY_VERSION;
	if (!(h[0] & 7)) {
		w->at += 8;
		return 1;
	}
	if (load(w, w->at, h, 12) < 0)
		return 0;
	w->at += 12;
	if ((h[0] & 4) && h[11])
		w->kind = GTP_EXTENSION;
	return 1;
}

static __always_inline int udp(context *frame, struct walk *w)
{
	__u16 ports[2];
	if (load(w, w->at, ports, 4) < 0)
		return 0;
	__u16 from = bpf_ntohs(ports[0]), to = bpf_ntohs(ports[1]);
	w->at += 8;
	if (is_one_of(vxlan_ports, to))
		return vxlan(frame, w);
	if (is_one_of(geneve_ports, to))
		return geneve(frame, w);
	if (is_one_of(gtp_ports, to) || is_one_of(gtp_ports, from))
		return gtp(frame, w);
	if (with_teredo && (from == TEREDO || to == TEREDO)) {
		__u8 first;
		w->kind = ETHERTYPE_IPV6;
		return load(w, w->at, &first, 1) == 0 && (first >> 4) == 6;
	}
	return 0;
}

static __always_inline int step(context *frame, struct walk *w)
{
	switch (w->kind) {
	case ETHERNET:
		return ethernet(frame, w);
	case BY_VERSION:
		return by_version(frame, w);
	case 0x8100:
	case 0x88a8:
	case 0x9100:
		return vlan(frame, w);
	case ETHERTYPE_IPV4:
	case IP | 4:
		return ipv4(frame, w);
	case ETHERTYPE_IPV6:
	case IP | 41:
		return ipv6(frame, w);
	case IP | 0:
	case IP | 43:
	case IP | 60:
	case IP | 135:
		return extension(frame, w, 8, 1);
	case IP | 51:
		return extension(frame, w, 4, 2);
	case IP | 17:
		return udp(frame, w);
	case IP | 47:
		return gre(frame, w);
	case GTP_EXTENSION:
		return gtp_extension(frame, w);
	default: // a transport, a fragment header, or what has no addresses
		return 0;
	}
}

SEC("socket")
int steer(context *frame)
{
	struct walk w = {.kind = bpf_ntohs(frame->protocol)};
	// A frame of IEEE 802.3 shows a length there and a raw interface shows nothing.
	for (int i = 0; i < STEPS; i++)
		if (!step(frame, &w))
			break;
	// The kernel reads a signed number.
	return w.hash & 0x7fffffff;
}

char _license[] SEC("license") = "Dual MIT/GPL";
