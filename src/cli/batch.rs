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
        let (shape, ids) =
            file.integers(&tensors, IDS)?.ok_or_else(|| file.wrong("holds no `input_ids`".to_owned()))?;
        let &[rows, length] = shape.as_slice() else {
            return Err(file.wrong(format!("holds `input_ids` of shape {shape:?}, which is not [B, T]")));
        };
        if ids.is_empty() {
            return Err(file.wrong(format!("holds no token: `input_ids` has the shape {shape:?}")));
        }
        let tokens = file.tokens(&ids, length, vocab_size)?;
        let mask = match file.integers(&tensors, MASK)? {
            Some((found, values)) => Some(file.mask(&shape, &found, &values)?),
            None => None,
        };
        Ok(Batch { rows, length, tokens, mask })
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

    /// Shape and values of an int64 tensor, if it is there.
    fn integers(&self, tensors: &SafeTensors, name: &str) -> Result<Option<(Vec<usize>, Vec<i64>)>, Failure> {
        let Ok(tensor) = tensors.tensor(name) else { return Ok(None) };
        if tensor.dtype() != Dtype::I64 {
            return Err(self.wrong(format!("holds `{name}` as {}, which must be I64", tensor.dtype())));
        }
        let (values, _) = tensor.data().as_chunks();
        Ok(Some((tensor.shape().to_vec(), values.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())))
    }

    fn tokens(&self, ids: &[i64], length: usize, vocab_size: usize) -> Result<Vec<u32>, Failure> {
        let token = |(place, &id): (usize, &i64)| {
            u32::try_from(id).ok().filter(|&token| (token as usize) < vocab_size).ok_or_else(|| {
                let (row, column) = (place / length, place % length);
                self.wrong(format!(
                    "holds the token {id} at [{row}, {column}], but the model's vocabulary has {vocab_size} tokens"
                ))
            })
        };
        ids.iter().enumerate().map(token).collect()
    }

    fn mask(&self, wanted: &[usize], shape: &[usize], values: &[i64]) -> Result<Vec<bool>, Failure> {
        if shape != wanted {
            return Err(self.wrong(format!("holds `{MASK}` of shape {shape:?}, but `{IDS}` has {wanted:?}")));
        }
        match values.iter().position(|value| ![0, 1].contains(value)) {
            Some(place) => {
                let (row, column) = (place / shape[1], place % shape[1]);
                Err(self.wrong(format!("holds `{MASK}` with {} at [{row}, {column}]", values[place])))
            }
            None => Ok(values.iter().map(|&value| value == 1).collect()),
        }
    }
}
