//! The numbers of the errors that a rule file can hold.

use crate::diagnostic::Code;

/// The text does not follow the grammar.
pub const SYNTAX: Code = Code(210);
/// A name that means nothing.
pub const UNKNOWN_NAME: Code = Code(211);
/// A name used above its definition.
pub const USED_BEFORE_DEFINITION: Code = Code(212);
/// One name for two things.
pub const DUPLICATE_NAME: Code = Code(213);
/// Axes that do not fit together.
pub const AXES: Code = Code(214);
/// A function with too few or too many arguments, or arguments of another kind.
pub const ARGUMENTS: Code = Code(215);
/// A state without `next`.
pub const NEVER_UPDATED: Code = Code(216);
/// An update rule without inputs, states or outputs.
pub const INCOMPLETE: Code = Code(217);
/// Something that nothing depends on.
pub const NEVER_USED: Code = Code(218);
/// An expression in a place where it has no meaning.
pub const NOT_HERE: Code = Code(219);
/// A layer part that does not define every input of its update rule, and nothing else.
pub const LAYER_INPUTS: Code = Code(220);
/// An axis whose size is not known.
pub const AXIS_WITHOUT_SIZE: Code = Code(221);
/// An option that the update rule does not have, or a value it cannot take.
pub const OPTION: Code = Code(222);
/// An update rule that cannot be the memory of a layer.
pub const NOT_A_MEMORY: Code = Code(223);
/// A bound that contradicts a default.
pub const BOUND: Code = Code(224);
/// An entry that an axis does not have, or a variable that is none.
pub const INDEX: Code = Code(225);
/// A variant that the update rule does not have, or one that makes no input.
pub const VARIANT: Code = Code(226);
/// A program with more operations than any update rule needs.
pub const TOO_LARGE: Code = Code(227);
