//! What an answer looks like, and whether these bytes look like it.
//!
//! The decoders of `kafka-protocol` believe every count that they read: an array that says it has two thousand million
//! elements makes them ask for all of that memory before the first one is read, and a process that is refused memory
//! aborts. So nothing is decoded that was not walked first: every length is held against the bytes that are left, every
//! count against the least that so many elements take. A walk allocates nothing.
//!
//! **Guarantees**: whatever bytes are walked, there is no panic, and time is proportional to their number. Of what was
//! let through, the decoder reads the same fields at the same places, so the arrays that it makes have together at most
//! [`DECODED`] times the bytes of the answer.

use thiserror::Error;

/// What decoding takes at most, in bytes for each byte of the answer: the arrays, and the fields that nobody knows
/// ([`UNKNOWN`]). Strings are not copied.
pub const DECODED: usize = 64;

/// There may be one tagged field that is not known for so many bytes of the answer: each costs the decoder a few
/// hundred bytes. A release that adds one to every partition of an answer stays far below.
pub const UNKNOWN: usize = 16;

/// An answer of any size may have so many unknown fields.
const UNKNOWN_ANYWAY: usize = 16;

/// One field, by the names that the protocol's documentation gives to types.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// One byte: `BOOLEAN` and `INT8`.
    Int8,
    /// Two bytes, signed or not.
    Int16,
    /// Four bytes.
    Int32,
    /// Eight bytes.
    Int64,
    /// Sixteen bytes.
    Uuid,
    /// A length of two bytes, -1 for null.
    String,
    /// A length plus one as a variable-length number, 0 for null. `COMPACT_BYTES` are the same on the wire.
    CompactString,
    /// A count of four bytes, -1 for null, and as many elements with these fields.
    Array(&'static [Shape]),
    /// A count plus one as a variable-length number, 0 for null, and as many elements with these fields.
    CompactArray(&'static [Shape]),
    /// One byte, 1 before these fields, -1 for null.
    Nullable(&'static [Shape]),
    /// Tagged fields: those with these tags are decoded, all others kept as they are.
    Tags(&'static [(u32, &'static [Shape])]),
}

/// Why bytes are not an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Misfit {
    /// A number begins, and ends behind the last byte.
    #[error("it ends within a field")]
    Short,
    /// A string that is longer than what is left.
    #[error("a string of {0} bytes, where {1} are left")]
    String(usize, usize),
    /// More elements than what is left has room for.
    #[error("an array of {0} elements, where {1} bytes are left")]
    Array(usize, usize),
    /// A length below -1.
    #[error("a length of {0}")]
    Negative(i32),
    /// More than 32 bits.
    #[error("a variable-length number that does not end")]
    Number,
    /// Neither there nor null.
    #[error("a structure that is neither there nor null ({0})")]
    Presence(i8),
    /// A tagged field says another size than it has.
    #[error("a tagged field of another size than it says")]
    TagSize,
    /// See [`UNKNOWN`].
    #[error("more unknown fields than any release has")]
    Unknown,
    /// There is more than the fields.
    #[error("{0} bytes behind its last field")]
    Rest(usize),
}

/// What a walk has counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Elements of all arrays.
    pub elements: usize,
    /// Tagged fields that are not known.
    pub unknown: usize,
}

/// Whether these bytes are these fields and nothing more.
pub fn walk(bytes: &[u8], shape: &[Shape]) -> Result<Extent, Misfit> {
    let mut walk = Walk::new(bytes);
    walk.fields(shape)?;
    match walk.rest.len() {
        0 => Ok(walk.extent),
        more => Err(Misfit::Rest(more)),
    }
}

/// What is behind these fields.
pub(super) fn skip<'a>(bytes: &'a [u8], shape: &[Shape]) -> Result<&'a [u8], Misfit> {
    let mut walk = Walk::new(bytes);
    walk.fields(shape)?;
    Ok(walk.rest)
}

/// The fewest bytes that these fields take.
pub(super) fn smallest(shape: &[Shape]) -> usize {
    let one = |field: &Shape| match field {
        Shape::Int16 | Shape::String => 2,
        Shape::Int32 | Shape::Array(_) => 4,
        Shape::Int64 => 8,
        Shape::Uuid => 16,
        Shape::Int8 | Shape::CompactString | Shape::CompactArray(_) | Shape::Nullable(_) | Shape::Tags(_) => 1,
    };
    shape.iter().map(one).sum()
}

struct Walk<'a> {
    rest: &'a [u8],
    extent: Extent,
    unknown_allowed: usize,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            extent: Extent::default(),
            unknown_allowed: UNKNOWN_ANYWAY + bytes.len() / UNKNOWN,
        }
    }

    fn fields(&mut self, shape: &[Shape]) -> Result<(), Misfit> {
        shape.iter().try_for_each(|field| self.field(field))
    }

    fn field(&mut self, field: &Shape) -> Result<(), Misfit> {
        match field {
            Shape::Int8 => self.skip(1),
            Shape::Int16 => self.skip(2),
            Shape::Int32 => self.skip(4),
            Shape::Int64 => self.skip(8),
            Shape::Uuid => self.skip(16),
            Shape::String => {
                let length = i16::from_be_bytes(self.take()?).into();
                self.string(length_or_null(length)?)
            }
            Shape::CompactString => {
                let length = self.number()?.checked_sub(1);
                self.string(length)
            }
            Shape::Array(element) => {
                let count = i32::from_be_bytes(self.take()?);
                self.array(length_or_null(count)?, element)
            }
            Shape::CompactArray(element) => {
                let count = self.number()?.checked_sub(1);
                self.array(count, element)
            }
            Shape::Nullable(fields) => match i8::from_be_bytes(self.take()?) {
                -1 => Ok(()),
                1 => self.fields(fields),
                other => Err(Misfit::Presence(other)),
            },
            Shape::Tags(known) => self.tags(known),
        }
    }

    fn string(&mut self, length: Option<usize>) -> Result<(), Misfit> {
        let length = length.unwrap_or(0);
        let left = self.rest.len();
        self.skip(length).map_err(|_| Misfit::String(length, left))
    }

    fn array(&mut self, count: Option<usize>, element: &[Shape]) -> Result<(), Misfit> {
        let count = count.unwrap_or(0);
        let left = self.rest.len();
        if count.saturating_mul(smallest(element)) > left {
            return Err(Misfit::Array(count, left));
        }
        self.extent.elements += count;
        (0..count).try_for_each(|_| self.fields(element))
    }

    fn tags(&mut self, known: &[(u32, &'static [Shape])]) -> Result<(), Misfit> {
        for _ in 0..self.number()? {
            let tag = self.number()?;
            let size = self.number()?;
            let content = self.rest.get(..size).ok_or(Misfit::TagSize)?;
            if let Some((_, shape)) = known.iter().find(|(known, _)| usize::try_from(*known) == Ok(tag)) {
                // The decoder takes the fields and not the size, so both have to end at the same byte.
                let behind = self.rest.len() - content.len();
                self.fields(shape)?;
                if self.rest.len() != behind {
                    return Err(Misfit::TagSize);
                }
            } else {
                self.extent.unknown += 1;
                if self.extent.unknown > self.unknown_allowed {
                    return Err(Misfit::Unknown);
                }
                self.skip(size)?;
            }
        }
        Ok(())
    }

    /// A variable-length number of 32 bits: seven in each byte, the lowest first.
    fn number(&mut self) -> Result<usize, Misfit> {
        let mut value: u32 = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.take()?;
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && byte > 0x0f {
                return Err(Misfit::Number);
            }
            value |= bits << shift;
            if byte < 0x80 {
                break;
            }
        }
        usize::try_from(value).map_err(|_| Misfit::Number)
    }

    fn skip(&mut self, count: usize) -> Result<(), Misfit> {
        self.rest = self.rest.get(count..).ok_or(Misfit::Short)?;
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Misfit> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Misfit::Short)?;
        self.rest = rest;
        Ok(*taken)
    }
}

fn length_or_null(length: i32) -> Result<Option<usize>, Misfit> {
    match length {
        -1 => Ok(None),
        length => usize::try_from(length).map(Some).map_err(|_| Misfit::Negative(length)),
    }
}

#[cfg(test)]
mod tests;
