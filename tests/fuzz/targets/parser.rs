//! Any conversation straight into one parser: the contract is kept by both sides.

#![no_main]

use fuzzing::{Demanding, Speech};
use libfuzzer_sys::fuzz_target;
use parse::{Close, Input, Protocol, Settings, Step, Transport};

fuzz_target!(|speech: Speech| {
    let template = [&parse::template::PROTOCOL];
    let protocols: Vec<&Protocol> =
        app::protocols().iter().copied().chain(template).filter(|p| p.open.is_some()).collect();
    let protocol = protocols[usize::from(speech.choice) % protocols.len()];
    let settings = Settings { line: 2048, transactions: 32, headers: 64, ..Settings::default() };
    let Some(open) = protocol.open else { return };
    let mut parser = open(&settings);
    let mut sink = Demanding::new(Some(by_name(protocol.name)));
    let by_datagram = speech.datagrams && protocol.transports.contains(&Transport::Udp)
        || !protocol.transports.contains(&Transport::Tcp);
    parser.carried(if by_datagram { Transport::Udp } else { Transport::Tcp });
    let mut waiting: [Vec<u8>; 2] = Default::default();
    let mut offset = [0u64; 2];
    for part in &speech.parts {
        let (side, at) = (part.side(), part.side().index());
        if by_datagram {
            waiting[at].clear();
        } else if part.gap() > 0 {
            waiting[at].clear();
            offset[at] += part.gap();
            if matches!(parser.gap(side, part.gap(), &mut sink), Step::Done(_) | Step::Fail) {
                break;
            }
        }
        waiting[at].extend_from_slice(&part.bytes);
        let data = waiting[at].clone();
        let place = if by_datagram { 0 } else { offset[at] };
        let step =
            parser.feed(Input { side, data: &data, offset: place, micros: 0, last: part.last }, &mut sink);
        let eaten = match step {
            Step::All | Step::Skip(_) => data.len(),
            Step::Wait { eaten, want } => {
                assert!(eaten <= data.len() && want > data.len() - eaten, "{}: {step:?}", protocol.name);
                eaten
            }
            Step::Switch { .. } | Step::Done(_) | Step::Fail => break,
        };
        waiting[at].drain(..eaten);
        offset[at] += eaten as u64;
        if waiting[at].len() > settings.carry {
            waiting[at].clear();
        }
        assert!(parser.held() < 64 << 20, "{}: {} bytes held", protocol.name, parser.held());
    }
    parser.close(Close::Ended, &mut sink);
});

/// The entry itself, which lives as long as the program.
fn by_name(name: &str) -> &'static Protocol {
    app::by_name(name).unwrap_or(&parse::template::PROTOCOL)
}
