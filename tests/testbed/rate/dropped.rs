//! `live-rate dropped`: what a frame costs that the kernel drops for a bypassed flow, beside one that is looked at and one
//! that nobody listens to. Frames are made in the kernel where they arrive, as fast as it goes: the time of one is what the
//! kernel does for it, its making included; the sensor's own processor time is told apart.

use crate::contender::{Answer, Started, vigie};
use capture::generator::{Injector, Sent, Shape};
use std::time::Duration;
use testbed::{End, Network};

const TIME: Duration = Duration::from_secs(2);
const SHAPES: [Shape; 3] =
    [Shape { length: 64, flows: 8 }, Shape { length: 64, flows: 10_000 }, Shape { length: 1400, flows: 8 }];

/// What becomes of the frames.
const WAYS: [(&str, Option<&[&str]>); 4] = [
    ("nobody listens", None),
    ("looked at", Some(&[])),
    ("bypassed by the sensor", Some(&["--set", "bypass.networks=any"])),
    ("dropped by the kernel", Some(&["--set", "bypass.networks=any", "--set", "bypass.capture=socket"])),
];

/// Measures, and prints.
pub(crate) fn measure(network: &Network) {
    for shape in SHAPES {
        println!("{} bytes, {} conversations:", shape.length, shape.flows);
        for (name, args) in WAYS {
            let running = args.map(|args| {
                let fixed = ["--workers", "1", "--set", "eve.file=/dev/null", "--set", "stats.interval=0"];
                vigie(network, &[&fixed, args].concat())
            });
            let sent = pour(network, shape);
            println!("  {name}: {}", cost(&sent, running));
        }
    }
}

fn pour(network: &Network, shape: Shape) -> Sent {
    let pour = || Injector::load(End::Right.interface(), shape, None).and_then(|mut one| one.pour(TIME));
    network.within(End::Right, pour).expect("a thread there").expect("a kernel that injects")
}

fn cost(sent: &Sent, running: Option<Started>) -> String {
    let each = |time: Duration| time.as_secs_f64() * 1e9 / sent.frames.max(1) as f64;
    let kernel = format!(
        "{:.0} frames/s, {:.0} ns each",
        sent.frames as f64 / sent.time.as_secs_f64(),
        each(sent.time)
    );
    let Some(running) = running else { return kernel };
    let Answer { analysed, bypassed, dropped, spent } = running.end();
    format!(
        "{kernel}; the sensor {:.0} ns a frame sent; of {} frames {analysed} looked at, {bypassed} bypassed, {dropped} lost",
        each(spent),
        sent.frames
    )
}
