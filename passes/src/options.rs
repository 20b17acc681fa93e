//! What a user or a test may say about how a program is compiled: how it is rewritten, and how update rules are run, that
//! is in which form and with which schedule of its kernels.

use std::str::FromStr;

use crate::{
    fuse::{
        Selection,
        cost::{Machine, Step, WORKLOAD},
    },
    tile::Schedule,
};

/// How programs are rewritten, and what is reported of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewriting {
    pub selection: Selection,
    /// What the cost model holds the program against.
    pub machine: Machine,
    /// The steps that reports give the work of kernels in. The search weighs [`WORKLOAD`] whatever they are.
    pub steps: Vec<Step>,
}

impl Default for Rewriting {
    fn default() -> Rewriting {
        Rewriting { selection: Selection::default(), machine: Machine::default(), steps: WORKLOAD.to_vec() }
    }
}

/// A way to run an update rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Form {
    /// What momc thinks best.
    #[default]
    Auto,
    /// Token after token.
    Recurrent,
    /// Many tokens a step, by products of matrices.
    Chunk,
}

/// How update rules are run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    pub form: Form,
    pub pinned: Pinned,
}

impl Options {
    /// A form with the schedule that momc thinks best for it.
    pub fn form(form: Form) -> Options {
        Options { form, pinned: Pinned::default() }
    }
}

/// The parts of a schedule that are not left to momc.
///
/// Written as `chunk=32,sub_block=8,save=1`, in any order and number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pinned {
    pub chunk: Option<usize>,
    pub sub_block: Option<usize>,
    pub save: Option<usize>,
}

/// Tiles of more tokens leave every cache.
const MOST_CHUNK: usize = 1024;

/// The states of so many steps are kept at once.
const MOST_SAVE: usize = 65536;

impl Pinned {
    /// The schedule with the pinned parts in place of those that it has.
    ///
    /// # Errors
    /// Parts that do not fit each other, or a part that is out of range.
    pub(crate) fn apply(&self, schedule: Schedule) -> Result<Schedule, String> {
        let chunk = self.chunk.unwrap_or(schedule.chunk);
        let fitting = if chunk.is_multiple_of(schedule.sub_block) { schedule.sub_block } else { chunk };
        let sub_block = self.sub_block.unwrap_or(fitting);
        let save = self.save.unwrap_or(schedule.save);
        if !(1..=MOST_CHUNK).contains(&chunk) {
            return Err(format!("the schedule has chunk={chunk}, which must be between 1 and {MOST_CHUNK}"));
        }
        if sub_block == 0 || !chunk.is_multiple_of(sub_block) {
            return Err(format!("the schedule has sub_block={sub_block}, which must divide chunk={chunk}"));
        }
        if !(1..=MOST_SAVE).contains(&save) {
            return Err(format!("the schedule has save={save}, which must be between 1 and {MOST_SAVE}"));
        }
        Ok(Schedule { chunk, sub_block, save })
    }
}

impl FromStr for Pinned {
    type Err = String;

    fn from_str(text: &str) -> Result<Pinned, String> {
        let mut pinned = Pinned::default();
        for part in text.split(',') {
            let (name, value) = part.split_once('=').ok_or("write a schedule as `chunk=32,sub_block=8`")?;
            let place = match name.trim() {
                "chunk" => &mut pinned.chunk,
                "sub_block" => &mut pinned.sub_block,
                "save" => &mut pinned.save,
                other => return Err(format!("a schedule has no `{other}`; it has `chunk`, `sub_block` and `save`")),
            };
            let value = value.trim().parse().map_err(|_| format!("`{value}` is not a whole number"))?;
            if place.replace(value).is_some() {
                return Err(format!("`{}` is given twice", name.trim()));
            }
        }
        Ok(pinned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_pinned_in_part() {
        let pinned: Pinned = "chunk=32, save=4".parse().unwrap();
        assert_eq!(pinned.apply(Schedule::CHUNK), Ok(Schedule { chunk: 32, sub_block: 16, save: 4 }));
        let odd: Pinned = "chunk=24".parse().unwrap();
        assert_eq!(odd.apply(Schedule::CHUNK).map(|schedule| schedule.sub_block), Ok(24));
        for (text, problem) in [
            ("chunk", "write a schedule as `chunk=32,sub_block=8`"),
            ("chunk=x", "`x` is not a whole number"),
            ("chunk=1,chunk=2", "`chunk` is given twice"),
            ("tile=3", "a schedule has no `tile`; it has `chunk`, `sub_block` and `save`"),
        ] {
            assert_eq!(text.parse::<Pinned>(), Err(problem.into()));
        }
        for (text, problem) in [
            ("chunk=0", "the schedule has chunk=0, which must be between 1 and 1024"),
            ("chunk=32,sub_block=5", "the schedule has sub_block=5, which must divide chunk=32"),
            ("save=0", "the schedule has save=0, which must be between 1 and 65536"),
        ] {
            assert_eq!(text.parse::<Pinned>().unwrap().apply(Schedule::CHUNK), Err(problem.into()));
        }
    }
}
