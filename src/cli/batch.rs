//! The file given to `--tokens`: a batch of token rows, checked before anything is computed.

use std::{fs, path::Path};

use mom_dialect::diagnostic::Diagnostic;
use momc::failure::{Failure, TOKENS};
use safetensors::{Dtype, SafeTensors};

const IDS: &str = "input_ids";
const MASK: &str = "attention_mask";
const HELP: &str =
    "the file holds `input_ids`, int64 [B, T], and may hold `attention_mask`, int64 [B, T], of zeros and ones";

/// Tokens of `rows` sequences, `length` each.
pub(crate) struct Batch {
    pub(crate) rows: usize,
    pub(crate) length: usize,
    /// `[rows, length]`
    pub(crate) tokens: Vec<u32>,
    /// `[rows, length]`: which tokens are real. None if all are.
    pub(crate) mask: Option<Vec<bool>>,
}

impl Batch {
    /// Reads a batch of tokens below `vocab_size`.
    ///
    /// # Errors
    /// E0620 if there is no such file, E0622 if it is not a batch for this vocabulary.
    pub(crate) fn read(path: &Path, vocab_size: usize) -> Result<Batch, Failure> {
        let bytes = fs::read(path).map_err(|error| Failure::cannot_read(path, &error))?;
        let file = InFile(path);
        let tensors = SafeTensors::deserialize(&bytes)
            .map_err(|error| file.wrong(format!("is not a whole safetensors file ({error})")))?;
        file.check_names(&tensors)?;
        let ids = file.integers(&tensors, IDS)?.ok_or_else(|| file.wrong("holds no `input_ids`".to_owned()))?;
        let &[rows, length] = ids.shape.as_slice() else {
            return Err(file.wrong(format!("holds `{IDS}` of shape {:?}, which is not [B, T]", ids.shape)));
        };
        if ids.values.is_empty() {
            return Err(file.wrong(format!("holds no token: `{IDS}` has the shape {:?}", ids.shape)));
        }
        let tokens = file.tokens(&ids, vocab_size)?;
        let mask = file.integers(&tensors, MASK)?.map(|mask| file.mask(&ids.shape, &mask)).transpose()?;
        Ok(Batch { rows, length, tokens, mask })
    }
}

/// An int64 tensor.
struct Integers {
    shape: Vec<usize>,
    values: Vec<i64>,
}

impl Integers {
    /// Row and column of an element, for messages.
    fn place(&self, index: usize) -> [usize; 2] {
        [index / self.shape[1], index % self.shape[1]]
    }
}

/// The file that messages are about.
struct InFile<'a>(&'a Path);

impl InFile<'_> {
    fn wrong(&self, problem: String) -> Failure {
        Diagnostic::error(TOKENS, format!("`{}` {problem}", self.0.display())).help(HELP).into()
    }

    fn check_names(&self, tensors: &SafeTensors) -> Result<(), Failure> {
        let mut names = tensors.names();
        names.sort_unstable();
        match names.into_iter().find(|name| ![IDS, MASK].contains(name)) {
            Some(name) => Err(self.wrong(format!("holds a tensor `{name}`, which nothing reads"))),
            None => Ok(()),
        }
    }

    /// An int64 tensor, if there is one of this name.
    fn integers(&self, tensors: &SafeTensors, name: &str) -> Result<Option<Integers>, Failure> {
        let Ok(tensor) = tensors.tensor(name) else { return Ok(None) };
        if tensor.dtype() != Dtype::I64 {
            return Err(self.wrong(format!("holds `{name}` as {}, which must be I64", tensor.dtype())));
        }
        let (values, _) = tensor.data().as_chunks();
        let values = values.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect();
        Ok(Some(Integers { shape: tensor.shape().to_vec(), values }))
    }

    fn tokens(&self, ids: &Integers, vocab_size: usize) -> Result<Vec<u32>, Failure> {
        let known = |&id: &i64| u32::try_from(id).ok().filter(|&token| (token as usize) < vocab_size);
        let tokens: Vec<u32> = ids.values.iter().map_while(known).collect();
        match ids.values.get(tokens.len()) {
            None => Ok(tokens),
            Some(unknown) => Err(self.wrong(format!(
                "holds the token {unknown} at {:?}, but the model's vocabulary has {vocab_size} tokens",
                ids.place(tokens.len())
            ))),
        }
    }

    fn mask(&self, shape: &[usize], mask: &Integers) -> Result<Vec<bool>, Failure> {
        if mask.shape != shape {
            return Err(self.wrong(format!("holds `{MASK}` of shape {:?}, but `{IDS}` has {shape:?}", mask.shape)));
        }
        match mask.values.iter().position(|value| ![0, 1].contains(value)) {
            Some(odd) => Err(self.wrong(format!("holds `{MASK}` with {} at {:?}", mask.values[odd], mask.place(odd)))),
            None => Ok(mask.values.iter().map(|&value| value == 1).collect()),
        }
    }
}
