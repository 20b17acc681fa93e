//! What threads of one group may do to memory between two places where all wait for each other: read what another does
//! not write, and write what another does not use. And only where the launch has a buffer.

use std::{fmt, ops::Range};

/// One access of a thread.
#[derive(Clone, Copy)]
pub(crate) struct Access {
    pub(crate) thread: usize,
    pub(crate) address: usize,
    pub(crate) bytes: usize,
    /// The bits that are written.
    pub(crate) written: Option<u32>,
}

/// What a kernel did that it must not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A thread uses an address where no buffer of the launch lies.
    Outside(usize, usize),
    /// A thread uses an address that is no multiple of the element's size.
    Misaligned(usize, usize),
    /// Two threads of which one writes, without waiting for each other.
    Race(usize, usize),
    /// Some threads wait where others do not, or for something else.
    Waits,
    /// The system has no memory for the threads' stacks.
    NoMemory,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Outside(thread, address) => {
                write!(formatter, "thread {thread} uses the address {address:#x}, where no buffer of the launch lies")
            }
            Fault::Misaligned(thread, address) => {
                write!(formatter, "thread {thread} uses the address {address:#x}, which is no multiple of the size")
            }
            Fault::Race(one, other) => {
                write!(formatter, "the threads {one} and {other} use the same element without waiting for each other")
            }
            Fault::Waits => write!(formatter, "some threads of a group wait where others do not"),
            Fault::NoMemory => write!(formatter, "there is no memory for the threads of a group"),
        }
    }
}

/// Whether these are the same value, as bits: every thread may have another number that is none.
fn are_same(a: u32, b: u32) -> bool {
    a == b || (f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan())
}

/// Elements that were used since all threads last waited for each other, in a table of open addresses.
pub(crate) struct Memory {
    /// Where buffers lie, in ascending order.
    ranges: Vec<Range<usize>>,
    elements: Vec<Element>,
    used: usize,
    /// Entries of other times are free.
    time: u32,
}

#[derive(Clone, Copy, Default)]
struct Element {
    time: u32,
    /// The address in units of two bytes, the smallest element.
    place: usize,
    reader: Option<u8>,
    /// Others have read it as well.
    is_shared: bool,
    writer: Option<(u8, u32)>,
}

impl Memory {
    pub(crate) fn new(ranges: impl IntoIterator<Item = Range<usize>>) -> Memory {
        let mut ranges: Vec<Range<usize>> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
        ranges.sort_unstable_by_key(|range| (range.start, range.end));
        Memory { ranges, elements: vec![Element::default(); 1 << 10], used: 0, time: 1 }
    }

    /// All threads have waited for each other.
    pub(crate) fn sync(&mut self) {
        self.time += 1;
        self.used = 0;
    }

    /// Whether a thread may do this.
    pub(crate) fn check(&mut self, access: Access) -> Result<(), Fault> {
        let Access { thread, address, bytes, written } = access;
        if !address.is_multiple_of(bytes) {
            return Err(Fault::Misaligned(thread, address));
        }
        let after = self.ranges.partition_point(|range| range.start <= address);
        let is_inside = after > 0 && address + bytes <= self.ranges[after - 1].end;
        if !is_inside {
            return Err(Fault::Outside(thread, address));
        }
        for place in address / 2..(address + bytes) / 2 {
            let element = self.element(place);
            let own = thread as u8;
            let other = match written {
                None => element.writer.filter(|&(writer, _)| writer != own).map(|(writer, _)| writer),
                Some(bits) => {
                    let writer = element.writer.filter(|&(writer, so_far)| writer != own && !are_same(so_far, bits));
                    let reader = element.reader.filter(|&reader| reader != own || element.is_shared);
                    writer.map(|(writer, _)| writer).or(reader)
                }
            };
            match written {
                None => {
                    element.is_shared |= element.reader.is_some_and(|reader| reader != own);
                    element.reader = Some(own);
                }
                Some(bits) => element.writer = Some((own, bits)),
            }
            if let Some(other) = other {
                return Err(Fault::Race(thread, usize::from(other)));
            }
        }
        Ok(())
    }

    fn element(&mut self, place: usize) -> &mut Element {
        if 2 * self.used >= self.elements.len() {
            let old = std::mem::take(&mut self.elements);
            self.elements = vec![Element::default(); 2 * old.len()];
            for element in old.into_iter().filter(|element| element.time == self.time) {
                let at = self.slot(element.place);
                self.elements[at] = element;
            }
        }
        let at = self.slot(place);
        if self.elements[at].time != self.time {
            self.used += 1;
            self.elements[at] = Element { time: self.time, place, ..Element::default() };
        }
        &mut self.elements[at]
    }

    /// Where an element is, or would be.
    fn slot(&self, place: usize) -> usize {
        let mask = self.elements.len() - 1;
        let mut at = place.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32 & mask;
        while self.elements[at].time == self.time && self.elements[at].place != place {
            at = (at + 1) & mask;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    fn read(thread: usize, address: usize) -> Access {
        Access { thread, address, bytes: 4, written: None }
    }

    fn write(thread: usize, address: usize, bits: u32) -> Access {
        Access { written: Some(bits), ..read(thread, address) }
    }

    #[test]
    fn what_threads_may_do_to_memory() {
        let cases: [(&[Access], Option<Fault>); 10] = [
            (&[read(0, 64), read(1, 64), write(2, 68, 1)], None),
            (&[write(0, 64, 1), read(0, 64), write(0, 64, 2)], None),
            // The same from everybody: a scalar that all threads store, be it no number.
            (&[write(0, 64, 1), write(1, 64, 1)], None),
            (&[write(0, 64, 0x7FC0_0000), write(1, 64, 0xFFC0_0001)], None),
            (&[write(0, 64, 1), write(1, 64, 2)], Some(Fault::Race(1, 0))),
            (&[write(3, 64, 1), read(5, 64)], Some(Fault::Race(5, 3))),
            (&[read(3, 64), write(5, 64, 1)], Some(Fault::Race(5, 3))),
            (&[read(3, 64), read(5, 64), write(5, 64, 1)], Some(Fault::Race(5, 5))),
            (&[read(0, 128)], Some(Fault::Outside(0, 128))),
            (&[read(0, 66)], Some(Fault::Misaligned(0, 66))),
        ];
        for (accesses, expected) in cases {
            let mut memory = Memory::new(iter::once(64..128));
            let found = accesses.iter().find_map(|&access| memory.check(access).err());
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn waiting_makes_all_things_new() {
        let mut memory = Memory::new(iter::once(0..1 << 20));
        for time in 0..3 {
            for element in 0..5000 {
                assert_eq!(memory.check(write((element + time) % 32, 4 * element, 7)), Ok(()));
            }
            memory.sync();
            for element in 0..5000 {
                assert_eq!(memory.check(read(0, 4 * element)), Ok(()));
            }
            memory.sync();
        }
    }
}
