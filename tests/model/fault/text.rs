//! Plans as text, one fault a line: `KIND [NUMBER|any] [nth N] [times N] [after TIME]: ACT [VALUE]`, `#` begins a
//! remark. Numbers are decimal or 0x; times have a unit of us, ms or s; `times 0` is for ever.

use std::fmt;
use std::str::FromStr;

use super::{Act, Fault, Kind, Plan};

const KINDS: [(&str, Kind); 10] = [
    ("request", Kind::Request),
    ("reply", Kind::Reply),
    ("event", Kind::Event),
    ("read", Kind::Read),
    ("write", Kind::Write),
    ("receive", Kind::Receive),
    ("transmit", Kind::Transmit),
    ("signal", Kind::Signal),
    ("reset", Kind::Reset),
    ("time", Kind::Time),
];

/// Why a plan is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl Unreadable {
    pub(super) fn misfit(fault: &Fault) -> Self {
        Self(format!("`{fault}`: this cannot happen there"))
    }

    fn at(line: &str, what: &str) -> Self {
        Self(format!("`{line}`: {what}"))
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault plan: {}", self.0)
    }
}

impl std::error::Error for Unreadable {}

impl FromStr for Plan {
    type Err = Unreadable;

    /// Reads lines of text, or what [`Plan::to_json`] writes.
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        if text.trim_start().starts_with('[') {
            let faults: Vec<Fault> = serde_json::from_str(text).map_err(|why| Unreadable(why.to_string()))?;
            return Self::new(faults);
        }
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let faults = lines.filter(|line| !line.is_empty()).map(Fault::from_str);
        Self::new(faults.collect::<Result<Vec<_>, _>>()?)
    }
}

impl Plan {
    /// The plan as a JSON array of faults.
    #[must_use]
    pub fn to_json(&self) -> String {
        let faults: Vec<Fault> = self.faults().collect();
        // numbers and names alone: nothing in it that JSON cannot hold
        serde_json::to_string(&faults).unwrap_or_default()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(seed) = self.seed {
            writeln!(f, "# seed {seed}")?;
        }
        self.faults().try_for_each(|fault| writeln!(f, "{fault}"))
    }
}

impl FromStr for Fault {
    type Err = Unreadable;

    fn from_str(line: &str) -> Result<Self, Unreadable> {
        let bad = |what| Unreadable::at(line, what);
        let (place, act) = line.split_once(':').ok_or_else(|| bad("no `:` before what goes wrong"))?;
        let mut words = place.split_whitespace().peekable();
        let kind = words.next().unwrap_or_default();
        let known = KINDS.iter().find(|(name, _)| *name == kind);
        let (_, at) = *known.ok_or_else(|| bad("begins with no place; request, reply, event, read, write, receive, transmit, signal, reset, time are some"))?;
        let act = read_act(act).ok_or_else(|| bad("what goes wrong is not known"))?;
        let mut fault = Self::new(at, None, act);
        if let Some(word) = words.next_if(|word| !matches!(*word, "nth" | "times" | "after")) {
            fault.number =
                if word == "any" { None } else { Some(read_number(word).ok_or_else(|| bad("no number"))?) };
        }
        while let Some(word) = words.next() {
            let value = words.next().unwrap_or_default();
            match word {
                "nth" => fault.nth = read_number(value).ok_or_else(|| bad("nth takes a number"))?,
                "times" => fault.times = read_number(value).ok_or_else(|| bad("times takes a number"))?,
                "after" => fault.after = read_time(value).ok_or_else(|| bad("after takes a time"))?,
                _ => return Err(bad("only nth, times and after may follow")),
            }
        }
        Ok(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = KINDS.iter().find(|(_, kind)| *kind == self.at).map_or("", |(name, _)| name);
        f.write_str(name)?;
        match self.number {
            Some(number) => write!(f, " {number}")?,
            None if matches!(self.at, Kind::Reset | Kind::Time) => {}
            None => f.write_str(" any")?,
        }
        if self.nth != 1 {
            write!(f, " nth {}", self.nth)?;
        }
        if self.times != 1 {
            write!(f, " times {}", self.times)?;
        }
        if self.after != 0 {
            write!(f, " after {}", Time(self.after))?;
        }
        write!(f, ": {}", self.act)
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => f.write_str("drop"),
            Self::Delay(us) => write!(f, "delay {}", Time(*us)),
            Self::WrongLength(by) => write!(f, "wrong-length {by}"),
            Self::WrongStatus(status) => write!(f, "wrong-status {status}"),
            Self::Duplicate => f.write_str("duplicate"),
            Self::Reorder => f.write_str("reorder"),
            Self::NeverComplete => f.write_str("never-complete"),
            Self::StuckQueue => f.write_str("stuck-queue"),
            Self::LostInterrupt => f.write_str("lost-interrupt"),
            Self::Reset => f.write_str("reset"),
            Self::DoubleReset => f.write_str("double-reset"),
            Self::Flap(us) => write!(f, "flap {}", Time(*us)),
            Self::AllOnes(us) => write!(f, "all-ones {}", Time(*us)),
            Self::DeadBeef(us) => write!(f, "dead-beef {}", Time(*us)),
        }
    }
}

/// Microseconds with the largest unit that keeps them whole.
struct Time(u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            us if us % 1_000_000 == 0 => write!(f, "{}s", us / 1_000_000),
            us if us % 1_000 == 0 => write!(f, "{}ms", us / 1_000),
            us => write!(f, "{us}us"),
        }
    }
}

fn read_act(text: &str) -> Option<Act> {
    let mut words = text.split_whitespace();
    let name = words.next()?;
    let value = words.next();
    let time = || read_time(value?);
    let act = match name {
        "drop" => Act::Drop,
        "delay" => Act::Delay(time()?),
        "wrong-length" => Act::WrongLength(value?.parse().ok()?),
        "wrong-status" => Act::WrongStatus(value?.parse().ok()?),
        "duplicate" => Act::Duplicate,
        "reorder" => Act::Reorder,
        "never-complete" => Act::NeverComplete,
        "stuck-queue" => Act::StuckQueue,
        "lost-interrupt" => Act::LostInterrupt,
        "reset" => Act::Reset,
        "double-reset" => Act::DoubleReset,
        "flap" => Act::Flap(time()?),
        "all-ones" => Act::AllOnes(time()?),
        "dead-beef" => Act::DeadBeef(time()?),
        _ => return None,
    };
    let wants = act.to_string().contains(' ');
    (wants == value.is_some() && words.next().is_none()).then_some(act)
}

fn read_number(word: &str) -> Option<u32> {
    match word.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}

fn read_time(word: &str) -> Option<u64> {
    let (digits, unit) = word.split_at(word.find(|c: char| !c.is_ascii_digit())?);
    let scale = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_print_as_they_are_read() {
        let text = "request any nth 3: drop\nreply 8 nth 2 times 0 after 50ms: wrong-status -5\n\
                    read 32768: all-ones 1500us\nreset: never-complete\ntime after 2s: flap 5ms\nsignal 1: lost-interrupt\n";
        let plan: Plan = text.parse().expect("readable");
        assert_eq!(plan.to_string(), text);
        let again: Plan = plan.to_json().parse().expect("readable");
        assert_eq!(again.to_string(), text);
    }

    #[test]
    fn remarks_and_bases_are_understood() {
        let plan: Plan = "# all of it\nread 0x8800: dead-beef 1ms # RSTAT\n\n".parse().expect("readable");
        let read: Vec<Fault> = plan.faults().collect();
        assert_eq!(read, [Fault::new(Kind::Read, 0x8800, Act::DeadBeef(1000))]);
    }

    #[test]
    fn nonsense_is_told_apart() {
        let lines = [
            "reply 8 drop",
            "answer 8: drop",
            "reply 8: explode",
            "reply x: drop",
            "reply 8 nth: drop",
            "reply 8: delay",
            "reply 8: drop 3",
            "read 4: drop",
            "time 3 after 1ms: reset",
            "time: reset",
        ];
        for line in lines {
            assert!(line.parse::<Plan>().is_err(), "{line}");
        }
        assert!(r#"[{"at":"reply","act":"drop","when":1}]"#.parse::<Plan>().is_err());
    }
}
