//! HPACK: header blocks to fields (RFC 7541).

mod huffman;
mod table;
#[cfg(test)]
mod tests;

use parse::Cursor;
use table::Table;

/// One piece of a header block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A field: name and value.
    Field(&'a [u8], &'a [u8]),
    /// The encoder's dynamic table has this size from now on.
    Resize(u64),
    /// A field that could not be read; the next one may be.
    Invalid,
}

/// Why the rest of a block cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It ends within a field.
    Cut,
    /// A number is larger than can be counted.
    Overflow,
}

/// The decoder of one side's header blocks.
#[derive(Debug)]
pub(super) struct Decoder {
    table: Table,
    /// Name and value of the literal at hand.
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Decoder {
    pub(super) const fn new() -> Self {
        Self { table: Table::new(), name: Vec::new(), value: Vec::new() }
    }

    /// The other side would take a table of this size (SETTINGS_HEADER_TABLE_SIZE).
    pub(super) fn allow(&mut self, most: u32) {
        self.table.allow(u64::from(most));
    }

    /// Reads a whole block and gives out its pieces, in order.
    pub(super) fn decode(&mut self, block: &[u8], out: &mut dyn FnMut(Piece<'_>)) -> Result<(), Broken> {
        let mut cursor = Cursor::new(block);
        while let Some(first) = cursor.u8() {
            match first {
                0x80.. => {
                    let index = integer(first, 7, &mut cursor)?;
                    out(self
                        .table
                        .get(index)
                        .map_or(Piece::Invalid, |(name, value)| Piece::Field(name, value)));
                }
                0x40.. => self.literal(first, 6, &mut cursor, out)?,
                0x20.. => {
                    let size = integer(first, 5, &mut cursor)?;
                    self.table.resize(size);
                    out(Piece::Resize(size));
                }
                _ => self.literal(first, 4, &mut cursor, out)?,
            }
        }
        Ok(())
    }

    /// A field whose value stands there in full (6.2); one of 6.2.1, with six bits of index, enters the table.
    fn literal(
        &mut self,
        first: u8,
        bits: u32,
        cursor: &mut Cursor<'_>,
        out: &mut dyn FnMut(Piece<'_>),
    ) -> Result<(), Broken> {
        let index = integer(first, bits, cursor)?;
        self.name.clear();
        let mut valid = true;
        match index {
            0 => valid = string(cursor, &mut self.name)?,
            index => match self.table.get(index) {
                Some((name, _)) => self.name.extend_from_slice(name),
                None => valid = false,
            },
        }
        self.value.clear();
        valid &= string(cursor, &mut self.value)?;
        if !valid {
            out(Piece::Invalid);
            return Ok(());
        }
        if bits == 6 {
            self.table.insert(&self.name, &self.value);
        }
        out(Piece::Field(&self.name, &self.value));
        Ok(())
    }

    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        self.table.held() + self.name.capacity() + self.value.capacity()
    }
}

/// A number whose first `bits` bits are the last ones of `first` (5.1).
fn integer(first: u8, bits: u32, cursor: &mut Cursor<'_>) -> Result<u64, Broken> {
    let full = u8::MAX >> (8 - bits);
    let mut number = u64::from(first & full);
    if first & full != full {
        return Ok(number);
    }
    for shift in (0..64).step_by(7) {
        let byte = cursor.u8().ok_or(Broken::Cut)?;
        let part = u64::from(byte & 0x7f);
        if part > u64::MAX >> shift {
            return Err(Broken::Overflow);
        }
        number = number.checked_add(part << shift).ok_or(Broken::Overflow)?;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Broken::Overflow)
}

/// A string, plain or in Huffman code (5.2), behind what `out` holds; whether it was well-formed.
fn string(cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<bool, Broken> {
    let first = cursor.u8().ok_or(Broken::Cut)?;
    let len = integer(first, 7, cursor)?;
    let data = usize::try_from(len).ok().and_then(|len| cursor.take(len)).ok_or(Broken::Cut)?;
    if first & 0x80 != 0 {
        return Ok(huffman::decode(data, out));
    }
    out.extend_from_slice(data);
    Ok(true)
}
