//! What nobody should send: bounded in memory and time, and never fatal.

use super::cuts::{conversation, tell};
use super::make::{END_HEADERS, END_STREAM, client, flow, frame, get, headers};
use parse::Settings;
use parse::Side::{ToClient, ToServer};

#[test]
fn a_flood_of_continuations_is_bounded() {
    let mut flow = flow(&Settings::default());
    flow.send(ToServer, &client(&[frame(1, 0, 1, &[0x82])]), false);
    for _ in 0..300 {
        flow.send(ToServer, &frame(9, 0, 1, &[0x84; 4096]), false);
    }
    assert!(flow.held() < 512 * 1024, "{}", flow.held());
    flow.send(ToServer, &frame(9, END_HEADERS, 1, &[0x86]), false);
    flow.send(ToServer, &get(3, "/"), false);
    let told = flow.close();
    assert_eq!(told.of("anomaly"), ["anomaly Some(0) ts REASSEMBLY_LIMIT_REACHED"]);
    assert_eq!(told.of("record").len(), 2);
}

#[test]
fn a_small_block_that_means_much_is_bounded() {
    // one entry of 4,000 bytes, spoken of again and again by single bytes
    let entry = [&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e][..], &[b'v'; 4000]].concat();
    let bomb = vec![0xbe; 16 * 1024];
    let mut flow = flow(&Settings::default());
    flow.send(ToServer, &client(&[frame(1, END_HEADERS, 1, &entry)]), false);
    for stream in 1..400u32 {
        flow.send(ToServer, &frame(1, END_HEADERS, 2 * stream + 1, &bomb), false);
    }
    assert!(flow.held() < 24 * 1024 * 1024, "{}", flow.held());
    assert_eq!(flow.close().of("anomaly"), [""; 0]);
}

#[test]
fn too_many_streams_push_the_oldest_out() {
    let settings = Settings { transactions: 3, ..Settings::default() };
    let mut flow = flow(&settings);
    let requests: Vec<_> = (0..6).map(|n| get(2 * n + 1, &format!("/{n}"))).collect();
    flow.send(ToServer, &client(&requests), false);
    assert_eq!(flow.sink.of("record").len(), 3);
    assert_eq!(flow.sink.of("anomaly"), ["anomaly Some(0) ts TOO_MANY_STREAMS"]);
    flow.send(ToServer, &[frame(3, 0, 9, &[0; 4]), get(13, "/reset-goes-first")].concat(), false);
    assert!(flow.sink.of("record")[3].contains("url=/4"), "{:#?}", flow.sink.of("record"));
    assert_eq!(flow.close().of("record").len(), 7);
}

#[test]
fn rapid_resets_hold_no_memory() {
    let mut flow = flow(&Settings::default());
    flow.send(ToServer, &client(&[]), false);
    for n in 0..3000u32 {
        flow.send(ToServer, &[get(2 * n + 1, "/"), frame(3, 0, 2 * n + 1, &[0, 0, 0, 8])].concat(), false);
    }
    assert!(flow.held() < 2 * 1024 * 1024, "{}", flow.held());
    assert_eq!(flow.sink.of("anomaly"), [""; 0]);
    assert_eq!(flow.close().of("record").len(), 3000);
}

#[test]
fn lengths_that_lie_are_not_believed() {
    for kind in 0..=10u8 {
        for stream in [0u8, 1] {
            let mut flow = flow(&Settings::default());
            flow.send(ToServer, &client(&[]), false);
            flow.send(ToServer, &[0xff, 0xff, 0xff, kind, 0xff, 0, 0, 0, stream], false);
            flow.send(ToServer, &[0xff; 1000], false);
            assert!(flow.held() < 64 * 1024, "{}", flow.held());
            flow.close();
        }
    }
}

#[test]
fn a_flood_of_numbers_hides_no_other_number() {
    let mut frames = vec![get(1, "/")];
    frames.extend((0..1000).map(|n| frame(if n % 2 == 0 { 8 } else { 200 }, 0, 1, &[0, 0, 0, 1])));
    frames.push(frame(3, 0, 1, &[0, 0, 0, 8]));
    let mut flow = flow(&Settings::default());
    flow.send(ToServer, &client(&frames), false);
    assert!(flow.held() < 64 * 1024, "{}", flow.held());
    assert!(flow.close().of("record")[0].contains("error_code=CANCEL"));
}

#[test]
fn streams_that_are_over_leave_nothing_behind() {
    let mut flow = flow(&Settings::default());
    flow.send(ToServer, &client(&[]), false);
    let mut held = 0;
    for n in 0..500u32 {
        flow.send(ToServer, &get(2 * n + 1, "/some/path"), false);
        let answer = headers(2 * n + 1, false, &[(":status", "200"), ("content-type", "text/plain")]);
        flow.send(ToClient, &[answer, frame(0, END_STREAM, 2 * n + 1, &[b'x'; 500])].concat(), false);
        if n == 3 {
            held = flow.held();
        }
    }
    assert_eq!(flow.held(), held);
    assert_eq!(flow.sink.of("record").len(), 500);
}

/// A generator of numbers that are the same on every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }
}

#[test]
fn flipped_bytes_do_no_harm_and_cuts_change_nothing() {
    let (client, server) = conversation();
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    for round in 0..1500 {
        let (mut client, mut server) = (client.clone(), server.clone());
        for _ in 0..1 + round % 4 {
            let at = 24 + numbers.next(client.len() - 24);
            client[at] = u8::try_from(numbers.next(256)).unwrap();
            let at = numbers.next(server.len());
            server[at] ^= 1 << numbers.next(8);
        }
        let whole = tell(&client, &server, |all| all);
        let pieces = tell(&client, &server, |_| 1 + numbers.next(40));
        assert_eq!(pieces, whole, "round {round}");
    }
}

#[test]
fn noise_does_no_harm() {
    let mut numbers = Numbers(77);
    for _ in 0..300 {
        let noise: Vec<u8> = (0..400).map(|_| u8::try_from(numbers.next(256)).unwrap() & 0x1f).collect();
        let frames =
            [client(&[]), noise.clone(), headers(1, false, &[]), frame(0, END_STREAM, 1, &noise)].concat();
        let mut flow = flow(&Settings::default());
        flow.send(ToServer, &frames, false);
        flow.send(ToClient, &noise, false);
        flow.close();
    }
}
