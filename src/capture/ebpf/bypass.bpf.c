// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Bypass: frames of flows that nobody wants to look at any more are counted and dropped before they reach a ring.
//
// A flow is two halves, one for each direction. A half is found by what stands in the frame: through VLAN tags and at most
// two tunnels to the innermost addresses and ports. Everything around the innermost packet that tells networks apart is
// one `place`, which the sensor has given a number; a plain frame is in place 0. So no half ever means frames of two flows.
// What the walk is not sure of is let through, and so are SYN, FIN and RST, by which connections begin and end.
// `decode::half` is the same walk in Rust; a test of the sensor holds one against the other.
//
// Two objects are made of this source: one for sockets, and with -DAT_INTERFACE one for the beginning of an interface's
// receive path. Rebuild with `make ebpf`; objects are committed with their hash.

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define STEPS 20
#define LEVELS 2
#define OPTIONS 40
#define BEGINS_OR_ENDS 0x07 // FIN, SYN, RST
#define TAGGED 0x10000u // beside a VLAN tag, so that 0 means none

// Kinds of tunnel, as `frame::Kind` numbers them.
#define BY_VXLAN 1
#define BY_GENEVE 2
#define BY_GRE 3
#define BY_GRE_WITH_KEY 4
#define BY_ERSPAN 5
#define BY_GTP 6
#define BY_IP 7

// Set before the program is loaded.
volatile const __u8 strips = 0; // mirror sessions are taken off: outermost source ports say nothing
volatile const __u8 raw_link = 0; // frames begin with IP
volatile const __u8 most_levels = LEVELS;

// One tunnel around the innermost packet. Everything is as in the frame, in network order.
struct level {
	__u8 src[16], dst[16];
	__u32 id;
	__u16 ports[2];
	__u16 vlans[3];
	__u8 kind;
	__u8 options_len;
};

struct place {
	struct level levels[LEVELS];
	__u8 options[OPTIONS];
};

struct ends {
	__u16 ports[2];
	__u16 vlans[3];
	__u8 protocol;
	__u8 zero;
	__u32 place;
};

struct key4 {
	struct ends ends;
	__u32 src, dst;
};

struct key6 {
	struct ends ends;
	__u8 src[16], dst[16];
};

struct counts {
	__u64 packets;
	__u64 bytes; // of whole frames
	__u64 inner; // of the innermost packets, from their IP header on
	__u64 last;  // CLOCK_MONOTONIC
};

// Room is made when the map is: the kernel takes 10 us and more to make it for one half, as each CPU has a part of it.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct key4);
	__type(value, struct counts);
} halves4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct key6);
	__type(value, struct counts);
} halves6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct place);
	__type(value, __u32);
} places SEC(".maps");

// Everything that was ever dropped, halves that are gone included.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} total SEC(".maps");

// Number of halves: while there is none, no frame is looked at.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} active SEC(".maps");

// What `show` found in the last frame.
struct shown {
	struct key6 key;
	struct place place;
	__u32 version;
	__u32 inner;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct shown);
} seen SEC(".maps");

#ifdef AT_INTERFACE
typedef struct xdp_md context;
#define load_bytes bpf_xdp_load_bytes
#define length_of(frame) bpf_xdp_get_buff_len(frame)
#else
typedef struct __sk_buff context;
#define load_bytes bpf_skb_load_bytes
#define length_of(frame) ((frame)->len)
#endif

// Where the walk stands. It lies in a map, of which the verifier assumes nothing: what it knew of a stack would make every
// way through the steps another one to be followed. A CPU looks at one frame at a time.
struct walk {
	__u32 length; // of the frame
	__u32 kind;
	__u32 at;
	__u32 end; // of the packet that the walk is in
	__u32 ip;  // where the innermost IP header begins
	__u32 clipped;
	__u32 depth;
	__u32 vlans;
	__u32 version;
	__u32 found;
	struct key6 key;
	struct key4 key4;
	struct place place;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} walks SEC(".maps");

#define load(w, at, to, len) load_bytes(frame, at, to, len)

#include "walk.bpf.h"

// Kinds of header that only this walk tells apart.
#define ERSPAN_2 0x20004u
#define ERSPAN_3 0x20005u

static __always_inline int push_vlan(struct walk *w, __u32 tci)
{
	__u32 vlans = w->vlans;
	if (vlans > 2)
		return 0;
	w->key.ends.vlans[vlans] = tci & 0x0fff;
	w->vlans = vlans + 1;
	return 1;
}

// What was read so far stands around something else: it is one level of the place.
static __always_inline void fill(struct walk *w, struct level *level, __u32 kind, __u32 id)
{
	__builtin_memcpy(level->src, w->key.src, 16);
	__builtin_memcpy(level->dst, w->key.dst, 16);
	__builtin_memcpy(level->ports, w->key.ends.ports, 4);
	__builtin_memcpy(level->vlans, w->key.ends.vlans, 6);
	level->id = id;
	level->kind = kind;
}

static __always_inline int enter(struct walk *w, __u32 kind, __u32 id)
{
	__u32 depth = w->depth;
	if (depth >= most_levels || depth >= LEVELS)
		return 0;
	if (!depth && strips)
		w->key.ends.ports[0] = 0;
	fill(w, &w->place.levels[depth], kind, id);
	w->depth = depth + 1;
	w->clipped |= strips || kind == BY_VXLAN || kind == BY_GENEVE;
	w->vlans = 0;
	__builtin_memset(&w->key, 0, sizeof(w->key));
	return 1;
}

static __always_inline int vlan(context *frame, struct walk *w)
{
	__u16 tag[2];
	if (load(w, w->at, tag, 4) < 0 || !push_vlan(w, bpf_ntohs(tag[0])))
		return 0;
	w->kind = bpf_ntohs(tag[1]);
	w->at += 4;
	return 1;
}

// The packet ends `length` bytes from here: a copy may lack its end where whoever made it may have cut it.
static __always_inline int ends(struct walk *w, __u32 length)
{
	__u32 end = w->at + length;
	if (end > w->end && !w->clipped)
		return 0;
	w->end = end;
	return 1;
}

// Zero, where more is there than 16 bits can say, means as far as it goes.
static __always_inline __u32 length_field(struct walk *w, __u8 high, __u8 low)
{
	__u32 field = (__u32)high << 8 | low;
	return !field && w->end > w->at + 0xffff ? w->end - w->at : field;
}

static __always_inline int ipv4(context *frame, struct walk *w)
{
	__u8 h[20];
	if (load(w, w->at, h, sizeof(h)) < 0 || (h[0] >> 4) != 4 || (h[0] & 15) < 5)
		return 0;
	// A fragment has no ports.
	if ((h[6] & 0x3f) | h[7])
		return 0;
	__u32 head = (h[0] & 15) * 4;
	__u32 total = length_field(w, h[2], h[3]);
	w->ip = w->at;
	if (total < head || !ends(w, total))
		return 0;
	__builtin_memset(w->key.src, 0, 32);
	__builtin_memcpy(w->key.src, h + 12, 4);
	__builtin_memcpy(w->key.dst, h + 16, 4);
	w->version = 4;
	w->kind = IP | h[9];
	w->at += head;
	return 1;
}

static __always_inline int ipv6(context *frame, struct walk *w)
{
	__u8 h[8];
	if (load(w, w->at, h, sizeof(h)) < 0 || (h[0] >> 4) != 6)
		return 0;
	if (load(w, w->at + 8, w->key.src, 32) < 0)
		return 0;
	w->ip = w->at;
	w->at += 40;
	__u32 length = length_field(w, h[4], h[5]);
	w->version = 6;
	w->kind = IP | h[6];
	return ends(w, length);
}

static __always_inline int extension(context *frame, struct walk *w)
{
	__u8 h[2];
	if (w->version != 6 || load(w, w->at, h, 2) < 0)
		return 0;
	w->kind = IP | h[0];
	w->at += (h[1] + 1) * 8;
	return w->at <= w->end;
}

static __always_inline int gre(context *frame, struct walk *w)
{
	__u8 h[4];
	__u32 key = 0;
	// Version 0, without routes, recursion and reserved bits.
	if (load(w, w->at, h, 4) < 0 || (h[0] & 0x47) || h[1])
		return 0;
	__u32 kind = (__u32)h[2] << 8 | h[3];
	__u32 at = w->at + 4 + (h[0] & 0x80 ? 4 : 0);
	if (h[0] & 0x20) {
		if (load(w, at, &key, 4) < 0)
			return 0;
		at += 4;
	}
	at += h[0] & 0x10 ? 4 : 0;
	if (at > w->end)
		return 0;
	w->at = at;
	w->key.ends.protocol = 0;
	if (kind == ETHERTYPE_ERSPAN2 || kind == ETHERTYPE_ERSPAN3) {
		if (h[0] & 0x20)
			return 0;
		if (kind == ETHERTYPE_ERSPAN2 && !(h[0] & 0x10)) {
			w->kind = ETHERNET;
			return with_erspan1 && enter(w, BY_ERSPAN, 0);
		}
		w->kind = kind == ETHERTYPE_ERSPAN2 ? ERSPAN_2 : ERSPAN_3;
		return 1;
	}
	w->kind = kind == ETHERTYPE_BRIDGE ? ETHERNET : kind;
	return enter(w, h[0] & 0x20 ? BY_GRE_WITH_KEY : BY_GRE, key);
}

static __always_inline int erspan(context *frame, struct walk *w, __u32 version)
{
	__u8 h[12] = {};
	if (load(w, w->at, h, 8) < 0 || (h[0] >> 4) != version)
		return 0;
	if (version == 2 && load(w, w->at, h, 12) < 0)
		return 0;
	// Version, VLAN and session; not the class of service, and not whether the copy was cut.
	__u32 id = (__u32)h[0] << 24 | (__u32)h[1] << 16 | (__u32)(h[2] & 3) << 8 | h[3];
	if (!enter(w, BY_ERSPAN, bpf_htonl(id)))
		return 0;
	w->clipped |= h[2] & 4;
	w->kind = ETHERNET;
	if (version == 2) {
		w->at += h[11] & 1 ? 20 : 12;
		if ((h[10] >> 2) & 0x1f)
			w->kind = BY_VERSION;
	} else {
		w->at += 8;
	}
	__u32 id_of_vlan = (__u32)(h[0] & 15) << 8 | h[1];
	return !id_of_vlan || push_vlan(w, id_of_vlan);
}

static __always_inline int vxlan(context *frame, struct walk *w)
{
	__u32 number;
	return vxlan_header(frame, w, &number) && enter(w, BY_VXLAN, bpf_htonl(number));
}

// Options say whose a packet is, in every cloud's own way; here they are bytes to be compared.
static __always_inline int geneve(context *frame, struct walk *w)
{
	__u8 h[8];
	if (load(w, w->at, h, 8) < 0 || (h[0] >> 6))
		return 0;
	__u32 kind = (__u32)h[2] << 8 | h[3];
	__u32 options = (h[0] & 0x3f) * 4;
	if (options > OPTIONS || (options && w->depth))
		return 0;
	if (options) {
		// The verifier wants to see the bounds right here.
		__u32 len = options & 0x3f;
		if (len < 1 || len > OPTIONS || load(w, w->at + 8, w->place.options, len) < 0)
			return 0;
		w->place.levels[0].options_len = len;
	}
	__u32 id;
	h[7] = h[6], h[6] = h[5], h[5] = h[4], h[4] = 0;
	__builtin_memcpy(&id, h + 4, 4);
	w->kind = kind == ETHERTYPE_BRIDGE ? ETHERNET : kind;
	w->at += 8 + options;
	return w->at <= w->end && enter(w, BY_GENEVE, id);
}

static __always_inline int gtp(context *frame, struct walk *w)
{
	__u8 h[12];
	if (load(w, w->at, h, 8) < 0 || (h[0] & 0xf0) != 0x30 || h[1] != 255)
		return 0;
	__u32 end = w->at + 8 + ((__u32)h[2] << 8 | h[3]);
	__u32 id, flags = h[0], at = w->at;
	if (end > w->end)
		return 0;
	__builtin_memcpy(&id, h + 4, 4);
	if (!enter(w, BY_GTP, id))
		return 0;
	w->end = end;
	w->kind = BY_VERSION;
	if (!(flags & 7)) {
		w->at = at + 8;
		return 1;
	}
	if (load(w, at, h, 12) < 0)
		return 0;
	w->at = at + 12;
	if ((flags & 4) && h[11])
		w->kind = GTP_EXTENSION;
	return 1;
}

static __always_inline int udp(context *frame, struct walk *w)
{
	__u8 h[8];
	if (load(w, w->at, h, 8) < 0)
		return 0;
	__u16 from = (__u16)h[0] << 8 | h[1], to = (__u16)h[2] << 8 | h[3];
	__u32 length = length_field(w, h[4], h[5]);
	if (length < 8 || w->at + length > w->end)
		return 0;
	__builtin_memcpy(w->key.ends.ports, h, 4);
	// It may be Teredo, or VXLAN from that port: too rare to be told apart.
	if (with_teredo && (from == TEREDO || to == TEREDO))
		return 0;
	if (is_one_of(vxlan_ports, to) || is_one_of(geneve_ports, to)) {
		w->end = w->at + length;
		w->at += 8;
		return is_one_of(vxlan_ports, to) ? vxlan(frame, w) : geneve(frame, w);
	}
	if (is_one_of(gtp_ports, to) || is_one_of(gtp_ports, from)) {
		w->end = w->at + length;
		w->at += 8;
		return gtp(frame, w);
	}
	w->key.ends.protocol = 17;
	w->found = 1;
	return 0;
}

static __always_inline int tcp(context *frame, struct walk *w)
{
	__u8 h[14];
	if (load(w, w->at, h, sizeof(h)) < 0)
		return 0;
	__u32 head = (h[12] >> 4) * 4;
	if (head < 20 || w->at + head > w->end || (h[13] & BEGINS_OR_ENDS))
		return 0;
	__builtin_memcpy(w->key.ends.ports, h, 4);
	w->key.ends.protocol = 6;
	w->found = 1;
	return 0;
}

static __always_inline int sctp(context *frame, struct walk *w)
{
	__u8 h[12];
	if (load(w, w->at, h, sizeof(h)) < 0 || w->at + 12 > w->end)
		return 0;
	__builtin_memcpy(w->key.ends.ports, h, 4);
	w->key.ends.protocol = 132;
	w->found = 1;
	return 0;
}

static __always_inline int ip_in_ip(struct walk *w, __u32 kind)
{
	w->kind = kind;
	return enter(w, BY_IP, 0);
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
		return ipv4(frame, w);
	case ETHERTYPE_IPV6:
		return ipv6(frame, w);
	case IP | 4:
		return ip_in_ip(w, ETHERTYPE_IPV4);
	case IP | 41:
		return ip_in_ip(w, ETHERTYPE_IPV6);
	case IP | 0:
	case IP | 43:
	case IP | 60:
		return extension(frame, w);
	case IP | 6:
		return tcp(frame, w);
	case IP | 17:
		return udp(frame, w);
	case IP | 132:
		return sctp(frame, w);
	case IP | 47:
		return gre(frame, w);
	case ERSPAN_2:
		return erspan(frame, w, 1);
	case ERSPAN_3:
		return erspan(frame, w, 2);
	case GTP_EXTENSION:
		return gtp_extension(frame, w);
	default: // fragments, ICMP, and what has no ports
		return 0;
	}
}

static __always_inline int look(context *frame, struct walk *w)
{
	w->kind = raw_link ? BY_VERSION : ETHERNET;
	w->end = w->length;
	for (int i = 0; i < STEPS; i++)
		if (!step(frame, w))
			break;
	return w->found;
}

// The usual frame, an IPv4 header without options and behind it TCP or UDP: found by one load, without the walk.
struct plain {
	__u16 pad; // everything from the IP header on is aligned
	__u8 ethernet[12];
	__u16 type;
	__u8 version, tos;
	__u16 total, id, fragment;
	__u8 ttl, protocol;
	__u16 checksum;
	__u32 src, dst;
	__u16 ports[2];
	union {
		struct {
			__u8 numbers[8], head, flags;
		} tcp;
		__u16 udp_length;
	};
};

// Whether it is one, with its key and the length of its packet. What is doubtful is not; a tunnel by UDP may be.
static __always_inline int is_plain(context *frame, __u32 length, struct key4 *key, __u32 *inner)
{
	struct plain h;
	if (raw_link || load_bytes(frame, 0, h.ethernet, 48) < 0)
		return 0;
	__u32 total = bpf_ntohs(h.total), head = 20;
	if (h.type != bpf_htons(ETHERTYPE_IPV4) || h.version != 0x45 || (h.fragment & bpf_htons(0x3fff)) || total + 14 > length)
		return 0;
	if (h.protocol == 6) {
		__u32 tcp = (h.tcp.head >> 4) * 4;
		if (tcp < 20 || (h.tcp.flags & BEGINS_OR_ENDS))
			return 0;
		head += tcp;
	} else if (h.protocol == 17) {
		__u32 udp = bpf_ntohs(h.udp_length);
		if (udp < 8)
			return 0;
		head += udp;
	} else {
		return 0;
	}
	if (head > total)
		return 0;
	__builtin_memset(key, 0, sizeof(*key));
	__builtin_memcpy(key->ends.ports, h.ports, 4);
	key->ends.protocol = h.protocol;
	key->src = h.src;
	key->dst = h.dst;
	*inner = total;
	return 1;
}

static __always_inline int may_be_tunnel(struct key4 *key)
{
	__u16 from = bpf_ntohs(key->ends.ports[0]), to = bpf_ntohs(key->ends.ports[1]);
	if (key->ends.protocol != 17)
		return 0;
	return from == TEREDO || to == TEREDO || is_one_of(vxlan_ports, to) || is_one_of(geneve_ports, to) ||
	       is_one_of(gtp_ports, to) || is_one_of(gtp_ports, from);
}

static __always_inline int count(struct counts *half, __u32 length, __u32 inner)
{
	__u32 zero = 0;
	struct counts *all = bpf_map_lookup_elem(&total, &zero);
	if (!half || !all)
		return 0;
	// Where this CPU was interrupted in mid-addition nothing is lost: only it writes here, and softirqs do not nest.
	half->packets++;
	half->bytes += length;
	half->inner += inner;
	half->last = bpf_ktime_get_ns();
	all->packets++;
	all->bytes += length;
	return 1;
}

static __always_inline int is_bypassed(context *frame, struct walk *w)
{
	struct counts *half;
	if (!look(frame, w))
		return 0;
	if (w->depth) {
		__u32 *number = bpf_map_lookup_elem(&places, &w->place);
		if (!number)
			return 0;
		w->key.ends.place = *number;
	}
	if (w->version == 4) {
		w->key4.ends = w->key.ends;
		__builtin_memcpy(&w->key4.src, w->key.src, 4);
		__builtin_memcpy(&w->key4.dst, w->key.dst, 4);
		half = bpf_map_lookup_elem(&halves4, &w->key4);
	} else {
		half = bpf_map_lookup_elem(&halves6, &w->key);
	}
	return count(half, w->length, w->end - w->ip);
}

static __always_inline int is_idle(void)
{
	__u32 zero = 0;
	__u32 *halves = bpf_map_lookup_elem(&active, &zero);
	return !halves || !*halves;
}

static __always_inline struct walk *begin(__u32 length)
{
	__u32 zero = 0;
	struct walk *w = bpf_map_lookup_elem(&walks, &zero);
	if (w) {
		__builtin_memset(w, 0, sizeof(*w));
		w->length = length;
	}
	return w;
}

// What becomes of a frame. A tag that the kernel has taken out of it is told apart.
static __always_inline int is_dropped(context *frame, __u32 tag)
{
	struct key4 key;
	__u32 length = length_of(frame), inner;
	if (is_idle())
		return 0;
	if (!tag && is_plain(frame, length, &key, &inner)) {
		// A tunnel's own half is in no map: what is there is what the frame is about.
		if (count(bpf_map_lookup_elem(&halves4, &key), length, inner))
			return 1;
		if (!may_be_tunnel(&key))
			return 0;
	}
	struct walk *w = begin(length);
	return w && (!tag || push_vlan(w, tag)) && is_bypassed(frame, w);
}

#ifdef AT_INTERFACE

// For interfaces that carry nothing but copies: a frame that is dropped here reaches nobody.
// Frames in several pieces are read all the same.
SEC("xdp.frags")
int bypass(context *frame)
{
	return is_dropped(frame, 0) ? XDP_DROP : XDP_PASS;
}

#define SHOW "xdp.frags"
#else

SEC("socket")
int bypass(context *frame)
{
	return is_dropped(frame, frame->vlan_present ? frame->vlan_tci | TAGGED : 0) ? 0 : -1;
}

#define SHOW "classifier"
#endif

// Whether the way without the walk comes to the same.
static __always_inline int is_same(struct walk *w, struct key4 *key, __u32 inner)
{
	return w->found && w->version == 4 && !w->depth && inner == w->end - w->ip && key->src == *(__u32 *)w->key.src &&
	       key->dst == *(__u32 *)w->key.dst && key->ends.ports[0] == w->key.ends.ports[0] &&
	       key->ends.ports[1] == w->key.ends.ports[1] && key->ends.protocol == w->key.ends.protocol;
}

// Tells what is found in a frame, for the trial before the other is trusted.
SEC(SHOW)
int show(context *frame)
{
	struct key4 key;
	__u32 zero = 0, length = length_of(frame), inner;
	struct walk *w = begin(length);
	struct shown *to = bpf_map_lookup_elem(&seen, &zero);
	if (!to || !w)
		return 0;
	int found = look(frame, w);
	int differs = is_plain(frame, length, &key, &inner) && !may_be_tunnel(&key) && !is_same(w, &key, inner);
	to->key = w->key;
	to->place = w->place;
	to->version = differs ? 0 : w->version;
	to->inner = w->end - w->ip;
	return found || differs;
}

char _license[] SEC("license") = "Dual MIT/GPL";
