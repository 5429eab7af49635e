// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Injection: makes each frame that the kernel runs this program on the next one of a generator, and passes it to the network
// stack as if it had just arrived (live frames of BPF_PROG_TEST_RUN). The frames are those of `frames.rs`: UDP in IPv4
// between 198.18.0.0/16 and 198.19.0.1, both directions of every conversation in turn.
//
// Rebuild with `make ebpf`; the object is committed with its hash.

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define HEADERS 42

// Looks at the clock for one frame, about 30 ns each: what is due later than that is early.
#define LOOKS 2048

// Set before the program is loaded: conversations, and frames a second, 0 for as fast as it goes.
volatile const __u32 flows = 1000;
volatile const __u64 rate = 0;

// Counts frames, from when on; one thread injects at a time.
__u32 next = 0;
__u64 begun = 0;

// Waits until a frame is due.
static __always_inline void wait(__u32 number)
{
	if (!rate)
		return;
	if (!begun)
		begun = bpf_ktime_get_ns();
	__u64 due = begun + (__u64)number * 1000000000ull / rate;
	for (int i = 0; i < LOOKS; i++)
		if (bpf_ktime_get_ns() >= due)
			break;
}

static __always_inline void word(__u8 *at, __u16 value)
{
	at[0] = value >> 8;
	at[1] = value & 0xff;
}

SEC("xdp")
int inject(struct xdp_md *ctx)
{
	__u8 *frame = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	if ((void *)(frame + HEADERS) > end)
		return XDP_DROP;

	__u32 number = next;
	next = number + 1;
	wait(number);
	__u32 flow = flows ? (number / 2) % flows : 0;
	__u16 from[3] = {0xc612, flow & 0xffff, 40000};
	__u16 to[3] = {0xc613, 1, 5001};

	// Ethernet: locally administered addresses of nobody here, so that the stack drops what the sensor has seen.
	__u8 head[14] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
	__builtin_memcpy(frame, head, sizeof(head));
	__u16 total = (__u16)((__u8 *)end - frame) - 14;
	__u8 *ip = frame + 14;
	word(ip, 0x4500);
	word(ip + 2, total);
	word(ip + 4, 0);
	word(ip + 6, 0x4000);
	word(ip + 8, 0x4011);
	__u32 sum = 0x4500 + 0x4000 + 0x4011 + (__u32)total;
	for (int i = 0; i < 2; i++)
		sum += (__u32)from[i] + to[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	word(ip + 10, ~sum);
	__u32 back = number & 1;
	for (int i = 0; i < 2; i++) {
		word(ip + 12 + 2 * i, back ? to[i] : from[i]);
		word(ip + 16 + 2 * i, back ? from[i] : to[i]);
	}
	word(ip + 20, back ? to[2] : from[2]);
	word(ip + 22, back ? from[2] : to[2]);
	word(ip + 24, total - 20);
	word(ip + 26, 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";
