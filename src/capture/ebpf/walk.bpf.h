// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the walks of `steer.bpf.c` and `bypass.bpf.c` have in common: what a header may be followed by, which ports carry
// tunnels, and the steps that read a header alike. Whoever includes it has defined `context`, `struct walk` with `kind` and
// `at` in it, and `load(w, at, to, len)`, which reads of the `frame` that is in scope.

#define PORTS 8
#define TEREDO 3544

// What the walk stands in front of. Values below 0x10000 are ethertypes, IP | n is an IP protocol number.
#define IP 0x10000u
#define ETHERNET 0x20001u
#define BY_VERSION 0x20002u
#define GTP_EXTENSION 0x20003u

#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_IPV6 0x86ddu
#define ETHERTYPE_BRIDGE 0x6558u
#define ETHERTYPE_ERSPAN2 0x88beu
#define ETHERTYPE_ERSPAN3 0x22ebu

// Set before the program is loaded; an empty place is 0.
volatile const __u16 vxlan_ports[PORTS] = {4789, 4790, 8472};
volatile const __u16 geneve_ports[PORTS] = {6081};
volatile const __u16 gtp_ports[PORTS] = {2152};
volatile const __u8 with_teredo = 1;
volatile const __u8 with_erspan1 = 1;

static __always_inline int is_one_of(const volatile __u16 *ports, __u16 port)
{
	int found = 0;
#pragma unroll
	for (int i = 0; i < PORTS; i++)
		found |= ports[i] == port;
	return found && port;
}

// Each step reads one header: 1 to go on with `kind` at `at`, 0 when the walk is over.

static __always_inline int ethernet(context *frame, struct walk *w)
{
	__u16 kind;
	if (load(w, w->at + 12, &kind, 2) < 0)
		return 0;
	w->kind = bpf_ntohs(kind);
	w->at += 14;
	return 1;
}

// IPv4, or IPv6, which is found out about when its header is read.
static __always_inline int by_version(context *frame, struct walk *w)
{
	__u8 first;
	if (load(w, w->at, &first, 1) < 0)
		return 0;
	w->kind = (first >> 4) == 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
	return 1;
}

// VXLAN and its GPE, of which IP and Ethernet are read: with the network's number, 0 when there is none.
static __always_inline int vxlan_header(context *frame, struct walk *w, __u32 *number)
{
	__u8 h[8];
	if (load(w, w->at, h, 8) < 0 || !(h[0] & 8) || h[7])
		return 0;
	__u32 next = h[0] & 4 ? h[3] : 3;
	if (next < 1 || next > 3)
		return 0;
	*number = (__u32)h[4] << 16 | (__u32)h[5] << 8 | h[6];
	w->kind = next == 1 ? ETHERTYPE_IPV4 : next == 2 ? ETHERTYPE_IPV6 : ETHERNET;
	w->at += 8;
	return 1;
}

static __always_inline int gtp_extension(context *frame, struct walk *w)
{
	__u8 length, next;
	if (load(w, w->at, &length, 1) < 0 || !length)
		return 0;
	w->at += (__u32)length * 4;
	if (load(w, w->at - 1, &next, 1) < 0)
		return 0;
	w->kind = next ? GTP_EXTENSION : BY_VERSION;
	return 1;
}
