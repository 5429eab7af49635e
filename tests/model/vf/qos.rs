//! How what a function sends is scheduled. The model keeps it and sends at once.

use std::collections::BTreeMap;

use avf::virtchnl::{ClassQueues, QueueRate};

/// Classes, rates and quantum, as asked for (ops 67, 112, 113).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qos {
    /// Queues of each traffic class.
    pub classes: Vec<ClassQueues>,
    /// Rates, by queue.
    pub rates: BTreeMap<u16, QueueRate>,
    /// Bytes that a queue may send before the next one's turn.
    pub quantum: Option<u16>,
}
