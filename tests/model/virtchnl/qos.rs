//! Traffic classes and rates: ops 66, 67, 112 and 113 (reference sections 4.11 and 12.5).

use avf::virtchnl::{
    ClassMap, ClassPriorities, Message, QosCaps, Quanta, QueueBandwidth, QueueClasses, TrafficClass,
};

use super::{DONE, Told, must};
use crate::Function;

/// Priorities of a VLAN tag.
const PRIORITIES: u8 = 8;

/// Bytes of a quantum, and the unit.
const QUANTA: std::ops::RangeInclusive<u16> = 256..=4096;
const QUANTUM_UNIT: u16 = 64;

/// Op 66.
pub(super) fn caps(function: &Function) -> Told {
    let class = |class: u8| TrafficClass {
        class,
        priorities: priorities(function, class),
        arbiter: 0,
        weight: 1,
        ..TrafficClass::default()
    };
    Ok(QosCaps { vsi: function.persona.vsi, classes: (0..count(function)).map(class).collect() }.encode())
}

fn count(function: &Function) -> u8 {
    function.options.classes.clamp(1, PRIORITIES)
}

/// Priorities are dealt out to classes in turn.
fn priorities(function: &Function, class: u8) -> u8 {
    let own = (0..PRIORITIES).filter(|priority| priority % count(function) == class);
    own.fold(0, |mask, priority| mask | 1 << priority)
}

/// Op 67. Runs lie side by side and are all queues that the function has.
pub(super) fn classes(function: &mut Function, map: &QueueClasses) -> Told {
    function.own_vsi(map.vsi)?;
    must(map.classes.len() <= usize::from(count(function)) && map.pairs == function.pairs())?;
    let mut next = 0;
    for run in &map.classes {
        must(run.first == next && run.count > 0)?;
        next = run.first.saturating_add(run.count);
    }
    must(next == map.pairs)?;
    function.vf.qos.classes.clone_from(&map.classes);
    let told = (0..)
        .zip(&map.classes)
        .map(|(class, _)| ClassPriorities { kind: 0, priorities: priorities(function, class).into() });
    Ok(ClassMap { vsi: map.vsi, pairs: map.pairs, classes: told.collect() }.encode())
}

/// Op 112.
pub(super) fn rates(function: &mut Function, asked: &QueueBandwidth) -> Told {
    function.own_vsi(asked.vsi)?;
    let (pairs, classes) = (function.pairs(), count(function));
    let fits = |rate: &avf::virtchnl::QueueRate| {
        rate.queue < pairs && rate.class < classes && (rate.peak == 0 || rate.committed <= rate.peak)
    };
    must(asked.queues.iter().all(fits))?;
    function.vf.qos.rates.extend(asked.queues.iter().map(|rate| (rate.queue, *rate)));
    DONE
}

/// Op 113.
pub(super) fn quanta(function: &mut Function, asked: Quanta) -> Told {
    let end = asked.queues.first.saturating_add(asked.queues.count);
    must(asked.queues.count > 0 && end <= function.pairs())?;
    must(QUANTA.contains(&asked.size) && asked.size.is_multiple_of(QUANTUM_UNIT))?;
    function.vf.qos.quantum = Some(asked.size);
    DONE
}
