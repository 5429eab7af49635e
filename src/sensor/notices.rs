//! Notices: what a user should read while the run goes on. Whoever takes them decides how many are shown.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Most notices that wait to be read.
const MOST: usize = 256;

/// Notices that wait to be read. What comes while too many wait is counted.
#[derive(Debug, Default)]
pub struct Notices(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    texts: VecDeque<String>,
    passed_over: u64,
}

impl Notices {
    /// Says something.
    pub fn say(&self, text: impl Into<String>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.texts.len() < MOST {
            waiting.texts.push_back(text.into());
        } else {
            waiting.passed_over += 1;
        }
    }

    /// Takes everything said since the last call, and the number of those there was no room for.
    pub fn take(&self) -> (Vec<String>, u64) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (waiting.texts.drain(..).collect(), std::mem::take(&mut waiting.passed_over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_of_notices_is_bounded_and_counted() {
        let notices = Notices::default();
        for n in 0..1000 {
            notices.say(format!("{n}"));
        }
        let (texts, passed_over) = notices.take();
        assert_eq!((texts.len(), passed_over), (MOST, 1000 - MOST as u64));
        assert_eq!(notices.take(), (Vec::new(), 0));
    }
}
