//! Traffic classes and bandwidth.

use super::length;
use super::wire::{Malformed, Message, Put, Reader, count_of, layout};
use super::{Opcode, QueueChunk};

/// A traffic class, 40 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficClass {
    /// Its number.
    pub class: u8,
    /// A bit for each priority in it.
    pub priorities: u8,
    /// 0 strict, 2 weighted.
    pub arbiter: u8,
    /// Weight.
    pub weight: u8,
    /// 0: the two rates shape.
    pub limit: u32,
    /// Rate it always has, in kbit/s.
    pub committed: u32,
    /// Rate it never exceeds, in kbit/s.
    pub peak: u32,
}

layout! { TrafficClass {
    class: u8;
    priorities: u8;
    arbiter: u8;
    weight: u8;
    limit: u32;
    committed: u32;
    peak: u32;
    pad 24;
} }

/// The answer to GET_QOS_CAPS, 4 + 40n bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QosCaps {
    /// VSI.
    pub vsi: u16,
    /// Its traffic classes.
    pub classes: Vec<TrafficClass>,
}

impl Message for QosCaps {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (vsi, count) = (from.u16()?, from.u16()?);
        Ok(Self { vsi, classes: from.list(count)? })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u16(self.vsi);
        to.u16(count_of(&self.classes));
        to.list(&self.classes);
    }
}

/// The rate of a queue, 12 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueRate {
    /// Queue of the VSI.
    pub queue: u16,
    /// Its traffic class.
    pub class: u8,
    /// Rate it always has, in kbit/s.
    pub committed: u32,
    /// Rate it never exceeds, in kbit/s.
    pub peak: u32,
}

layout! { QueueRate {
    queue: u16;
    class: u8;
    pad 1;
    committed: u32;
    peak: u32;
} }

/// CONFIG_QUEUE_BW, 4 + 12n bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueBandwidth {
    /// VSI.
    pub vsi: u16,
    /// The queues.
    pub queues: Vec<QueueRate>,
}

impl Message for QueueBandwidth {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (vsi, count) = (from.u16()?, from.u16()?);
        Ok(Self { vsi, queues: from.list(count)? })
    }

    fn write(&self, to: &mut Vec<u8>) {
        let begin = to.len();
        to.u16(self.vsi);
        to.u16(count_of(&self.queues));
        to.list(&self.queues);
        length::fill(to, begin, Opcode::CONFIG_QUEUE_BW, self.queues.len());
    }
}

/// CONFIG_QUANTA, 12 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quanta {
    /// Bytes a queue may send before the next one's turn.
    pub size: u16,
    /// Which queues.
    pub queues: QueueChunk,
}

impl Message for Quanta {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let size = from.u16()?;
        from.skip(2)?;
        Ok(Self { size, queues: QueueChunk::read(from)? })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u16(self.size);
        to.zeros(2);
        self.queues.write(to);
    }
}

/// A run of queues that serves a traffic class, 4 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassQueues {
    /// The first.
    pub first: u16,
    /// How many.
    pub count: u16,
}

layout! { ClassQueues {
    first: u16;
    count: u16;
} }

/// CONFIG_QUEUE_TC_MAP, 8 + 4n bytes: every queue of the function, class by class from class 0 on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueClasses {
    /// VSI.
    pub vsi: u16,
    /// Queue pairs of all classes together.
    pub pairs: u16,
    /// A run for each class.
    pub classes: Vec<ClassQueues>,
}

impl Message for QueueClasses {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (vsi, count, pairs) = (from.u16()?, from.u16()?, from.u16()?);
        from.skip(2)?;
        Ok(Self { vsi, pairs, classes: from.list(count)? })
    }

    fn write(&self, to: &mut Vec<u8>) {
        let begin = to.len();
        to.u16(self.vsi);
        to.u16(count_of(&self.classes));
        to.u16(self.pairs);
        to.zeros(2);
        to.list(&self.classes);
        length::fill(to, begin, Opcode::CONFIG_QUEUE_TC_MAP, self.classes.len());
    }
}

/// Which priorities a class has, 4 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassPriorities {
    /// 0 of the VLAN tag, 1 of the DSCP.
    pub kind: u16,
    /// A bit for each priority.
    pub priorities: u16,
}

layout! { ClassPriorities {
    kind: u16;
    priorities: u16;
} }

/// The answer to CONFIG_QUEUE_TC_MAP, 8 + 4n bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassMap {
    /// VSI.
    pub vsi: u16,
    /// Queue pairs of all classes together.
    pub pairs: u16,
    /// Each class of the request.
    pub classes: Vec<ClassPriorities>,
}

impl Message for ClassMap {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (vsi, count, pairs) = (from.u16()?, from.u16()?, from.u16()?);
        from.skip(2)?;
        Ok(Self { vsi, pairs, classes: from.list(count)? })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u16(self.vsi);
        to.u16(count_of(&self.classes));
        to.u16(self.pairs);
        to.zeros(2);
        to.list(&self.classes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_class_has_44_bytes() {
        let class = TrafficClass { priorities: 0xff, weight: 1, ..TrafficClass::default() };
        let bytes = QosCaps { vsi: 1, classes: vec![class] }.encode();
        assert_eq!((bytes.len(), &bytes[..8]), (44, &[1, 0, 1, 0, 0, 0xff, 0, 1][..]));
    }

    #[test]
    fn queues_by_class_and_what_is_answered() {
        let asked = QueueClasses { vsi: 1, pairs: 16, classes: vec![ClassQueues { first: 0, count: 16 }] };
        assert_eq!(asked.encode(), [1, 0, 1, 0, 16, 0, 0, 0, 0, 0, 16, 0]);
        assert_eq!(QueueClasses::decode(&asked.encode()), Ok(asked));
        let class = ClassPriorities { kind: 0, priorities: 0xff };
        let told = ClassMap { vsi: 1, pairs: 16, classes: vec![class] };
        assert_eq!(told.encode(), [1, 0, 1, 0, 16, 0, 0, 0, 0, 0, 0xff, 0]);
        assert_eq!(ClassMap::decode(&told.encode()), Ok(told));
    }

    #[test]
    fn rates_and_quanta() {
        let rate = QueueRate { queue: 2, class: 0, committed: 1, peak: 1000 };
        assert_eq!(QueueBandwidth { vsi: 1, queues: vec![rate; 4] }.encode().len(), 52);
        let quanta = Quanta { size: 1024, ..Quanta::default() };
        assert_eq!(quanta.encode(), [0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
