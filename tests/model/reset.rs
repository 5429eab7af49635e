//! Resets: who asked, and what they take away (reference section 12.9).

/// Who reset the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// The driver, by op 2.
    Asked,
    /// The PF, because the number of queues changes (op 29). The event is sent by whoever asks for this.
    Queues,
    /// The host changed trust, MAC or VLAN.
    Admin,
    /// The PF itself is reset.
    Pf,
    /// Function-level reset: bus mastering and interrupts are off after it.
    Flr,
}
