//! Any conversation through recognition and whatever parser it leads to, fed as the walk feeds it.

#![no_main]

use app::{Engine, Given, State};
use fuzzing::{Demanding, Speech};
use libfuzzer_sys::fuzz_target;
use parse::{Close, Input, Settings, Transport};
use std::cell::OnceCell;

thread_local! {
    static ENGINE: OnceCell<Engine> = const { OnceCell::new() };
}

/// Calls for one part, as the walk allows them.
const MOST_READS: usize = 4096;

fuzz_target!(|speech: Speech| {
    ENGINE
        .with(|cell| talk(cell.get_or_init(|| Engine::new(app::protocols(), Settings::default())), &speech));
});

fn talk(engine: &Engine, speech: &Speech) {
    let mut state = State::default();
    let mut sink = Demanding::new(None);
    let mut waiting: [Vec<u8>; 2] = Default::default();
    let mut offset = [0u64; 2];
    let mut skip = [0u64; 2];
    for part in &speech.parts {
        let mut side = part.side();
        let transport = if speech.datagrams { Transport::Udp } else { Transport::Tcp };
        let mut gap = if speech.datagrams { 0 } else { part.gap() };
        let at = side.index();
        if speech.datagrams {
            waiting[at].clear();
        }
        let passed = part.bytes.len().min(usize::try_from(skip[at]).unwrap_or(usize::MAX));
        skip[at] -= passed as u64;
        offset[at] += passed as u64 + gap;
        waiting[at].extend_from_slice(&part.bytes[passed..]);
        for _ in 0..MOST_READS {
            let at = side.index();
            let data = waiting[at].clone();
            let input = Input { side, data: &data, offset: offset[at], micros: 0, last: part.last };
            let (client_port, server_port, midstream) = (40_000, speech.port, speech.midstream);
            let given = Given { input, gap, transport, client_port, server_port, midstream };
            let taken = engine.feed(&mut state, &given, &mut sink);
            assert!(taken.eaten <= data.len(), "more was eaten than given");
            waiting[at].drain(..taken.eaten);
            offset[at] += taken.eaten as u64;
            skip[at] = skip[at].saturating_add(taken.skip);
            gap = 0;
            if taken.swapped {
                waiting.swap(0, 1);
                offset.swap(0, 1);
                skip.swap(0, 1);
                side = side.other();
            }
            if !taken.again || (taken.eaten == 0 && !taken.swapped) {
                break;
            }
        }
        waiting.iter_mut().for_each(|w| w.truncate(Settings::default().carry));
        assert!(state.held() < 64 << 20, "{} bytes held", state.held());
    }
    engine.close(&mut state, Close::Ended, &mut sink);
}
