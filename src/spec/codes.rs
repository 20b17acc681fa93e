//! The numbers of the errors in a model description, one for each kind.

use mom_dialect::diagnostic::Code;

/// A file or folder of the description cannot be read.
pub const UNREADABLE: Code = Code(101);
/// The text is not TOML, or not JSON.
pub const SYNTAX: Code = Code(102);
/// A key that means nothing in its place. An error in `model.toml`, a warning in `config.json`.
pub const UNKNOWN_KEY: Code = Code(103);
/// A value of another type than its key takes.
pub const WRONG_TYPE: Code = Code(104);
/// A value of the right type that its key does not allow.
pub const OUT_OF_RANGE: Code = Code(105);
/// A key without which the model is not described.
pub const MISSING_KEY: Code = Code(106);
/// Two values, each allowed, that do not go together.
pub const CONTRADICTION: Code = Code(107);
/// An update rule that does not ship with momc and is no file.
pub const UNKNOWN_UPDATE_RULE: Code = Code(108);
/// A `config.json` of another family of models.
pub const OTHER_MODEL: Code = Code(109);
/// A setting of `config.json` whose effect momc does not compute.
pub const UNSUPPORTED: Code = Code(110);
/// A layer given to attention that does not exist, or given twice.
pub const LAYER_LIST: Code = Code(111);
/// More elements than can be counted or kept.
pub const TOO_LARGE: Code = Code(112);
/// A setting without the effect it seems to have; always a warning.
pub const WITHOUT_EFFECT: Code = Code(113);
