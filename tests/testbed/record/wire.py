#!/usr/bin/env python3
"""A wire between two interfaces, which a third party listens to.

usage: wire.py LEFT RIGHT OUT.pcap FORM [--append] [--lose PERCENT --swap PERCENT --twice PERCENT --seed N]

Every frame that comes in on one side goes out on the other; what is recorded is the frame in the given FORM, as a trunk
port or a mirror session would show it:

  plain             as it is
  vlan:7            under an 802.1Q tag          qinq:5:7    under a service and a customer tag (802.1ad)
  mpls:16           Ethernet, MPLS label, IP     pppoe:9     PPPoE session (RFC 2516)
  gre               IP in GRE (RFC 2784)         gretap      Ethernet in GRE
  erspan2:30        ERSPAN type II               geneve:8    Ethernet in GENEVE (RFC 8926)
  ipip              IP in IP (protocol 4, 41)    gtpu:11     IP in GTP-U (3GPP TS 29.281)

Forms that carry IP only leave ARP out. Losing, swapping neighbours and sending twice happen to the traffic itself, and
the record shows what was sent on. Stops at SIGTERM or SIGINT. This exists because not every kernel has these devices.
"""
import random
import select
import signal
import socket
import struct
import sys
import time

OUTER = (b'\xc6\x33\x64\xfd', b'\xc6\x33\x64\xfe')  # 198.51.100.253 and .254: the two ends of the tunnel
OUTER_MACS = b'\x02\x00\x00\x00\x00\xfe\x02\x00\x00\x00\x00\xfd'
IP_KINDS = (b'\x08\x00', b'\x86\xdd')


def checksum(data):
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def outer_ip(protocol, body):
    head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(body), 0, 0x4000, 64, protocol, 0, *OUTER)
    return OUTER_MACS + b'\x08\x00' + head[:10] + struct.pack('>H', checksum(head)) + head[12:] + body


def outer_udp(port, body):
    return outer_ip(17, struct.pack('>HHHH', 50000, port, 8 + len(body), 0) + body)


def dress(frame, form, count):
    """The frame in its form, or None where the form cannot carry it."""
    kind, *numbers = form.split(':')
    number = int(numbers[0]) if numbers else 0
    macs, ethertype, packet = frame[:12], frame[12:14], frame[14:]
    if kind in ('mpls', 'pppoe', 'gre', 'ipip', 'gtpu') and ethertype not in IP_KINDS:
        return None
    if kind == 'plain':
        return frame
    if kind == 'vlan':
        return macs + struct.pack('>HH', 0x8100, number) + frame[12:]
    if kind == 'qinq':
        return macs + struct.pack('>HHHH', 0x88a8, number, 0x8100, int(numbers[1])) + frame[12:]
    if kind == 'mpls':
        return macs + struct.pack('>HI', 0x8847, number << 12 | 0x100 | 64) + packet
    if kind == 'pppoe':
        ppp = 0x0021 if ethertype == IP_KINDS[0] else 0x0057
        return macs + struct.pack('>HBBHHH', 0x8864, 0x11, 0, number, len(packet) + 2, ppp) + packet
    if kind == 'gre':
        return outer_ip(47, b'\0\0' + ethertype + packet)
    if kind == 'gretap':
        return outer_ip(47, b'\0\0\x65\x58' + frame)
    if kind == 'erspan2':
        return outer_ip(47, struct.pack('>HHIHHI', 0x1000, 0x88be, count, 0x1000, number, 0) + frame)
    if kind == 'geneve':
        return outer_udp(6081, struct.pack('>HHI', 0, 0x6558, number << 8) + frame)
    if kind == 'ipip':
        return outer_ip(4 if ethertype == IP_KINDS[0] else 41, packet)
    if kind == 'gtpu':
        return outer_udp(2152, struct.pack('>BBHI', 0x30, 0xff, len(packet), number) + packet)
    sys.exit(f'wire.py: unknown form {form}')


class Record:
    """A capture file with nanoseconds."""

    def __init__(self, path, append):
        self.file = open(path, 'ab' if append else 'wb')
        if self.file.tell() == 0:
            self.file.write(struct.pack('<IHHiIII', 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))

    def keep(self, frame):
        second, nano = divmod(time.time_ns(), 10**9)
        self.file.write(struct.pack('<IIII', second, nano, len(frame), len(frame)) + frame)
        self.file.flush()


def options(words):
    chosen = {'append': False, 'lose': 0.0, 'swap': 0.0, 'twice': 0.0, 'seed': 1.0}
    words = iter(words)
    for word in words:
        name = word.removeprefix('--')
        if name not in chosen:
            sys.exit(f'wire.py: unknown option {word}')
        chosen[name] = True if name == 'append' else float(next(words))
    return chosen


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    left, right, path, form = sys.argv[1:5]
    chosen = options(sys.argv[5:])
    record, chance = Record(path, chosen['append']), random.Random(chosen['seed'])
    every_protocol = 3  # ETH_P_ALL
    sides = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(every_protocol)) for _ in range(2)]
    for side, name in zip(sides, (left, right)):
        side.bind((name, every_protocol))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    print('wire.py: ready', flush=True)

    held, count = {}, 0

    def send(to, frame):
        nonlocal count
        count += 1
        dressed = dress(frame, form, count)
        if dressed is not None:
            record.keep(dressed)
        to.send(frame)

    while True:
        ready = select.select(sides, [], [], 0.02)[0]
        for side in ready:
            frame, address = side.recvfrom(65536)
            if address[2] == socket.PACKET_OUTGOING:
                continue
            to = sides[1 - sides.index(side)]
            fate = chance.random() * 100
            if fate < chosen['lose']:
                continue
            if fate < chosen['lose'] + chosen['swap'] and to not in held:
                held[to] = frame
                continue
            send(to, frame)
            if to in held:
                send(to, held.pop(to))
            if fate > 100 - chosen['twice']:
                send(to, frame)
        if not ready:
            for to in list(held):
                send(to, held.pop(to))


main()
