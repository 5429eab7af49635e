//! Moments as EVE writes them: `2016-11-30T01:02:03.123456+0000`, always UTC.

use super::number::{number, two};

const DAY: i64 = 86_400;

/// Formats moments; the last day's text is kept.
#[derive(Debug)]
pub(super) struct Clock {
    day: i64,
    text: Vec<u8>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { day: i64::MIN, text: Vec::new() }
    }
}

impl Clock {
    /// Writes microseconds since 1970.
    pub(super) fn write(&mut self, micros: u64, out: &mut Vec<u8>) {
        self.write_signed(i64::try_from(micros).unwrap_or(i64::MAX), out);
    }

    /// Writes the whole second only, without a zone.
    pub(super) fn write_second(&mut self, micros: i64, out: &mut Vec<u8>) {
        let time = self.time(micros.div_euclid(1_000_000));
        out.extend_from_slice(&self.text);
        out.extend_from_slice(&time);
    }

    /// Writes microseconds since 1970, which may lie before.
    pub(super) fn write_signed(&mut self, micros: i64, out: &mut Vec<u8>) {
        let second = micros.div_euclid(1_000_000);
        let [h0, h1, c0, m0, m1, c1, s0, s1] = self.time(second);
        let fraction = (micros - second * 1_000_000).unsigned_abs();
        let [[a, b], [c, d], [e, f]] = [fraction / 10_000, fraction / 100, fraction].map(two);
        out.extend_from_slice(&self.text);
        out.extend_from_slice(&[
            h0, h1, c0, m0, m1, c1, s0, s1, b'.', a, b, c, d, e, f, b'+', b'0', b'0', b'0', b'0',
        ]);
    }

    /// `01:02:03`, and has the day's text ready.
    #[inline]
    fn time(&mut self, second: i64) -> [u8; 8] {
        let day = second.div_euclid(DAY);
        if day != self.day {
            self.day = day;
            self.text.clear();
            date(day, &mut self.text);
        }
        let time = (second - day * DAY).unsigned_abs();
        let [[a, b], [c, d], [e, f]] = [time / 3600, time / 60 % 60, time % 60].map(two);
        [a, b, b':', c, d, b':', e, f]
    }
}

/// `2016-11-30T`.
fn date(day: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(day);
    if year < 0 {
        out.push(b'-');
    }
    let year = year.unsigned_abs();
    if year < 1000 {
        out.extend_from_slice(if year < 10 {
            b"000"
        } else if year < 100 {
            b"00"
        } else {
            b"0"
        });
    }
    number(year, out);
    for part in [month, day] {
        out.push(b'-');
        out.extend_from_slice(&two(part));
    }
    out.push(b'T');
}

/// Year, month and day of a day counted from 1970, in the proleptic Gregorian calendar. Counts in eras of 400 years
/// from 1 March of year 0, so that the leap day is an era's last.
fn civil(days: i64) -> (i64, u64, u64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month.unsigned_abs(), day.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(micros: i64) -> String {
        let mut out = Vec::new();
        Clock::default().write_signed(micros, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn known_moments() {
        assert_eq!(text(0), "1970-01-01T00:00:00.000000+0000");
        assert_eq!(text(-1), "1969-12-31T23:59:59.999999+0000");
        assert_eq!(text(951_782_400_000_000), "2000-02-29T00:00:00.000000+0000");
        assert_eq!(text(4_107_542_399_999_999), "2100-02-28T23:59:59.999999+0000");
    }
}
